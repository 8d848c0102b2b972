package cloudwatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// notice is what a change of an alarm's state sets off, and has not yet: an
// action, or without one the event. It is written in the transaction of the
// change, and deleted when it is done or was refused.
type notice struct {
	Scope    store.Scope
	From, To alarm
	Action   string `json:",omitempty"`
}

// send does what a notice says. Who refuses it would refuse it again: it is
// tried once.
func (s *Service) send(ctx context.Context, number string, n notice) error {
	var failed error
	if n.Action == "" {
		failed = s.event(ctx, n)
	} else {
		failed = s.act(ctx, n)
	}
	if failed != nil && ctx.Err() != nil {
		return failed // the process ends; the store still has the notice
	}
	if failed != nil {
		s.host.Log().Warn("an alarm's change is not told", "alarm", *n.To.AlarmArn, "to", n.Action, "error", failed)
	}
	return s.host.Store().Atomically(context.WithoutCancel(ctx), func(ctx context.Context) error {
		if n.Action != "" {
			if err := s.rememberAction(ctx, n, failed); err != nil {
				return err
			}
		}
		return s.outbox.Drop(ctx, number)
	})
}

func (s *Service) rememberAction(ctx context.Context, n notice, failed error) error {
	document := map[string]any{"actionState": "Succeeded", "notificationResource": n.Action, "stateUpdateTimestamp": n.To.StateUpdatedTimestamp.UnixMilli(), "error": nil}
	summary := "Successfully executed action " + n.Action
	if failed != nil {
		said := failed.Error()
		if api := smithy.APIError(nil); errors.As(failed, &api) {
			said = api.ErrorMessage()
		}
		document["actionState"], document["error"] = "Failed", said
		summary = fmt.Sprintf("Failed to execute action %s. Received error: %q", n.Action, said)
	}
	return s.remember(ctx, n.Scope, n.To, types.HistoryItemTypeAction, summary[:min(len(summary), 255)], document)
}

// as calls as a principal of CloudWatch.
func (s *Service) as(n notice, principal string) aws.Config {
	return s.host.As(door.Caller{Account: n.Scope.Account, Region: n.Scope.Region, Service: principal})
}

// eventState is a state in events, and in what functions get.
type eventState struct {
	Value  types.StateValue `json:"value"`
	Reason *string          `json:"reason"`
	Data   *string          `json:"reasonData,omitempty"`
	Time   string           `json:"timestamp"`
}

func (a alarm) eventState() eventState {
	return eventState{a.StateValue, a.StateReason, a.StateReasonData, stamp(*a.StateUpdatedTimestamp)}
}

// change is the detail of an event, and the alarmData of functions.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
type change struct {
	Name          *string        `json:"alarmName"`
	State         eventState     `json:"state"`
	Previous      eventState     `json:"previousState"`
	Configuration map[string]any `json:"configuration"`
}

func (n notice) change() change {
	return change{n.To.AlarmName, n.To.eventState(), n.From.eventState(), n.To.configuration()}
}

func (a alarm) configuration() map[string]any {
	c := map[string]any{}
	if d := aws.ToString(a.AlarmDescription); d != "" {
		c["description"] = d
	}
	if a.isComposite() {
		c["alarmRule"] = a.Rule
		return c
	}
	var metrics []map[string]any
	for _, q := range a.queries() {
		m := map[string]any{"id": q.Id, "returnData": q.ReturnData == nil || *q.ReturnData}
		if q.Expression != nil {
			m["expression"] = q.Expression
		}
		if s := q.MetricStat; s != nil {
			dimensions := map[string]string{}
			for _, d := range s.Metric.Dimensions {
				dimensions[aws.ToString(d.Name)] = aws.ToString(d.Value)
			}
			stat := map[string]any{
				"metric": map[string]any{"namespace": s.Metric.Namespace, "name": s.Metric.MetricName, "dimensions": dimensions},
				"period": s.Period, "stat": s.Stat,
			}
			if s.Unit != "" {
				stat["unit"] = s.Unit
			}
			m["metricStat"] = stat
		}
		metrics = append(metrics, m)
	}
	c["metrics"] = metrics
	return c
}

// queries are what a metric alarm watches.
func (a alarm) queries() []types.MetricDataQuery {
	if a.MetricName == nil {
		return a.Metrics
	}
	return []types.MetricDataQuery{{Id: aws.String(newMetric(a.Namespace, a.MetricName, a.Dimensions).id()), MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: a.Namespace, MetricName: a.MetricName, Dimensions: a.Dimensions},
		Period: a.Period, Stat: aws.String(a.statistic()), Unit: a.Unit,
	}}}
}

