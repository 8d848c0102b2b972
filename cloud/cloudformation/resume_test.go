package cloudformation_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	ssmapi "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud"
	"ouro/cloud/cloudformation"
	"ouro/cloud/cloudtest"
	"ouro/cloud/door"
	"ouro/cloud/s3"
	"ouro/cloud/ssm"
	"ouro/cloud/store"
)

// watched is a parameter store that lets a test into its calls, after they
// were carried out and before they are answered.
type watched struct {
	*ssm.Service
	after func(ctx context.Context, name string, in any) error
}

func (s *watched) PutParameter(ctx context.Context, in *ssmapi.PutParameterInput) (*ssmapi.PutParameterOutput, error) {
	out, err := s.Service.PutParameter(ctx, in)
	if err == nil {
		err = s.after(ctx, *in.Name, in)
	}
	return out, err
}

func (s *watched) DeleteParameter(ctx context.Context, in *ssmapi.DeleteParameterInput) (*ssmapi.DeleteParameterOutput, error) {
	out, err := s.Service.DeleteParameter(ctx, in)
	if err == nil {
		err = s.after(ctx, *in.Name, in)
	}
	return out, err
}

// life is one process on a state directory.
func life(t *testing.T, dir string, after func(ctx context.Context, name string, in any) error) (w *world, end func()) {
	t.Helper()
	return lifeAt(t, dir, after, time.Now)
}

// lifeAt is life at another time.
func lifeAt(t *testing.T, dir string, after func(ctx context.Context, name string, in any) error, now func() time.Time) (w *world, end func()) {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := door.New(door.Options{Store: st, Now: now})
	service := cloudformation.New(d)
	for name, impl := range map[string]any{"ssm": &watched{ssm.New(d), after}, "s3": s3.New(d), "cloudformation": service} {
		if err := d.Register(name, impl); err != nil {
			t.Fatal(err)
		}
	}
	if err := service.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg := d.As(door.Caller{Account: "000000000000", Region: "us-east-1"})
	w = &world{Cloud: &cloudtest.Cloud{Server: &cloud.Server{URL: "https://s3.amazonaws.com"}, Config: cfg}, t: t, cfn: sdk.NewFromConfig(cfg)}
	return w, func() {
		d.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
}

func nothing(context.Context, string, any) error { return nil }

// death never answers the first call for a parameter.
func death(victim string) (met chan struct{}, after func(context.Context, string, any) error) {
	return deathAt(func(name string, _ any) bool { return name == victim })
}

// deathAt never answers the first of some calls.
func deathAt(these func(name string, in any) bool) (met chan struct{}, after func(context.Context, string, any) error) {
	met = make(chan struct{})
	var once sync.Once
	return met, func(ctx context.Context, name string, in any) error {
		if !these(name, in) {
			return nil
		}
		once.Do(func() { close(met) })
		<-ctx.Done()
		return ctx.Err()
	}
}

// TestResume lets a process die in the middle of each kind of operation, just
// after a resource was made, changed or deleted and before that was recorded.
func TestResume(t *testing.T) {
	t.Parallel()
	abc := func(a, b, c any) string {
		return template(t, map[string]any{"A": parameter(a, "Name", "a"), "B": parameter(b, "Name", "b", "!DependsOn", "A"), "C": parameter(c, "Name", "c", "!DependsOn", "B")})
	}
	for name, c := range map[string]struct {
		first  string // created before, if not empty
		begin  func(ctx context.Context, w *world) error
		status types.StackStatus
		want   map[string]string
	}{
		"create": {"", func(ctx context.Context, w *world) error {
			_, err := w.cfn.CreateStack(ctx, &sdk.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(abc("1", "2", "3"))})
			return err
		}, types.StackStatusCreateComplete, map[string]string{"a": "1", "b": "2", "c": "3"}},
		"update": {abc("1", "2", "3"), func(ctx context.Context, w *world) error {
			_, err := w.cfn.UpdateStack(ctx, &sdk.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(abc("4", "5", "6"))})
			return err
		}, types.StackStatusUpdateComplete, map[string]string{"a": "4", "b": "5", "c": "6"}},
		"cleanup": {abc("1", "2", "3"), func(ctx context.Context, w *world) error {
			_, err := w.cfn.UpdateStack(ctx, &sdk.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(template(t, map[string]any{"A": parameter("9", "Name", "a")}))})
			return err
		}, types.StackStatusUpdateComplete, map[string]string{"a": "9"}},
		"delete": {abc("1", "2", "3"), func(ctx context.Context, w *world) error {
			_, err := w.cfn.DeleteStack(ctx, &sdk.DeleteStackInput{StackName: aws.String("s")})
			return err
		}, types.StackStatusDeleteComplete, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if c.first != "" {
				w, end := life(t, dir, nothing)
				w.create("s", c.first)
				end()
			}
			met, after := death("b")
			w, end := life(t, dir, after)
			if err := c.begin(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			<-met
			id := ""
			list, err := w.cfn.ListStacks(t.Context(), &sdk.ListStacksInput{})
			if err != nil {
				t.Fatal(err)
			}
			id = aws.ToString(list.StackSummaries[0].StackId)
			end()

			w, end = life(t, dir, nothing)
			defer end()
			s := w.settled(id)
			if s.StackStatus != c.status {
				t.Errorf("the stack is in %s, want %s\n%s", s.StackStatus, c.status, w.story(id))
			}
			if diff := cmp.Diff(c.want, w.parameters()); diff != "" {
				t.Errorf("parameters (-want +got):\n%s\n%s", diff, w.story(id))
			}
			if story := w.story(id); strings.Contains(story, "FAILED") {
				t.Errorf("events:\n%s", story)
			}
		})
	}
}

