package cloudwatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	lambdaapi "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
	"ouro/cloud/door"
)

// functions stands where Lambda is.
type functions struct{ calls chan call }

type call struct {
	function, payload string
	caller            door.Caller
}

func (f *functions) Invoke(ctx context.Context, in *lambdaapi.InvokeInput) (*lambdaapi.InvokeOutput, error) {
	f.calls <- call{*in.FunctionName, string(in.Payload), door.CallerFrom(ctx)}
	return &lambdaapi.InvokeOutput{StatusCode: 202}, nil
}

// world is a cloud whose clock is set by hand.
type world struct {
	*api.Client
	t         *testing.T
	cloud     *cloudtest.Cloud
	functions *functions

	mu sync.Mutex
	at time.Time
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, at: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC), functions: &functions{make(chan call, 100)}}
	w.open(t.TempDir())
	t.Cleanup(w.close)
	return w
}

func (w *world) open(dir string) {
	w.t.Helper()
	w.cloud = cloudtest.StartWith(w.t, cloud.Options{Dir: dir, Now: w.now, Services: map[string]any{"lambda": w.functions}})
	w.Client = api.NewFromConfig(w.cloud.Config)
}

func (w *world) close() {
	if err := w.cloud.Close(); err != nil {
		w.t.Errorf("closing the cloud: %v", err)
	}
}

// pass lets time pass, and has the alarms looked at.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.mu.Lock()
	w.at = w.at.Add(d)
	w.mu.Unlock()
	w.alarm("wakes-the-clock", func(in *api.PutMetricAlarmInput) { in.MetricName = aws.String("Nothing") })
}

