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
	"ouro/regex"
)

// execution loads the execution of that id. Operations differ in the error by
// which they say that there is none.
func (t *turn) execution(id *string, none error) (*execution, error) {
	number, err := t.s.numbers.Get(t.ctx, t.scope, t.pipe.Name+"/"+aws.ToString(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, none
	}
	if err == nil {
		err = t.loadExecution(number)
	}
	return t.executions[number], err
}

var executionPattern = regex.New(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func checkExecutionID(id *string, member string) error {
	if executionPattern().MatchString(aws.ToString(id)) {
		return nil
	}
	return constraint(aws.ToString(id), member,
		"Member must satisfy regular expression pattern: [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
}

func noExecution(pipeline string, id *string) error {
	return &types.PipelineExecutionNotFoundException{Message: aws.String(fmt.Sprintf(
		"The pipeline '%s' does not have an execution with id '%s'", pipeline, aws.ToString(id)))}
}

// StopPipelineExecution stops an execution: after the actions in progress have
// ended, or, with Abandon, at once, letting them go.
func (s *Service) StopPipelineExecution(ctx context.Context, in *codepipeline.StopPipelineExecutionInput) (*codepipeline.StopPipelineExecutionOutput, error) {
	if len(aws.ToString(in.Reason)) > 200 {
		return nil, constraint(*in.Reason, "reason", "Member must have length less than or equal to 200")
	}
	if err := checkExecutionID(in.PipelineExecutionId, "pipelineExecutionId"); err != nil {
		return nil, err
	}
	notStoppable := func(format string, args ...any) error {
		return &types.PipelineExecutionNotStoppableException{Message: aws.String(fmt.Sprintf(format, args...))}
	}
	err := s.change(ctx, in.PipelineName, func(t *turn) error {
		e, err := t.execution(in.PipelineExecutionId, notStoppable("The pipeline '%s' does not have an execution with id '%s'", *in.PipelineName, *in.PipelineExecutionId))
		if err != nil {
			return err
		}
		switch {
		case e.ended():
			return notStoppable("The pipeline execution '%s' is in the state %s and cannot be stopped", e.ID, e.Status)
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
			t.runOf(e).Status = types.StageExecutionStatusStopping
			t.tellStage(e, "STOPPING")
		}
	}
	if abandon {
		t.abandon(e, "ABANDONED")
	}
}

// RetryStageExecution runs a stage again in the same execution, with the same
// revisions: the actions that failed, or all of them.
func (s *Service) RetryStageExecution(ctx context.Context, in *codepipeline.RetryStageExecutionInput) (*codepipeline.RetryStageExecutionOutput, error) {
	if !slices.Contains(in.RetryMode.Values(), in.RetryMode) {
		return nil, constraint(string(in.RetryMode), "retryMode", "Member must satisfy enum value set: [FAILED_ACTIONS, ALL_ACTIONS]")
	}
	if err := checkExecutionID(in.PipelineExecutionId, "pipelineExecutionId"); err != nil {
		return nil, err
	}
	err := s.change(ctx, in.PipelineName, func(t *turn) error {
		i := t.plan.stageIndex(aws.ToString(in.StageName))
		if i < 0 {
			return noStage(t.pipe.Name, in.StageName)
		}
		e, err := t.execution(in.PipelineExecutionId, notLatest(*in.PipelineExecutionId, *in.StageName))
		if err != nil {
			return err
		}
		if err := t.checkRetry(e, i); err != nil {
			return err
		}
		t.retry(e, in.RetryMode)
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
	refuse := func(why string) error {
		return &types.StageNotRetryableException{Message: aws.String(fmt.Sprintf("Stage '%s' is not in a retryable state: %s", name, why))}
	}
	newest, run := t.pipe.stage(name).Newest, e.Runs[name]
	switch {
	case newest == 0 || run == nil && t.plan.mode == types.ExecutionModeParallel:
		return refuse("it has not run")
	case newest != e.Number && t.plan.mode != types.ExecutionModeParallel:
		return notLatest(e.ID, name)
	case e.Version != t.pipe.Version:
		return refuse("the pipeline was updated after the execution started")
	case !e.ended() || e.Stage != i:
		return refuse("the execution is not waiting for a retry of this stage")
	case run.Status != types.StageExecutionStatusFailed && run.Status != types.StageExecutionStatusStopped:
		return refuse("it contains no failed actions")
	}
	return t.checkRoom()
}

func notLatest(id, stage string) error {
	return &types.NotLatestPipelineExecutionException{Message: aws.String(fmt.Sprintf(
		"The pipeline execution '%s' is not the latest one in stage '%s'", id, stage))}
}

// checkRoom checks that one more execution may be under way. Where a newer one
// supersedes those that wait there is always room.
func (t *turn) checkRoom() error {
	if t.plan.mode == types.ExecutionModeSuperseded || len(t.pipe.Active) < maxConcurrent {
		return nil
	}
	return &types.ConcurrentPipelineExecutionsLimitExceededException{Message: aws.String(fmt.Sprintf(
		"The pipeline '%s' has reached the limit of %d concurrent executions", t.pipe.Name, maxConcurrent))}
}

// retry puts the execution back into the stage where it failed or was stopped.
func (t *turn) retry(e *execution, mode types.StageRetryMode) {
	t.resume(e)
	t.runOf(e).Manual++
	e.RetriedAt = t.now
	t.tellPipeline(e, "RESUMED")
	t.again(e, mode, types.RetryTriggerManualStageRetry)
}

// resume has an execution that ended in its stage go on there.
func (t *turn) resume(e *execution) {
	st := t.pipe.stage(t.plan.stages[e.Stage].name)
	e.Status, e.Summary, e.Stopped, e.Inside, e.Updated = types.PipelineExecutionStatusInProgress, "", "", true, t.now
	t.pipe.Active = append(t.pipe.Active, e.Number)
	slices.Sort(t.pipe.Active)
	st.Running = append(st.Running, e.Number)
	st.Newest = e.Number
}

var reasonPattern = regex.New(`^[a-zA-Z0-9!@ ().*?\-]+$`)

// DisableStageTransition closes the way into a stage.
func (s *Service) DisableStageTransition(ctx context.Context, in *codepipeline.DisableStageTransitionInput) (*codepipeline.DisableStageTransitionOutput, error) {
	switch reason := aws.ToString(in.Reason); {
	case reason == "":
		return nil, constraint("", "reason", "Member must have length greater than or equal to 1")
	case len(reason) > 300:
		return nil, constraint(reason, "reason", "Member must have length less than or equal to 300")
	case !reasonPattern().MatchString(reason):
		return nil, constraint(reason, "reason", `Member must satisfy regular expression pattern: [a-zA-Z0-9!@ \(\)\.\*\?\-]+`)
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
