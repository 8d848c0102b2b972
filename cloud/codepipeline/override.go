package codepipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// OverrideStageCondition lets an execution past a condition that keeps it, or
// has kept it, from entering or leaving a stage.
func (s *Service) OverrideStageCondition(ctx context.Context, in *codepipeline.OverrideStageConditionInput) (*codepipeline.OverrideStageConditionOutput, error) {
	if !slices.Contains(in.ConditionType.Values(), in.ConditionType) {
		return nil, constraint(string(in.ConditionType), "conditionType", "Member must satisfy enum value set: [BEFORE_ENTRY, ON_SUCCESS]")
	}
	if err := checkExecutionID(in.PipelineExecutionId, "pipelineExecutionId"); err != nil {
		return nil, err
	}
	err := s.change(ctx, in.PipelineName, func(t *turn) error {
		i := t.plan.stageIndex(aws.ToString(in.StageName))
		if i < 0 {
			return noStage(t.pipe.Name, in.StageName)
		}
		e, err := t.execution(in.PipelineExecutionId, notLatest(*in.PipelineExecutionId, t.plan.stages[i].name))
		if err != nil {
			return err
		}
		if err := t.checkOverride(e, i, when(in.ConditionType)); err != nil {
			return err
		}
		t.override(e, when(in.ConditionType))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codepipeline.OverrideStageConditionOutput{}, nil
}

func (t *turn) checkOverride(e *execution, i int, at when) error {
	name := t.plan.stages[i].name
	refuse := func(why string) error {
		return &types.ConditionNotOverridableException{Message: aws.String(fmt.Sprintf(
			"The %s condition of stage '%s' cannot be overridden: %s", at, name, why))}
	}
	c := e.run(name).Conditions[at]
	switch {
	case t.pipe.stage(name).Newest != e.Number && t.plan.mode != types.ExecutionModeParallel:
		return notLatest(e.ID, name)
	case c == nil:
		return refuse("it was not evaluated")
	case e.Version != t.pipe.Version || e.Stage != i:
		return refuse("the execution is no longer in the stage")
	case c.Status == types.ConditionExecutionStatusInProgress:
		return nil
	case c.Status != types.ConditionExecutionStatusFailed && c.Status != types.ConditionExecutionStatusErrored,
		e.Status != types.PipelineExecutionStatusFailed:
		return refuse("it is in the state " + string(c.Status))
	}
	return t.checkRoom()
}

// override marks the condition; the turn then takes the execution past it.
func (t *turn) override(e *execution, at when) {
	run := t.runOf(e)
	c := run.Conditions[at]
	if c.Status == types.ConditionExecutionStatusInProgress {
		t.abandon(e, "ABANDONED")
	} else {
		t.resume(e)
		run.Status = types.StageExecutionStatusInProgress
		t.tellPipeline(e, "RESUMED")
		t.tellStage(e, "RESUMED")
	}
	c.end(t, types.ConditionExecutionStatusOverridden, "")
	e.Checks, e.Updated = at, t.now
}
