package cloudformation_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	ssmapi "github.com/aws/aws-sdk-go-v2/service/ssm"
)

// TestContinueNested goes on with a rollback that failed inside a nested
// stack, with and without the resource that it failed on.
func TestContinueNested(t *testing.T) {
	t.Parallel()
	for _, skip := range []bool{false, true} {
		t.Run(fmt.Sprint("skip ", skip), func(t *testing.T) {
			var broke atomic.Bool
			w, end := life(t, t.TempDir(), func(_ context.Context, _ string, in any) error {
				if put, ok := in.(*ssmapi.PutParameterInput); ok && (*put.Value == "bad" || broke.Load() && *put.Value == "1") {
					return fmt.Errorf("the parameter store is not well")
				}
				return nil
			})
			defer end()
			url, ctx := w.put("leaf.yaml", leaf), t.Context()
			tree := func(value string, more map[string]any) string {
				resources := map[string]any{"Leaf": stackOf(url, map[string]any{"Value": value, "Name": "a"})}
				for id, r := range more {
					resources[id] = r
				}
				return template(t, resources)
			}
			w.create("root", tree("1", nil))
			nested := w.physical("root", "Leaf")
			broke.Store(true)
			s := w.update("root", tree("2", map[string]any{"Bad": parameter("bad", "!DependsOn", "Leaf")}))
			if s.StackStatus != types.StackStatusUpdateRollbackFailed || w.describe(nested).StackStatus != types.StackStatusUpdateRollbackFailed {
				t.Fatalf("%s\n%s\n%s", s.StackStatus, w.story("root"), w.story(nested))
			}
			_, err := w.cfn.ContinueUpdateRollback(ctx, &sdk.ContinueUpdateRollbackInput{StackName: &nested})
			refused(t, err, "ValidationError", "RollbackUpdatedStack cannot be invoked on child stacks")
			_, err = w.cfn.ContinueUpdateRollback(ctx, &sdk.ContinueUpdateRollbackInput{StackName: aws.String("root"), ResourcesToSkip: []string{"Nothing", "root.Leaf"}})
			refused(t, err, "ValidationError", "The following resource(s) to skip are not in the UPDATE_FAILED state: [Nothing, root.Leaf]")

			in := &sdk.ContinueUpdateRollbackInput{StackName: aws.String("root")}
			if skip {
				name := *w.describe(nested).StackName
				in.ResourcesToSkip = []string{name + ".P"}
			}
			broke.Store(skip)
			if _, err := w.cfn.ContinueUpdateRollback(ctx, in); err != nil {
				t.Fatal(err)
			}
			s = w.settled("root")
			if s.StackStatus != types.StackStatusUpdateRollbackComplete || w.describe(nested).StackStatus != types.StackStatusUpdateRollbackComplete {
				t.Fatalf("%s\n%s\n%s", s.StackStatus, w.story("root"), w.story(nested))
			}
			if strings.Contains(w.story("root"), "Bad DELETE_FAILED") {
				t.Error(w.story("root"))
			}
		})
	}
}
