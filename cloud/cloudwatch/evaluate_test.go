package cloudwatch

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// TestMissingData goes through the tables of AWS's documentation: the oldest of
// five periods first, X breaches, 0 does not, - is missing.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func TestMissingData(t *testing.T) {
	t.Parallel()
	const keeps = "keeps"
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		data                                     string
		enough                                   int32
		missing, ignore, breaching, notBreaching string
	}{
		{"0 - X - X", 3, "OK", "OK", "OK", "OK"},
		{"0 - - - -", 3, "OK", "OK", "OK", "OK"},
		{"- - - - -", 3, "INSUFFICIENT_DATA", keeps, "ALARM", "OK"},
		{"0 X X - X", 3, "ALARM", "ALARM", "ALARM", "ALARM"},
		{"- - X - -", 3, "ALARM", keeps, "ALARM", "OK"},
		{"0 - X - X", 2, "ALARM", "ALARM", "ALARM", "ALARM"},
		{"0 0 X 0 X", 2, "ALARM", "ALARM", "ALARM", "ALARM"},
		{"0 - X - -", 2, "OK", "OK", "ALARM", "OK"},
		{"- - - - 0", 2, "OK", "OK", "ALARM", "OK"},
		{"- - - X -", 2, "ALARM", keeps, "ALARM", "OK"},
	} {
		for treat, want := range map[string]string{"missing": c.missing, "ignore": c.ignore, "breaching": c.breaching, "notBreaching": c.notBreaching} {
			a := alarm{MetricAlarm: types.MetricAlarm{
				Period: aws.Int32(60), EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: &c.enough, Threshold: aws.Float64(0),
				ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, Statistic: types.StatisticSum, TreatMissingData: &treat,
			}}
			var data []sampled
			for i, sign := range strings.Fields(c.data) {
				if value := map[string]float64{"X": 1, "0": 0}[sign]; sign != "-" {
					data = append(data, sampled{now.Add(time.Duration(i-5) * time.Minute), "None", point{Count: 1, Sum: value}})
				}
			}
			got, judged := a.evaluate(a.datapoints(data, now), now)
			if is := string(got.value); judged && is != want || !judged && want != keeps {
				t.Errorf("%s, %d to alarm, %s: %s %s; want %s", c.data, c.enough, treat, is, got.reason, want)
			}
		}
	}
}

// TestReasons has AWS's words.
func TestReasons(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		treat  string
		n, m   int32
		values []float64 // of the latest minutes
		want   string
	}{
		{"missing", 3, 2, []float64{7, 1, 99999999}, "Threshold Crossed: 2 out of the last 3 datapoints [9.9999999E7 (21/11/26 09:59:00), 7.0 (21/11/26 09:57:00)] were greater than or equal to the threshold (2.5) (minimum 2 datapoints for OK -> ALARM transition)."},
		{"missing", 3, 3, []float64{7, 0.0001, 9}, "Threshold Crossed: 1 out of the last 3 datapoints [1.0E-4 (21/11/26 09:58:00)] was not greater than or equal to the threshold (2.5) (minimum 1 datapoint for ALARM -> OK transition)."},
		{"breaching", 1, 1, nil, "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching]."},
		{"notBreaching", 2, 2, nil, "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [NonBreaching]."},
		{"", 2, 2, nil, "Insufficient Data: 2 datapoints were unknown."},
	} {
		a := alarm{MetricAlarm: types.MetricAlarm{
			Period: aws.Int32(60), EvaluationPeriods: &c.n, DatapointsToAlarm: &c.m, Threshold: aws.Float64(2.5),
			ComparisonOperator: types.ComparisonOperatorGreaterThanOrEqualToThreshold, Statistic: types.StatisticAverage, TreatMissingData: &c.treat,
		}}
		var data []sampled
		for i, v := range c.values {
			data = append(data, sampled{now.Add(time.Duration(i-len(c.values)) * time.Minute), "None", point{Count: 2, Sum: 2 * v}})
		}
		if got, _ := a.evaluate(a.datapoints(data, now), now); got.reason != c.want {
			t.Errorf("%s\nwant %s", got.reason, c.want)
		}
	}
}
