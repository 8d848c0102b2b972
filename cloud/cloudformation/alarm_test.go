package cloudformation_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
)

func alarmTemplate(t *testing.T, threshold string, more ...any) string {
	tags := append([]any{}, more...)
	return template(t, map[string]any{
		"Errors": map[string]any{"Type": "AWS::CloudWatch::Alarm", "Properties": map[string]any{
			"AlarmName": "errors", "Namespace": "Shop", "MetricName": "Errors", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": "1", "Threshold": threshold,
			"ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "ignore", "Dimensions": []any{map[string]any{"Name": "Stage", "Value": "prod"}}, "Tags": tags}},
		"Any": map[string]any{"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": map[string]any{"AlarmRule": map[string]any{"Fn::Sub": `ALARM("${Errors}")`}}},
	}, "Outputs", map[string]any{"Name": map[string]any{"Value": ref("Errors")}, "ARN": map[string]any{"Value": map[string]any{"Fn::GetAtt": "Errors.Arn"}}, "Any": map[string]any{"Value": ref("Any")}})
}

// TestAlarms has alarms of both kinds made, changed, looked at and deleted.
func TestAlarms(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	alarms := cloudwatch.NewFromConfig(w.Config)
	tag := map[string]any{"Key": "team", "Value": "a"}
	s := w.create("watch", alarmTemplate(t, "5", tag))
	if s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("watch"))
	}
	out := outputs(s)
	if out["Name"] != "errors" || out["ARN"] != "arn:aws:cloudwatch:us-east-1:000000000000:alarm:errors" || !strings.HasPrefix(out["Any"], "watch-Any-") {
		t.Errorf("the outputs are %v", out)
	}
	if s := w.update("watch", alarmTemplate(t, "7.5", tag)); s.StackStatus != types.StackStatusUpdateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("watch"))
	}
	found, err := alarms.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmTypes: cwtypes.AlarmType("").Values()})
	if err != nil || len(found.MetricAlarms) != 1 || len(found.CompositeAlarms) != 1 || *found.MetricAlarms[0].Threshold != 7.5 || *found.CompositeAlarms[0].AlarmRule != `ALARM("errors")` {
		t.Fatalf("%+v, %v", found, err)
	}
	tags, err := alarms.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: found.MetricAlarms[0].AlarmArn})
	if err != nil || len(tags.Tags) != 4 || *tags.Tags[3].Value != "a" {
		t.Errorf("the tags: %+v, %v", tags, err)
	}
	// What stands there already is not taken over.
	if s := w.create("second", alarmTemplate(t, "5")); s.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(w.story("second"), "already exists") {
		t.Errorf("the second: %s\n%s", s.StackStatus, w.story("second"))
	}
	if s := w.create("math", template(t, map[string]any{"A": map[string]any{"Type": "AWS::CloudWatch::Alarm", "Properties": map[string]any{
		"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold", "Metrics": []any{map[string]any{"Id": "e", "Expression": "SUM(METRICS())"}}}}})); s.StackStatus != types.StackStatusCreateComplete {
		t.Errorf("metric math: %s\n%s", s.StackStatus, w.story("math"))
	}
	w.delete("math")
	w.delete("watch")
	if left, err := alarms.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmTypes: cwtypes.AlarmType("").Values()}); err != nil || len(left.MetricAlarms)+len(left.CompositeAlarms) > 0 {
		t.Errorf("after the deletion: %+v, %v", left, err)
	}
}

// trigger is an alarm outside of stacks.
func (w *world) trigger(name string) *types.RollbackConfiguration {
	w.t.Helper()
	_, err := cloudwatch.NewFromConfig(w.Config).PutMetricAlarm(w.t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("Shop"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("ignore"),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return &types.RollbackConfiguration{MonitoringTimeInMinutes: aws.Int32(1), RollbackTriggers: []types.RollbackTrigger{
		{Arn: aws.String("arn:aws:cloudwatch:us-east-1:000000000000:alarm:" + name), Type: aws.String("AWS::CloudWatch::Alarm")}}}
}

func (w *world) setAlarm(name string, to cwtypes.StateValue) {
	w.t.Helper()
	if _, err := cloudwatch.NewFromConfig(w.Config).SetAlarmState(w.t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: &name, StateValue: to, StateReason: aws.String("a test")}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) parameter(name string) string {
	out, err := ssm.NewFromConfig(w.Config).GetParameter(w.t.Context(), &ssm.GetParameterInput{Name: &name})
	if err != nil {
		return err.Error()
	}
	return *out.Parameter.Value
}

func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatal(what)
		}
	}
}

func parameterTemplate(t *testing.T, value string) string {
	return template(t, map[string]any{"P": map[string]any{"Type": "AWS::SSM::Parameter", "Properties": map[string]any{"Name": "p", "Type": "String", "Value": value}}})
}

