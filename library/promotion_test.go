package library_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// TestPromotion: a push goes to dev by itself; prod waits until somebody
// approves what the approval says, and gets that.
func TestPromotion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	said := s.ended(t, "Approve", types.ActionExecutionStatusInProgress).Input.ResolvedConfiguration
	s.greets(t, "site-Site", "hello dev")
	if said["CustomData"] != "Add Log (AWS::Logs::LogGroup)" {
		t.Errorf("the approval says %q", said["CustomData"])
	}
	s.promote(t)
	s.greets(t, "site-Site-prod", "hello prod")
	prod := s.stack(t, "site-Site-prod")
	link := "https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks/changesets/changes?stackId=" +
		*prod.StackId + "&changeSetId=" + aws.ToString(prod.ChangeSetId)
	if said["ExternalEntityLink"] != link {
		t.Errorf("the approval leads to\n%s, and what was executed is\n%s", said["ExternalEntityLink"], link)
	}
}

// TestRejection: nothing is deployed, and the next push has its turn.
func TestRejection(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.promote(t)
	s.push(t, values{"prod.json": configuration(values{"Greeting": "rejected"})})
	s.ended(t, "Approve", types.ActionExecutionStatusInProgress)
	s.answer(t, types.ApprovalStatusRejected)
	s.ended(t, "Approve", types.ActionExecutionStatusFailed)
	if slices.ContainsFunc(s.newest(t), func(a types.ActionExecutionDetail) bool { return *a.StageName == "prod" && *a.ActionName == "Deploy" }) {
		t.Error("what was rejected is deployed")
	}
	s.greets(t, "site-Site-prod", "hello prod")
	s.push(t, values{"prod.json": configuration(values{"Greeting": "better"})})
	s.promote(t)
	s.greets(t, "site-Site-prod", "better")
}

// TestStaleChangeSet: what was reviewed does not fit the stack any more, until
// it is made and reviewed anew.
func TestStaleChangeSet(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.promote(t)
	s.push(t, values{"prod.json": configuration(values{"Greeting": "stale"})})
	s.ended(t, "Approve", types.ActionExecutionStatusInProgress)
	name := "site-Site-prod"
	if _, err := s.cfn.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{
		StackName: &name, UsePreviousTemplate: aws.Bool(true),
		Parameters: []cftypes.Parameter{{ParameterKey: aws.String("Greeting"), ParameterValue: aws.String("by hand")}},
	}); err != nil {
		t.Fatal(err)
	}
	wait := cloudformation.NewStackUpdateCompleteWaiter(s.cfn, func(o *cloudformation.StackUpdateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, 200*time.Millisecond
	})
	if err := wait.Wait(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	s.answer(t, types.ApprovalStatusApproved)
	stale := s.ended(t, "Deploy", types.ActionExecutionStatusFailed)
	if why := message(stale); !strings.Contains(why, "OBSOLETE") {
		t.Errorf("the deployment failed for %q", why)
	}
	s.greets(t, name, "by hand")
	if _, err := s.pipelines.RetryStageExecution(t.Context(), &codepipeline.RetryStageExecutionInput{
		PipelineName: aws.String("site"), StageName: aws.String("prod"), PipelineExecutionId: stale.PipelineExecutionId, RetryMode: types.StageRetryModeAllActions,
	}); err != nil {
		t.Fatal(err)
	}
	s.promote(t)
	s.greets(t, name, "stale")
}

// TestSelfUpdate: only what changes the pipeline updates it, and starts it anew
// once.
func TestSelfUpdate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.promote(t)
	s.push(t, values{"site.yaml": strings.Replace(siteTemplate, "RetentionInDays: 1", "RetentionInDays: 3", 1)})
	s.promote(t)
	if v, at := s.version(t), s.stack(t, "site-Pipeline").LastUpdatedTime; v != 1 || at != nil {
		t.Errorf("a change of the site made version %d of the pipeline, at %v", v, at)
	}
	s.push(t, values{"pipeline.json": configuration(s.settings.with(values{"ExecutionMode": "QUEUED"}))})
	s.promote(t)
	if v := s.version(t); v != 2 {
		t.Errorf("a change of the pipeline's configuration made version %d of it", v)
	}
	out, err := s.pipelines.ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String("site")})
	if err != nil {
		t.Fatal(err)
	}
	var of int
	for _, run := range out.PipelineExecutionSummaries {
		if len(run.SourceRevisions) > 0 && aws.ToString(run.SourceRevisions[0].RevisionId) == *s.tip {
			of++
		}
	}
	if of != 2 {
		t.Errorf("there are %d executions of the commit that changed the pipeline, want the one that updated it and the one after", of)
	}
}
