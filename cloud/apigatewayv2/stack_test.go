package apigatewayv2_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

const stackTemplate = `
Resources:
  Whole:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Tags: {a: "1"}
      Body:
        openapi: 3.0.1
        info: {title: whole, version: "1.0"}
        paths:
          /notes/{id}:
            x-amazon-apigateway-any-method:
              responses: {}
              security: [{Check: []}]
              x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, payloadFormatVersion: "2.0",
                uri: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:echo/invocations"}
          /$default:
            x-amazon-apigateway-any-method:
              security: [{NONE: []}]
              x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, payloadFormatVersion: "2.0", uri: "arn:aws:lambda:us-east-1:000000000000:function:text"}
        components:
          securitySchemes:
            Check:
              type: apiKey
              name: Unused
              in: header
              x-amazon-apigateway-authorizer: {type: request, authorizerPayloadFormatVersion: "2.0", enableSimpleResponses: true,
                identitySource: $request.header.Authorization, authorizerUri: "arn:aws:lambda:us-east-1:000000000000:function:allower"}
        tags: [{name: b, x-amazon-apigateway-tag-value: "2"}]
        x-amazon-apigateway-cors: {allowOrigins: ["*"]}
  WholeStage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Whole, StageName: $default, AutoDeploy: true}}
  Parts: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: parts, ProtocolType: HTTP}}
  Echo: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Parts, IntegrationType: AWS_PROXY, PayloadFormatVersion: "2.0", IntegrationUri: "arn:aws:lambda:us-east-1:000000000000:function:echo"}}
  Route: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Parts, RouteKey: "POST /PATH", Target: !Sub "integrations/${Echo}", AuthorizationType: CUSTOM, AuthorizerId: !Ref Check}}
  Check: {Type: AWS::ApiGatewayV2::Authorizer, Properties: {ApiId: !Ref Parts, Name: check, AuthorizerType: REQUEST, AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true,
    IdentitySource: [$request.header.Authorization], AuthorizerUri: "arn:aws:lambda:us-east-1:000000000000:function:allower"}}
  Deployment: {Type: AWS::ApiGatewayV2::Deployment, DependsOn: Route, Properties: {ApiId: !Ref Parts}}
  PartsStage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Parts, StageName: prod, AUTO DefaultRouteSettings: {ThrottlingRateLimit: 100, ThrottlingBurstLimit: 100}}}
Outputs:
  Whole: {Value: !GetAtt Whole.ApiEndpoint}
  Id: {Value: !Ref Whole}
  Parts: {Value: !GetAtt Parts.ApiEndpoint}
`

func TestStack(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	cfn := cloudformation.NewFromConfig(w.Config)
	body := func(path, auto string) *string {
		return aws.String(strings.NewReplacer("/PATH", path, "AUTO", auto).Replace(stackTemplate))
	}
	if _, err := cfn.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: body("/one", "DeploymentId: !Ref Deployment,")}); err != nil {
		t.Fatal(err)
	}
	in := &cloudformation.DescribeStacksInput{StackName: aws.String("s")}
	if err := cloudformation.NewStackCreateCompleteWaiter(cfn, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
	}).Wait(ctx, in, time.Minute); err != nil {
		events, _ := cfn.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: in.StackName})
		for _, e := range events.StackEvents {
			t.Log(aws.ToString(e.LogicalResourceId), e.ResourceStatus, aws.ToString(e.ResourceStatusReason))
		}
		t.Fatal(err)
	}
	s, err := cfn.DescribeStacks(ctx, in)
	must(t, s, err)
	out := map[string]string{}
	for _, o := range s.Stacks[0].Outputs {
		out[*o.OutputKey] = *o.OutputValue
	}
	w.expect(w.call("PUT", out["Whole"]+"/else", ""), 200, "hello")
	w.expect(w.call("PUT", out["Whole"]+"/notes/1", "x"), 401, `{"message":"Unauthorized"}`)
	w.expect(w.call("PUT", out["Whole"]+"/notes/1", "x", "Authorization: open sesame"), 201, "x")
	w.expect(w.call("POST", out["Parts"]+"/prod/one", "x", "Authorization: open sesame"), 201, "x")
	a, err := w.GetApi(ctx, &api.GetApiInput{ApiId: aws.String(out["Id"])})
	must(t, a, err)
	if a.Tags["a"] != "1" || a.Tags["b"] != "2" || a.Tags["aws:cloudformation:stack-name"] == "" && len(a.Tags) < 2 || *a.Name != "whole" {
		t.Errorf("the API: %+v, tags %v", a, a.Tags)
	}
	if _, err := cfn.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: body("/two", "AutoDeploy: true,")}); err != nil {
		t.Fatal(err)
	}
	if err := cloudformation.NewStackUpdateCompleteWaiter(cfn, func(o *cloudformation.StackUpdateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
	}).Wait(ctx, in, time.Minute); err != nil {
		t.Fatal(err)
	}
	w.expect(w.call("POST", out["Parts"]+"/prod/two", "x", "Authorization: open sesame"), 201, "x")
	w.expect(w.call("POST", out["Parts"]+"/prod/one", "x", "Authorization: open sesame"), 404, `{"message":"Not Found"}`)
	if _, err := cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	if err := cloudformation.NewStackDeleteCompleteWaiter(cfn, func(o *cloudformation.StackDeleteCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
	}).Wait(ctx, in, time.Minute); err != nil {
		t.Fatal(err)
	}
	if left, err := w.GetApis(ctx, &api.GetApisInput{}); err != nil || len(left.Items) != 0 {
		t.Errorf("after the deletion: %+v, %v", left, err)
	}
}
