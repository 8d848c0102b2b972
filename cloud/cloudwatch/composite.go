package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// PutCompositeAlarm makes an alarm that follows others by a rule.
func (s *Service) PutCompositeAlarm(ctx context.Context, in *cloudwatch.PutCompositeAlarmInput) (*cloudwatch.PutCompositeAlarmOutput, error) {
	if err := checkAlarm(in.AlarmName, in.AlarmDescription, in.AlarmActions, in.OKActions, in.InsufficientDataActions); err != nil {
		return nil, err
	}
	if in.ActionsSuppressor != nil || in.ActionsSuppressorWaitPeriod != nil || in.ActionsSuppressorExtensionPeriod != nil {
		return nil, invalid("The local cloud does not suppress the actions of composite alarms: ActionsSuppressor is not supported")
	}
	if err := lengths("alarmRule", in.AlarmRule, 1, 10240); err != nil {
		return nil, err
	}
	parsed, err := parseRule(aws.ToString(in.AlarmRule))
	if err != nil {
		return nil, invalid("AlarmRule is not valid: %v", err)
	}
	a := alarm{Rule: *in.AlarmRule, MetricAlarm: types.MetricAlarm{
		AlarmName: in.AlarmName, AlarmDescription: in.AlarmDescription, ActionsEnabled: aws.Bool(in.ActionsEnabled == nil || *in.ActionsEnabled),
		OKActions: actions(in.OKActions), AlarmActions: actions(in.AlarmActions), InsufficientDataActions: actions(in.InsufficientDataActions),
	}}
	scope := door.CallerFrom(ctx).Scope()
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		all, err := s.alarms.List(ctx, scope, store.Query{})
		if err != nil {
			return err
		}
		var strange []string
		for _, child := range parsed.alarms() {
			if !slices.ContainsFunc(all, func(e store.Entry[alarm]) bool { return e.ID == child }) {
				strange = append(strange, child)
			}
		}
		if len(strange) > 0 {
			return invalid("Could not save the composite alarm as alarms [%s] in the alarm rule do not exist", strings.Join(strange, ", "))
		}
		if err := s.put(ctx, a, in.Tags); err != nil {
			return err
		}
		return s.settle(ctx, scope, nil)
	})
	if err != nil {
		return nil, err
	}
	s.outbox.Tell()
	return &cloudwatch.PutCompositeAlarmOutput{}, nil
}

// children are the names of the alarms in the rule of a composite alarm.
func (a alarm) children() []string {
	if !a.isComposite() {
		return nil
	}
	r, err := parseRule(a.Rule)
	if err != nil {
		return nil // it was checked when it was put
	}
	return r.alarms()
}

// settle brings the composite alarms that the alarm is a child of to their
// states, nil: all. Those that follow themselves keep theirs, as on AWS.
func (s *Service) settle(ctx context.Context, scope store.Scope, by *alarm) error {
	all, err := s.alarms.List(ctx, scope, store.Query{})
	if err != nil {
		return err
	}
	for _, e := range all {
		if !e.Value.isComposite() || by != nil && !slices.Contains(e.Value.children(), *by.AlarmName) {
			continue
		}
		// What changed before it in this loop counts.
		now, err := s.alarms.List(ctx, scope, store.Query{})
		if err != nil {
			return err
		}
		states := map[string]alarm{}
		for _, e := range now {
			states[e.ID] = e.Value
		}
		a := states[e.ID]
		r, err := parseRule(a.Rule)
		if err != nil {
			return fmt.Errorf("the rule of the alarm %q: %w", e.ID, err)
		}
		next := types.StateValueOk
		if r.holds(func(name string) types.StateValue { return states[name].StateValue }) {
			next = types.StateValueAlarm
		}
		if next == a.StateValue || circular(states, a) {
			continue
		}
		if err := s.enter(ctx, scope, a, a.because(next, by, states)); err != nil {
			return err
		}
	}
	return nil
}

// circular tells that an alarm follows itself, however far around.
func circular(states map[string]alarm, a alarm) bool {
	seen := map[string]bool{}
	for next := a.children(); len(next) > 0; {
		child := next[0]
		next = next[1:]
		if child == *a.AlarmName {
			return true
		}
		if !seen[child] {
			seen[child] = true
			next = append(next, states[child].children()...)
		}
	}
	return false
}

// because is the state of a composite alarm that a child brought about.
func (a alarm) because(value types.StateValue, by *alarm, states map[string]alarm) state {
	if by == nil {
		return state{value, "Composite alarm rule was evaluated: " + a.Rule, ""}
	}
	type seen struct {
		Value types.StateValue `json:"value"`
		Time  string           `json:"timestamp"`
	}
	type child struct {
		ARN   *string `json:"arn"`
		State seen    `json:"state"`
	}
	doc := struct {
		Triggering []child `json:"triggeringAlarms"`
	}{[]child{{by.AlarmArn, seen{by.StateValue, stamp(*by.StateUpdatedTimestamp)}}}}
	data, err := json.Marshal(doc)
	if err != nil {
		data = nil // texts always encode
	}
	return state{value, fmt.Sprintf("%s transitioned to %s at %s", *by.AlarmArn, by.StateValue, by.StateUpdatedTimestamp.UTC().Format("Monday 02 January, 2006 15:04:05 UTC")), string(data)}
}
