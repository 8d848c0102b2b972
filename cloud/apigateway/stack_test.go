package apigateway_test

import (
	"maps"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/cloudtest"
	"ouro/cloud/cloudtest/tool"
)

// deploy makes or changes a stack, and gives its outputs.
func deploy(t *testing.T, c *cloudtest.Cloud, name, body string, update bool) map[string]string {
	t.Helper()
	ctx, cfn, how := t.Context(), cloudformation.NewFromConfig(c.Config), types.ChangeSetTypeCreate
	if update {
		how = types.ChangeSetTypeUpdate
	}
	set, err := cfn.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{StackName: &name, ChangeSetName: aws.String("c-" + strings.ToLower(string(how))), ChangeSetType: how, TemplateBody: &body,
		Capabilities: []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityAutoExpand}})
	must(t, set, err)
	if err := cloudformation.NewChangeSetCreateCompleteWaiter(cfn, func(o *cloudformation.ChangeSetCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
	}).Wait(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: set.Id}, time.Minute); err != nil {
		t.Fatal(err)
	}
	run, err := cfn.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{ChangeSetName: set.Id})
	must(t, run, err)
	in := &cloudformation.DescribeStacksInput{StackName: &name}
	if update {
		err = cloudformation.NewStackUpdateCompleteWaiter(cfn, func(o *cloudformation.StackUpdateCompleteWaiterOptions) {
			o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
		}).Wait(ctx, in, time.Minute)
	} else {
		err = cloudformation.NewStackCreateCompleteWaiter(cfn, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
			o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
		}).Wait(ctx, in, time.Minute)
	}
	if err != nil {
		events, _ := cfn.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &name})
		for _, e := range events.StackEvents {
			t.Log(aws.ToString(e.LogicalResourceId), e.ResourceStatus, aws.ToString(e.ResourceStatusReason))
		}
		t.Fatal(err)
	}
	s, err := cfn.DescribeStacks(ctx, in)
	out := map[string]string{}
	for _, o := range must(t, s, err).Stacks[0].Outputs {
		out[*o.OutputKey] = *o.OutputValue
	}
	return out
}

func remove(t *testing.T, c *cloudtest.Cloud, name string) {
	t.Helper()
	cfn := cloudformation.NewFromConfig(c.Config)
	out, err := cfn.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: &name})
	must(t, out, err)
	if err := cloudformation.NewStackDeleteCompleteWaiter(cfn, func(o *cloudformation.StackDeleteCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
	}).Wait(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
}

const samTemplate = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Timeout: 60
      InlineCode: |
        import json
        def handler(event, context):
            return {"statusCode": 200, "body": "hello " + event["pathParameters"]["name"]}
      Events:
        Old: {Type: Api, Properties: {Path: "/PATH/{name}", Method: GET, RestApiId: !Ref Api}}
        New: {Type: HttpApi, Properties: {Path: "/hi/{name}", Method: GET}}
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: Prod, Cors: "'*'", BinaryMediaTypes: [image/png], EndpointConfiguration: REGIONAL, Tags: {a: "1"}}
Outputs:
  Rest: {Value: !Ref Api}
  Http: {Value: !Ref ServerlessHttpApi}
