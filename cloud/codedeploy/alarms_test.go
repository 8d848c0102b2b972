package codedeploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	api "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/cloudtest/tool"
)

// alarm makes an alarm, for which no data come.
func (f *fleet) alarm(name string) *types.AlarmConfiguration {
	f.t.Helper()
	must(f.t)(cloudwatch.NewFromConfig(f.Config).PutMetricAlarm(f.t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("Shop"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("ignore"),
	}))
	return &types.AlarmConfiguration{Enabled: true, Alarms: []types.Alarm{{Name: &name}}}
}

func (f *fleet) ring(name string, state cwtypes.StateValue) {
	f.t.Helper()
	must(f.t)(cloudwatch.NewFromConfig(f.Config).SetAlarmState(f.t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: &name, StateValue: state, StateReason: aws.String("a test")}))
}

// stopped waits until an alarm stopped a deployment, and for the rollback.
func (f *fleet) stopped(id, alarm string) *types.DeploymentInfo {
	f.t.Helper()
	d := f.until(id, func(d *types.DeploymentInfo) bool { return over(d) && d.RollbackInfo != nil })
	const want = "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected deployments have been stopped. Activated alarms: "
	if d.Status != types.DeploymentStatusStopped || d.ErrorInformation.Code != types.ErrorCodeAlarmActive || *d.ErrorInformation.Message != want+alarm {
		f.t.Errorf("%s, %s: %s", d.Status, d.ErrorInformation.Code, *d.ErrorInformation.Message)
	}
	if d.RollbackInfo.RollbackDeploymentId != nil {
		if back := f.until(*d.RollbackInfo.RollbackDeploymentId, over); back.Status != types.DeploymentStatusSucceeded {
			f.t.Errorf("the rollback: %s, %+v", back.Status, back.ErrorInformation)
		}
	}
	return d
}

var onAlarm = &types.AutoRollbackConfiguration{Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentStopOnAlarm}}

// TestAlarmOfInstances has an alarm that the AWS CLI rings stop a deployment to
// instances, and take it back.
func TestAlarmOfInstances(t *testing.T) {
	t.Parallel()
	f := newFleet(t, t.TempDir(), "a", "b")
	defer f.close()
	f.role("deploy", "codedeploy.amazonaws.com")
	update := &api.UpdateDeploymentGroupInput{ApplicationName: aws.String("site"), CurrentDeploymentGroupName: aws.String("web"), AlarmConfiguration: f.alarm("errors"), AutoRollbackConfiguration: onAlarm}
	must(t)(f.deploy.UpdateDeploymentGroup(t.Context(), update))
	if d := f.until(f.create(&api.CreateDeploymentInput{Revision: f.put("one.zip", map[string]string{"appspec.yml": spec(""), "data/it": "one"})}), over); d.Status != types.DeploymentStatusSucceeded {
		t.Fatalf("the first: %s, %+v", d.Status, d.ErrorInformation)
	}
	slow := map[string]string{"appspec.yml": spec("AfterInstall: [{location: slow.sh, timeout: 100}]"), "data/it": "two", "slow.sh": "#!/bin/sh\ntouch waits\nsleep 600\n"}
	id := f.create(&api.CreateDeploymentInput{Revision: f.put("two.zip", slow)})
	f.eventually("the hook waits", func() bool { _, err := os.Stat(filepath.Join(f.root("a"), "waits")); return err == nil })
	tool.NewAWS(t, f.URL).Run("cloudwatch", "set-alarm-state", "--alarm-name", "errors", "--state-value", "ALARM", "--state-reason", "rehearsal")
	// The first hook runs on until its time is up; nothing comes after it.
	if d := f.stopped(id, "errors"); d.DeploymentOverview.Succeeded != 0 || d.DeploymentOverview.Skipped == 0 {
		t.Errorf("the overview: %+v", d.DeploymentOverview)
	}
	for _, name := range []string{"a", "b"} {
		if got, err := os.ReadFile(filepath.Join(f.root(name), "data", "it")); err != nil || string(got) != "one" {
			t.Errorf("%s has %q, %v", name, got, err)
		}
	}

	// One that rings already lets nothing begin.
	id = f.create(&api.CreateDeploymentInput{Revision: f.put("three.zip", map[string]string{"appspec.yml": spec(""), "data/it": "three"}), AutoRollbackConfiguration: &types.AutoRollbackConfiguration{}})
	d := f.until(id, over)
	if d.Status != types.DeploymentStatusStopped || d.ErrorInformation.Code != types.ErrorCodeAlarmActive || *d.DeploymentOverview != (types.DeploymentOverview{Skipped: 2}) || d.RollbackInfo != nil {
		t.Errorf("while the alarm rings: %s, %+v, %+v", d.Status, d.ErrorInformation, d.DeploymentOverview)
	}
	// What cannot be known stops a deployment, unless it does not matter.
	for ignored, want := range map[bool]types.DeploymentStatus{false: types.DeploymentStatusStopped, true: types.DeploymentStatusSucceeded} {
		id := f.create(&api.CreateDeploymentInput{Revision: f.put("four.zip", map[string]string{"appspec.yml": spec(""), "data/it": "four"}), FileExistsBehavior: types.FileExistsBehaviorOverwrite,
			OverrideAlarmConfiguration: &types.AlarmConfiguration{Enabled: true, IgnorePollAlarmFailure: ignored, Alarms: []types.Alarm{{Name: aws.String("nobody's")}}}})
		d := f.until(id, over)
		if d.Status != want {
			t.Errorf("an alarm that is not there, ignored %v: %s, %+v", ignored, d.Status, d.ErrorInformation)
		}
		if !ignored && !strings.HasSuffix(*d.ErrorInformation.Message, "there is no alarm called nobody's") {
			t.Errorf("the error: %+v", *d.ErrorInformation.Message)
		}
		if back := d.RollbackInfo; back != nil && back.RollbackDeploymentId != nil {
			f.until(*back.RollbackDeploymentId, over)
		}
	}
	// A deployment may be without the group's alarms.
	id = f.create(&api.CreateDeploymentInput{Revision: f.put("five.zip", map[string]string{"appspec.yml": spec(""), "data/it": "five"}), FileExistsBehavior: types.FileExistsBehaviorOverwrite, OverrideAlarmConfiguration: &types.AlarmConfiguration{}})
	if d := f.until(id, over); d.Status != types.DeploymentStatusSucceeded {
		t.Errorf("without alarms: %s, %+v", d.Status, d.ErrorInformation)
	}
}

