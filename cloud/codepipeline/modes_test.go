package codepipeline_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// Fifty executions may be under way, in the queue or side by side, whatever
// starts them.
func TestConcurrentLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	def := definition(stage("Build", build("B", "slow")))
	def.PipelineType, def.ExecutionMode = types.PipelineTypeV2, types.ExecutionModeQueued
	delete(def.Stages[0].Actions[0].Configuration, "PollForSourceChanges")
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}))
	first := w.first()
	w.building(1)
	for range 49 {
		w.start()
	}
	_, err := w.client.StartPipelineExecution(t.Context(), &api.StartPipelineExecutionInput{Name: aws.String("p")})
	if code(err) != "ConcurrentPipelineExecutionsLimitExceededException" {
		t.Errorf("the 51st: %v", err)
	}
	hook := must[*api.PutWebhookOutput](t)(w.client.PutWebhook(t.Context(), &api.PutWebhookInput{Webhook: &types.WebhookDefinition{
		Name: aws.String("hook"), TargetPipeline: aws.String("p"), TargetAction: aws.String("Source"), Filters: []types.WebhookFilterRule{},
		Authentication: types.WebhookAuthenticationTypeUnauthenticated, AuthenticationConfiguration: &types.WebhookAuthConfiguration{},
	}})).Webhook
	answer := httptest.NewRecorder()
	w.service.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, *hook.Url, strings.NewReader("{}")))
	if answer.Code != http.StatusTooManyRequests || !strings.Contains(answer.Body.String(), "limit of 50") {
		t.Errorf("delivery: %d %s", answer.Code, answer.Body)
	}
	hooks := must[*api.ListWebhooksOutput](t)(w.client.ListWebhooks(t.Context(), &api.ListWebhooksInput{})).Webhooks
	if aws.ToString(hooks[0].ErrorCode) != "LimitExceeded" || hooks[0].LastTriggered != nil {
		t.Errorf("webhook: %+v", hooks[0])
	}
	w.until("all have left the source", func() bool { return len(w.stage("Build").InboundExecutions) == 49 })
	w.repos.push("c2", nil)
	asked := w.repos.questions()
	w.until("the source was polled again", func() bool { return w.repos.questions() > asked+1 })
	if n := w.executionsOf("p"); n != 50 {
		t.Errorf("%d executions when a polled source changes", n)
	}
	w.builds.finish("slow:1", cbtypes.StatusTypeSucceeded)
	w.reaches(first, types.PipelineExecutionStatusSucceeded)
	w.until("the change starts one, for which there is room now", func() bool { return w.executionsOf("p") == 51 })
}

func (w *world) executionsOf(name string) int {
	w.t.Helper()
	return len(must[*api.ListPipelineExecutionsOutput](w.t)(w.client.ListPipelineExecutions(w.t.Context(), &api.ListPipelineExecutionsInput{PipelineName: &name})).PipelineExecutionSummaries)
}

// Executions side by side fail and are retried each for itself.
func TestParallelRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.createV2(types.ExecutionModeParallel, stage("Build", build("B", "slow")))
	first := w.first()
	w.building(1)
	second := w.start()
	w.building(2)
	w.builds.finish("slow:1", cbtypes.StatusTypeFailed)
	w.reaches(first, types.PipelineExecutionStatusFailed)
	if err := w.retry(second, "Build", types.StageRetryModeFailedActions); code(err) != "StageNotRetryableException" {
		t.Errorf("retry of what runs: %v", err)
	}
	if err := w.retry(first, "Build", types.StageRetryModeFailedActions); err != nil {
		t.Fatal(err)
	}
	w.building(3)
	w.builds.finish("slow:2", cbtypes.StatusTypeSucceeded)
	w.builds.finish("slow:3", cbtypes.StatusTypeSucceeded)
	w.reaches(first, types.PipelineExecutionStatusSucceeded)
	w.reaches(second, types.PipelineExecutionStatusSucceeded)
	if _, err := w.client.RollbackStage(t.Context(), &api.RollbackStageInput{
		PipelineName: aws.String("p"), StageName: aws.String("Build"), TargetPipelineExecutionId: &first,
	}); code(err) != "UnableToRollbackStageException" {
		t.Errorf("rollback: %v", err)
	}
}

// The state in PARALLEL mode and that in the others are kept apart.
func TestChangeOfMode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.createV2("", stage("Build", build("B", "quick")))
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
	one := w.picture()
	mode := func(m types.ExecutionMode) {
		def := definition(stage("Build", build("B", "quick")))
		def.PipelineType, def.ExecutionMode = types.PipelineTypeV2, m
		must[*api.UpdatePipelineOutput](t)(w.client.UpdatePipeline(t.Context(), &api.UpdatePipelineInput{Pipeline: def}))
	}
	mode(types.ExecutionModeParallel)
	if got := w.picture(); got != "Source:\nBuild:\n" {
		t.Errorf("new in PARALLEL mode:\n%s", got)
	}
	w.reaches(w.start(), types.PipelineExecutionStatusSucceeded)
	mode(types.ExecutionModeQueued)
	if got := w.picture(); got != one {
		t.Errorf("back in QUEUED mode:\n%s", got)
	}
}