// TestResumeNested lets the process die while a nested stack is made, and
// while it is changed together with something that fails afterwards.
func TestResumeNested(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inner := func(value string) string {
		return template(t, map[string]any{"A": parameter(value, "Name", "a"), "B": parameter(value, "Name", "b", "!DependsOn", "A")})
	}
	met, after := death("b")
	w, end := life(t, dir, after)
	body := template(t, map[string]any{"Inner": stackOf(w.put("one", inner("1")), nil)})
	if _, err := w.cfn.CreateStack(t.Context(), &sdk.CreateStackInput{StackName: aws.String("s"), TemplateBody: &body}); err != nil {
		t.Fatal(err)
	}
	<-met
	end()
	met, after = death("b")
	var armed atomic.Bool
	w, end = life(t, dir, func(ctx context.Context, name string, in any) error {
		if !armed.Load() {
			return nil
		}
		return after(ctx, name, in)
	})
	if s := w.settled("s"); s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s\n%s", s.StackStatus, w.story("s"), w.story(w.physical("s", "Inner")))
	}
	armed.Store(true)
	body = template(t, map[string]any{"Inner": stackOf(w.put("two", inner("2")), nil), "Bad": broken("Inner")})
	if _, err := w.cfn.UpdateStack(t.Context(), &sdk.UpdateStackInput{StackName: aws.String("s"), TemplateBody: &body}); err != nil {
		t.Fatal(err)
	}
	<-met
	end()
	w, end = life(t, dir, nothing)
	defer end()
	id := w.physical("s", "Inner")
	if s := w.settled("s"); s.StackStatus != types.StackStatusUpdateRollbackComplete || w.describe(id).StackStatus != types.StackStatusUpdateRollbackComplete {
		t.Errorf("%s\n%s\n%s", s.StackStatus, w.story("s"), w.story(id))
	}
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "1"}, w.parameters()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

// TestResumeMany ends the cloud somewhere in the middle of a large creation
// and of its rollback.
func TestResumeMany(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	resources := map[string]any{}
	var last []string
	for _, a := range "ABCDEFGHIJ" {
		for _, b := range "ABCDEFGHIJ" {
			id := string(a) + string(b)
			resources[id] = parameter(id, "!DependsOn", append([]string{}, last...))
			if len(last) == 0 || id[1] == 'J' {
				last = []string{id}
			}
		}
	}
	resources["Bad"] = broken(last...)
	w, end := life(t, dir, nothing)
	out, err := w.cfn.CreateStack(t.Context(), &sdk.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(template(t, resources))})
	if err != nil {
		t.Fatal(err)
	}
	end()
	w, end = life(t, dir, nothing)
	defer end()
	if s := w.settled(*out.StackId); s.StackStatus != types.StackStatusRollbackComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story(*out.StackId))
	}
	if left := w.parameters(); len(left) > 0 {
		t.Errorf("parameters are left: %v", left)
	}
}