func (s *Service) event(ctx context.Context, n notice) error {
	detail, err := json.Marshal(n.change())
	if err != nil {
		return err
	}
	out, err := eventbridge.NewFromConfig(s.as(n, "cloudwatch.amazonaws.com")).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eb.PutEventsRequestEntry{{
		Source: aws.String("aws.cloudwatch"), DetailType: aws.String("CloudWatch Alarm State Change"), Time: n.To.StateUpdatedTimestamp,
		Resources: []string{*n.To.AlarmArn}, Detail: aws.String(string(detail)),
	}}})
	if err == nil && out.Entries[0].ErrorCode != nil {
		err = fmt.Errorf("%s: %s", *out.Entries[0].ErrorCode, aws.ToString(out.Entries[0].ErrorMessage))
	}
	return err
}

// act executes an action.
func (s *Service) act(ctx context.Context, n notice) error {
	parts := strings.SplitN(n.Action, ":", 6)
	switch {
	case parts[2] == "sns":
		return s.publish(ctx, n)
	case parts[2] == "lambda" && strings.HasPrefix(parts[5], "function:"):
		return s.invoke(ctx, n)
	}
	return fmt.Errorf("the local cloud executes no actions of the service %s", parts[2])
}

// publish sends AWS's message to a topic, whose policy has to let CloudWatch in.
func (s *Service) publish(ctx context.Context, n notice) error {
	message, err := json.Marshal(n.message())
	if err != nil {
		return err
	}
	_, err = sns.NewFromConfig(s.as(n, "cloudwatch.amazonaws.com")).Publish(ctx, &sns.PublishInput{
		TopicArn: &n.Action, Message: aws.String(string(message)), Subject: aws.String(n.subject()),
	})
	return err
}

// subject is at most the 100 printable characters that SNS takes.
func (n notice) subject() string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, fmt.Sprintf("%s: %q in %s", n.To.StateValue, *n.To.AlarmName, regionName(n.Scope.Region)))
	return text[:min(len(text), 100)]
}

// message is what topics get.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
func (n notice) message() any {
	a := n.To
	m := struct {
		AlarmName                          *string
		AlarmDescription                   *string
		AWSAccountID                       string `json:"AWSAccountId"`
		AlarmConfigurationUpdatedTimestamp string
		NewStateValue                      types.StateValue
		NewStateReason                     *string
		StateChangeTime                    string
		Region                             string
		AlarmArn                           *string
		OldStateValue                      types.StateValue
		OKActions                          []string
		AlarmActions                       []string
		InsufficientDataActions            []string
		AlarmRule                          string   `json:",omitempty"`
		Trigger                            *trigger `json:",omitempty"`
	}{
		a.AlarmName, a.AlarmDescription, n.Scope.Account, stamp(*a.AlarmConfigurationUpdatedTimestamp), a.StateValue, a.StateReason,
		stamp(*a.StateUpdatedTimestamp), regionName(n.Scope.Region), a.AlarmArn, n.From.StateValue,
		actions(a.OKActions), actions(a.AlarmActions), actions(a.InsufficientDataActions), a.Rule, nil,
	}
	if !a.isComposite() {
		m.Trigger = a.trigger()
	}
	return m
}

// trigger is what a metric alarm watches, as topics are told.
type trigger struct {
	*triggerMetric                                  // of one metric
	Metrics                          []triggerQuery `json:",omitempty"` // of several
	EvaluationPeriods                *int32
	DatapointsToAlarm                *int32 `json:",omitempty"`
	ComparisonOperator               types.ComparisonOperator
	Threshold                        *number `json:",omitempty"`
	ThresholdMetricID                *string `json:"ThresholdMetricId,omitempty"`
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
}

type triggerMetric struct {
	MetricName, Namespace *string
	StatisticType         string
	Statistic             string  `json:",omitempty"`
	ExtendedStatistic     *string `json:",omitempty"`
	Unit                  *types.StandardUnit
	Dimensions            []triggerDimension
	Period                *int32
}

type triggerQuery struct {
	ID         *string      `json:"Id"`
	Expression *string      `json:",omitempty"`
	Label      *string      `json:",omitempty"`
	MetricStat *triggerStat `json:",omitempty"`
	ReturnData bool
}

