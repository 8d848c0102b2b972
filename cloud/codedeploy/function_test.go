package codedeploy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/cloudtest/tool"
)

// checker is a hook: it asks CodeDeploy to go on, or not, as WORD says.
const checker = `import json, os, urllib.request
def handler(event, context):
    body = {"deploymentId": event["DeploymentId"], "lifecycleEventHookExecutionId": event["LifecycleEventHookExecutionId"], "status": os.environ["WORD"]}
    urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(body).encode(), {
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus",
        "Authorization": "AWS4-HMAC-SHA256 Credential=" + os.environ["AWS_ACCESS_KEY_ID"] + "/20260101/us-east-1/codedeploy/aws4_request, SignedHeaders=host, Signature=0"}))
`

func (f *fleet) role(name string, trusted ...string) *string {
	f.t.Helper()
	client := iam.NewFromConfig(f.Config)
	services, err := json.Marshal(trusted)
	if err != nil {
		f.t.Fatal(err)
	}
	out, err := client.CreateRole(f.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":` + string(services) + `},"Action":"sts:AssumeRole"}]}`)})
	if err != nil {
		f.t.Fatal(err)
	}
	must(f.t)(client.PutRolePolicy(f.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("all"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)}))
	return out.Role.Arn
}

// function makes a function of Python, for which the role is there.
func (f *fleet) function(name, source, word string, role *string) {
	f.t.Helper()
	must(f.t)(lambda.NewFromConfig(f.Config).CreateFunction(f.t.Context(), &lambda.CreateFunctionInput{FunctionName: &name, Role: role, Runtime: lambdatypes.RuntimePython312, Handler: aws.String("app.handler"),
		Environment: &lambdatypes.Environment{Variables: map[string]string{"WORD": word}}, Timeout: aws.Int32(60),
		Code: &lambdatypes.FunctionCode{ZipFile: zipped(f.t, map[string]string{"app.py": source})}}))
}

// TestFunction shifts an alias's traffic, and takes it back after a hook's no.
func TestFunction(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	f := newFleet(t, t.TempDir())
	defer f.close()
	functions, runs := lambda.NewFromConfig(f.Config), f.role("runs", "lambda.amazonaws.com")
	f.role("deploy", "codedeploy.amazonaws.com")
	f.function("yes", checker, "Succeeded", runs)
	f.function("no", checker, "Failed", runs)
	f.function("site", "def handler(event, context): return 1\n", "", runs)
	publish := func() *string {
		out, err := functions.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("site")})
		if err != nil {
			t.Fatal(err)
		}
		return out.Version
	}
	one := publish()
	must(t)(functions.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("site"), ZipFile: zipped(t, map[string]string{"app.py": "def handler(event, context): return 2\n"})}))
	two := publish()
	must(t)(functions.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("site"), Name: aws.String("live"), FunctionVersion: one}))
	must(t)(f.deploy.CreateApplication(t.Context(), &api.CreateApplicationInput{ApplicationName: aws.String("functions"), ComputePlatform: types.ComputePlatformLambda}))
	must(t)(f.deploy.CreateDeploymentConfig(t.Context(), &api.CreateDeploymentConfigInput{DeploymentConfigName: aws.String("Steps"), ComputePlatform: types.ComputePlatformLambda,
		TrafficRoutingConfig: &types.TrafficRoutingConfig{Type: types.TrafficRoutingTypeTimeBasedLinear, TimeBasedLinear: &types.TimeBasedLinear{LinearPercentage: 40, LinearInterval: 1}}}))
	must(t)(f.deploy.CreateDeploymentGroup(t.Context(), &api.CreateDeploymentGroupInput{ApplicationName: aws.String("functions"), DeploymentGroupName: aws.String("live"), ServiceRoleArn: aws.String(role)}))
	deploy := func(config, from, to, hook, checker string) *types.DeploymentInfo {
		text := `{"version": 0.0, "Resources": [{"it": {"Type": "AWS::Lambda::Function", "Properties": {"Name": "site", "Alias": "live", "CurrentVersion": "` + from + `", "TargetVersion": "` + to + `"}}}],
			"Hooks": [{"` + hook + `": "` + checker + `"}]}`
		out, err := f.deploy.CreateDeployment(t.Context(), &api.CreateDeploymentInput{ApplicationName: aws.String("functions"), DeploymentGroupName: aws.String("live"), DeploymentConfigName: &config,
			Revision:                  &types.RevisionLocation{RevisionType: types.RevisionLocationTypeAppSpecContent, AppSpecContent: &types.AppSpecContent{Content: &text}},
			AutoRollbackConfiguration: &types.AutoRollbackConfiguration{Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentFailure}}})
		if err != nil {
			t.Fatal(err)
		}
		return f.until(*out.DeploymentId, over)
	}
	alias := func() *lambda.GetAliasOutput {
		out, err := functions.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("site"), Name: aws.String("live")})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if d := deploy("CodeDeployDefault.LambdaAllAtOnce", *two, *one, "BeforeAllowTraffic", "yes"); d.ErrorInformation == nil || d.ErrorInformation.Code != types.ErrorCodeInvalidLambdaConfiguration {
		t.Errorf("another version than the alias's: %+v", d.ErrorInformation)
	}
	if d := deploy("Steps", *one, *two, "BeforeAllowTraffic", "yes"); d.Status != types.DeploymentStatusSucceeded {
		t.Fatalf("the deployment: %s, %+v", d.Status, d.ErrorInformation)
	}
	if a := alias(); *a.FunctionVersion != *two || a.RoutingConfig != nil && len(a.RoutingConfig.AdditionalVersionWeights) > 0 {
		t.Errorf("the alias is at %s, %+v", *a.FunctionVersion, a.RoutingConfig)
	}
	d := deploy("CodeDeployDefault.LambdaCanary10Percent5Minutes", *two, *one, "AfterAllowTraffic", "no")
	if d.Status != types.DeploymentStatusFailed || d.ErrorInformation.Code != types.ErrorCodeHookExecutionFailure || !strings.Contains(*d.ErrorInformation.Message, "the check failed") {
		t.Fatalf("the hook says no: %s, %+v", d.Status, d.ErrorInformation)
	}
	if back := f.until(*d.RollbackInfo.RollbackDeploymentId, over); back.Status != types.DeploymentStatusSucceeded {
		t.Errorf("the rollback: %s, %+v", back.Status, back.ErrorInformation)
	}
	if a := alias(); *a.FunctionVersion != *two {
		t.Errorf("the alias is at %s after the rollback", *a.FunctionVersion)
	}
	target, err := f.deploy.BatchGetDeploymentTargets(t.Context(), &api.BatchGetDeploymentTargetsInput{DeploymentId: d.DeploymentId, TargetIds: []string{"it"}})
	if err != nil || target.DeploymentTargets[0].LambdaTarget.LambdaFunctionInfo.TargetVersionWeight != 100 {
		t.Errorf("the target: %+v, %v", target, err)
	}
}
