package cloudwatch

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// state is what an evaluation comes to.
type state struct {
	value        types.StateValue
	reason, data string
}

// operator compares a datapoint with the threshold.
type operator struct {
	words    string
	breaches func(value, threshold float64) bool
}

var operators = map[types.ComparisonOperator]operator{
	types.ComparisonOperatorGreaterThanThreshold:          {"greater than", func(v, t float64) bool { return v > t }},
	types.ComparisonOperatorGreaterThanOrEqualToThreshold: {"greater than or equal to", func(v, t float64) bool { return v >= t }},
	types.ComparisonOperatorLessThanThreshold:             {"less than", func(v, t float64) bool { return v < t }},
	types.ComparisonOperatorLessThanOrEqualToThreshold:    {"less than or equal to", func(v, t float64) bool { return v <= t }},
}

// moreRange is how many periods before its evaluation periods an alarm looks at
// for data in place of missing ones. AWS documents that there are some, with
// two as an example.
const moreRange = 2

// datapoint is the value of one period; age 1 is the latest.
type datapoint struct {
	at    time.Time // the period's beginning
	age   int
	value float64
	count float64 // of samples
}

func (a alarm) period() time.Duration {
	return time.Duration(aws.ToInt32(a.Period)) * time.Second
}

// step is how often the alarm is evaluated.
func (a alarm) step() time.Duration {
	if a.period() < time.Minute {
		return 10 * time.Second
	}
	return time.Minute
}

// window is the time that an evaluation looks at: whole steps.
func (a alarm) window(now time.Time) (from, to time.Time) {
	to = now.Truncate(a.step())
	return to.Add(-a.period() * time.Duration(aws.ToInt32(a.EvaluationPeriods)+moreRange)), to
}

func (a alarm) statistic() string {
	if a.ExtendedStatistic != nil {
		return *a.ExtendedStatistic
	}
	return string(a.Statistic)
}

// datapoints are those of the window, the latest first.
func (a alarm) datapoints(data []sampled, now time.Time) []datapoint {
	_, to := a.window(now)
	sums := map[int]*point{}
	for _, d := range data {
		age := int((to.Sub(d.at)-1)/a.period()) + 1
		if sums[age] == nil {
			sums[age] = &point{}
		}
		sums[age].merge(d.point)
	}
	var out []datapoint
	for age, p := range sums {
		value, ok := p.statistic(a.statistic())
		if few := a.ExtendedStatistic != nil && aws.ToString(a.EvaluateLowSampleCountPercentile) == "ignore" && tooFew(*a.ExtendedStatistic, p.Count); ok && !few {
			out = append(out, datapoint{at: to.Add(-a.period() * time.Duration(age)), age: age, value: value, count: p.Count})
		}
	}
	slices.SortFunc(out, func(a, b datapoint) int { return a.age - b.age })
	return out
}

// tooFew tells that a percentile of so few samples says little:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
func tooFew(name string, samples float64) bool {
	share, _ := percentile(name)
	if share /= 100; share < 0.5 {
		return samples < 10/share
	}
	return samples < 10/(1-share)
}

// evaluate judges the datapoints; false: the alarm keeps its state.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func (a alarm) evaluate(points []datapoint, now time.Time) (state, bool) {
	n := int(*a.EvaluationPeriods)
	m := n
	if a.DatapointsToAlarm != nil {
		m = int(*a.DatapointsToAlarm)
	}
	points = points[:min(len(points), n)]
	var high, low []datapoint // breaching and not
	for _, p := range points {
		if operators[a.ComparisonOperator].breaches(p.value, *a.Threshold) {
			high = append(high, p)
		} else {
			low = append(low, p)
		}
	}
	missing := n - len(points)
	alarmed := state{types.StateValueAlarm, a.crossed(high, n, missing, m, true), a.reasonData(points, now)}
	fine := state{types.StateValueOk, a.crossed(low, n, missing, n-m+1, false), a.reasonData(points, now)}
	if len(high) >= m {
		return alarmed, true
	}
	switch treat := aws.ToString(a.TreatMissingData); {
	case treat == "breaching" && len(high)+missing >= m:
		return alarmed, true
	case treat == "breaching", treat == "notBreaching":
		return fine, true
	case len(low) > 0:
		return fine, true
	case treat == "ignore":
		return state{}, false
	case len(points) == 0:
		return state{types.StateValueInsufficientData, fmt.Sprintf("Insufficient Data: %s unknown.", count(n, "datapoint")), a.reasonData(nil, now)}, true
	}
	// All that is there breaches, and is less than would be enough. It does for an
	// alarm if it is as old as what would be enough, and nothing better came since.
	return alarmed, high[len(high)-1].age >= m && high[len(high)-1].age <= n
}

