// Package cloudwatch is Amazon CloudWatch: metrics that callers put, alarms
// that watch them, and what alarms set off.
//
// Alarms are evaluated from the data that PutMetricData gave, by AWS's rules:
// every minute, those of high resolution every ten seconds, over windows that
// slide. What a change of an alarm's state sets off (its place in the history,
// the event for EventBridge, the actions) is in the store together with the new
// state, so that the death of the process loses none of it; an action may be
// executed twice then, as on AWS.
//
// Actions go to SNS topics and to Lambda functions; those of every other kind
// are kept, and told in the history as failed. Composite alarms follow the
// alarms in their rules. AWS's other services send no metrics of their own here.
// Alarms on metric math, anomalies and queries are kept, say that nobody
// evaluates them, and ring if they are set to. Metric streams, dashboards and
// suppressors of actions are refused.
package cloudwatch

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Service is Amazon CloudWatch.
type Service struct {
	host    door.Host
	alarms  store.Table[alarm]                  // by name
	history store.Table[types.AlarmHistoryItem] // by number
	metrics store.Table[metric]                 // by their keys
	points  store.Table[point]                  // by METRIC/SECOND/UNIT

	outbox *door.Outbox[notice]
	clock  *door.Clock // of the metric alarms
}

// New makes the service; Resume evaluates the alarms that are there.
func New(host door.Host) *Service {
	st := host.Store()
	s := &Service{
		host:    host,
		alarms:  store.NewTable[alarm](st, "cloudwatch", "alarm"),
		history: store.NewTable[types.AlarmHistoryItem](st, "cloudwatch", "history"),
		metrics: store.NewTable[metric](st, "cloudwatch", "metric"),
		points:  store.NewTable[point](st, "cloudwatch", "point"),
	}
	s.outbox = door.NewOutbox(host, "cloudwatch", "notice", "do what alarms set off", s.send)
	s.clock = door.NewClock(host, "evaluate alarms", s.evaluateDue)
	return s
}

// Resume tells what an earlier process did not, and goes on evaluating alarms.
func (s *Service) Resume(context.Context) error {
	s.outbox.Tell()
	s.clock.Wake()
	return nil
}

// alarm is an alarm's record. A composite alarm has a rule, and of MetricAlarm
// what both kinds have.
type alarm struct {
	types.MetricAlarm
	Rule  string            `json:",omitempty"`
	Lacks string            `json:",omitempty"` // what the local cloud would need to evaluate it, and has not
	Tags  map[string]string `json:",omitempty"`
	Due   time.Time         `json:",omitzero"` // when it is evaluated next, as far as by the clock
}

func (a alarm) isComposite() bool { return a.Rule != "" }

func (a alarm) kind() types.AlarmType {
	if a.isComposite() {
		return types.AlarmTypeCompositeAlarm
	}
	return types.AlarmTypeMetricAlarm
}

func (a alarm) composite() types.CompositeAlarm {
	return types.CompositeAlarm{
		ActionsEnabled: a.ActionsEnabled, AlarmActions: a.AlarmActions, AlarmArn: a.AlarmArn,
		AlarmConfigurationUpdatedTimestamp: a.AlarmConfigurationUpdatedTimestamp, AlarmDescription: a.AlarmDescription,
		AlarmName: a.AlarmName, AlarmRule: aws.String(a.Rule), InsufficientDataActions: a.InsufficientDataActions, OKActions: a.OKActions,
		StateReason: a.StateReason, StateReasonData: a.StateReasonData, StateTransitionedTimestamp: a.StateTransitionedTimestamp,
		StateUpdatedTimestamp: a.StateUpdatedTimestamp, StateValue: a.StateValue,
	}
}

// actions are those of the alarm's state, none if they are disabled.
func (a alarm) actions() []string {
	switch {
	case !aws.ToBool(a.ActionsEnabled):
		return nil
	case a.StateValue == types.StateValueOk:
		return a.OKActions
	case a.StateValue == types.StateValueAlarm:
		return a.AlarmActions
	}
	return a.InsufficientDataActions
}

// now is the time in CloudWatch's precision.
func (s *Service) now() time.Time { return s.host.Now().Truncate(time.Millisecond) }

// stamp is a time as CloudWatch writes it in documents.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

// alarmName is the name of the alarm with that ARN, or of that name.
func alarmName(ref string) string {
	if parts := strings.SplitN(ref, ":", 7); len(parts) == 7 && parts[0] == "arn" && parts[5] == "alarm" {
		return parts[6]
	}
	return ref
}
