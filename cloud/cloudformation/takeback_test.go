package cloudformation_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"
)

// TestRollbackStack takes failed operations back that were left as they were.
func TestRollbackStack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, name := t.Context(), aws.String("s")
	rollback := func() (*cloudformation.RollbackStackOutput, error) {
		return w.cfn.RollbackStack(ctx, &cloudformation.RollbackStackInput{StackName: name})
	}
	before := map[string]any{"A": parameter("1", "Name", "a"), "B": parameter("1", "Name", "b")}
	w.create("s", template(t, before))
	was := w.parameters()
	_, err := rollback()
	refused(t, err, "ValidationError", "is in CREATE_COMPLETE state and can not be rolled back.")

	// B is replaced, A is changed, C is new; then it fails.
	after := map[string]any{"A": parameter("2", "Name", "a"), "B": parameter("1", "Name", "b2"), "C": parameter("1", "Name", "c"), "Bad": broken("A", "B", "C")}
	s := w.update("s", template(t, after), func(in *cloudformation.UpdateStackInput) { in.DisableRollback = aws.Bool(true) })
	if s.StackStatus != types.StackStatusUpdateFailed || len(w.parameters()) != 4 {
		t.Fatalf("%s: %v", s.StackStatus, w.parameters())
	}
	if _, err := rollback(); err != nil {
		t.Fatal(err)
	}
	if s := w.settled("s"); s.StackStatus != types.StackStatusUpdateRollbackComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story("s"))
	}
	if diff := cmp.Diff(was, w.parameters()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}

	// Left as it is, an update goes on from there.
	w.update("s", template(t, after), func(in *cloudformation.UpdateStackInput) { in.DisableRollback = aws.Bool(true) })
	delete(after, "Bad")
	if s := w.update("s", template(t, after)); s.StackStatus != types.StackStatusUpdateComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story("s"))
	}
	if diff := cmp.Diff(map[string]string{"a": "2", "b2": "1", "c": "1"}, w.parameters()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

// TestRollbackOfCreation gives up a stack that never was.
func TestRollbackOfCreation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, body := t.Context(), template(t, map[string]any{"A": parameter("1"), "Bad": broken("A")})
	s := w.create("s", body, func(in *cloudformation.CreateStackInput) { in.DisableRollback = aws.Bool(true) })
	if s.StackStatus != types.StackStatusCreateFailed {
		t.Fatal(s.StackStatus)
	}
	if _, err := w.cfn.RollbackStack(ctx, &cloudformation.RollbackStackInput{StackName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	if s := w.settled(*s.StackId); s.StackStatus != types.StackStatusDeleteComplete || len(w.parameters()) != 0 {
		t.Errorf("%s: %v", s.StackStatus, w.parameters())
	}
	w.create("s", body, func(in *cloudformation.CreateStackInput) { in.OnFailure = types.OnFailureDoNothing })
	_, err := w.cfn.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: &body})
	refused(t, err, "ValidationError", "This stack cannot be updated from [CREATE_FAILED] state because it contains [on-failure: DO_NOTHING]. Please use disable-rollback option instead during stack creation.")
}

// TestForceDelete deletes a stack whose resource cannot be deleted.
func TestForceDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, name := t.Context(), aws.String("s")
	bucket := map[string]any{"Type": "AWS::S3::Bucket", "Properties": map[string]any{"BucketName": "templates"}}
	w.create("s", template(t, map[string]any{"B": bucket, "P": parameter("1")}))
	w.put("full", "of something")
	_, err := w.cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: name, DeletionMode: types.DeletionModeForceDeleteStack})
	refused(t, err, "ValidationError", "FORCE_DELETE_STACK can only be used when the stack is in the DELETE_FAILED state.")
	s := w.delete("s")
	if s.StackStatus != types.StackStatusDeleteFailed {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	_, err = w.cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: name, RetainResources: []string{"P"}})
	refused(t, err, "ValidationError", "The specified resources to retain must be in a valid state for the operation: [P]")
	if _, err := w.cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: name, DeletionMode: types.DeletionModeForceDeleteStack}); err != nil {
		t.Fatal(err)
	}
	if s := w.settled(*s.StackId); s.StackStatus != types.StackStatusDeleteComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story(*s.StackId))
	}
}
