package cloudwatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// SetAlarmState sets an alarm's state for a while: the next evaluation finds
// the true one.
func (s *Service) SetAlarmState(ctx context.Context, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	if !slices.Contains(in.StateValue.Values(), in.StateValue) {
		return nil, enumeration(string(in.StateValue), "stateValue", in.StateValue.Values())
	}
	if in.StateReason == nil {
		return nil, invalid("1 validation error detected: Value null at 'stateReason' failed to satisfy constraint: Member must not be null")
	}
	if err := errors.Join(lengths("stateReason", in.StateReason, 0, 1023), lengths("stateReasonData", in.StateReasonData, 0, maxReasonData)); err != nil {
		return nil, err
	}
	if in.StateReasonData != nil && !json.Valid([]byte(*in.StateReasonData)) {
		return nil, &types.InvalidFormatFault{Message: aws.String("Data was not syntactically valid JSON.")}
	}
	scope := door.CallerFrom(ctx).Scope()
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		a, err := s.alarms.Get(ctx, scope, aws.ToString(in.AlarmName))
		if errors.Is(err, store.ErrNotFound) {
			return &types.ResourceNotFound{}
		}
		if err != nil {
			return err
		}
		if !a.isComposite() { // it lasts as long as until an evaluation comes
			a.Due = s.now().Add(a.step())
		}
		return s.enter(ctx, scope, a, state{in.StateValue, *in.StateReason, aws.ToString(in.StateReasonData)})
	})
	if err != nil {
		return nil, err
	}
	s.clock.Wake()
	s.outbox.Tell()
	return &cloudwatch.SetAlarmStateOutput{}, nil
}

// enter stores an alarm in a state, with all that follows from a change, in the
// caller's transaction.
func (s *Service) enter(ctx context.Context, scope store.Scope, a alarm, to state) error {
	before, now := a, s.now()
	a.StateValue, a.StateReason, a.StateReasonData, a.StateUpdatedTimestamp = to.value, &to.reason, nil, &now
	if to.data != "" {
		a.StateReasonData = &to.data
	}
	changed := before.StateValue != to.value
	if changed {
		a.StateTransitionedTimestamp = &now
	}
	if err := s.alarms.Put(ctx, scope, *a.AlarmName, a); err != nil || !changed {
		return err
	}
	if err := s.noteState(ctx, scope, before, a); err != nil {
		return err
	}
	return s.settle(ctx, scope, &a)
}

// maxHistory is AWS's bound on HistoryData, and keptHistory how long it keeps
// what happened to alarms.
const (
	maxHistory  = 4095
	keptHistory = 30 * 24 * time.Hour
)

// remember adds to an alarm's history; of several documents it takes the first
// that AWS's bound lets in.
func (s *Service) remember(ctx context.Context, scope store.Scope, a alarm, kind types.HistoryItemType, summary string, documents ...any) error {
	now := s.now()
	item := types.AlarmHistoryItem{AlarmName: a.AlarmName, AlarmType: a.kind(), HistoryItemType: kind, HistorySummary: &summary, Timestamp: &now}
	for _, d := range documents {
		b, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("writing the history of the alarm %q: %w", *a.AlarmName, err)
		}
		if len(b) <= maxHistory {
			item.HistoryData = aws.String(string(b))
			break
		}
	}
	old, err := s.history.List(ctx, scope, store.Query{Limit: 10})
	for _, e := range old {
		if err == nil && s.host.Now().Sub(*e.Value.Timestamp) > keptHistory {
			err = s.history.Delete(ctx, scope, e.ID)
		}
	}
	if err != nil {
		return err
	}
	return s.history.Put(ctx, scope, s.outbox.Number(), item)
}

// toldState is a state in the history.
type toldState struct {
	Value  types.StateValue `json:"stateValue"`
	Reason *string          `json:"stateReason"`
	Data   json.RawMessage  `json:"stateReasonData,omitempty"`
}

func (a alarm) told(withData bool) toldState {
	t := toldState{Value: a.StateValue, Reason: a.StateReason}
	if withData && a.StateReasonData != nil {
		t.Data = json.RawMessage(*a.StateReasonData)
	}
	return t
}

// noteState writes down that an alarm went from one state to another, and what
// is to be done about it.
func (s *Service) noteState(ctx context.Context, scope store.Scope, from, to alarm) error {
	document := func(data bool) any {
		return struct {
			Version string    `json:"version"`
			Old     toldState `json:"oldState"`
			New     toldState `json:"newState"`
		}{"1.0", from.told(data), to.told(data)}
	}
	summary := fmt.Sprintf("Alarm updated from %s to %s", from.StateValue, to.StateValue)
	if err := s.remember(ctx, scope, to, types.HistoryItemTypeStateUpdate, summary, document(true), document(false)); err != nil {
		return err
	}
	if err := s.outbox.Put(ctx, notice{Scope: scope, From: from, To: to}); err != nil {
		return err
	}
	for _, action := range to.actions() {
		if err := s.outbox.Put(ctx, notice{Scope: scope, From: from, To: to, Action: action}); err != nil {
			return err
		}
	}
	return nil
}

// noteConfiguration writes down that an alarm was made (no before), changed, or
// deleted (no after).
func (s *Service) noteConfiguration(ctx context.Context, scope store.Scope, before, after *alarm) error {
	change, verb, at := "Update", "updated", after
	switch {
	case before == nil:
		change, verb = "Create", "created"
	case after == nil:
		change, verb, at = "Delete", "deleted", before
	}
	document := map[string]any{"version": "1.0", "type": change, verb + "Alarm": at.told(false)}
	for name, a := range map[string]*alarm{"before": before, "after": after} {
		if a != nil {
			document[name] = a.shown()
		}
	}
	return s.remember(ctx, scope, *at, types.HistoryItemTypeConfigurationUpdate, fmt.Sprintf("Alarm %q %s", *at.AlarmName, verb),
		document, map[string]any{"version": "1.0", "type": change})
}

// shown is the alarm as DescribeAlarms shows it.
func (a alarm) shown() any {
	if a.isComposite() {
		return a.composite()
	}
	return a.MetricAlarm
}
