package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// execution loads the execution of that id.
func (t *turn) execution(id *string) (*execution, error) {
	number, err := t.s.numbers.Get(t.ctx, t.scope, t.pipe.Name+"/"+aws.ToString(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, noExecution(t.pipe.Name, id)
	}
	if err == nil {
		err = t.loadExecution(number)
	}
	return t.executions[number], err
}

func noExecution(pipeline string, id *string) error {
	return &types.PipelineExecutionNotFoundException{Message: aws.String(fmt.Sprintf(
		"The pipeline '%s' does not have an execution with id '%s'", pipeline, aws.ToString(id)))}
}

// StopPipelineExecution stops an execution: after the actions in progress have
// ended, or, with Abandon, at once, letting them go.
func (s *Service) StopPipelineExecution(ctx context.Context, in *codepipeline.StopPipelineExecutionInput) (*codepipeline.StopPipelineExecutionOutput, error) {
	err := s.change(ctx, in.PipelineName, func(t *turn) error {
		e, err := t.execution(in.PipelineExecutionId)
		if err != nil {
			return err
		}
		switch {
		case e.ended():
			return &types.PipelineExecutionNotStoppableException{Message: aws.String(fmt.Sprintf(
				"The pipeline execution '%s' is in the state %s and cannot be stopped", e.ID, e.Status))}
		case e.Status == types.PipelineExecutionStatusStopping && !in.Abandon:
			return &types.DuplicatedStopRequestException{Message: aws.String(fmt.Sprintf(
				"The pipeline execution '%s' is already in a Stopping state", e.ID))}
		}
		t.stop(e, in.Abandon, aws.ToString(in.Reason))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codepipeline.StopPipelineExecutionOutput{PipelineExecutionId: in.PipelineExecutionId}, nil
}

func (t *turn) stop(e *execution, abandon bool, reason string) {
	e.Stopped, e.Updated = reason, t.now
	if e.Status != types.PipelineExecutionStatusStopping {
		e.Status = types.PipelineExecutionStatusStopping
		t.tellPipeline(e, "STOPPING")
		if e.Inside {
			st := t.pipe.stage(t.plan.stages[e.Stage].name)
			st.Latest.Status = types.StageExecutionStatusStopping
			t.tellStage(e, "STOPPING")
		}
	}
	if abandon {
		t.abandon(e)
	}
}

// RetryStageExecution runs a stage again in the same execution, with the same
// revisions: the actions that failed, or all of them.
func (s *Service) RetryStageExecution(ctx context.Context, in *codepipeline.RetryStageExecutionInput) (*codepipeline.RetryStageExecutionOutput, error) {
	if !slices.Contains(in.RetryMode.Values(), in.RetryMode) {
		return nil, constraint(string(in.RetryMode), "retryMode", "Member must satisfy enum value set: [FAILED_ACTIONS, ALL_ACTIONS]")
	}
	err := s.change(ctx, in.PipelineName, func(t *turn) error {
		e, err := t.execution(in.PipelineExecutionId)
		if err != nil {
			return err
		}
		i := t.plan.stageIndex(aws.ToString(in.StageName))
		if i < 0 {
			return noStage(t.pipe.Name, in.StageName)
		}
		if err := t.checkRetry(e, i); err != nil {
			return err
		}
		t.retry(e, i, in.RetryMode)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codepipeline.RetryStageExecutionOutput{PipelineExecutionId: in.PipelineExecutionId}, nil
}

func noStage(pipeline string, name *string) error {
	return &types.StageNotFoundException{Message: aws.String(fmt.Sprintf(
		"Pipeline '%s' does not have a stage with name '%s'", pipeline, aws.ToString(name)))}
}

func (t *turn) checkRetry(e *execution, i int) error {
	name := t.plan.stages[i].name
	st := t.pipe.stage(name)
	refuse := func(why string) error {
		return &types.StageNotRetryableException{Message: aws.String(fmt.Sprintf("Stage '%s' is not in a retryable state: %s", name, why))}
	}
	switch {
	case st.Latest == nil:
		return refuse("it has not run")
	case st.Latest.Number != e.Number:
		return &types.NotLatestPipelineExecutionException{Message: aws.String(fmt.Sprintf(
			"The pipeline execution '%s' is not the latest one in stage '%s'", e.ID, name))}
	case e.Version != t.pipe.Version:
		return refuse("the pipeline was updated after the execution started")
	case !e.ended() || e.Stage != i:
		return refuse("the execution is not waiting for a retry of this stage")
	case st.Latest.Status != types.StageExecutionStatusFailed && st.Latest.Status != types.StageExecutionStatusStopped:
		return refuse("it contains no failed actions")
	}
	return nil
}

// retry puts the execution back into the stage where it failed or was stopped.
func (t *turn) retry(e *execution, i int, mode types.StageRetryMode) {
	st := t.pipe.stage(t.plan.stages[i].name)
	if mode == types.StageRetryModeAllActions {
		e.Group, e.Current = 0, map[string]string{}
	}
	for name, key := range e.Current {
		if t.actions[key].Status != types.ActionExecutionStatusSucceeded {
			delete(e.Current, name)
		}
	}
	e.Status, e.Summary, e.Stopped, e.Inside, e.Updated = types.PipelineExecutionStatusInProgress, "", "", true, t.now
	e.Attempt++
	t.pipe.Active = append(t.pipe.Active, e.Number)
	slices.Sort(t.pipe.Active)
	st.Running = append(st.Running, e.Number)
	st.Latest.Status = types.StageExecutionStatusInProgress
	st.Latest.Retries++
	t.tellPipeline(e, "RESUMED")
	t.tellStage(e, "RESUMED")
}

// DisableStageTransition closes the way into a stage.
func (s *Service) DisableStageTransition(ctx context.Context, in *codepipeline.DisableStageTransitionInput) (*codepipeline.DisableStageTransitionOutput, error) {
	if aws.ToString(in.Reason) == "" {
		return nil, constraint("", "reason", "Member must have length greater than or equal to 1")
	}
	err := s.transition(ctx, in.PipelineName, in.StageName, in.TransitionType, transition{Closed: true, Reason: aws.ToString(in.Reason)})
	if err != nil {
		return nil, err
	}
	return &codepipeline.DisableStageTransitionOutput{}, nil
}

// EnableStageTransition opens the way into a stage; an execution that waits
// goes in.
func (s *Service) EnableStageTransition(ctx context.Context, in *codepipeline.EnableStageTransitionInput) (*codepipeline.EnableStageTransitionOutput, error) {
	if err := s.transition(ctx, in.PipelineName, in.StageName, in.TransitionType, transition{}); err != nil {
		return nil, err
	}
	return &codepipeline.EnableStageTransitionOutput{}, nil
}

// transition changes the way into a stage. Outbound is the way into the stage
// that follows.
func (s *Service) transition(ctx context.Context, pipeline, stage *string, kind types.StageTransitionType, to transition) error {
	if !slices.Contains(kind.Values(), kind) {
		return constraint(string(kind), "transitionType", "Member must satisfy enum value set: [Inbound, Outbound]")
	}
	return s.change(ctx, pipeline, func(t *turn) error {
		i := t.plan.stageIndex(aws.ToString(stage))
		if i >= 0 && kind == types.StageTransitionTypeOutbound {
			i++
		}
		if i < 0 || i == len(t.plan.stages) {
			return noStage(t.pipe.Name, stage)
		}
		to.ChangedAt, to.ChangedBy = t.now, door.CallerFrom(ctx).ARN
		t.pipe.stage(t.plan.stages[i].name).Transition = to
		return nil
	})
}
