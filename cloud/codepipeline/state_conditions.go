package codepipeline

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// conditionStates tells how the conditions that the stage declares fared for
// the execution that entered last.
func (t *turn) conditionStates(state *types.StageState, i int, run *stageRun) error {
	for _, c := range []struct {
		at when
		to **types.StageConditionState
	}{
		{beforeEntry, &state.BeforeEntryConditionState},
		{onSuccess, &state.OnSuccessConditionState},
		{onFailure, &state.OnFailureConditionState},
	} {
		declared := condition(t.plan.definition.Stages[i], c.at)
		if declared == nil {
			continue
		}
		told, err := t.conditionState(declared, run.Conditions[c.at])
		if err != nil {
			return err
		}
		*c.to = told
	}
	return nil
}

func (t *turn) conditionState(declared *types.Condition, c *conditionRun) (*types.StageConditionState, error) {
	inner := types.ConditionState{RuleStates: []types.RuleState{}}
	state := &types.StageConditionState{}
	rules := map[string]string{}
	if c != nil {
		inner.LatestExecution = &types.ConditionExecution{Status: c.Status, Summary: optional(c.Summary), LastStatusChange: aws.Time(c.Changed)}
		state.LatestExecution = &types.StageConditionsExecution{Status: c.Status, Summary: optional(c.Summary)}
		rules = c.Rules
	}
	for _, decl := range declared.Rules {
		rule := types.RuleState{RuleName: decl.Name}
		if key := rules[aws.ToString(decl.Name)]; key != "" {
			a, err := t.action(key)
			if err != nil {
				return nil, err
			}
			rule.LatestExecution = a.ruleState()
		}
		inner.RuleStates = append(inner.RuleStates, rule)
	}
	state.ConditionStates = []types.ConditionState{inner}
	return state, nil
}

func (a *action) ruleState() *types.RuleExecution {
	return &types.RuleExecution{
		RuleExecutionId: aws.String(a.ID), Status: types.RuleExecutionStatus(a.Status), LastStatusChange: aws.Time(a.Updated),
		Summary: optional(a.Summary), LastUpdatedBy: optional(a.UpdatedBy), ErrorDetails: a.errorDetails(),
		ExternalExecutionId: optional(a.ExternalID), ExternalExecutionUrl: optional(a.ExternalURL),
	}
}