// TestAlarmOfFunction has an alarm take back a shift of an alias's traffic that
// outlives the cloud.
func TestAlarmOfFunction(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := newFleet(t, dir)
	defer func() { f.close() }()
	runs := f.role("runs", "lambda.amazonaws.com")
	f.role("deploy", "codedeploy.amazonaws.com")
	f.function("site", "def handler(event, context): return 1\n", "", runs)
	functions := lambda.NewFromConfig(f.Config)
	must(t)(functions.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("site")}))
	must(t)(functions.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("site"), ZipFile: zipped(t, map[string]string{"app.py": "def handler(event, context): return 2\n"})}))
	must(t)(functions.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("site")}))
	must(t)(functions.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("site"), Name: aws.String("live"), FunctionVersion: aws.String("1")}))
	must(t)(f.deploy.CreateApplication(t.Context(), &api.CreateApplicationInput{ApplicationName: aws.String("functions"), ComputePlatform: types.ComputePlatformLambda}))
	must(t)(f.deploy.CreateDeploymentConfig(t.Context(), &api.CreateDeploymentConfigInput{DeploymentConfigName: aws.String("Slow"), ComputePlatform: types.ComputePlatformLambda,
		TrafficRoutingConfig: &types.TrafficRoutingConfig{Type: types.TrafficRoutingTypeTimeBasedCanary, TimeBasedCanary: &types.TimeBasedCanary{CanaryPercentage: 10, CanaryInterval: 2880}}}))
	must(t)(f.deploy.CreateDeploymentGroup(t.Context(), &api.CreateDeploymentGroupInput{ApplicationName: aws.String("functions"), DeploymentGroupName: aws.String("live"), ServiceRoleArn: aws.String(role),
		DeploymentConfigName: aws.String("Slow"), AlarmConfiguration: f.alarm("errors"), AutoRollbackConfiguration: onAlarm}))
	text := `{"version": 0.0, "Resources": [{"it": {"Type": "AWS::Lambda::Function", "Properties": {"Name": "site", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"}}}]}`
	out, err := f.deploy.CreateDeployment(t.Context(), &api.CreateDeploymentInput{ApplicationName: aws.String("functions"), DeploymentGroupName: aws.String("live"),
		Revision: &types.RevisionLocation{RevisionType: types.RevisionLocationTypeAppSpecContent, AppSpecContent: &types.AppSpecContent{Content: &text}}})
	if err != nil {
		t.Fatal(err)
	}
	alias := func() (string, map[string]float64) {
		out, err := lambda.NewFromConfig(f.Config).GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("site"), Name: aws.String("live")})
		if err != nil {
			t.Fatal(err)
		}
		if out.RoutingConfig == nil {
			out.RoutingConfig = &lambdatypes.AliasRoutingConfiguration{}
		}
		return *out.FunctionVersion, out.RoutingConfig.AdditionalVersionWeights
	}
	f.eventually("a tenth of the traffic", func() bool { _, weights := alias(); return weights["2"] == 0.1 })
	f.close()
	f = newFleet(t, dir)
	f.ring("errors", cwtypes.StateValueAlarm)
	f.stopped(*out.DeploymentId, "errors")
	if version, weights := alias(); version != "1" || len(weights) > 0 {
		t.Errorf("the alias is at %s, %v", version, weights)
	}
}

// TestAlarmOfService has an alarm take back a blue/green deployment of ECS that
// waits for the end of the original.
func TestAlarmOfService(t *testing.T) {
	t.Parallel()
	f := newServices(t, t.TempDir())
	defer f.close()
	f.waits(0, 2880)
	f.regroup(&api.UpdateDeploymentGroupInput{AlarmConfiguration: f.alarm("errors"), AutoRollbackConfiguration: onAlarm})
	id := f.begin("CodeDeployDefault.ECSAllAtOnce", f.out["New"], "", "")
	f.until(id, func(d *types.DeploymentInfo) bool { return ready(d) && d.InstanceTerminationWaitTimeStarted })
	if got := f.is(); got != "New Green Green=100 Green=100" {
		t.Errorf("before the alarm: %s", got)
	}
	f.ring("errors", cwtypes.StateValueAlarm)
	f.stopped(id, "errors")
	if got := f.is(); !strings.HasPrefix(got, "Old Blue Blue=100") {
		t.Errorf("after the rollback: %s", got)
	}
}
