package codepipeline

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// GetPipelineState gives what happens at each stage and each action now, or
// what happened there last.
func (s *Service) GetPipelineState(ctx context.Context, in *codepipeline.GetPipelineStateInput) (*codepipeline.GetPipelineStateOutput, error) {
	out := &codepipeline.GetPipelineStateOutput{PipelineName: in.Name, StageStates: []types.StageState{}}
	err := s.named(ctx, in.Name, s.view, func(t *turn) error {
		out.PipelineVersion, out.Created, out.Updated = &t.pipe.Version, &t.pipe.Created, &t.pipe.Updated
		for i := range t.plan.stages {
			st, err := t.stageState(i)
			if err != nil {
				return err
			}
			out.StageStates = append(out.StageStates, st)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (t *turn) stageState(i int) (types.StageState, error) {
	planned := t.plan.stages[i]
	st := t.pipe.stage(planned.name)
	state := types.StageState{
		StageName:              aws.String(planned.name),
		InboundTransitionState: st.Transition.state(),
		ActionStates:           []types.ActionState{},
	}
	for _, number := range st.Inbound {
		e := t.executions[number]
		state.InboundExecutions = append(state.InboundExecutions, types.StageExecution{
			PipelineExecutionId: aws.String(e.ID), Status: types.StageExecutionStatusInProgress, Type: e.kind(),
		})
	}
	if n := len(state.InboundExecutions); n > 0 {
		state.InboundExecution = &state.InboundExecutions[n-1]
	}
	run := &stageRun{}
	if st.Newest != 0 {
		if err := t.loadExecution(st.Newest); err != nil {
			return state, err
		}
		e := t.executions[st.Newest]
		run = e.run(planned.name)
		state.LatestExecution = &types.StageExecution{PipelineExecutionId: aws.String(e.ID), Status: run.Status, Type: e.kind()}
		state.RetryStageMetadata = run.retries()
	}
	if err := t.conditionStates(&state, i, run); err != nil {
		return state, err
	}
	for _, decl := range t.plan.definition.Stages[i].Actions {
		a, err := t.actionState(st, decl)
		if err != nil {
			return state, err
		}
		state.ActionStates = append(state.ActionStates, a)
	}
	return state, nil
}

func (r *stageRun) retries() *types.RetryStageMetadata {
	if r.Retry == "" {
		return nil
	}
	return &types.RetryStageMetadata{
		AutoStageRetryAttempt: optionalCount(r.Automatic), ManualStageRetryAttempt: optionalCount(r.Manual), LatestRetryTrigger: r.Retry,
	}
}

func optionalCount(n int32) *int32 {
	if n == 0 {
		return nil
	}
	return &n
}

func (tr transition) state() *types.TransitionState {
	state := &types.TransitionState{Enabled: !tr.Closed}
	if tr.Closed {
		state.DisabledReason = aws.String(tr.Reason)
	}
	if !tr.ChangedAt.IsZero() {
		state.LastChangedAt, state.LastChangedBy = aws.Time(tr.ChangedAt), aws.String(tr.ChangedBy)
	}
	return state
}

func (t *turn) actionState(st *stage, decl types.ActionDeclaration) (types.ActionState, error) {
	state := types.ActionState{ActionName: decl.Name, EntityUrl: optional(entityURL(t.scope.Region, decl))}
	key := st.Actions[aws.ToString(decl.Name)]
	if key == "" {
		return state, nil
	}
	a, err := t.action(key)
	if err != nil {
		return state, err
	}
	state.LatestExecution = a.state()
	if r := a.Revision; r != nil {
		state.CurrentRevision = &types.ActionRevision{RevisionId: aws.String(r.ID), RevisionChangeId: aws.String(r.ID), Created: aws.Time(r.Created)}
		state.RevisionUrl = optional(r.URL)
	}
	return state, nil
}

// action is the record of that key, which need not be of an active execution.
func (t *turn) action(key string) (*action, error) {
	if a := t.actions[key]; a != nil {
		return a, nil
	}
	a, err := t.s.actions.Get(t.ctx, t.scope, key)
	return &a, err
}

func (a *action) state() *types.ActionExecution {
	return &types.ActionExecution{
		ActionExecutionId: aws.String(a.ID), Status: a.Status, LastStatusChange: aws.Time(a.Updated),
		Summary: optional(a.Summary), Token: optional(a.Token), LastUpdatedBy: optional(a.UpdatedBy),
		ExternalExecutionId: optional(a.ExternalID), ExternalExecutionUrl: optional(a.ExternalURL),
		LogStreamARN: optional(a.LogStream), ErrorDetails: a.errorDetails(), PercentComplete: a.Percent,
	}
}

func (a *action) errorDetails() *types.ErrorDetails {
	if a.ErrorCode == "" {
		return nil
	}
	return &types.ErrorDetails{Code: aws.String(a.ErrorCode), Message: aws.String(a.ErrorMessage)}
}

// optional is a member that is left out when there is nothing to say.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