`

// TestServerless deploys what SAM writes, with functions that really run, and
// asks with curl.
func TestServerless(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	tool.Find(t, "curl")
	c := cloudtest.New(t)
	ask := func(want string, args ...string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "curl", append([]string{"-s", "--max-time", "60"}, args...)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("curl %s: %v, %s, want %s", args, err, out, want)
		}
	}
	out := deploy(t, c, "s", strings.Replace(samTemplate, "PATH", "hello", 1), false)
	rest, http := c.URL+"/_aws/execute-api/"+out["Rest"], c.URL+"/_aws/execute-api/"+out["Http"]
	ask("hello ada", rest+"/Prod/hello/ada")
	ask("hello ada", rest+"/Stage/hello/ada") // SAM's deployments make this stage too
	ask("hello bob", http+"/hi/bob")
	ask("Access-Control-Allow-Origin: *", "-i", "-X", "OPTIONS", rest+"/Prod/hello/ada")
	ask(`{"message":"Missing Authentication Token"}`, rest+"/Prod/bye/ada")

	deploy(t, c, "s", strings.Replace(samTemplate, "PATH", "bye", 1), true)
	ask("hello ada", rest+"/Prod/bye/ada")
	ask(`{"message":"Missing Authentication Token"}`, rest+"/Prod/hello/ada")
	client := api.NewFromConfig(c.Config)
	a, err := client.GetRestApi(t.Context(), &api.GetRestApiInput{RestApiId: aws.String(out["Rest"])})
	if must(t, a, err); a.EndpointConfiguration.Types[0] != "REGIONAL" || strings.Join(a.BinaryMediaTypes, ",") != "image/png" || *a.Name != "s" {
		t.Errorf("the API: %+v", a)
	}
	remove(t, c, "s")
	left, err := client.GetRestApis(t.Context(), &api.GetRestApisInput{})
	if must(t, left, err); len(left.Items) != 0 {
		t.Errorf("left: %v", left.Items)
	}
}

const partsTemplate = `
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: parts, Description: "DESCRIPTION", EndpointConfiguration: {Types: [REGIONAL]}}}
  Place: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: "PLACE"}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Place
      HttpMethod: GET
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Check
      MethodResponses: [{StatusCode: 200}]
      Integration:
        Type: MOCK
        RequestTemplates: {application/json: '{"statusCode": 200}'}
        IntegrationResponses: [{StatusCode: 200, ResponseTemplates: {application/json: '"$stageVariables.word"'}}]
  Check:
    Type: AWS::ApiGateway::Authorizer
    Properties: {RestApiId: !Ref Api, Name: check, Type: TOKEN, IdentitySource: method.request.header.Authorization, AuthorizerResultTtlInSeconds: 0,
      AuthorizerUri: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:judge/invocations"}
  Lost: {Type: AWS::ApiGateway::GatewayResponse, Properties: {RestApiId: !Ref Api, ResponseType: MISSING_AUTHENTICATION_TOKEN, StatusCode: "404"}}
  DeploymentPLACE: {Type: AWS::ApiGateway::Deployment, DependsOn: [Get, Lost], Properties: {RestApiId: !Ref Api}}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties:
      RestApiId: !Ref Api
      DeploymentId: !Ref DeploymentPLACE
      StageName: live
      Variables: {word: "PLACE"}
      MethodSettings: [{ResourcePath: "/*", HttpMethod: "*", ThrottlingRateLimit: 100, ThrottlingBurstLimit: 50}]
  Account: {Type: AWS::ApiGateway::Account, Properties: {CloudWatchRoleArn: "arn:aws:iam::000000000000:role/logs"}}
Outputs:
  Id: {Value: !Ref Api}
`

// found looks for each resource of a stack as an import does, and gives their
// physical ids.
func found(t *testing.T, c *cloudtest.Cloud, name string) map[string]string {
	t.Helper()
	all, err := cloudformation.NewFromConfig(c.Config).DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: &name})
	ids := map[string]string{}
	for _, r := range must(t, all, err).StackResources {
		ids[*r.LogicalResourceId] = *r.PhysicalResourceId
	}
	for _, r := range all.StackResources {
		by := map[string]string{}
		for _, property := range resource.Identifier(*r.ResourceType) {
			by[property] = *r.PhysicalResourceId
			if property == "RestApiId" {
				by[property] = ids["Api"]
			}
		}
		if *r.ResourceType == "AWS::ApiGateway::Method" {
			by["ResourceId"], by["HttpMethod"] = ids["Place"], "GET"
		}
		if *r.ResourceType == "AWS::ApiGateway::Account" {
			continue // the one of the account has no id of its own
		}
		if id, err := resource.Find(t.Context(), c.Config, *r.ResourceType, by); err != nil || id != *r.PhysicalResourceId {
			t.Errorf("%s: %q, %v", *r.LogicalResourceId, id, err)
		}
	}
	return ids
}

// drifts are the first properties of a stack's resources that are not as the
// template has them.
func drifts(t *testing.T, c *cloudtest.Cloud, name string) map[string]string {
	t.Helper()
	ctx, cfn := t.Context(), cloudformation.NewFromConfig(c.Config)
	begun, err := cfn.DetectStackDrift(ctx, &cloudformation.DetectStackDriftInput{StackName: &name})
	must(t, begun, err)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		out, err := cfn.DescribeStackDriftDetectionStatus(ctx, &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: begun.StackDriftDetectionId})
		if must(t, out, err); out.DetectionStatus == types.StackDriftDetectionStatusDetectionComplete {
			break
		}
		if out.DetectionStatus == types.StackDriftDetectionStatusDetectionFailed || time.Now().After(deadline) {
			t.Fatalf("the detection: %+v", out)
		}
	}
	all, err := cfn.DescribeStackResourceDrifts(ctx, &cloudformation.DescribeStackResourceDriftsInput{StackName: &name})
	must(t, all, err)
	where := map[string]string{}
	for _, d := range all.StackResourceDrifts {
		if len(d.PropertyDifferences) > 0 {
			where[*d.LogicalResourceId] = *d.PropertyDifferences[0].PropertyPath
		} else if d.StackResourceDriftStatus != types.StackResourceDriftStatusInSync {
			where[*d.LogicalResourceId] = string(d.StackResourceDriftStatus)
		}
	}
	return where
}

func TestStack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := func(place string) string {
		return strings.NewReplacer("PLACE", place, "DESCRIPTION", "at "+place).Replace(partsTemplate)
	}
	id := deploy(t, w.Cloud, "parts", body("one"), false)["Id"]
	w.call("GET", id+"/live/one", "", 200, `"one"`, "Authorization: open")
	w.call("GET", id+"/live/one", "", 401, `{"message":"Unauthorized"}`)
	w.call("GET", id+"/live/two", "", 404, `{"message":"Missing Authentication Token"}`)
	deploy(t, w.Cloud, "parts", body("two"), true)
	w.call("GET", id+"/live/two", "", 200, `"two"`, "Authorization: open")
	st, err := w.GetStage(t.Context(), &api.GetStageInput{RestApiId: &id, StageName: aws.String("live")})
	if must(t, st, err); st.MethodSettings["*/*"].ThrottlingBurstLimit != 50 || st.Tags["aws:cloudformation:stack-name"] != "parts" {
		t.Errorf("the stage: %+v, %v", st.MethodSettings, st.Tags)
	}
	account, err := w.GetAccount(t.Context(), &api.GetAccountInput{})
	if must(t, account, err); aws.ToString(account.CloudwatchRoleArn) != "arn:aws:iam::000000000000:role/logs" {
		t.Errorf("the account: %+v", account)
	}
	physical := found(t, w.Cloud, "parts")
	if drifted := drifts(t, w.Cloud, "parts"); len(drifted) != 0 {
		t.Errorf("nothing was changed: %v", drifted)
	}
	change := func(path, value string) []apitypes.PatchOperation {
		return []apitypes.PatchOperation{{Op: apitypes.OpReplace, Path: &path, Value: &value}}
	}
	changed, err := w.UpdateStage(t.Context(), &api.UpdateStageInput{RestApiId: &id, StageName: aws.String("live"), PatchOperations: change("/*/*/throttling/burstLimit", "7")})
	must(t, changed, err)
	integration, err := w.UpdateIntegration(t.Context(), &api.UpdateIntegrationInput{RestApiId: &id, ResourceId: aws.String(physical["Place"]), HttpMethod: aws.String("GET"), PatchOperations: change("/requestTemplates/application~1json", "{}")})
	must(t, integration, err)
	want := map[string]string{"Get": "/Integration/RequestTemplates/application/json", "Stage": "/MethodSettings/0/ThrottlingBurstLimit"}
	if drifted := drifts(t, w.Cloud, "parts"); !maps.Equal(drifted, want) {
		t.Errorf("drifted: %v, want %v", drifted, want)
	}
	remove(t, w.Cloud, "parts")
	w.call("GET", id+"/live/two", "", 403, `{"message":"Forbidden"}`)
}
