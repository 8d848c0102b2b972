package codepipeline

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

const (
	maxRules      = 5
	maxRuleConfig = 10_000 // characters of one value
)

// results are what a condition of each kind may lead to.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html
var results = map[when][]types.Result{
	beforeEntry: {types.ResultFail, types.ResultSkip},
	onSuccess:   {types.ResultFail, types.ResultRollback},
	onFailure:   {types.ResultFail, types.ResultRetry, types.ResultRollback},
}

// skipRules are the rules of conditions that skip a stage.
var skipRules = []string{"LambdaInvoke", "VariableCheck"}

// checkConditions checks the conditions of stages and what they share with the
// actions.
func checkConditions(def *types.PipelineDeclaration) error {
	made := map[string]bool{}
	for i, st := range def.Stages {
		if (st.BeforeEntry != nil || st.OnSuccess != nil || st.OnFailure != nil) && def.PipelineType != types.PipelineTypeV2 {
			return invalidStructure("Stage conditions can only be used with V2 pipelines")
		}
		if err := checkCondition(def, i, beforeEntry, made); err != nil {
			return err
		}
		for _, a := range st.Actions {
			for _, out := range a.OutputArtifacts {
				made[aws.ToString(out.Name)] = true
			}
		}
		for _, at := range []when{onSuccess, onFailure} {
			if err := checkCondition(def, i, at, made); err != nil {
				return err
			}
		}
		if f := st.OnFailure; f != nil {
			if err := checkResult(def, i, onFailure, f.Result); err != nil {
				return err
			}
			if r := f.RetryConfiguration; r != nil && r.RetryMode != "" && !slices.Contains(r.RetryMode.Values(), r.RetryMode) {
				return constraint(string(r.RetryMode), fmt.Sprintf("pipeline.stages.%d.member.onFailure.retryConfiguration.retryMode", i+1),
					"Member must satisfy enum value set: [FAILED_ACTIONS, ALL_ACTIONS]")
			}
		}
	}
	return nil
}

func checkCondition(def *types.PipelineDeclaration, i int, at when, made map[string]bool) error {
	st := def.Stages[i]
	list, declared := conditionsOf(st, at)
	if !declared {
		return nil
	}
	if len(list) != 1 {
		return constraint("conditions", fmt.Sprintf("pipeline.stages.%d.member.%s.conditions", i+1, at.member()), "Member must have length equal to 1")
	}
	c := list[0]
	if err := checkResult(def, i, at, c.Result); err != nil {
		return err
	}
	if n := len(c.Rules); n < 1 || n > maxRules {
		return invalidStage("The %s condition of stage '%s' has %d rules. There must be 1 to %d rules in a condition", at.member(), aws.ToString(st.Name), n, maxRules)
	}
	seen := map[string]bool{}
	for _, r := range c.Rules {
		name := aws.ToString(r.Name)
		if err := checkName(name, fmt.Sprintf("pipeline.stages.%d.member.%s.conditions.1.member.rules.name", i+1, at.member())); err != nil {
			return err
		}
		if seen[name] {
			return invalidStage("Rule name '%s' is used more than once in stage '%s'", name, aws.ToString(st.Name))
		}
		seen[name] = true
		if err := checkRule(r, made); err != nil {
			return err
		}
		if c.Result == types.ResultSkip && !slices.Contains(skipRules, aws.ToString(r.RuleTypeId.Provider)) {
			return invalidStage("The rule '%s' cannot be used in a condition with the result SKIP, which takes the rules %v", name, skipRules)
		}
	}
	return nil
}

// conditionsOf gives the conditions of that time, and whether they have to be
// there.
func conditionsOf(st types.StageDeclaration, at when) (list []types.Condition, declared bool) {
	switch {
	case at == beforeEntry && st.BeforeEntry != nil:
		return st.BeforeEntry.Conditions, true
	case at == onSuccess && st.OnSuccess != nil:
		return st.OnSuccess.Conditions, true
	case at == onFailure && st.OnFailure != nil:
		return st.OnFailure.Conditions, len(st.OnFailure.Conditions) > 0
	}
	return nil, false
}

// member is how a stage's declaration calls the condition.
func (w when) member() string {
	return map[when]string{beforeEntry: "beforeEntry", onSuccess: "onSuccess", onFailure: "onFailure"}[w]
}

func checkResult(def *types.PipelineDeclaration, i int, at when, r types.Result) error {
	name := aws.ToString(def.Stages[i].Name)
	switch {
	case r == "":
	case !slices.Contains(r.Values(), r):
		return constraint(string(r), fmt.Sprintf("pipeline.stages.%d.member.%s.result", i+1, at.member()), "Member must satisfy enum value set: [ROLLBACK, FAIL, RETRY, SKIP]")
	case !slices.Contains(results[at], r):
		return invalidStage("The result %s cannot be used for %s in stage '%s'. Valid results are %v", r, at.member(), name, results[at])
	case r == types.ResultRollback && def.ExecutionMode == types.ExecutionModeParallel:
		return invalidStage("The result ROLLBACK cannot be used in stage '%s', for stage rollback is not available for pipelines in PARALLEL mode", name)
	case r == types.ResultRollback && i == 0:
		return invalidStage("The result ROLLBACK cannot be used in stage '%s', for a source stage cannot be rolled back", name)
	}
	return nil
}

func checkRule(r types.RuleDeclaration, made map[string]bool) error {
	name := aws.ToString(r.Name)
	if r.RuleTypeId == nil {
		return constraint("null", "pipeline.stages.rules.ruleTypeId", "Member must not be null")
	}
	k := ruleKindOf(ruleAction(r).ActionTypeId)
	if k == nil {
		return invalidStage("RuleType (Category: '%s', Provider: '%s', Owner: '%s', Version: '%s') in rule '%s' is not available",
			r.RuleTypeId.Category, aws.ToString(r.RuleTypeId.Provider), r.RuleTypeId.Owner, aws.ToString(r.RuleTypeId.Version), name)
	}
	if m := r.TimeoutInMinutes; m != nil && (*m < 5 || *m > 86400) {
		return constraint(fmt.Sprint(*m), "pipeline.stages.rules.timeoutInMinutes", "Member must have value between 5 and 86400")
	}
	if n := len(r.InputArtifacts); n < int(k.in.least) || n > int(k.in.most) {
		return invalidStage("Rule '%s' has %d input artifact(s). There must be %d to %d", name, n, k.in.least, k.in.most)
	}
	for _, in := range r.InputArtifacts {
		if !made[aws.ToString(in.Name)] {
			return invalidStage("Input Artifact Bundle %s in rule %s is not declared as Output Artifact Bundle in any of the preceding actions", aws.ToString(in.Name), name)
		}
	}
	if len(r.Commands) == 0 && k.provider == "Commands" {
		return invalidStage("Rule '%s' has no commands", name)
	}
	return checkRuleConfiguration(k, name, r.Configuration)
}

func checkRuleConfiguration(k *kind, rule string, configuration map[string]string) error {
	for _, name := range sortedKeys(configuration) {
		if n := len(configuration[name]); n < 1 || n > maxRuleConfig {
			return constraint(name, "pipeline.stages.rules.configuration", fmt.Sprintf("Map value must have length between 1 and %d", maxRuleConfig))
		}
		if k.property(name) == nil {
			return invalidStage("Rule configuration for rule '%s' contains unknown configuration '%s'", rule, name)
		}
	}
	for _, p := range k.config {
		if _, ok := configuration[p.name]; p.flag&required != 0 && !ok {
			return invalidStage("Rule configuration for rule '%s' is missing required configuration '%s'", rule, p.name)
		}
	}
	return nil
}
