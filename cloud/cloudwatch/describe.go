package cloudwatch

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// DescribeAlarms gives alarms by what they are called, their kind, state and
// actions; without AlarmTypes those of metrics alone.
func (s *Service) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	limit, err := records(in.MaxRecords)
	if err != nil {
		return nil, err
	}
	if err := checkDescribe(in); err != nil {
		return nil, err
	}
	all, err := s.alarms.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: aws.ToString(in.AlarmNamePrefix)})
	if err != nil {
		return nil, err
	}
	children, err := childrenOf(all, in.ChildrenOfAlarmName)
	if err != nil {
		return nil, err
	}
	kinds := in.AlarmTypes
	if len(kinds) == 0 {
		kinds = []types.AlarmType{types.AlarmTypeMetricAlarm}
		if in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil {
			kinds = types.AlarmType("").Values()
		}
	}
	all = slices.DeleteFunc(all, func(e store.Entry[alarm]) bool {
		a := e.Value
		return len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, e.ID) || !slices.Contains(kinds, a.kind()) ||
			in.StateValue != "" && in.StateValue != a.StateValue || !hasAction(a, aws.ToString(in.ActionPrefix)) ||
			in.ChildrenOfAlarmName != nil && !slices.Contains(children, e.ID) ||
			in.ParentsOfAlarmName != nil && !slices.Contains(a.children(), *in.ParentsOfAlarmName)
	})
	all, next, err := page(all, func(e store.Entry[alarm]) string { return e.ID }, in.NextToken, limit)
	out := &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}, NextToken: next}
	for _, e := range all {
		switch {
		case e.Value.isComposite():
			out.CompositeAlarms = append(out.CompositeAlarms, e.Value.composite())
		default:
			out.MetricAlarms = append(out.MetricAlarms, e.Value.MetricAlarm)
		}
	}
	return out, err
}

func checkDescribe(in *cloudwatch.DescribeAlarmsInput) error {
	switch {
	case in.AlarmNames != nil && in.AlarmNamePrefix != nil:
		return invalid("The request cannot contain both the AlarmNames and the AlarmNamePrefix parameters")
	case len(in.AlarmNames) > 100:
		return invalid("At most 100 alarms are described by name")
	case in.ChildrenOfAlarmName != nil && in.ParentsOfAlarmName != nil,
		(in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil) && (in.AlarmNames != nil || in.AlarmNamePrefix != nil || in.AlarmTypes != nil || in.StateValue != "" || in.ActionPrefix != nil):
		return invalid("ChildrenOfAlarmName and ParentsOfAlarmName are each given without other parameters than MaxRecords and NextToken")
	case in.StateValue != "" && !slices.Contains(in.StateValue.Values(), in.StateValue):
		return enumeration(string(in.StateValue), "stateValue", in.StateValue.Values())
	}
	for _, kind := range in.AlarmTypes {
		if !slices.Contains(kind.Values(), kind) {
			return enumeration(string(kind), "alarmTypes", kind.Values())
		}
	}
	return nil
}

// childrenOf are the alarms in the rule of the composite alarm of that name.
func childrenOf(all []store.Entry[alarm], parent *string) ([]string, error) {
	if parent == nil {
		return nil, nil
	}
	i := slices.IndexFunc(all, func(e store.Entry[alarm]) bool { return e.ID == *parent })
	if i < 0 {
		return nil, &types.ResourceNotFound{Message: aws.String("Alarm " + *parent + " does not exist")}
	}
	return all[i].Value.children(), nil
}

func hasAction(a alarm, prefix string) bool {
	return prefix == "" || slices.ContainsFunc(slices.Concat(a.OKActions, a.AlarmActions, a.InsufficientDataActions), func(action string) bool {
		return strings.HasPrefix(action, prefix)
	})
}

// DescribeAlarmsForMetric gives the alarms that watch a metric.
func (s *Service) DescribeAlarmsForMetric(ctx context.Context, in *cloudwatch.DescribeAlarmsForMetricInput) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	if err := errors.Join(checkNamespace(in.Namespace, false), checkMetric(in.MetricName, in.Dimensions, "")); err != nil {
		return nil, err
	}
	all, err := s.alarms.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	key := newMetric(in.Namespace, in.MetricName, in.Dimensions).key()
	out := &cloudwatch.DescribeAlarmsForMetricOutput{MetricAlarms: []types.MetricAlarm{}}
	for _, e := range all {
		a := e.Value
		if !a.isComposite() && a.MetricName != nil && newMetric(a.Namespace, a.MetricName, a.Dimensions).key() == key &&
			(in.Statistic == "" || in.Statistic == a.Statistic) && (in.ExtendedStatistic == nil || *in.ExtendedStatistic == aws.ToString(a.ExtendedStatistic)) &&
			(in.Period == nil || *in.Period == *a.Period) && (in.Unit == "" || in.Unit == a.Unit) {
			out.MetricAlarms = append(out.MetricAlarms, a.MetricAlarm)
		}
	}
	return out, err
}

// DescribeAlarmHistory tells what happened to alarms in the last 30 days, the
// latest first unless ScanBy says otherwise.
func (s *Service) DescribeAlarmHistory(ctx context.Context, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	limit, err := records(in.MaxRecords)
	if err != nil {
		return nil, err
	}
	all, err := s.history.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	kinds := in.AlarmTypes
	if len(kinds) == 0 {
		kinds = []types.AlarmType{types.AlarmTypeMetricAlarm}
	}
	all = slices.DeleteFunc(all, func(e store.Entry[types.AlarmHistoryItem]) bool {
		item := e.Value
		return in.AlarmName != nil && *in.AlarmName != *item.AlarmName || in.AlarmName == nil && !slices.Contains(kinds, item.AlarmType) ||
			in.HistoryItemType != "" && in.HistoryItemType != item.HistoryItemType ||
			in.StartDate != nil && item.Timestamp.Before(*in.StartDate) || in.EndDate != nil && item.Timestamp.After(*in.EndDate)
	})
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(all)
	}
	all, next, err := page(all, func(e store.Entry[types.AlarmHistoryItem]) string { return e.ID }, in.NextToken, limit)
	out := &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: []types.AlarmHistoryItem{}, NextToken: next}
	for _, e := range all {
		out.AlarmHistoryItems = append(out.AlarmHistoryItems, e.Value)
	}
	return out, err
}
