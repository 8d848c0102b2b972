package cloudformation_test

import (
	"maps"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	ssmapi "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"
)

// puts are the calls that give a parameter a value, deletes those that delete it.
func puts(name, value string) func(string, any) bool {
	return func(n string, in any) bool {
		put, ok := in.(*ssmapi.PutParameterInput)
		return ok && n == name && *put.Value == value
	}
}

func deletes(name string) func(string, any) bool {
	return func(n string, in any) bool {
		_, ok := in.(*ssmapi.DeleteParameterInput)
		return ok && n == name
	}
}

// TestResumeUpdate lets a process die at each kind of step of an update: one
// that replaces, changes, adds and removes resources, and one that fails and is
// rolled back.
func TestResumeUpdate(t *testing.T) {
	t.Parallel()
	first := map[string]any{"R": parameter("1", "Name", "old"), "C": parameter("1", "Name", "c", "!DependsOn", "R"), "G": parameter("1", "Name", "gone")}
	second := func(more map[string]any) map[string]any {
		all := map[string]any{"R": parameter("1", "Name", "new"), "C": parameter("2", "Name", "c", "!DependsOn", "R"), "N": parameter("1", "Name", "n", "!DependsOn", "C")}
		maps.Copy(all, more)
		return all
	}
	bad := map[string]any{"Bad": broken("N")}
	before, after := map[string]string{"old": "1", "c": "1", "gone": "1"}, map[string]string{"new": "1", "c": "2", "n": "1"}
	for name, c := range map[string]struct {
		more   map[string]any
		dies   func(string, any) bool
		status types.StackStatus
		want   map[string]string
	}{
		"replacement":              {nil, puts("new", "1"), types.StackStatusUpdateComplete, after},
		"change":                   {nil, puts("c", "2"), types.StackStatusUpdateComplete, after},
		"addition":                 {nil, puts("n", "1"), types.StackStatusUpdateComplete, after},
		"cleanup of the replaced":  {nil, deletes("old"), types.StackStatusUpdateComplete, after},
		"cleanup of the removed":   {nil, deletes("gone"), types.StackStatusUpdateComplete, after},
		"before it fails":          {bad, puts("n", "1"), types.StackStatusUpdateRollbackComplete, before},
		"rollback of a change":     {bad, puts("c", "1"), types.StackStatusUpdateRollbackComplete, before},
		"cleanup of what was made": {bad, deletes("n"), types.StackStatusUpdateRollbackComplete, before},
		"cleanup of a replacement": {bad, deletes("new"), types.StackStatusUpdateRollbackComplete, before},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			w, end := life(t, dir, nothing)
			w.create("s", template(t, first))
			was := w.look("s")
			end()
			met, step := deathAt(c.dies)
			w, end = life(t, dir, step)
			if _, err := w.cfn.UpdateStack(t.Context(), &sdk.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(template(t, second(c.more)))}); err != nil {
				t.Fatal(err)
			}
			<-met
			end()
			w, end = life(t, dir, nothing)
			defer end()
			if s := w.settled("s"); s.StackStatus != c.status {
				t.Errorf("the stack is in %s, want %s\n%s", s.StackStatus, c.status, w.story("s"))
			}
			if diff := cmp.Diff(c.want, w.parameters()); diff != "" {
				t.Errorf("parameters (-want +got):\n%s\n%s", diff, w.story("s"))
			}
			if c.more == nil {
				return
			}
			if diff := cmp.Diff(was, w.look("s"), sdkValues); diff != "" {
				t.Errorf("the rollback left a difference (-before +after):\n%s", diff)
			}
		})
	}
}

// TestResumeNestedRollback lets the process die while a nested stack is taken
// back, by itself and for the sake of the outer one.
func TestResumeNestedRollback(t *testing.T) {
	t.Parallel()
	inner := func(value string, more map[string]any) string {
		all := map[string]any{"A": parameter(value, "Name", "a"), "B": parameter(value, "Name", "b", "!DependsOn", "A")}
		maps.Copy(all, more)
		return template(t, all)
	}
	for name, c := range map[string]struct{ inside, outside map[string]any }{
		"by itself":       {map[string]any{"Bad": broken("B")}, nil},
		"with the others": {nil, map[string]any{"Bad": broken("Inner")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var armed atomic.Bool
			back := puts("a", "1")
			met, step := deathAt(func(name string, in any) bool { return armed.Load() && back(name, in) })
			w, end := life(t, dir, step)
			w.create("s", template(t, map[string]any{"Inner": stackOf(w.put("one", inner("1", nil)), nil)}))
			armed.Store(true)
			outer := map[string]any{"Inner": stackOf(w.put("two", inner("2", c.inside)), nil)}
			maps.Copy(outer, c.outside)
			if _, err := w.cfn.UpdateStack(t.Context(), &sdk.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(template(t, outer))}); err != nil {
				t.Fatal(err)
			}
			<-met
			end()
			w, end = life(t, dir, nothing)
			defer end()
			id := w.physical("s", "Inner")
			if s := w.settled("s"); s.StackStatus != types.StackStatusUpdateRollbackComplete || w.settled(id).StackStatus != types.StackStatusUpdateRollbackComplete {
				t.Errorf("%s\n%s\n%s", s.StackStatus, w.story("s"), w.story(id))
			}
			if diff := cmp.Diff(map[string]string{"a": "1", "b": "1"}, w.parameters()); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
		})
	}
}
