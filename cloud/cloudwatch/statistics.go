package cloudwatch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"ouro/cloud/door"
)

// AWS's bounds on what is asked for.
const (
	maxDatapoints = 1440   // of GetMetricStatistics
	maxResults    = 100800 // of GetMetricData
	maxQueries    = 500
)

// bucket is the time and unit that data are summed up in.
type bucket struct {
	at   time.Time
	unit types.StandardUnit
}

// sums gives the data of a metric in periods that are multiples of their
// length.
func (s *Service) sums(ctx context.Context, m metric, from, to time.Time, seconds int32, unit types.StandardUnit) (map[bucket]*point, error) {
	period := time.Duration(seconds) * time.Second
	data, err := s.data(ctx, door.CallerFrom(ctx).Scope(), m, from.Truncate(period), to, unit)
	if err != nil {
		return nil, err
	}
	out := map[bucket]*point{}
	for _, d := range data {
		b := bucket{d.at.Truncate(period), d.unit}
		if out[b] == nil {
			out[b] = &point{}
		}
		out[b].merge(d.point)
	}
	return out, nil
}

func checkPeriod(period *int32) error {
	if period == nil {
		return missingParameter("Period")
	}
	if p := *period; p < 1 || p%60 != 0 && !slices.Contains([]int32{1, 5, 10, 20, 30}, p) {
		return badValue("The value %d for parameter Period is invalid: it is 1, 5, 10, 20, 30 or a multiple of 60.", p)
	}
	return nil
}

func checkRange(from, to *time.Time) error {
	switch {
	case from == nil:
		return missingParameter("StartTime")
	case to == nil:
		return missingParameter("EndTime")
	case !from.Before(*to):
		return badCombination("The parameter StartTime must be less than the parameter EndTime.")
	}
	return nil
}

// GetMetricStatistics gives statistics of a metric, one datapoint for each
// period and unit that there are data of, by time.
func (s *Service) GetMetricStatistics(ctx context.Context, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
	err := errors.Join(checkNamespace(in.Namespace, false), checkMetric(in.MetricName, in.Dimensions, ""), checkRange(in.StartTime, in.EndTime), checkPeriod(in.Period))
	if err != nil {
		return nil, err
	}
	if len(in.Statistics) == 0 && len(in.ExtendedStatistics) == 0 {
		return nil, missingParameter("Statistics")
	}
	for _, name := range in.Statistics {
		if !isStatistic(string(name)) {
			return nil, badValue("The value %s for parameter Statistics is invalid.", name)
		}
	}
	for _, name := range in.ExtendedStatistics {
		if _, ok := percentile(name); !ok {
			return nil, badValue("The value %s for parameter ExtendedStatistics is not supported by the local cloud, which has percentiles.", name)
		}
	}
	if n := int64(in.EndTime.Sub(*in.StartTime)/time.Second) / int64(*in.Period); n > maxDatapoints {
		return nil, badCombination("You have requested up to %d datapoints, which exceeds the limit of %d. You may reduce the datapoints requested by increasing Period, or decreasing the time range.", n, maxDatapoints)
	}
	sums, err := s.sums(ctx, newMetric(in.Namespace, in.MetricName, in.Dimensions), *in.StartTime, *in.EndTime, *in.Period, in.Unit)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	for _, b := range inOrder(sums) {
		out.Datapoints = append(out.Datapoints, sums[b].datapoint(b, in))
	}
	return out, nil
}

func inOrder(sums map[bucket]*point) []bucket {
	return slices.SortedFunc(maps.Keys(sums), func(a, b bucket) int {
		if d := a.at.Compare(b.at); d != 0 {
			return d
		}
		return strings.Compare(string(a.unit), string(b.unit))
	})
}

// datapoint is what was asked for of a point.
func (p point) datapoint(b bucket, in *cloudwatch.GetMetricStatisticsInput) types.Datapoint {
	d := types.Datapoint{Timestamp: &b.at, Unit: b.unit}
	members := map[types.Statistic]**float64{
		types.StatisticAverage: &d.Average, types.StatisticSum: &d.Sum, types.StatisticSampleCount: &d.SampleCount,
		types.StatisticMinimum: &d.Minimum, types.StatisticMaximum: &d.Maximum,
	}
	for _, name := range in.Statistics {
		if v, ok := p.statistic(string(name)); ok {
			*members[name] = &v
		}
	}
	for _, name := range in.ExtendedStatistics {
		if v, ok := p.statistic(name); ok {
			if d.ExtendedStatistics == nil {
				d.ExtendedStatistics = map[string]float64{}
			}
			d.ExtendedStatistics[name] = v
		}
	}
	return d
}

