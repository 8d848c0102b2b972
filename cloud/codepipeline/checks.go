package codepipeline

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/regex"
)

// ruleCategory is the category of all rules.
const ruleCategory = types.ActionCategory(types.RuleCategoryRule)

// ruleKinds are the rules of conditions. ListRuleTypes gives them in this order.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference.html
var ruleKinds = []kind{
	{category: ruleCategory, owner: "AWS", provider: "CloudWatchAlarm", run: alarmRule{}, config: []property{
		{"AlarmName", required}, {"AlarmStates", 0}, {"WaitTime", 0}}},
	{category: ruleCategory, owner: "AWS", provider: "CodeBuild", in: span{1, 5}, limit: 36 * time.Hour, run: likeAction{"Build", "CodeBuild"}, config: []property{
		{"ProjectName", required}, {"PrimarySource", 0}, {"EnvironmentVariables", 0}, {"BatchEnabled", 0}, {"CombineArtifacts", 0}}},
	{category: ruleCategory, owner: "AWS", provider: "Commands", in: span{1, 5}, limit: 55 * time.Minute, run: likeAction{"Compute", "Commands"}, config: []property{}},
	{category: ruleCategory, owner: "AWS", provider: "DeploymentWindow", run: windowRule{}, config: []property{
		{"Cron", required}, {"TimeZone", 0}}},
	{category: ruleCategory, owner: "AWS", provider: "LambdaInvoke", in: span{0, 5}, limit: day, run: likeAction{"Invoke", "Lambda"}, config: []property{
		{"FunctionName", required}, {"UserParameters", 0}}},
	{category: ruleCategory, owner: "AWS", provider: "VariableCheck", run: variableRule{}, config: []property{
		{"Operator", required}, {"Variable", required}, {"Value", required}}},
}

func ruleKindOf(id *types.ActionTypeId) *kind {
	for i, k := range ruleKinds {
		if k.provider == aws.ToString(id.Provider) && aws.ToString(id.Version) == "1" {
			return &ruleKinds[i]
		}
	}
	return nil
}

// ruleAction is a rule as an action. A rule without a version has the only one.
func ruleAction(decl types.RuleDeclaration) types.ActionDeclaration {
	version := aws.ToString(decl.RuleTypeId.Version)
	if version == "" {
		version = "1"
	}
	return types.ActionDeclaration{
		Name: decl.Name, Configuration: decl.Configuration, Commands: decl.Commands, InputArtifacts: decl.InputArtifacts,
		Region: decl.Region, RoleArn: decl.RoleArn, TimeoutInMinutes: decl.TimeoutInMinutes,
		ActionTypeId: &types.ActionTypeId{Category: ruleCategory, Owner: "AWS", Provider: decl.RuleTypeId.Provider, Version: &version},
	}
}

// ruleActions are the rules of all conditions of a stage as actions.
func ruleActions(st types.StageDeclaration) (list []types.ActionDeclaration) {
	for _, at := range []when{beforeEntry, onSuccess, onFailure} {
		conditions, _ := conditionsOf(st, at)
		for _, c := range conditions {
			for _, r := range c.Rules {
				list = append(list, ruleAction(r))
			}
		}
	}
	return list
}

// startRule starts a rule of the condition that the execution passes.
func (t *turn) startRule(e *execution, decl types.RuleDeclaration) (key string) {
	key, a := t.newRecord(e, ruleAction(decl))
	a.Condition = e.Checks
	t.startRecord(e, key, a)
	return key
}

// likeAction is a rule that does what an action does, and succeeds with it.
type likeAction struct {
	category types.ActionCategory
	provider string
}

func (r likeAction) run(ctx context.Context, j *job) (*outcome, error) {
	k := kindOf(&types.ActionTypeId{Category: r.category, Owner: "AWS", Provider: &r.provider, Version: aws.String("1")})
	if k == nil || k.run == nil {
		return nil, failed(types.FailureTypeConfigurationError, "rules that run %s do not run on the local cloud", r.provider)
	}
	return k.run.run(ctx, j)
}

// variableRule compares a variable, which is resolved already, with a value.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html
type variableRule struct{}

var operators = map[string]func(variable, value string) (bool, error){
	"EQ":       func(variable, value string) (bool, error) { return variable == value, nil },
	"NE":       func(variable, value string) (bool, error) { return variable != value, nil },
	"CONTAINS": func(variable, value string) (bool, error) { return strings.Contains(variable, value), nil },
	"MATCHES":  matches,
}

// matches tells whether the whole variable matches an expression, which is one
// of Java's.
func matches(variable, value string) (bool, error) {
	expression, err := regex.Java(value)
	if err != nil {
		return false, failed(types.FailureTypeConfigurationError, "the value %q is no regular expression that the local cloud can match: %v", value, err)
	}
	ok, err := expression(variable)
	if err != nil {
		return false, failed(types.FailureTypeConfigurationError, "matching the regular expression %q takes too long: %v", value, err)
	}
	return ok, nil
}

func (variableRule) run(_ context.Context, j *job) (*outcome, error) {
	operator, variable, value := j.config["Operator"], j.config["Variable"], j.config["Value"]
	holds := operators[operator]
	if holds == nil {
		return nil, failed(types.FailureTypeConfigurationError, "the operator %q is none of CONTAINS, EQ, MATCHES, NE", operator)
	}
	ok, err := holds(variable, value)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, failed(types.FailureTypeJobFailed, "the variable is %q, so %s %q does not hold", variable, operator, value)
	}
	return &outcome{}, nil
}

// windowRule succeeds within the times of a cron expression, for which it waits
// as long as a rule may take.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html
type windowRule struct{}

func (windowRule) run(ctx context.Context, j *job) (*outcome, error) {
	zone, err := timeZone(j.option("TimeZone", "UTC"))
	if err != nil {
		return nil, failed(types.FailureTypeConfigurationError, "%v", err)
	}
	window, err := parseWindow(j.config["Cron"])
	if err != nil {
		return nil, failed(types.FailureTypeConfigurationError, "%v", err)
	}
	for {
		now := j.service.host.Now().In(zone)
		if window.Contains(now) {
			return &outcome{}, nil
		}
		err := nextMinute(ctx, now)
		if errors.Is(context.Cause(ctx), errTimedOut) {
			return nil, failed(types.FailureTypeJobFailed, "the deployment window %q did not open in time", j.config["Cron"])
		}
		if err != nil {
			return nil, err
		}
	}
}

// nextMinute waits until the minute is over: windows are made of whole ones.
func nextMinute(ctx context.Context, now time.Time) error {
	timer := time.NewTimer(now.Truncate(time.Minute).Add(time.Minute).Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
