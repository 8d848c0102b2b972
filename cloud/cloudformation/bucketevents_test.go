package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const bucketEventsTemplate = `
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: told}}
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: s3.amazonaws.com}, Action: sns:Publish, Resource: !Ref Topic}]}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]}
  Function:
    Type: AWS::Lambda::Function
    Properties: {Role: !GetAtt Role.Arn, Runtime: python3.12, Handler: index.handler, Code: {ZipFile: 'def handler(event, context): pass'}}
  Permission: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Function, Action: lambda:InvokeFunction, Principal: s3.amazonaws.com, SourceAccount: !Ref AWS::AccountId}}
  Bucket:
    Type: AWS::S3::Bucket
    DependsOn: [Policy, Permission]
    Properties:
      BucketName: teller
      NotificationConfiguration:
        EventBridgeConfiguration: {EventBridgeEnabled: true}
        LambdaConfigurations:
          - {Event: 's3:ObjectCreated:*', Function: !GetAtt Function.Arn, Filter: {S3Key: {Rules: [{Name: prefix, Value: in/}, {Name: suffix, Value: .txt}]}}}
        TopicConfigurations:
          - {Event: 's3:ObjectRemoved:*', Topic: !Ref Topic}
`

// TestBucketEvents has a bucket tell a function and a topic, and then less.
func TestBucketEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	told := func() *s3.GetBucketNotificationConfigurationOutput {
		out, err := s3.NewFromConfig(w.Config, func(o *s3.Options) { o.UsePathStyle = true }).GetBucketNotificationConfiguration(t.Context(),
			&s3.GetBucketNotificationConfigurationInput{Bucket: aws.String("teller")})
		if err != nil {
			t.Fatalf("%v\n%s", err, w.story("s"))
		}
		return out
	}
	w.create("s", bucketEventsTemplate)
	got := told()
	if len(got.LambdaFunctionConfigurations) != 1 || len(got.TopicConfigurations) != 1 || got.EventBridgeConfiguration == nil ||
		!strings.HasSuffix(*got.TopicConfigurations[0].TopicArn, ":told") || len(got.LambdaFunctionConfigurations[0].Filter.Key.FilterRules) != 2 {
		t.Errorf("%+v\n%s", got, w.story("s"))
	}
	w.update("s", strings.Replace(bucketEventsTemplate, "        EventBridgeConfiguration: {EventBridgeEnabled: true}\n", "", 1))
	if got = told(); len(got.LambdaFunctionConfigurations) != 1 || got.EventBridgeConfiguration != nil {
		t.Errorf("%+v\n%s", got, w.story("s"))
	}
	before, _, _ := strings.Cut(bucketEventsTemplate, "      NotificationConfiguration:")
	w.update("s", before)
	if got = told(); len(got.LambdaFunctionConfigurations)+len(got.TopicConfigurations) != 0 {
		t.Errorf("%+v\n%s", got, w.story("s"))
	}
	s := w.create("refused", strings.NewReplacer("DependsOn: [Policy, Permission]", "", "Principal: {Service: s3.amazonaws.com}", "Principal: {Service: other.amazonaws.com}",
		"teller", "refused", "told", "refused").Replace(bucketEventsTemplate))
	if story := w.story("refused"); s.StackStatus != "ROLLBACK_COMPLETE" || !strings.Contains(story, "Unable to validate the following destination configurations") {
		t.Errorf("%s\n%s", s.StackStatus, story)
	}
}