func (w *world) alarm(name string, set func(*api.PutMetricAlarmInput)) {
	w.t.Helper()
	in := &api.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("Shop"), MetricName: aws.String("Errors"), Statistic: types.StatisticSum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
	}
	if set != nil {
		set(in)
	}
	if _, err := w.PutMetricAlarm(w.t.Context(), in); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) put(values ...float64) {
	w.t.Helper()
	_, err := w.PutMetricData(w.t.Context(), &api.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{{MetricName: aws.String("Errors"), Values: values, Unit: types.StandardUnitCount}}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// becomes waits until an alarm is in a state.
func (w *world) becomes(name string, want types.StateValue) types.MetricAlarm {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		out, err := w.DescribeAlarms(w.t.Context(), &api.DescribeAlarmsInput{AlarmNames: []string{name}})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(out.MetricAlarms) == 1 && out.MetricAlarms[0].StateValue == want {
			return out.MetricAlarms[0]
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the alarm %s is not %s: %+v", name, want, out.MetricAlarms)
		}
	}
}

// called waits until a function was called.
func (w *world) called() call {
	w.t.Helper()
	select {
	case c := <-w.functions.calls:
		return c
	case <-time.After(time.Minute):
		w.t.Fatal("no function was called")
	}
	return call{}
}

const function = "arn:aws:lambda:us-east-1:000000000000:function:"

// TestAlarm follows an alarm through its states, and what they set off.
func TestAlarm(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	topics, events := sns.NewFromConfig(w.cloud.Config), eventbridge.NewFromConfig(w.cloud.Config)
	topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("ops")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("lambda"), Endpoint: aws.String(function + "told")}); err != nil {
		t.Fatal(err)
	}
	if _, err := events.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("alarms"), EventPattern: aws.String(`{"source":["aws.cloudwatch"],"detail-type":["CloudWatch Alarm State Change"],"detail":{"state":{"value":["ALARM"]}}}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("alarms"), Targets: []ebtypes.Target{{Id: aws.String("f"), Arn: aws.String(function + "heard")}}}); err != nil {
		t.Fatal(err)
	}
	w.alarm("errors", func(in *api.PutMetricAlarmInput) {
		in.AlarmDescription = aws.String("too many errors")
		in.AlarmActions = []string{*topic.TopicArn, function + "rung", "arn:aws:automate:us-east-1:ec2:reboot"}
		in.Dimensions = []types.Dimension{}
	})
	if a := w.becomes("errors", types.StateValueInsufficientData); *a.StateReason != "Unchecked: Initial alarm creation" || !*a.ActionsEnabled {
		t.Errorf("a new alarm: %+v", a)
	}
	w.put(1, 2)
	w.pass(time.Minute)
	const fine = "Threshold Crossed: 1 out of the last 1 datapoints [3.0 (21/11/26 10:00:00)] was not greater than the threshold (5.0) (minimum 1 datapoint for ALARM -> OK transition)."
	if a := w.becomes("errors", types.StateValueOk); *a.StateReason != fine {
		t.Errorf("the reason is %s", *a.StateReason)
	}
	w.put(4, 5)
	w.pass(time.Minute)
	const high = "Threshold Crossed: 1 out of the last 1 datapoints [9.0 (21/11/26 10:01:00)] was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition)."
	a := w.becomes("errors", types.StateValueAlarm)
	const data = `"startDate":"2026-11-21T10:01:00.000+0000","statistic":"Sum","period":60,"recentDatapoints":[9.0],"threshold":5.0,"evaluatedDatapoints":[{"timestamp":"2026-11-21T10:01:00.000+0000","sampleCount":2.0,"value":9.0}]}`
	if *a.StateReason != high || !strings.HasSuffix(*a.StateReasonData, data) {
		t.Errorf("the reason is %s\n%s", *a.StateReason, *a.StateReasonData)
	}
	// The event, the topic and the function are told in any order.
	got := map[string]call{}
	for range 3 {
		c := w.called()
		got[strings.TrimPrefix(c.function, function)] = c
	}
	for name, parts := range map[string][]string{
		"heard": {`"detail-type":"CloudWatch Alarm State Change","source":"aws.cloudwatch"`, `"resources":["arn:aws:cloudwatch:us-east-1:000000000000:alarm:errors"]`, `"alarmName":"errors"`, `"previousState":{"value":"OK"`, `"stat":"Sum"`, `"description":"too many errors"`},
		"told":  {`"Subject":"ALARM: \"errors\" in US East (N. Virginia)"`, `\"NewStateValue\":\"ALARM\",\"NewStateReason\":\"Threshold Crossed`, `\"OldStateValue\":\"OK\"`, `\"Trigger\":{\"MetricName\":\"Errors\",\"Namespace\":\"Shop\",\"StatisticType\":\"Statistic\",\"Statistic\":\"SUM\",\"Unit\":null,`},
		"rung":  {`"source":"aws.cloudwatch","alarmArn":"arn:aws:cloudwatch:us-east-1:000000000000:alarm:errors","accountId":"000000000000"`, `"alarmData":{"alarmName":"errors","state":{"value":"ALARM"`},
	} {
		for _, part := range parts {
			if payload := strings.ReplaceAll(got[name].payload, `\u003e`, ">"); !strings.Contains(payload, part) {
				t.Errorf("%s: no %s in %s", name, part, payload)
			}
		}
	}
	if c := got["rung"].caller; c.Service != "lambda.alarms.cloudwatch.amazonaws.com" {
		t.Errorf("the function is called by %+v", c)
	}
	w.happened("errors",
		`Alarm "errors" created`, "Alarm updated from INSUFFICIENT_DATA to OK", "Alarm updated from OK to ALARM",
		"Successfully executed action "+*topic.TopicArn, "Successfully executed action "+function+"rung",
		`Failed to execute action arn:aws:automate:us-east-1:ec2:reboot. Received error: "the local cloud executes no actions of the service automate"`)

	// A set state lasts until the next evaluation, also over a restart.
	if _, err := w.SetAlarmState(ctx, &api.SetAlarmStateInput{AlarmName: aws.String("errors"), StateValue: types.StateValueOk, StateReason: aws.String("because")}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Second)
	w.becomes("errors", types.StateValueOk)
	w.close()
	w.open(w.cloud.Dir)
	w.becomes("errors", types.StateValueOk)
	w.put(7)
	w.pass(time.Minute)
	w.becomes("errors", types.StateValueAlarm)
	w.called()
	// After the range without data the alarm knows nothing.
	w.pass(4 * time.Minute)
	if a := w.becomes("errors", types.StateValueInsufficientData); *a.StateReason != "Insufficient Data: 1 datapoint was unknown." {
		t.Errorf("the reason is %s", *a.StateReason)
	}
}

