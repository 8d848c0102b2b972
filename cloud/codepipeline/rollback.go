package codepipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// RollbackStage runs a stage again with the artifacts and variables that a
// former execution had when it succeeded there. That is an execution of its
// own, which ends with the stage.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html
func (s *Service) RollbackStage(ctx context.Context, in *codepipeline.RollbackStageInput) (*codepipeline.RollbackStageOutput, error) {
	if err := checkExecutionID(in.TargetPipelineExecutionId, "targetPipelineExecutionId"); err != nil {
		return nil, err
	}
	out := &codepipeline.RollbackStageOutput{}
	err := s.change(ctx, in.PipelineName, func(t *turn) error {
		i := t.plan.stageIndex(aws.ToString(in.StageName))
		if i < 0 {
			return noStage(t.pipe.Name, in.StageName)
		}
		target, err := t.execution(in.TargetPipelineExecutionId, noExecution(t.pipe.Name, in.TargetPipelineExecutionId))
		if err != nil {
			return err
		}
		if err := t.checkRollback(target, i); err != nil {
			return err
		}
		e := t.rollBack(i, target, types.TriggerTypeManualRollback, door.CallerFrom(ctx).ARN)
		out.PipelineExecutionId = &e.ID
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (t *turn) checkRollback(target *execution, i int) error {
	name := t.plan.stages[i].name
	refuse := func(format string, args ...any) error {
		return &types.UnableToRollbackStageException{Message: aws.String(fmt.Sprintf("Unable to roll back stage '%s': ", name) + fmt.Sprintf(format, args...))}
	}
	switch {
	case t.plan.mode == types.ExecutionModeParallel:
		return refuse("stage rollback is not available for pipelines in PARALLEL mode")
	case i == 0:
		return refuse("a source stage cannot be rolled back")
	case target.Version != t.pipe.Version:
		return &types.PipelineExecutionOutdatedException{Message: aws.String(fmt.Sprintf(
			"The pipeline execution '%s' ran with version %d of the pipeline, which is at version %d", target.ID, target.Version, t.pipe.Version))}
	case target.Target != "":
		return refuse("the target pipeline execution '%s' is a rollback itself", target.ID)
	case !slices.Contains(target.Succeeded, name):
		return refuse("the target pipeline execution '%s' did not succeed in it", target.ID)
	case len(t.pipe.stage(name).Running) > 0:
		return refuse("it is currently running")
	}
	return nil
}

// rollBack starts the execution that rolls a stage back. It enters at once, past
// those that wait.
func (t *turn) rollBack(i int, target *execution, trigger types.TriggerType, detail string) *execution {
	e := t.newExecution(trigger, detail)
	e.Target = target.ID
	e.Variables, e.Artifacts, e.Outputs = target.Variables, maps.Clone(target.Artifacts), maps.Clone(target.Outputs)
	e.Revisions = slices.Clone(target.Revisions)
	t.enter(e, i)
	return e
}

// rollBackFrom rolls the stage that the execution failed in back to the newest
// execution that succeeded there with the same version of the pipeline. Without
// one nothing is done.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback-auto.html
func (t *turn) rollBackFrom(e *execution) {
	i := e.Stage
	q := store.Query{Prefix: t.pipe.Name + "/", After: executionKey(t.pipe.Name, e.Number), Limit: 100}
	for {
		list, err := t.s.executions.List(t.ctx, t.scope, q)
		if err != nil {
			t.err = fmt.Errorf("looking for an execution to roll back to: %w", err)
			return
		}
		for _, entry := range list {
			target := entry.Value
			if loaded := t.executions[target.Number]; loaded != nil {
				target = *loaded
			}
			if target.Version != e.Version {
				return // older ones have older versions
			}
			if t.checkRollback(&target, i) == nil {
				t.rollBack(i, &target, types.TriggerTypeAutomatedRollback, fmt.Sprintf(`{"FailedPipelineExecutionId":"%s"}`, e.ID))
				return
			}
		}
		if len(list) < q.Limit {
			return
		}
		q.After = list[len(list)-1].ID
	}
}

// rollbackMetadata names the execution that a rollback goes back to.
func (e *execution) rollbackMetadata() *types.PipelineRollbackMetadata {
	if e.Target == "" {
		return nil
	}
	return &types.PipelineRollbackMetadata{RollbackTargetPipelineExecutionId: aws.String(e.Target)}
}
