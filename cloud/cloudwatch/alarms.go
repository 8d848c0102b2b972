package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// maxActions is how many actions an alarm has for a state.
const maxActions = 5

// missingData is how alarms treat data that are not there.
var missingData = []string{"missing", "notBreaching", "breaching", "ignore"}

// PutMetricAlarm makes an alarm, or gives one other settings; its state stays
// until it is evaluated, which is at once.
func (s *Service) PutMetricAlarm(ctx context.Context, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	if err := checkMetricAlarm(in); err != nil {
		return nil, err
	}
	a := alarm{Due: s.now(), Lacks: lacks(in), MetricAlarm: types.MetricAlarm{
		AlarmName: in.AlarmName, AlarmDescription: in.AlarmDescription, ActionsEnabled: aws.Bool(in.ActionsEnabled == nil || *in.ActionsEnabled),
		OKActions: actions(in.OKActions), AlarmActions: actions(in.AlarmActions), InsufficientDataActions: actions(in.InsufficientDataActions),
		MetricName: in.MetricName, Namespace: in.Namespace, Statistic: in.Statistic, ExtendedStatistic: in.ExtendedStatistic,
		Dimensions: append([]types.Dimension{}, in.Dimensions...), Period: in.Period, Unit: in.Unit,
		EvaluationPeriods: in.EvaluationPeriods, DatapointsToAlarm: in.DatapointsToAlarm, Threshold: in.Threshold,
		ComparisonOperator: in.ComparisonOperator, TreatMissingData: in.TreatMissingData,
		EvaluateLowSampleCountPercentile: in.EvaluateLowSampleCountPercentile, Metrics: in.Metrics, ThresholdMetricId: in.ThresholdMetricId,
		EvaluationCriteria: in.EvaluationCriteria, EvaluationInterval: in.EvaluationInterval,
	}}
	if err := s.put(ctx, a, in.Tags); err != nil {
		return nil, err
	}
	s.clock.Wake()
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

// actions are an alarm's, none of which are an empty list on the wire.
func actions(given []string) []string { return append([]string{}, given...) }

// lacks tells what the local cloud has not that the alarm would be evaluated by;
// nothing for most.
func lacks(in *cloudwatch.PutMetricAlarmInput) string {
	_, simple := operators[in.ComparisonOperator]
	_, ranked := percentile(aws.ToString(in.ExtendedStatistic))
	switch {
	case in.EvaluationCriteria != nil || in.EvaluationInterval != nil:
		return "queries"
	case in.ThresholdMetricId != nil || !simple && slices.Contains(in.ComparisonOperator.Values(), in.ComparisonOperator):
		return "detection of anomalies"
	case in.Metrics != nil:
		return "metric math"
	case in.ExtendedStatistic != nil && !ranked:
		return "statistic " + *in.ExtendedStatistic
	}
	return ""
}

func checkMetricAlarm(in *cloudwatch.PutMetricAlarmInput) error {
	if err := checkAlarm(in.AlarmName, in.AlarmDescription, in.AlarmActions, in.OKActions, in.InsufficientDataActions); err != nil {
		return err
	}
	queried := in.EvaluationCriteria != nil
	single := in.Metrics == nil && !queried
	for _, c := range []struct {
		wrong  bool
		reason string
	}{
		{in.EvaluationPeriods == nil && !queried, "1 validation error detected: Value null at 'evaluationPeriods' failed to satisfy constraint: Member must not be null"},
		{in.ComparisonOperator == "" && !queried, "1 validation error detected: Value null at 'comparisonOperator' failed to satisfy constraint: Member must not be null"},
		{in.Threshold == nil && in.ThresholdMetricId == nil && !queried, "The parameter Threshold is required for alarms that have no ThresholdMetricId"},
		{!single && (in.MetricName != nil || in.Namespace != nil || in.Period != nil || in.Dimensions != nil || in.Statistic != "" || in.ExtendedStatistic != nil),
			"The parameters MetricName, Namespace, Period, Dimensions, Statistic and ExtendedStatistic cannot be specified together with Metrics"},
		{single && (in.MetricName == nil || in.Namespace == nil || in.Period == nil), "The parameters MetricName, Namespace and Period must be specified"},
		{single && (in.Statistic == "") == (in.ExtendedStatistic == nil), "Exactly one of the parameters Statistic and ExtendedStatistic must be specified"},
	} {
		if c.wrong {
			return invalid("%s", c.reason)
		}
	}
	if in.ComparisonOperator != "" && !slices.Contains(in.ComparisonOperator.Values(), in.ComparisonOperator) {
		return enumeration(string(in.ComparisonOperator), "comparisonOperator", in.ComparisonOperator.Values())
	}
	if in.Statistic != "" && !isStatistic(string(in.Statistic)) {
		return enumeration(string(in.Statistic), "statistic", in.Statistic.Values())
	}
	if in.Unit != "" && !slices.Contains(in.Unit.Values(), in.Unit) {
		return enumeration(string(in.Unit), "unit", in.Unit.Values())
	}
	if !single {
		return nil // what the queries ask for, nobody here can judge
	}
	return errors.Join(checkNamespace(in.Namespace, false), checkMetric(in.MetricName, in.Dimensions, ""), checkPeriods(in))
}

func checkPeriods(in *cloudwatch.PutMetricAlarmInput) error {
	period, n := *in.Period, *in.EvaluationPeriods
	switch {
	case !slices.Contains([]int32{10, 20, 30}, period) && (period < 60 || period%60 != 0):
		return invalid("Metric Period must be 10, 20, 30 or a multiple of 60")
	case n < 1:
		return constraint(n, "evaluationPeriods", "have value greater than or equal to 1")
	case int64(period)*int64(n) > int64(longestWindow(period)/time.Second):
		return invalid("Metrics cannot be checked across more than %s (EvaluationPeriods * Period must be <= %d).",
			map[bool]string{true: "a day", false: "a week"}[period < 3600], longestWindow(period)/time.Second)
	case in.DatapointsToAlarm != nil && (*in.DatapointsToAlarm < 1 || *in.DatapointsToAlarm > n):
		return invalid("DatapointsToAlarm must be between 1 and EvaluationPeriods")
	case in.TreatMissingData != nil && !slices.Contains(missingData, *in.TreatMissingData):
		return invalid("Value %s for parameter TreatMissingData is invalid: it is one of %s", *in.TreatMissingData, strings.Join(missingData, ", "))
	case in.EvaluateLowSampleCountPercentile != nil && !slices.Contains([]string{"evaluate", "ignore"}, *in.EvaluateLowSampleCountPercentile):
		return invalid("Option %s is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore.", *in.EvaluateLowSampleCountPercentile)
	}
	return nil
}

// longestWindow is how far an alarm looks back: a day, or a week in periods of
// an hour and more.
func longestWindow(period int32) time.Duration {
	if period < 3600 {
		return 24 * time.Hour
	}
	return 7 * 24 * time.Hour
}

func enumeration[T ~string](value, member string, of []T) error {
	names := make([]string, len(of))
	for i, v := range of {
		names[i] = string(v)
	}
	return constraint(value, member, "satisfy enum value set: ["+strings.Join(names, ", ")+"]")
}

// checkAlarm checks what alarms of both kinds have.
func checkAlarm(name, description *string, lists ...[]string) error {
	if name == nil {
		return invalid("1 validation error detected: Value null at 'alarmName' failed to satisfy constraint: Member must not be null")
	}
	if strings.ContainsFunc(*name, unicode.IsControl) {
		return invalid("The value for parameter AlarmName is invalid: it has control characters")
	}
	for _, list := range lists {
		if len(list) > maxActions {
			return constraint("["+strings.Join(list, ", ")+"]", "alarmActions", fmt.Sprintf("have length less than or equal to %d", maxActions))
		}
		for _, action := range list {
			if parts := strings.SplitN(action, ":", 6); len(parts) < 6 || parts[0] != "arn" || len(action) > 1024 {
				return invalid("Invalid arn syntax: %s", action)
			}
		}
	}
	return errors.Join(lengths("alarmName", name, 1, 255), lengths("alarmDescription", description, 0, 1024))
}

// put stores an alarm that was made or changed. Tags are those of a new one.
func (s *Service) put(ctx context.Context, a alarm, tags []types.Tag) error {
	c := door.CallerFrom(ctx)
	now := s.now()
	a.AlarmArn, a.AlarmConfigurationUpdatedTimestamp = aws.String(c.ResourceARN("cloudwatch", "alarm:"+*a.AlarmName)), &now
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		old, err := s.alarms.Get(ctx, c.Scope(), *a.AlarmName)
		var before *alarm
		switch {
		case errors.Is(err, store.ErrNotFound):
			if a.Tags, err = tagged(nil, tags); err != nil {
				return err
			}
			a.StateValue, a.StateReason = types.StateValueInsufficientData, aws.String("Unchecked: Initial alarm creation")
			a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = &now, &now
		case err != nil:
			return err
		case old.isComposite() != a.isComposite():
			return invalid("There is already an alarm of the other kind that is called %s", *a.AlarmName)
		default:
			before, a.Tags = &old, old.Tags
			a.StateValue, a.StateReason, a.StateReasonData = old.StateValue, old.StateReason, old.StateReasonData
			a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = old.StateUpdatedTimestamp, old.StateTransitionedTimestamp
		}
		if a.Lacks != "" && old.Lacks != a.Lacks {
			a.StateValue, a.StateReasonData = types.StateValueInsufficientData, nil
			a.StateReason = aws.String("Unchecked: the local cloud has no " + a.Lacks + ", and never evaluates this alarm")
		}
		if err := s.alarms.Put(ctx, c.Scope(), *a.AlarmName, a); err != nil {
			return err
		}
		return s.noteConfiguration(ctx, c.Scope(), before, &a)
	})
}