// happened waits until an alarm's history has these summaries, oldest first.
func (w *world) happened(name string, want ...string) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		out, err := w.DescribeAlarmHistory(w.t.Context(), &api.DescribeAlarmHistoryInput{AlarmName: &name, ScanBy: types.ScanByTimestampAscending})
		if err != nil {
			w.t.Fatal(err)
		}
		var got []string
		for _, item := range out.AlarmHistoryItems {
			got = append(got, *item.HistorySummary)
			if !json.Valid([]byte(aws.ToString(item.HistoryData))) {
				w.t.Errorf("the history's data are %s", aws.ToString(item.HistoryData))
			}
		}
		if slices.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the history is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestActionsDisabled sees no action of an alarm that may not have one.
func TestActionsDisabled(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.alarm("quiet", func(in *api.PutMetricAlarmInput) {
		in.AlarmActions, in.OKActions = []string{function + "f"}, []string{function + "g"}
	})
	if _, err := w.DisableAlarmActions(ctx, &api.DisableAlarmActionsInput{AlarmNames: []string{"quiet", "nobody"}}); err != nil {
		t.Fatal(err)
	}
	set := func(to types.StateValue) {
		if _, err := w.SetAlarmState(ctx, &api.SetAlarmStateInput{AlarmName: aws.String("quiet"), StateValue: to, StateReason: aws.String("a test")}); err != nil {
			t.Fatal(err)
		}
	}
	set(types.StateValueAlarm)
	if _, err := w.EnableAlarmActions(ctx, &api.EnableAlarmActionsInput{AlarmNames: []string{"quiet"}}); err != nil {
		t.Fatal(err)
	}
	set(types.StateValueOk)
	if c := w.called(); c.function != function+"g" {
		t.Errorf("%s is called", c.function)
	}
}

// TestComposite has an alarm follow others.
func TestComposite(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.alarm("a", nil)
	w.alarm("b c", nil)
	put := func(name, rule string) error {
		_, err := w.PutCompositeAlarm(ctx, &api.PutCompositeAlarmInput{AlarmName: &name, AlarmRule: &rule, AlarmActions: []string{function + name}})
		return err
	}
	state := func(name string) string {
		out, err := w.DescribeAlarms(ctx, &api.DescribeAlarmsInput{AlarmNames: []string{name}, AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}})
		if err != nil || len(out.CompositeAlarms) != 1 || len(out.MetricAlarms) != 0 {
			t.Fatalf("%+v, %v", out, err)
		}
		return string(out.CompositeAlarms[0].StateValue) + " " + *out.CompositeAlarms[0].StateReason
	}
	set := func(name string, to types.StateValue) {
		if _, err := w.SetAlarmState(ctx, &api.SetAlarmStateInput{AlarmName: &name, StateValue: to, StateReason: aws.String("a test")}); err != nil {
			t.Fatal(err)
		}
	}
	for name, rule := range map[string]string{
		"either": `ALARM(a) OR ALARM("b c")`, "both": `ALARM("arn:aws:cloudwatch:us-east-1:000000000000:alarm:a") AND NOT (OK("b c") OR INSUFFICIENT_DATA("b c"))`,
	} {
		if err := put(name, rule); err != nil {
			t.Fatal(err)
		}
	}
	if err := put("above", "ALARM(both) AND TRUE"); err != nil {
		t.Fatal(err)
	}
	set("a", types.StateValueAlarm)
	const why = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a transitioned to ALARM at Saturday 21 November, 2026 10:00:00 UTC"
	if e, b := state("either"), state("both"); e != "ALARM "+why || !strings.HasPrefix(b, "OK ") {
		t.Errorf("after one: %s, %s", e, b)
	}
	set("b c", types.StateValueAlarm)
	if b, a := state("both"), state("above"); !strings.HasPrefix(b, "ALARM ") || !strings.HasPrefix(a, "ALARM ") {
		t.Errorf("after both: %s, %s", b, a)
	}
	var called []string
	for range 3 {
		called = append(called, strings.TrimPrefix(w.called().function, function))
	}
	if want := []string{"either", "above", "both"}; !slices.Equal(slices.Sorted(slices.Values(called)), slices.Sorted(slices.Values(want))) {
		t.Errorf("called are %v", called)
	}
	for rule, want := range map[string]string{
		"ALARM(nobody)":            "alarms [nobody] in the alarm rule do not exist",
		"ALARM(a":                  "AlarmRule is not valid",
		"ALARM(a) OK(a)":           "AlarmRule is not valid",
		strings.Repeat("(", 10000): "AlarmRule is not valid",
		"AT_LEAST(1, ALARM, (a))":  "AlarmRule is not valid: the local cloud does not have the function AT_LEAST",
	} {
		if err := put("bad", rule); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the rule %.20s: %v", rule, err)
		}
	}
	_, err := w.DeleteAlarms(ctx, &api.DeleteAlarmsInput{AlarmNames: []string{"a"}})
	if err == nil || !strings.Contains(err.Error(), "composite alarm(s) depending on it") {
		t.Errorf("deleting a child: %v", err)
	}
	children, err := w.DescribeAlarms(ctx, &api.DescribeAlarmsInput{ChildrenOfAlarmName: aws.String("either")})
	if err != nil || len(children.MetricAlarms) != 2 {
		t.Errorf("children: %+v, %v", children, err)
	}
	// Alarms in a circle keep their states, and can be taken out of it.
	if err := put("above", "NOT ALARM(round)"); err == nil {
		t.Error("an alarm that is not there")
	}
	if err := errors.Join(put("round", "ALARM(above)"), put("above", "NOT ALARM(round)")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DeleteAlarms(ctx, &api.DeleteAlarmsInput{AlarmNames: []string{"above", "round", "either", "both", "a", "b c"}}); err != nil {
		t.Error(err)
	}
}

