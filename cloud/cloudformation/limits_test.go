package cloudformation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// TestLimits holds what is said about members of requests against AWS's words.
func TestLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := template(t, map[string]any{"P": parameter("1")})
	create := func(change func(*cloudformation.CreateStackInput)) func(context.Context) error {
		return func(ctx context.Context) error {
			in := &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: &good}
			change(in)
			_, err := w.cfn.CreateStack(ctx, in)
			return err
		}
	}
	var tags []types.Tag
	for i := range 51 {
		tags = append(tags, types.Tag{Key: aws.String(fmt.Sprint("k", i)), Value: aws.String("v")})
	}
	alarm := types.RollbackTrigger{Arn: aws.String("arn:aws:cloudwatch:us-east-1:000000000000:alarm:a"), Type: aws.String("AWS::CloudWatch::Alarm")}
	for name, c := range map[string]struct {
		change  func(*cloudformation.CreateStackInput)
		message string
	}{
		"two at once": {func(in *cloudformation.CreateStackInput) {
			in.StackName, in.OnFailure = aws.String("*@"), "NEVER"
		}, "2 validation errors detected: Value '*@' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*; " +
			"Value 'NEVER' at 'onFailure' failed to satisfy constraint: Member must satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]"},
		"a long name": {func(in *cloudformation.CreateStackInput) { in.StackName = aws.String(strings.Repeat("a", 129)) },
			"at 'stackName' failed to satisfy constraint: Member must have length less than or equal to 128"},
		"a token": {func(in *cloudformation.CreateStackInput) { in.ClientRequestToken = aws.String("-") },
			"Value '-' at 'clientRequestToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*"},
		"many tags":    {func(in *cloudformation.CreateStackInput) { in.Tags = tags }, "at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"},
		"a short role": {func(in *cloudformation.CreateStackInput) { in.RoleARN = aws.String("role") }, "Value 'role' at 'roleARN' failed to satisfy constraint: Member must have length greater than or equal to 20"},
		"a role that is not": {func(in *cloudformation.CreateStackInput) {
			in.RoleARN = aws.String("arn:aws:iam::000000000000:role/none")
		},
			"Role arn:aws:iam::000000000000:role/none is invalid or cannot be assumed"},
		"a timeout": {func(in *cloudformation.CreateStackInput) { in.TimeoutInMinutes = aws.Int32(0) },
			"Value '0' at 'timeoutInMinutes' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		"two answers to failure": {func(in *cloudformation.CreateStackInput) {
			in.OnFailure, in.DisableRollback = types.OnFailureDelete, aws.Bool(true)
		}, "Either DisableRollback or OnFailure can be specified, not both."},
		"a type that is not allowed": {func(in *cloudformation.CreateStackInput) { in.ResourceTypes = []string{"AWS::EC2::*"} },
			"Resource type AWS::SSM::Parameter is not allowed by parameter ResourceTypes [AWS::EC2::*]"},
		"an odd trigger": {func(in *cloudformation.CreateStackInput) {
			in.RollbackConfiguration = &types.RollbackConfiguration{RollbackTriggers: []types.RollbackTrigger{{Arn: aws.String("a"), Type: aws.String("Another")}}}
		}, "Rollback Trigger Type not supported"},
		"an odd alarm": {func(in *cloudformation.CreateStackInput) {
			in.RollbackConfiguration = &types.RollbackConfiguration{RollbackTriggers: []types.RollbackTrigger{{Arn: aws.String("arn:aws:cloudwatch:us-east-1:000000000000:x"), Type: alarm.Type}}}
		}, "RelativeId of a Rollback Trigger's ARN is incorrect"},
		"six alarms": {func(in *cloudformation.CreateStackInput) {
			in.RollbackConfiguration = &types.RollbackConfiguration{RollbackTriggers: []types.RollbackTrigger{alarm, alarm, alarm, alarm, alarm, alarm}}
		}, "Member must have length less than or equal to 5"},
		"six topics": {func(in *cloudformation.CreateStackInput) { in.NotificationARNs = strings.Split("a,b,c,d,e,f", ",") },
			"Value '[a, b, c, d, e, f]' at 'notificationARNs' failed to satisfy constraint: Member must have length less than or equal to 5"},
		"no topic": {func(in *cloudformation.CreateStackInput) { in.NotificationARNs = []string{"nonsense"} }, "(Service: AmazonSNS; Status Code: 400; Error Code: "},
		"express": {func(in *cloudformation.CreateStackInput) {
			in.DeploymentConfig = &types.DeploymentConfig{Mode: types.DeploymentConfigModeExpress}
		}, "DeploymentConfig mode EXPRESS is not supported by the local cloud"},
		"both policies": {func(in *cloudformation.CreateStackInput) {
			in.StackPolicyBody, in.StackPolicyURL = aws.String("{}"), aws.String("https://s3.amazonaws.com/b/k")
		}, "You cannot specify both StackPolicyURL and StackPolicyBody"},
		"no policy": {func(in *cloudformation.CreateStackInput) {
			in.StackPolicyBody = aws.String(`{"Statement":[{"Effect":"Maybe"}]}`)
		},
			"Error validating stack policy: Invalid stack policy"},
		"two values": {func(in *cloudformation.CreateStackInput) {
			in.Parameters = []types.Parameter{{ParameterKey: aws.String("K"), ParameterValue: aws.String("v"), UsePreviousValue: aws.Bool(true)}}
		}, "Cannot specify usePreviousValue as true and non empty value for a parameter"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, create(c.change)(t.Context()), "ValidationError", c.message) })
	}
	if list, err := w.cfn.ListStacks(t.Context(), &cloudformation.ListStacksInput{}); err != nil || len(list.StackSummaries) != 0 {
		t.Errorf("stacks are %v, %v", list, err)
	}
}

