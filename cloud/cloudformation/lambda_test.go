package cloudformation_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

const lambdaTemplate = `
Parameters: {Greeting: {Type: String, Default: hello}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]}
  Greeter:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      Runtime: python3.12
      Handler: index.handler
      Timeout: 30
      Environment: {Variables: {GREETING: !Ref Greeting}}
      Code:
        ZipFile: |
          import os, cfnresponse
          def handler(event, context):
              if 'ResponseURL' in event:
                  props = event['ResourceProperties']
                  cfnresponse.send(event, context, cfnresponse.SUCCESS, {'Said': os.environ['GREETING'] + ' ' + props['Name']}, 'said-' + props['Name'])
              return os.environ['GREETING']
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Greeter}}
  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Greeter, FunctionVersion: !GetAtt Version.Version, Name: live}}
  Permission: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !GetAtt Greeter.Arn, Action: lambda:InvokeFunction, Principal: events.amazonaws.com}}
  Events: {Type: AWS::Lambda::EventInvokeConfig, Properties: {FunctionName: !Ref Greeter, Qualifier: $LATEST, MaximumRetryAttempts: 0}}
  Url: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !GetAtt Greeter.Arn, AuthType: NONE}}
  Said: {Type: Custom::Said, Properties: {ServiceToken: !GetAtt Greeter.Arn, Name: world}}
Outputs:
  Said: {Value: !GetAtt Said.Said}
  Id: {Value: !Ref Said}
  Name: {Value: !Ref Greeter}
  Alias: {Value: !Ref Live}
  Url: {Value: !GetAtt Url.FunctionUrl}
`

// TestLambda makes functions by a stack, and a custom resource that one of
// them looks after.
func TestLambda(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil && os.Getenv("OURO_REQUIRE_TOOLS") == "" {
		t.Skip("python3 is not installed")
	}
	w := newWorld(t)
	s := w.create("s", lambdaTemplate)
	out := outputs(s)
	if out["Said"] != "hello world" || out["Id"] != "said-world" || !strings.HasSuffix(out["Alias"], ":"+out["Name"]+":live") || !strings.Contains(out["Url"], ".lambda-url.") {
		t.Fatalf("%v\n%s", out, w.story("s"))
	}
	api := lambda.NewFromConfig(w.Config)
	said, err := api.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(out["Name"]), Qualifier: aws.String("live")})
	if err != nil || string(said.Payload) != `"hello"` || aws.ToString(said.ExecutedVersion) != "1" {
		t.Errorf("%+v, %v", said, err)
	}
	w.delete("s")
	_, err = api.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String(out["Name"])})
	if err == nil {
		t.Error("the function is there after its stack")
	}
}
