package eventbridge

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/regex"
)

// maxTargets is AWS's quota of targets for one rule.
const maxTargets = 5

var targetARN = regex.New(`^arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+$`)

// PutTargets adds targets to a rule, or replaces those of the same id. Targets
// of any kind are kept; the package comment says which ones get their events.
func (s *Service) PutTargets(ctx context.Context, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
	for _, t := range in.Targets {
		if err := checkTarget(t); err != nil {
			return nil, err
		}
	}
	err := s.changeRule(ctx, in.Rule, in.EventBusName, func(r *rule) error {
		for _, t := range in.Targets {
			r.Targets = slices.DeleteFunc(r.Targets, func(old types.Target) bool { return *old.Id == *t.Id })
			r.Targets = append(r.Targets, t)
		}
		if len(r.Targets) > maxTargets {
			return &types.LimitExceededException{Message: aws.String("The requested resource exceeds the maximum number allowed.")}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &eventbridge.PutTargetsOutput{FailedEntries: []types.PutTargetsResultEntry{}}, nil
}

func checkTarget(t types.Target) error {
	id := aws.ToString(t.Id)
	if !isName(id, maxName) {
		return validation("1 validation error detected: Value '%s' at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", id)
	}
	if !targetARN().MatchString(aws.ToString(t.Arn)) {
		return validation("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", aws.ToString(t.Arn))
	}
	given := 0
	for _, is := range []bool{t.Input != nil, t.InputPath != nil, t.InputTransformer != nil} {
		if is {
			given++
		}
	}
	if given > 1 {
		return validation("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", id)
	}
	if t.Input != nil && !json.Valid([]byte(*t.Input)) {
		return validation("JSON syntax error in input for target %s", id)
	}
	if t.InputPath != nil {
		if _, err := parsePath(*t.InputPath); err != nil {
			return validation("Invalid InputPath for target %s : %v", id, err)
		}
	}
	if t.InputTransformer != nil {
		if err := checkTransformer(*t.InputTransformer); err != nil {
			return validation("Invalid InputTransformer for target %s : %v", id, err)
		}
	}
	return nil
}

// RemoveTargets takes targets from a rule; ids that the rule does not have
// are gone already.
func (s *Service) RemoveTargets(ctx context.Context, in *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error) {
	err := s.changeRule(ctx, in.Rule, in.EventBusName, func(r *rule) error {
		r.Targets = slices.DeleteFunc(r.Targets, func(t types.Target) bool { return slices.Contains(in.Ids, *t.Id) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &eventbridge.RemoveTargetsOutput{FailedEntries: []types.RemoveTargetsResultEntry{}}, nil
}

// ListTargetsByRule lists a rule's targets in the order of their ids.
func (s *Service) ListTargetsByRule(ctx context.Context, in *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error) {
	r, err := s.rule(ctx, in.Rule, in.EventBusName)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(r.Targets, func(a, b types.Target) int { return strings.Compare(*a.Id, *b.Id) })
	targets, next, err := page(r.Targets, func(t types.Target) string { return *t.Id }, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	if targets == nil {
		targets = []types.Target{}
	}
	return &eventbridge.ListTargetsByRuleOutput{Targets: targets, NextToken: next}, nil
}

// ListRuleNamesByTarget lists the rules of a bus that have that target.
func (s *Service) ListRuleNamesByTarget(ctx context.Context, in *eventbridge.ListRuleNamesByTargetInput) (*eventbridge.ListRuleNamesByTargetOutput, error) {
	bus, err := s.existingBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	rules, err := s.rulesOf(ctx, bus, "")
	if err != nil {
		return nil, err
	}
	all := []string{}
	for _, r := range rules {
		if slices.ContainsFunc(r.Targets, func(t types.Target) bool { return *t.Arn == aws.ToString(in.TargetArn) }) {
			all = append(all, r.Name)
		}
	}
	names, next, err := page(all, func(name string) string { return name }, in.NextToken, in.Limit)
	return &eventbridge.ListRuleNamesByTargetOutput{RuleNames: names, NextToken: next}, err
}

// regionOf is the caller that a target's ARN belongs to: its own account and
// region where it names them, c's where it does not.
func regionOf(c door.Caller, arn string) door.Caller {
	parts := strings.SplitN(arn, ":", 6)
	here := door.Caller{Account: c.Account, Region: c.Region}
	if len(parts) == 6 && parts[3] != "" {
		here.Region = parts[3]
	}
	if len(parts) == 6 && parts[4] != "" {
		here.Account = parts[4]
	}
	return here
}
