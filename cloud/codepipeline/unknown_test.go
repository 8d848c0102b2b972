package codepipeline_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// What operations answer to the id of an execution that there is not, and to
// what is none, are the errors that they are documented with.
func TestUnknownExecutions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.createV2("", stage("Build", build("B", "quick")))
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
	ctx, p, st := t.Context(), aws.String("p"), aws.String("Build")
	for name, test := range map[string]struct {
		ask  func(id *string) error
		want string
	}{
		"get": {func(id *string) error {
			_, err := w.client.GetPipelineExecution(ctx, &api.GetPipelineExecutionInput{PipelineName: p, PipelineExecutionId: id})
			return err
		}, "PipelineExecutionNotFoundException"},
		"actions": {func(id *string) error {
			_, err := w.client.ListActionExecutions(ctx, &api.ListActionExecutionsInput{PipelineName: p, Filter: &types.ActionExecutionFilter{PipelineExecutionId: id}})
			return err
		}, "PipelineExecutionNotFoundException"},
		"rules": {func(id *string) error {
			_, err := w.client.ListRuleExecutions(ctx, &api.ListRuleExecutionsInput{PipelineName: p, Filter: &types.RuleExecutionFilter{PipelineExecutionId: id}})
			return err
		}, "PipelineExecutionNotFoundException"},
		"roll back": {func(id *string) error {
			_, err := w.client.RollbackStage(ctx, &api.RollbackStageInput{PipelineName: p, StageName: st, TargetPipelineExecutionId: id})
			return err
		}, "PipelineExecutionNotFoundException"},
		"stop": {func(id *string) error {
			_, err := w.client.StopPipelineExecution(ctx, &api.StopPipelineExecutionInput{PipelineName: p, PipelineExecutionId: id})
			return err
		}, "PipelineExecutionNotStoppableException"},
		"retry":    {func(id *string) error { return w.retry(*id, *st, types.StageRetryModeAllActions) }, "NotLatestPipelineExecutionException"},
		"override": {func(id *string) error { return w.override(*id, *st, types.ConditionTypeBeforeEntry) }, "NotLatestPipelineExecutionException"},
	} {
		if err := test.ask(aws.String("00000000-0000-0000-0000-000000000000")); code(err) != test.want {
			t.Errorf("%s: unknown: %v", name, err)
		}
		if err := test.ask(aws.String("../x")); code(err) != "ValidationException" {
			t.Errorf("%s: not an id: %v", name, err)
		}
	}
	// Names that are asked for leave nothing behind.
	for _, name := range []string{"nobody", "nothing", "p"} {
		_, err := w.client.GetPipelineState(ctx, &api.GetPipelineStateInput{Name: &name})
		if want := map[bool]string{false: "PipelineNotFoundException"}[name == "p"]; code(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.until("nobody works on a pipeline", func() bool { return w.service.Lines() == 0 })
}
