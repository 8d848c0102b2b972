package codepipeline_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// Nobody decides within the time that the approval has. Other actions have no
// time of their own.
func TestApprovalExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.close()
	w.now = func() time.Time { return time.Now().Add(-6 * time.Minute) } // so that its five minutes are over
	w.open()
	within := func(minutes int32) func(*types.ActionDeclaration) {
		return func(a *types.ActionDeclaration) { a.TimeoutInMinutes = &minutes }
	}
	for _, a := range []types.ActionDeclaration{build("Build", "quick", within(5)), act("Ask", "Approval", "Manual", nil, within(4))} {
		if _, err := w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: definition(stage("Ask", a))}); err == nil {
			t.Errorf("%s may take %d minutes", *a.Name, *a.TimeoutInMinutes)
		}
	}
	w.create(stage("Ask", act("Ask", "Approval", "Manual", nil, within(5))))
	w.reaches(w.first(), types.PipelineExecutionStatusFailed)
	if e := w.action("Ask").LatestExecution; *e.ErrorDetails.Message != "The approval request has expired." || e.Token != nil {
		t.Errorf("after its time: %+v", e)
	}
	if _, err := w.client.PutApprovalResult(t.Context(), &api.PutApprovalResultInput{
		PipelineName: aws.String("p"), StageName: aws.String("Ask"), ActionName: aws.String("Ask"), Token: aws.String("00000000-0000-0000-0000-000000000000"),
		Result: &types.ApprovalResult{Status: types.ApprovalStatusApproved, Summary: aws.String("late")},
	}); code(err) != "ApprovalAlreadyCompletedException" {
		t.Errorf("approved too late: %v", err)
	}
}
