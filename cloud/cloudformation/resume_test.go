package cloudformation_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	ssmapi "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud/cloudformation"
	"ouro/cloud/cloudtest"
	"ouro/cloud/door"
	"ouro/cloud/ssm"
	"ouro/cloud/store"
)

// death is the parameter store of a process that dies: the first call for the
// parameter reaches it and is carried out, but its answer never arrives.
type death struct {
	*ssm.Service
	name string // of the parameter
	met  chan struct{}
	once sync.Once
}

func (d *death) strike(ctx context.Context, name *string) {
	if aws.ToString(name) == d.name {
		d.once.Do(func() { close(d.met) })
		<-ctx.Done()
	}
}

func (d *death) PutParameter(ctx context.Context, in *ssmapi.PutParameterInput) (*ssmapi.PutParameterOutput, error) {
	out, err := d.Service.PutParameter(ctx, in)
	d.strike(ctx, in.Name)
	return out, err
}

func (d *death) DeleteParameter(ctx context.Context, in *ssmapi.DeleteParameterInput) (*ssmapi.DeleteParameterOutput, error) {
	out, err := d.Service.DeleteParameter(ctx, in)
	d.strike(ctx, in.Name)
	return out, err
}

// life is one process on a state directory.
func life(t *testing.T, dir, dies string) (w *world, met chan struct{}, end func()) {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := door.New(door.Options{Store: st})
	stand := &death{Service: ssm.New(d), name: dies, met: make(chan struct{})}
	service := cloudformation.New(d)
	for name, impl := range map[string]any{"ssm": stand, "cloudformation": service} {
		if err := d.Register(name, impl); err != nil {
			t.Fatal(err)
		}
	}
	if err := service.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg := d.As(door.Caller{Account: "000000000000", Region: "us-east-1"})
	w = &world{Cloud: &cloudtest.Cloud{Config: cfg}, t: t, cfn: sdk.NewFromConfig(cfg)}
	return w, stand.met, func() {
		d.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
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
				w, _, end := life(t, dir, "")
				w.create("s", c.first)
				end()
			}
			w, met, end := life(t, dir, "b")
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

			w, _, end = life(t, dir, "")
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
	resources["Bad"] = broken(last...) // there is no S3 in this cloud
	w, _, end := life(t, dir, "")
	out, err := w.cfn.CreateStack(t.Context(), &sdk.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(template(t, resources))})
	if err != nil {
		t.Fatal(err)
	}
	end()
	w, _, end = life(t, dir, "")
	defer end()
	if s := w.settled(*out.StackId); s.StackStatus != types.StackStatusRollbackComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story(*out.StackId))
	}
	if left := w.parameters(); len(left) > 0 {
		t.Errorf("parameters are left: %v", left)
	}
}