// TestStatistics reads back what was put.
func TestStatistics(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	at := w.now()
	datum := func(d types.MetricDatum) {
		t.Helper()
		d.MetricName, d.Dimensions, d.Unit = aws.String("Latency"), []types.Dimension{{Name: aws.String("b"), Value: aws.String("2")}, {Name: aws.String("a"), Value: aws.String("1")}}, types.StandardUnitMilliseconds
		if _, err := w.PutMetricData(ctx, &api.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{d}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 { // a large body, which the SDK packs
		values := make([]float64, 0, 10)
		for j := range 10 {
			values = append(values, float64(i*10+j))
		}
		datum(types.MetricDatum{Values: values, Timestamp: aws.Time(at.Add(-time.Hour))})
	}
	datum(types.MetricDatum{Value: aws.Float64(3), Timestamp: aws.Time(at.Add(-30 * time.Minute))})
	datum(types.MetricDatum{StatisticValues: &types.StatisticSet{SampleCount: aws.Float64(2), Sum: aws.Float64(10), Minimum: aws.Float64(4), Maximum: aws.Float64(6)}, Timestamp: aws.Time(at.Add(-30 * time.Minute))})
	dimensions := []types.Dimension{{Name: aws.String("a"), Value: aws.String("1")}, {Name: aws.String("b"), Value: aws.String("2")}}
	out, err := w.GetMetricStatistics(ctx, &api.GetMetricStatisticsInput{
		Namespace: aws.String("Shop"), MetricName: aws.String("Latency"), Dimensions: dimensions, StartTime: aws.Time(at.Add(-2 * time.Hour)), EndTime: &at, Period: aws.Int32(300),
		Statistics: types.Statistic("").Values(), ExtendedStatistics: []string{"p90", "p99.9"},
	})
	if err != nil || len(out.Datapoints) != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	d := out.Datapoints[0]
	if *d.SampleCount != 1000 || *d.Average != 499.5 || *d.Minimum != 0 || *d.Maximum != 999 || d.ExtendedStatistics["p90"] != 899 || d.ExtendedStatistics["p99.9"] != 998 || d.Unit != types.StandardUnitMilliseconds || !d.Timestamp.Equal(at.Add(-time.Hour)) {
		t.Errorf("the first is %+v", d)
	}
	if d := out.Datapoints[1]; *d.SampleCount != 3 || *d.Sum != 13 || *d.Minimum != 3 || *d.Maximum != 6 || d.ExtendedStatistics != nil {
		t.Errorf("the second is %+v", d)
	}
	data, err := w.GetMetricData(ctx, &api.GetMetricDataInput{StartTime: aws.Time(at.Add(-2 * time.Hour)), EndTime: &at, MetricDataQueries: []types.MetricDataQuery{{
		Id: aws.String("m1"), MetricStat: &types.MetricStat{Metric: &types.Metric{Namespace: aws.String("Shop"), MetricName: aws.String("Latency"), Dimensions: dimensions}, Period: aws.Int32(60), Stat: aws.String("Maximum")},
	}}})
	if err != nil || len(data.MetricDataResults) != 1 || !slices.Equal(data.MetricDataResults[0].Values, []float64{6, 999}) || *data.MetricDataResults[0].Label != "Latency" {
		t.Errorf("%+v, %v", data, err)
	}
	list, err := w.ListMetrics(ctx, &api.ListMetricsInput{Namespace: aws.String("Shop"), Dimensions: []types.DimensionFilter{{Name: aws.String("a")}}})
	if err != nil || len(list.Metrics) != 1 || *list.Metrics[0].MetricName != "Latency" || len(list.Metrics[0].Dimensions) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestRefusals says what is wrong with requests.
func TestRefusals(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	good := func() *api.PutMetricAlarmInput {
		return &api.PutMetricAlarmInput{
			AlarmName: aws.String("x"), Namespace: aws.String("Shop"), MetricName: aws.String("Errors"), Statistic: types.StatisticSum, Period: aws.Int32(60),
			EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		}
	}
	alarm := func(set func(*api.PutMetricAlarmInput)) error {
		in := good()
		set(in)
		_, err := w.PutMetricAlarm(ctx, in)
		return err
	}
	data := func(namespace string, d types.MetricDatum) error {
		_, err := w.PutMetricData(ctx, &api.PutMetricDataInput{Namespace: &namespace, MetricData: []types.MetricDatum{d}})
		return err
	}
	_, gone := w.DeleteAlarms(ctx, &api.DeleteAlarmsInput{AlarmNames: []string{"gone"}})
	_, unset := w.SetAlarmState(ctx, &api.SetAlarmStateInput{AlarmName: aws.String("gone"), StateValue: types.StateValueOk, StateReason: aws.String("")})
	_, token := w.DescribeAlarms(ctx, &api.DescribeAlarmsInput{NextToken: aws.String("!")})
	_, untagged := w.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceARN: aws.String("arn:aws:cloudwatch:us-east-1:000000000000:alarm:gone")})
	for _, c := range []struct {
		err        error
		code, want string
	}{
		{alarm(func(in *api.PutMetricAlarmInput) { in.Period = aws.Int32(61) }), "ValidationError", "Metric Period must be 10, 20, 30 or a multiple of 60"},
		{alarm(func(in *api.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(2000) }), "ValidationError", "Metrics cannot be checked across more than a day"},
		{alarm(func(in *api.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(2) }), "ValidationError", "DatapointsToAlarm"},
		{alarm(func(in *api.PutMetricAlarmInput) { in.Statistic = "" }), "ValidationError", "Exactly one of the parameters"},
		{alarm(func(in *api.PutMetricAlarmInput) { in.Statistic = "Median" }), "ValidationError", "satisfy enum value set: [SampleCount"},
		{alarm(func(in *api.PutMetricAlarmInput) { in.TreatMissingData = aws.String("bad") }), "ValidationError", "TreatMissingData"},
		{alarm(func(in *api.PutMetricAlarmInput) { in.AlarmActions = []string{"mail"} }), "ValidationError", "Invalid arn syntax: mail"},
		{alarm(func(in *api.PutMetricAlarmInput) { in.Metrics = []types.MetricDataQuery{{Id: aws.String("m")}} }), "ValidationError", "cannot be specified together with Metrics"},
		{data("AWS/Lambda", types.MetricDatum{MetricName: aws.String("m"), Value: aws.Float64(1)}), "InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid."},
		{data("Shop", types.MetricDatum{MetricName: aws.String("m")}), "MissingParameter", "MetricData.member.1.Value"},
		{data("Shop", types.MetricDatum{MetricName: aws.String("m"), Value: aws.Float64(1), Values: []float64{1}}), "InvalidParameterCombination", ""},
		{data("Shop", types.MetricDatum{MetricName: aws.String("m"), Value: aws.Float64(1), Timestamp: aws.Time(w.now().Add(3 * time.Hour))}), "InvalidParameterValue", "two hours in the future"},
		{gone, "ResourceNotFound", "gone"},
		{unset, "ResourceNotFound", ""},
		{token, "InvalidNextToken", ""},
		{untagged, "ResourceNotFoundException", ""},
	} {
		var e smithy.APIError
		if !errors.As(c.err, &e) || e.ErrorCode() != c.code || !strings.Contains(e.ErrorMessage(), c.want) {
			t.Errorf("%v; want %s with %q", c.err, c.code, c.want)
		}
	}
}

// TestUnevaluated: what nobody here can evaluate is kept as it was given, says so,
// and rings if it is told to.
func TestUnevaluated(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	topics := sns.NewFromConfig(w.cloud.Config)
	topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("ops")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("lambda"), Endpoint: aws.String(function + "told")}); err != nil {
		t.Fatal(err)
	}
	stat := &types.MetricStat{Metric: &types.Metric{Namespace: aws.String("Shop"), MetricName: aws.String("Errors")}, Period: aws.Int32(60), Stat: aws.String("Sum")}
	for name, set := range map[string]func(*api.PutMetricAlarmInput){
		"metric math": func(in *api.PutMetricAlarmInput) {
			in.Metrics = []types.MetricDataQuery{{Id: aws.String("rate"), Expression: aws.String("errors * 2")}, {Id: aws.String("errors"), MetricStat: stat, ReturnData: aws.Bool(false)}}
			in.Threshold, in.AlarmActions = aws.Float64(1), []string{*topic.TopicArn, function + "rung"}
		},
		"detection of anomalies": func(in *api.PutMetricAlarmInput) {
			in.Metrics = []types.MetricDataQuery{{Id: aws.String("errors"), MetricStat: stat}, {Id: aws.String("band"), Expression: aws.String("ANOMALY_DETECTION_BAND(errors)")}}
			in.ThresholdMetricId, in.ComparisonOperator = aws.String("band"), types.ComparisonOperatorGreaterThanUpperThreshold
		},
		"statistic tm90": func(in *api.PutMetricAlarmInput) {
			in.Namespace, in.MetricName, in.Period, in.ExtendedStatistic = aws.String("Shop"), aws.String("Errors"), aws.Int32(60), aws.String("tm90")
			in.Threshold = aws.Float64(1)
		},
	} {
		in := &api.PutMetricAlarmInput{AlarmName: &name, EvaluationPeriods: aws.Int32(1), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold}
		set(in)
		if _, err := w.PutMetricAlarm(ctx, in); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		is := func(want types.StateValue, reason string) {
			t.Helper()
			out, err := w.DescribeAlarms(ctx, &api.DescribeAlarmsInput{AlarmNames: []string{name}})
			if err != nil || len(out.MetricAlarms) != 1 {
				t.Fatalf("%s: %v", name, err)
			}
			a := out.MetricAlarms[0]
			if a.StateValue != want || *a.StateReason != reason || len(a.Metrics) != len(in.Metrics) || aws.ToString(a.ThresholdMetricId) != aws.ToString(in.ThresholdMetricId) {
				t.Errorf("%s: %+v", name, a)
			}
		}
		is(types.StateValueInsufficientData, "Unchecked: the local cloud has no "+name+", and never evaluates this alarm")
		if _, err := w.SetAlarmState(ctx, &api.SetAlarmStateInput{AlarmName: &name, StateValue: types.StateValueAlarm, StateReason: aws.String("rehearsal")}); err != nil {
			t.Error(err)
		}
		is(types.StateValueAlarm, "rehearsal")
	}
	want := map[string]string{
		"rung": `"metrics":[{"expression":"errors * 2","id":"rate","returnData":true},{"id":"errors","metricStat":{"metric":{"dimensions":{},"name":"Errors","namespace":"Shop"},"period":60,"stat":"Sum"},"returnData":false}]`,
		"told": `\"Trigger\":{\"Metrics\":[{\"Id\":\"rate\",\"Expression\":\"errors * 2\",\"ReturnData\":true},{\"Id\":\"errors\",\"MetricStat\":{\"Metric\":{\"MetricName\":\"Errors\",\"Namespace\":\"Shop\",\"Dimensions\":[]},\"Period\":60,\"Stat\":\"Sum\"},\"ReturnData\":false}],\"EvaluationPeriods\":1,`,
	}
	for range want {
		c := w.called()
		if part := want[strings.TrimPrefix(c.function, function)]; part == "" || !strings.Contains(c.payload, part) {
			t.Errorf("%s: no %s in %s", c.function, part, c.payload)
		}
	}
}
