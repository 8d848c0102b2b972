package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"ouro/cloud/cloudtest/tool"
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
	tool.Find(t, "python3")
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

const nodeTemplate = `
Parameters: {Name: {Type: String, Default: one}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]}
  Keeper:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      Runtime: nodejs20.x
      Handler: index.handler
      Timeout: 30
      Code:
        ZipFile: |
          const response = require('cfn-response')
          exports.handler = (event, context) => {
            const name = event.ResourceProperties.Name
            if (name === 'bad') return response.send(event, context, response.FAILED, {})
            response.send(event, context, response.SUCCESS, {Did: event.RequestType + ' ' + name}, 'kept')
          }
  Kept: {Type: Custom::Kept, Properties: {ServiceToken: !GetAtt Keeper.Arn, Name: !Ref Name}}
Outputs:
  Did: {Value: !GetAtt Kept.Did}
`

// TestNodeLambda has a function of Node.js look after a custom resource.
func TestNodeLambda(t *testing.T) {
	t.Parallel()
	tool.Find(t, "node")
	w := newWorld(t)
	if did := outputs(w.create("s", nodeTemplate))["Did"]; did != "Create one" {
		t.Fatalf("%q\n%s", did, w.story("s"))
	}
	to := func(name string) func(*cloudformation.UpdateStackInput) {
		return func(in *cloudformation.UpdateStackInput) {
			in.Parameters = []types.Parameter{{ParameterKey: aws.String("Name"), ParameterValue: &name}}
		}
	}
	if s := w.update("s", nodeTemplate, to("bad")); s.StackStatus != types.StackStatusUpdateRollbackComplete || !strings.Contains(w.story("s"), "See the details in CloudWatch Log Stream") {
		t.Errorf("%s\n%s", s.StackStatus, w.story("s"))
	}
	if did := outputs(w.update("s", nodeTemplate, to("two")))["Did"]; did != "Update two" {
		t.Errorf("%q\n%s", did, w.story("s"))
	}
	if s := w.delete("s"); s.StackStatus != types.StackStatusDeleteComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story("s"))
	}
}

const lambdaMacro = `
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]}
  Expander:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      Runtime: python3.12
      Handler: index.handler
      Timeout: 30
      Code:
        ZipFile: |
          def handler(event, context):
              made = event['fragment']
              if made['Description'] == 'broken':
                  raise Exception('out of order')
              made['Outputs'] = {'Who': {'Value': event['templateParameterValues']['Who'] + ' in ' + event['region']}}
              return {'requestId': event['requestId'], 'status': 'success', 'fragment': made}
  Macro: {Type: AWS::CloudFormation::Macro, Properties: {Name: Outputs, FunctionName: !GetAtt Expander.Arn}}
`

// TestLambdaMacro expands templates by a function.
func TestLambdaMacro(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	w := newWorld(t)
	w.create("macro", lambdaMacro)
	using := `{Transform: Outputs, Description: works, Parameters: {Who: {Type: String, Default: me}}, Resources: {H: {Type: 'AWS::CloudFormation::WaitConditionHandle'}}}`
	expanding := func(in *cloudformation.CreateStackInput) {
		in.Capabilities = append(in.Capabilities, types.CapabilityCapabilityAutoExpand)
	}
	if who := outputs(w.create("uses", using, expanding))["Who"]; who != "me in us-east-1" {
		t.Errorf("%q\n%s", who, w.story("uses"))
	}
	s := w.create("broken", strings.Replace(using, "works", "broken", 1), expanding)
	if story := w.story("broken"); s.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(story, "Transform 000000000000::Outputs failed") {
		t.Errorf("%s\n%s", s.StackStatus, story)
	}
}