// TestRollbackTriggers has alarms take operations back, before, during and
// after their work.
func TestRollbackTriggers(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	triggers := w.trigger("errors")
	quick := &types.RollbackConfiguration{RollbackTriggers: triggers.RollbackTriggers}
	with := func(c *types.RollbackConfiguration) func(*cloudformation.CreateStackInput) {
		return func(in *cloudformation.CreateStackInput) { in.RollbackConfiguration = c }
	}
	w.setAlarm("errors", cwtypes.StateValueAlarm)
	const rings = "The following rollback trigger(s) are in ALARM state: [arn:aws:cloudwatch:us-east-1:000000000000:alarm:errors]. Rollback requested by user."
	if s := w.create("rings", parameterTemplate(t, "x"), with(quick)); s.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(w.story("rings"), rings) {
		t.Errorf("%s\n%s", s.StackStatus, w.story("rings"))
	}
	none := &types.RollbackConfiguration{RollbackTriggers: []types.RollbackTrigger{{Arn: aws.String("arn:aws:cloudwatch:us-east-1:000000000000:alarm:none"), Type: aws.String("AWS::CloudWatch::CompositeAlarm")}}}
	if s := w.create("none", parameterTemplate(t, "x"), with(none)); s.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(w.story("none"), "do not exist: [arn:aws:cloudwatch:us-east-1:000000000000:alarm:none]") {
		t.Errorf("%s\n%s", s.StackStatus, w.story("none"))
	}
	w.setAlarm("errors", cwtypes.StateValueOk)
	if s := w.create("site", parameterTemplate(t, "one"), with(quick)); s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("site"))
	}
	// After an update, while it is monitored.
	id := aws.ToString(w.describe("site").StackId)
	_, err := w.cfn.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: &id, TemplateBody: aws.String(parameterTemplate(t, "two")), RollbackConfiguration: triggers})
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("the update", func() bool { return w.parameter("p") == "two" })
	if s := w.describe("site"); s.StackStatus != types.StackStatusUpdateInProgress || *s.RollbackConfiguration.MonitoringTimeInMinutes != 1 {
		t.Errorf("while it is monitored: %s, %+v", s.StackStatus, s.RollbackConfiguration)
	}
	w.setAlarm("errors", cwtypes.StateValueAlarm)
	if s := w.settled(id); s.StackStatus != types.StackStatusUpdateRollbackComplete || w.parameter("p") != "one" || !strings.Contains(w.story(id), "UPDATE_ROLLBACK_IN_PROGRESS: The following rollback trigger(s) are in ALARM state") {
		t.Errorf("%s, %s\n%s", s.StackStatus, w.parameter("p"), w.story(id))
	}
	// The same by a change set.
	w.setAlarm("errors", cwtypes.StateValueOk)
	set, err := w.cfn.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{StackName: &id, ChangeSetName: aws.String("c"), TemplateBody: aws.String(parameterTemplate(t, "three")), RollbackConfiguration: triggers})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.cfn.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{ChangeSetName: set.Id}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the change set", func() bool { return w.parameter("p") == "three" })
	w.setAlarm("errors", cwtypes.StateValueAlarm)
	if s := w.settled(id); s.StackStatus != types.StackStatusUpdateRollbackComplete || w.parameter("p") != "one" {
		t.Errorf("%s, %s\n%s", s.StackStatus, w.parameter("p"), w.story(id))
	}
}

// TestMonitoringTime closes the cloud while a stack is monitored; the next one
// waits for the rest.
func TestMonitoringTime(t *testing.T) {
	t.Parallel()
	dir, ahead := t.TempDir(), new(atomic.Int64)
	open := func() *world {
		c := cloudtest.StartWith(t, cloud.Options{Dir: dir, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
		return &world{c, t, cloudformation.NewFromConfig(c.Config)}
	}
	closed := func(w *world) {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	w := open()
	triggers := w.trigger("errors")
	triggers.MonitoringTimeInMinutes = aws.Int32(180)
	out, err := w.cfn.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("site"), TemplateBody: aws.String(parameterTemplate(t, "one")), RollbackConfiguration: triggers})
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("the parameter", func() bool { return strings.Contains(w.story(*out.StackId), "P CREATE_COMPLETE") })
	closed(w)
	w = open()
	defer func() { closed(w) }()
	if s := w.describe("site"); s.StackStatus != types.StackStatusCreateInProgress {
		t.Errorf("after the cloud was closed: %s", s.StackStatus)
	}
	ahead.Store(int64(3 * time.Hour))
	if s := w.settled(*out.StackId); s.StackStatus != types.StackStatusCreateComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story(*out.StackId))
	}
}