// GetMetricData gives values of metrics, the latest first unless ScanBy says
// otherwise. All come on one page.
func (s *Service) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	if err := checkRange(in.StartTime, in.EndTime); err != nil {
		return nil, err
	}
	if in.NextToken != nil {
		return nil, &types.InvalidNextToken{Message: aws.String("Invalid NextToken")}
	}
	if err := checkQueries(in); err != nil {
		return nil, err
	}
	out := &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{}, Messages: []types.MessageData{}}
	for _, q := range in.MetricDataQueries {
		if q.ReturnData != nil && !*q.ReturnData {
			continue
		}
		result, err := s.query(ctx, in, q)
		if err != nil {
			return nil, err
		}
		out.MetricDataResults = append(out.MetricDataResults, result)
	}
	return out, nil
}

func checkQueries(in *cloudwatch.GetMetricDataInput) error {
	if len(in.MetricDataQueries) == 0 {
		return missingParameter("MetricDataQueries")
	}
	if len(in.MetricDataQueries) > maxQueries {
		return invalid("The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	}
	results := int64(0)
	seen := map[string]bool{}
	for _, q := range in.MetricDataQueries {
		id := aws.ToString(q.Id)
		switch {
		case id == "" || id[0] < 'a' || id[0] > 'z' || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "":
			return invalid("The value %q for parameter MetricDataQueries.member.Id is invalid: it begins with a small letter and has letters, digits and underscores", id)
		case seen[id]:
			return invalid("The values for parameter Id in the MetricDataQueries must be unique: %s is not", id)
		case q.Expression != nil:
			return invalid("The local cloud evaluates no metric math: the query %s has an Expression", id)
		case q.MetricStat == nil || q.MetricStat.Metric == nil:
			return invalid("The query %s must have a MetricStat", id)
		}
		seen[id] = true
		m := q.MetricStat
		if err := errors.Join(checkNamespace(m.Metric.Namespace, false), checkMetric(m.Metric.MetricName, m.Metric.Dimensions, ""), checkPeriod(m.Period)); err != nil {
			return err
		}
		if _, ok := percentile(aws.ToString(m.Stat)); !ok && !isStatistic(aws.ToString(m.Stat)) {
			return invalid("The value %q for parameter Stat of the query %s is not supported by the local cloud, which has the simple statistics and percentiles", aws.ToString(m.Stat), id)
		}
		results += int64(in.EndTime.Sub(*in.StartTime)/time.Second) / int64(*m.Period)
	}
	if results > maxResults {
		return invalid("You have requested up to %d datapoints, which exceeds the limit of %d: take longer periods, or a shorter range", results, maxResults)
	}
	return nil
}

// query gives the values of one metric, of all its units in one.
func (s *Service) query(ctx context.Context, in *cloudwatch.GetMetricDataInput, q types.MetricDataQuery) (types.MetricDataResult, error) {
	m := q.MetricStat
	sums, err := s.sums(ctx, newMetric(m.Metric.Namespace, m.Metric.MetricName, m.Metric.Dimensions), *in.StartTime, *in.EndTime, *m.Period, m.Unit)
	if err != nil {
		return types.MetricDataResult{}, err
	}
	whole := map[bucket]*point{}
	for b, p := range sums {
		b.unit = ""
		if whole[b] == nil {
			whole[b] = &point{}
		}
		whole[b].merge(*p)
	}
	out := types.MetricDataResult{Id: q.Id, Label: q.Label, StatusCode: types.StatusCodeComplete, Timestamps: []time.Time{}, Values: []float64{}}
	if out.Label == nil {
		out.Label = m.Metric.MetricName
	}
	order := inOrder(whole)
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(order)
	}
	for _, b := range order {
		if v, ok := whole[b].statistic(*m.Stat); ok {
			out.Timestamps, out.Values = append(out.Timestamps, b.at), append(out.Values, v)
		}
	}
	return out, nil
}
