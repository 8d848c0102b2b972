package door_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	connectiontypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudtest"
	"ouro/cloud/door"
)

// TestSystemTags: nobody gives tags that are AWS's own, neither with a new resource
// nor to one that is there; what is refused leaves nothing.
func TestSystemTags(t *testing.T) {
	t.Parallel()
	cfg, ctx := cloudtest.New(t).Config, t.Context()
	events, topics, parameters, secrets := eventbridge.NewFromConfig(cfg), sns.NewFromConfig(cfg), ssm.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg)
	groups, accounts, connections := cloudwatchlogs.NewFromConfig(cfg), iam.NewFromConfig(cfg), codeconnections.NewFromConfig(cfg)
	name, value := aws.String("it"), aws.String("v")
	trust := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	policy := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`)
	arn := func(service, rest string) *string {
		return aws.String("arn:aws:" + service + ":us-east-1:000000000000:" + rest)
	}
	var connection *string
	rows := map[string]struct {
		code, message string
		create, tag   func(key string) error
	}{
		"rules": {"ValidationException", door.ReservedTag, func(key string) error {
			_, err := events.PutRule(ctx, &eventbridge.PutRuleInput{Name: name, ScheduleExpression: aws.String("rate(1 day)"), Tags: []eventtypes.Tag{{Key: &key, Value: value}}})
			return err
		}, func(key string) error {
			_, err := events.TagResource(ctx, &eventbridge.TagResourceInput{ResourceARN: arn("events", "rule/it"), Tags: []eventtypes.Tag{{Key: &key, Value: value}}})
			return err
		}},
		"buses": {"ValidationException", door.ReservedTag, func(key string) error {
			_, err := events.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: name, Tags: []eventtypes.Tag{{Key: &key, Value: value}}})
			return err
		}, func(key string) error {
			_, err := events.TagResource(ctx, &eventbridge.TagResourceInput{ResourceARN: arn("events", "event-bus/it"), Tags: []eventtypes.Tag{{Key: &key, Value: value}}})
			return err
		}},
		"topics": {"InvalidParameter", "Invalid parameter: " + door.ReservedTag, func(key string) error {
			_, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: name, Tags: []snstypes.Tag{{Key: &key, Value: value}}})
			return err
		}, func(key string) error {
			_, err := topics.TagResource(ctx, &sns.TagResourceInput{ResourceArn: arn("sns", "it"), Tags: []snstypes.Tag{{Key: &key, Value: value}}})
			return err
		}},
		"parameters": {"ValidationException", door.ReservedTag, func(key string) error {
			_, err := parameters.PutParameter(ctx, &ssm.PutParameterInput{Name: name, Value: value, Type: ssmtypes.ParameterTypeString, Tags: []ssmtypes.Tag{{Key: &key, Value: value}}})
			return err
		}, func(key string) error {
			_, err := parameters.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{ResourceId: name, ResourceType: ssmtypes.ResourceTypeForTaggingParameter, Tags: []ssmtypes.Tag{{Key: &key, Value: value}}})
			return err
		}},
		"secrets": {"InvalidParameterException", "You can't modify system tags. Tag key: 'AWS:mine'.", func(key string) error {
			_, err := secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: name, Tags: []secrettypes.Tag{{Key: &key, Value: value}}})
			return err
		}, func(key string) error {
			_, err := secrets.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: name, Tags: []secrettypes.Tag{{Key: &key, Value: value}}})
			return err
		}},
		"groups of logs": {"InvalidParameterException", door.ReservedTag, func(key string) error {
			_, err := groups.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name, Tags: map[string]string{key: "v"}})
			return err
		}, func(key string) error {
			_, err := groups.TagResource(ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: arn("logs", "log-group:it"), Tags: map[string]string{key: "v"}})
			return err
		}},
		"roles": {"InvalidInput", door.ReservedTag, func(key string) error {
			_, err := accounts.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: trust, Tags: []iamtypes.Tag{{Key: &key, Value: value}}})
			return err
		}, func(key string) error {
			_, err := accounts.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: []iamtypes.Tag{{Key: &key, Value: value}}})
			return err
		}},
		"policies": {"InvalidInput", door.ReservedTag, func(key string) error {
			_, err := accounts.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: name, PolicyDocument: policy, Tags: []iamtypes.Tag{{Key: &key, Value: value}}})
			return err
		}, func(key string) error {
			_, err := accounts.TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: aws.String("arn:aws:iam::000000000000:policy/it"), Tags: []iamtypes.Tag{{Key: &key, Value: value}}})
			return err
		}},
		"connections": {"ValidationException", door.ReservedTag, func(key string) error {
			out, err := connections.CreateConnection(ctx, &codeconnections.CreateConnectionInput{
				ConnectionName: name, ProviderType: connectiontypes.ProviderTypeGithub, Tags: []connectiontypes.Tag{{Key: &key, Value: value}}})
			if err == nil {
				connection = out.ConnectionArn
			}
			return err
		}, func(key string) error {
			_, err := connections.TagResource(ctx, &codeconnections.TagResourceInput{ResourceArn: connection, Tags: []connectiontypes.Tag{{Key: &key, Value: value}}})
			return err
		}},
	}
	for of, r := range rows {
		refused := func(what string, err error) {
			t.Helper()
			var told smithy.APIError
			if !errors.As(err, &told) || told.ErrorCode() != r.code || told.ErrorMessage() != r.message {
				t.Errorf("%s of %s: %v", what, of, err)
			}
		}
		refused("creation", r.create("AWS:mine"))
		if err := r.create("aws:cloudformation:stack-name"); err != nil {
			t.Errorf("%s, after what was refused, with CloudFormation's tag: %v", of, err)
		}
		refused("tagging", r.tag("AWS:mine"))
		if err := r.tag("mine"); err != nil {
			t.Errorf("%s: %v", of, err)
		}
	}
}
