package eventbridge

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/pattern"
	"ouro/cloud/store"
	"ouro/regex"
)

// names are what rules, targets and buses may be called.
var names = regex.New(`^[.\-_A-Za-z0-9]+$`)

// maxName is how many characters the name of a rule, or the id of a target,
// may have.
const maxName = 64

// isName checks the length by itself: a count within the expression would make
// it a slow one to compile.
func isName(name string, most int) bool { return len(name) <= most && names().MatchString(name) }

// ruleID is a rule's name in the store; neither part can hold the separator.
func ruleID(bus, name string) string { return bus + "|" + name }

func ruleARN(c door.Caller, bus, name string) string {
	if bus == defaultBus {
		return c.ResourceARN("events", "rule/"+name)
	}
	return c.ResourceARN("events", "rule/"+bus+"/"+name)
}

// PutRule makes a rule or replaces what it says; its targets and tags stay. A
// schedule that stays as it was goes on, any other one begins now.
func (s *Service) PutRule(ctx context.Context, in *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error) {
	caller := door.CallerFrom(ctx)
	bus, err := s.existingBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	r, err := newRule(caller, bus, in)
	if err != nil {
		return nil, err
	}
	r.wind(s.host.Now())
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		_, err := s.rules.Update(ctx, caller.Scope(), ruleID(bus, r.Name), func(old *rule) error {
			if len(in.Tags) == 0 {
				r.Tags = old.Tags
			}
			r.Targets, r.CreatedBy = old.Targets, old.CreatedBy
			if r.Schedule == old.Schedule && r.State == old.State && !old.Due.IsZero() {
				r.Due = old.Due
			}
			*old = r
			return nil
		})
		if errors.Is(err, store.ErrNotFound) {
			return s.rules.Put(ctx, caller.Scope(), ruleID(bus, r.Name), r)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if !r.Due.IsZero() {
		s.clock.Wake()
	}
	return &eventbridge.PutRuleOutput{RuleArn: aws.String(r.ARN)}, nil
}

func newRule(caller door.Caller, bus string, in *eventbridge.PutRuleInput) (rule, error) {
	tags, err := tagMap(in.Tags)
	if err != nil {
		return rule{}, err
	}
	r := rule{
		Name: aws.ToString(in.Name), Bus: bus, ARN: ruleARN(caller, bus, aws.ToString(in.Name)),
		Description: aws.ToString(in.Description), Pattern: aws.ToString(in.EventPattern),
		Schedule: aws.ToString(in.ScheduleExpression), State: in.State, RoleARN: aws.ToString(in.RoleArn),
		CreatedBy: caller.Account, Tags: tags,
	}
	if r.State == "" {
		r.State = types.RuleStateEnabled
	}
	switch {
	case !isName(r.Name, maxName):
		return r, validation("1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", r.Name)
	case !slices.Contains(r.State.Values(), r.State):
		return r, validation("1 validation error detected: Value '%s' at 'state' failed to satisfy constraint: Member must satisfy enum value set: %v", r.State, r.State.Values())
	case r.Pattern == "" && r.Schedule == "":
		return r, validation("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case r.Schedule != "" && bus != defaultBus:
		return r, validation("ScheduleExpression is supported only on the default event bus.")
	}
	if _, ok := parseSchedule(r.Schedule); r.Schedule != "" && !ok {
		return r, validation("Parameter ScheduleExpression is not valid.")
	}
	if r.Pattern != "" {
		if _, err := compilePattern(r.Pattern); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (s *Service) rule(ctx context.Context, name, eventBus *string) (rule, error) {
	bus, err := s.existingBus(ctx, eventBus)
	if err != nil {
		return rule{}, err
	}
	r, err := s.rules.Get(ctx, door.CallerFrom(ctx).Scope(), ruleID(bus, aws.ToString(name)))
	if errors.Is(err, store.ErrNotFound) {
		return r, ruleNotFound(aws.ToString(name), bus)
	}
	return r, err
}

func (s *Service) changeRule(ctx context.Context, name, eventBus *string, change func(*rule) error) error {
	bus, err := s.existingBus(ctx, eventBus)
	if err != nil {
		return err
	}
	_, err = s.rules.Update(ctx, door.CallerFrom(ctx).Scope(), ruleID(bus, aws.ToString(name)), change)
	if errors.Is(err, store.ErrNotFound) {
		return ruleNotFound(aws.ToString(name), bus)
	}
	return err
}

// rulesOf gives the rules of a bus in the order of their names.
func (s *Service) rulesOf(ctx context.Context, bus, prefix string) ([]rule, error) {
	entries, err := s.rules.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: ruleID(bus, prefix)})
	if err != nil {
		return nil, err
	}
	rules := make([]rule, len(entries))
	for i, e := range entries {
		rules[i] = e.Value
	}
	return rules, nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// DescribeRule tells of one rule.
func (s *Service) DescribeRule(ctx context.Context, in *eventbridge.DescribeRuleInput) (*eventbridge.DescribeRuleOutput, error) {
	r, err := s.rule(ctx, in.Name, in.EventBusName)
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeRuleOutput{
		Name: &r.Name, Arn: &r.ARN, EventBusName: &r.Bus, State: r.State, CreatedBy: optional(r.CreatedBy),
		Description: optional(r.Description), EventPattern: optional(r.Pattern),
		ScheduleExpression: optional(r.Schedule), RoleArn: optional(r.RoleARN),
	}, nil
}

// ListRules lists a bus's rules, those whose name begins with NamePrefix.
func (s *Service) ListRules(ctx context.Context, in *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, error) {
	bus, err := s.existingBus(ctx, in.EventBusName)
	if err != nil {
		return nil, err
	}
	all, err := s.rulesOf(ctx, bus, aws.ToString(in.NamePrefix))
	if err != nil {
		return nil, err
	}
	rules, next, err := page(all, func(r rule) string { return r.Name }, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.ListRulesOutput{Rules: []types.Rule{}, NextToken: next}
	for _, r := range rules {
		out.Rules = append(out.Rules, types.Rule{
			Name: aws.String(r.Name), Arn: aws.String(r.ARN), EventBusName: aws.String(r.Bus), State: r.State,
			Description: optional(r.Description), EventPattern: optional(r.Pattern),
			ScheduleExpression: optional(r.Schedule), RoleArn: optional(r.RoleARN),
		})
	}
	return out, nil
}

// DeleteRule deletes a rule that has no targets any more; a rule that is not
// there is deleted already.
func (s *Service) DeleteRule(ctx context.Context, in *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error) {
	r, err := s.rule(ctx, in.Name, in.EventBusName)
	if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) && strings.HasPrefix(missing.ErrorMessage(), "Rule ") {
		return &eventbridge.DeleteRuleOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	if len(r.Targets) > 0 {
		return nil, validation("Rule can't be deleted since it has targets.")
	}
	err = s.rules.Delete(ctx, door.CallerFrom(ctx).Scope(), ruleID(r.Bus, r.Name))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	s.compiled.forget(r.ARN)
	return &eventbridge.DeleteRuleOutput{}, nil
}

// EnableRule lets a rule match again, and begins its schedule anew.
func (s *Service) EnableRule(ctx context.Context, in *eventbridge.EnableRuleInput) (*eventbridge.EnableRuleOutput, error) {
	err := s.changeRule(ctx, in.Name, in.EventBusName, func(r *rule) error {
		if r.State != types.RuleStateEnabled {
			r.State = types.RuleStateEnabled
			r.wind(s.host.Now())
		}
		return nil
	})
	if err == nil {
		s.clock.Wake()
	}
	return &eventbridge.EnableRuleOutput{}, err
}

// DisableRule keeps a rule from matching and firing.
func (s *Service) DisableRule(ctx context.Context, in *eventbridge.DisableRuleInput) (*eventbridge.DisableRuleOutput, error) {
	return &eventbridge.DisableRuleOutput{}, s.changeRule(ctx, in.Name, in.EventBusName, func(r *rule) error {
		r.State, r.Due = types.RuleStateDisabled, time.Time{}
		return nil
	})
}

// TestEventPattern says whether an event matches a pattern. The event needs
// the members that every event has.
func (s *Service) TestEventPattern(ctx context.Context, in *eventbridge.TestEventPatternInput) (*eventbridge.TestEventPatternOutput, error) {
	p, err := compilePattern(aws.ToString(in.EventPattern))
	if err != nil {
		return nil, err
	}
	v, err := pattern.Decode(aws.ToString(in.Event))
	if err != nil {
		return nil, validation("Event is not valid JSON: %v", err)
	}
	event, _ := v.(map[string]any)
	for _, member := range []string{"id", "detail-type", "source", "account", "time", "region", "resources"} {
		if _, ok := event[member]; !ok {
			return nil, validation("Parameter Event is not valid. Reason: %s is a required member of an event.", member)
		}
	}
	return &eventbridge.TestEventPatternOutput{Result: p.Matches(event)}, nil
}