// TestTokens repeats requests, and uses tokens for something else.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body, next := template(t, map[string]any{"P": parameter("1")}), template(t, map[string]any{"P": parameter("2")})
	token, name, ctx := aws.String("token-1"), aws.String("s"), t.Context()
	in := &cloudformation.CreateStackInput{StackName: name, TemplateBody: &body, ClientRequestToken: token}
	first, err := w.cfn.CreateStack(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	w.settled("s")
	again, err := w.cfn.CreateStack(ctx, in)
	if err != nil || *again.StackId != *first.StackId {
		t.Errorf("the same request gives %v, %v", again, err)
	}
	_, err = w.cfn.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: name, TemplateBody: &next, ClientRequestToken: token})
	refused(t, err, "TokenAlreadyExistsException", "token-1 already exists")
	update := &cloudformation.UpdateStackInput{StackName: name, TemplateBody: &next, ClientRequestToken: aws.String("token-2")}
	for range 2 {
		if _, err := w.cfn.UpdateStack(ctx, update); err != nil {
			t.Error(err)
		}
		w.settled("s")
	}
	change := &cloudformation.CreateChangeSetInput{StackName: name, ChangeSetName: aws.String("c"), TemplateBody: &body, ClientToken: aws.String("token-3")}
	one, err := w.cfn.CreateChangeSet(ctx, change)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := w.cfn.CreateChangeSet(ctx, change); err != nil || *two.Id != *one.Id {
		t.Errorf("the same change set is %v, %v", two, err)
	}
	change.ClientToken = aws.String("token-4")
	_, err = w.cfn.CreateChangeSet(ctx, change)
	refused(t, err, "AlreadyExistsException", "ChangeSet c already exists")
	for range 2 {
		if _, err := w.cfn.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: name, ChangeSetName: aws.String("c"), ClientRequestToken: aws.String("token-5")}); err != nil {
			t.Error(err)
		}
		w.settled("s")
	}
}