// count is so many things that were.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing + " was"
	}
	return fmt.Sprintf("%d %ss were", n, thing)
}

// crossed is the reason of a state: the datapoints that led to it, among n, and
// how many it takes.
func (a alarm) crossed(points []datapoint, n, missing, takes int, up bool) string {
	how, way, treated := "not "+operators[a.ComparisonOperator].words, "ALARM -> OK", "NonBreaching"
	if up {
		how, way = operators[a.ComparisonOperator].words, "OK -> ALARM"
	}
	if aws.ToString(a.TreatMissingData) == "breaching" {
		treated = "Breaching"
	}
	filled := fmt.Sprintf("%s treated as [%s]", count(missing, "missing datapoint"), treated)
	if missing == n {
		return fmt.Sprintf("Threshold Crossed: no datapoints were received for %s and %s.", strings.TrimSuffix(strings.TrimSuffix(count(n, "period"), " was"), " were"), filled)
	}
	told := make([]string, len(points))
	for i, p := range points {
		told[i] = decimal(p.value) + p.at.UTC().Format(" (02/01/06 15:04:05)")
	}
	verb, plural := "was", ""
	if len(points) != 1 {
		verb = "were"
	}
	if takes != 1 {
		plural = "s"
	}
	fills := ""
	if counts := treated == "Breaching"; missing > 0 && counts == up && slices.Contains([]string{"breaching", "notBreaching"}, aws.ToString(a.TreatMissingData)) {
		fills = " and " + filled
	}
	return fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints [%s] %s %s the threshold (%s)%s (minimum %d datapoint%s for %s transition).",
		len(points), n-missing, strings.Join(told, ", "), verb, how, decimal(*a.Threshold), fills, takes, plural, way)
}

// decimal is a number as Java writes it, which AWS's reasons are made by.
func decimal(f float64) string {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-3 || abs >= 1e7) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		power, err := strconv.Atoi(exponent)
		if err != nil { // NaN and infinities, which no datapoint is
			return mantissa
		}
		return fmt.Sprintf("%sE%d", mantissa, power)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// number is a float in a document, never without a point, as AWS's.
type number float64

func (n number) MarshalJSON() ([]byte, error) { return []byte(decimal(float64(n))), nil }

// reasonData is the evaluation in JSON.
func (a alarm) reasonData(points []datapoint, now time.Time) string {
	type evaluated struct {
		Timestamp string `json:"timestamp"`
		Samples   number `json:"sampleCount"`
		Value     number `json:"value"`
	}
	doc := struct {
		Version    string             `json:"version"`
		QueryDate  string             `json:"queryDate"`
		StartDate  string             `json:"startDate,omitempty"`
		Unit       types.StandardUnit `json:"unit,omitempty"`
		Statistic  string             `json:"statistic"`
		Period     int32              `json:"period"`
		Recent     []number           `json:"recentDatapoints"`
		Threshold  number             `json:"threshold"`
		Datapoints []evaluated        `json:"evaluatedDatapoints,omitempty"`
	}{Version: "1.0", QueryDate: stamp(now), Unit: a.Unit, Statistic: a.statistic(), Period: *a.Period, Recent: []number{}, Threshold: number(*a.Threshold)}
	for _, p := range points {
		doc.StartDate = stamp(p.at)
		doc.Recent = append([]number{number(p.value)}, doc.Recent...)
		doc.Datapoints = append(doc.Datapoints, evaluated{stamp(p.at), number(p.count), number(p.value)})
	}
	b, err := json.Marshal(doc)
	if err == nil && len(b) > maxReasonData { // of many periods: without the list
		doc.Datapoints = nil
		b, err = json.Marshal(doc)
	}
	if err != nil || len(b) > maxReasonData {
		return ""
	}
	return string(b)
}

// maxReasonData is AWS's bound on StateReasonData.
const maxReasonData = 4000