// DeleteAlarms deletes all of the alarms, or none if one is not there.
func (s *Service) DeleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	if len(in.AlarmNames) > 100 {
		return nil, invalid("At most 100 alarms are deleted at once")
	}
	scope := door.CallerFrom(ctx).Scope()
	return &cloudwatch.DeleteAlarmsOutput{}, s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		all, err := s.alarms.List(ctx, scope, store.Query{})
		if err != nil {
			return err
		}
		for _, name := range in.AlarmNames {
			for _, e := range all {
				if slices.Contains(e.Value.children(), name) && !slices.Contains(in.AlarmNames, e.ID) {
					return invalid("Cannot delete %s as there are composite alarm(s) depending on it.", name)
				}
			}
			i := slices.IndexFunc(all, func(e store.Entry[alarm]) bool { return e.ID == name })
			if i < 0 {
				return &types.ResourceNotFound{Message: aws.String(fmt.Sprintf("Alarm(s) [%s] not found", name))}
			}
			if err := s.alarms.Delete(ctx, scope, name); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if err := s.noteConfiguration(ctx, scope, &all[i].Value, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// EnableAlarmActions lets alarms execute their actions; names of no alarms are
// passed over, as on AWS.
func (s *Service) EnableAlarmActions(ctx context.Context, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	return &cloudwatch.EnableAlarmActionsOutput{}, s.enable(ctx, in.AlarmNames, true)
}

// DisableAlarmActions keeps alarms from executing their actions.
func (s *Service) DisableAlarmActions(ctx context.Context, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	return &cloudwatch.DisableAlarmActionsOutput{}, s.enable(ctx, in.AlarmNames, false)
}

func (s *Service) enable(ctx context.Context, names []string, on bool) error {
	scope := door.CallerFrom(ctx).Scope()
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		for _, name := range names {
			before, err := s.alarms.Get(ctx, scope, name)
			if errors.Is(err, store.ErrNotFound) || err == nil && aws.ToBool(before.ActionsEnabled) == on {
				continue
			}
			if err != nil {
				return err
			}
			after, now := before, s.now()
			after.ActionsEnabled, after.AlarmConfigurationUpdatedTimestamp = &on, &now
			if err := s.alarms.Put(ctx, scope, name, after); err != nil {
				return err
			}
			if err := s.noteConfiguration(ctx, scope, &before, &after); err != nil {
				return err
			}
		}
		return nil
	})
}