type triggerStat struct {
	Metric struct {
		MetricName, Namespace *string
		Dimensions            []triggerDimension
	}
	Period *int32
	Stat   *string
	Unit   types.StandardUnit `json:",omitempty"`
}

type triggerDimension struct {
	Value *string `json:"value"`
	Name  *string `json:"name"`
}

func (a alarm) trigger() *trigger {
	t := &trigger{
		EvaluationPeriods: a.EvaluationPeriods, DatapointsToAlarm: a.DatapointsToAlarm, ComparisonOperator: a.ComparisonOperator,
		Threshold: (*number)(a.Threshold), ThresholdMetricID: a.ThresholdMetricId, TreatMissingData: aws.ToString(a.TreatMissingData),
		EvaluateLowSampleCountPercentile: aws.ToString(a.EvaluateLowSampleCountPercentile),
	}
	for _, q := range a.Metrics {
		told := triggerQuery{ID: q.Id, Expression: q.Expression, Label: q.Label, ReturnData: q.ReturnData == nil || *q.ReturnData}
		if s := q.MetricStat; s != nil {
			told.MetricStat = &triggerStat{Period: s.Period, Stat: s.Stat, Unit: s.Unit}
			told.MetricStat.Metric.MetricName, told.MetricStat.Metric.Namespace = s.Metric.MetricName, s.Metric.Namespace
			told.MetricStat.Metric.Dimensions = triggerDimensions(s.Metric.Dimensions)
		}
		t.Metrics = append(t.Metrics, told)
	}
	if a.MetricName == nil {
		return t
	}
	m := &triggerMetric{
		MetricName: a.MetricName, Namespace: a.Namespace, StatisticType: "Statistic", Statistic: strings.ToUpper(string(a.Statistic)),
		Dimensions: triggerDimensions(a.Dimensions), Period: a.Period,
	}
	switch a.Statistic { // which are called otherwise there
	case types.StatisticSampleCount:
		m.Statistic = "SAMPLE_COUNT"
	case "":
		m.StatisticType, m.ExtendedStatistic = "ExtendedStatistic", a.ExtendedStatistic
	}
	if a.Unit != "" {
		m.Unit = &a.Unit
	}
	t.triggerMetric = m
	return t
}

func triggerDimensions(dimensions []types.Dimension) []triggerDimension {
	told := []triggerDimension{}
	for _, d := range slices.Backward(dimensions) {
		told = append(told, triggerDimension{d.Value, d.Name})
	}
	return told
}

// invoke has a function run on its own, whose policy has to let alarms in.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
func (s *Service) invoke(ctx context.Context, n notice) error {
	payload, err := json.Marshal(struct {
		Source  string  `json:"source"`
		ARN     *string `json:"alarmArn"`
		Account string  `json:"accountId"`
		Time    string  `json:"time"`
		Region  string  `json:"region"`
		Data    change  `json:"alarmData"`
	}{"aws.cloudwatch", n.To.AlarmArn, n.Scope.Account, stamp(*n.To.StateUpdatedTimestamp), n.Scope.Region, n.change()})
	if err != nil {
		return err
	}
	_, err = lambda.NewFromConfig(s.as(n, "lambda.alarms.cloudwatch.amazonaws.com")).Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &n.Action, InvocationType: lambdatypes.InvocationTypeEvent, Payload: payload,
	})
	return err
}

// regions are the names that messages call regions by.
var regions = map[string]string{
	"us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)", "us-west-1": "US West (N. California)", "us-west-2": "US West (Oregon)",
	"ca-central-1": "Canada (Central)", "sa-east-1": "South America (Sao Paulo)",
	"eu-west-1": "EU (Ireland)", "eu-west-2": "EU (London)", "eu-west-3": "EU (Paris)", "eu-central-1": "EU (Frankfurt)", "eu-north-1": "EU (Stockholm)", "eu-south-1": "EU (Milan)",
	"ap-south-1": "Asia Pacific (Mumbai)", "ap-northeast-1": "Asia Pacific (Tokyo)", "ap-northeast-2": "Asia Pacific (Seoul)", "ap-northeast-3": "Asia Pacific (Osaka)",
	"ap-southeast-1": "Asia Pacific (Singapore)", "ap-southeast-2": "Asia Pacific (Sydney)", "ap-east-1": "Asia Pacific (Hong Kong)",
}

func regionName(region string) string {
	if name := regions[region]; name != "" {
		return name
	}
	return region
}
