package resource

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"ouro/spec"
)

// A finder asks the service for a resource by its identifier and answers with
// the physical id by which stacks know it.
type finder func(ctx context.Context, cfg aws.Config, id string) (physical string, err error)

// named makes a finder of a call that fails for what is not there, for types
// whose physical id is the identifier.
func named(call func(ctx context.Context, cfg aws.Config, id *string) error) finder {
	return func(ctx context.Context, cfg aws.Config, id string) (string, error) { return id, call(ctx, cfg, &id) }
}

var errAbsent = errors.New("not found")

// finders are those of the types that run and can be imported.
var finders = map[string]finder{
	"AWS::S3::Bucket": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := s3.NewFromConfig(cfg).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: id})
		return err
	}),
	"AWS::IAM::Role": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := iam.NewFromConfig(cfg).GetRole(ctx, &iam.GetRoleInput{RoleName: id})
		return err
	}),
	"AWS::IAM::User": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := iam.NewFromConfig(cfg).GetUser(ctx, &iam.GetUserInput{UserName: id})
		return err
	}),
	"AWS::IAM::Group": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := iam.NewFromConfig(cfg).GetGroup(ctx, &iam.GetGroupInput{GroupName: id})
		return err
	}),
	"AWS::IAM::InstanceProfile": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := iam.NewFromConfig(cfg).GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: id})
		return err
	}),
	"AWS::IAM::ManagedPolicy": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := iam.NewFromConfig(cfg).GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: id})
		return err
	}),
	"AWS::CodeBuild::Project": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		out, err := codebuild.NewFromConfig(cfg).BatchGetProjects(ctx, &codebuild.BatchGetProjectsInput{Names: []string{*id}})
		if err == nil && len(out.Projects) == 0 {
			return errAbsent
		}
		return err
	}),
	"AWS::CodeBuild::ReportGroup": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		out, err := codebuild.NewFromConfig(cfg).BatchGetReportGroups(ctx, &codebuild.BatchGetReportGroupsInput{ReportGroupArns: []string{*id}})
		if err == nil && len(out.ReportGroups) == 0 {
			return errAbsent
		}
		return err
	}),
	"AWS::CodeBuild::SourceCredential": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := readCredential(ctx, codebuild.NewFromConfig(cfg), *id)
		if errors.Is(err, ErrGone) {
			return errAbsent
		}
		return err
	}),
	"AWS::CloudWatch::Alarm":          named(lookForAlarm),
	"AWS::CloudWatch::CompositeAlarm": named(lookForAlarm),
	"AWS::CodePipeline::Pipeline": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := codepipeline.NewFromConfig(cfg).GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: id})
		return err
	}),
	"AWS::CodePipeline::Webhook": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := readPipelineWebhook(ctx, codepipeline.NewFromConfig(cfg), *id)
		return err
	}),
	"AWS::ECR::Repository": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := describeImageRepository(ctx, ecr.NewFromConfig(cfg), *id)
		return err
	}),
	"AWS::CodeDeploy::Application": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := codedeploy.NewFromConfig(cfg).GetApplication(ctx, &codedeploy.GetApplicationInput{ApplicationName: id})
		return err
	}),
	"AWS::CodeDeploy::DeploymentConfig": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := codedeploy.NewFromConfig(cfg).GetDeploymentConfig(ctx, &codedeploy.GetDeploymentConfigInput{DeploymentConfigName: id})
		return err
	}),
	"AWS::CodeDeploy::DeploymentGroup": func(ctx context.Context, cfg aws.Config, id string) (string, error) {
		app, name, _ := strings.Cut(id, "|")
		_, err := codedeploy.NewFromConfig(cfg).GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: &app, DeploymentGroupName: &name})
		return name, err
	},
	"AWS::CodeConnections::Connection":     named(findConnection),
	"AWS::CodeStarConnections::Connection": named(findConnection),
	"AWS::CodeCommit::Repository":          findRepository,
	"AWS::SSM::Parameter": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: id})
		return err
	}),
	"AWS::KMS::Key": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := kms.NewFromConfig(cfg).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
		return err
	}),
	"AWS::KMS::Alias": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		_, err := kms.NewFromConfig(cfg).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
		return err
	}),
	"AWS::SecretsManager::Secret": func(ctx context.Context, cfg aws.Config, id string) (string, error) {
		out, err := secretsmanager.NewFromConfig(cfg).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.ARN), nil
	},
	"AWS::Logs::LogGroup": named(func(ctx context.Context, cfg aws.Config, id *string) error {
		out, err := cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: id})
		if err != nil {
			return err
		}
		for _, g := range out.LogGroups {
			if aws.ToString(g.LogGroupName) == *id {
				return nil
			}
		}
		return errAbsent
	}),
	"AWS::Events::Rule": func(ctx context.Context, cfg aws.Config, id string) (string, error) {
		_, name, _ := strings.Cut(id, ":rule/") // the identifier is the ARN
		if name == "" {
			name = id
		}
		_, err := eventbridge.NewFromConfig(cfg).DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: &name})
		return name, err
	},
}

func lookForAlarm(ctx context.Context, cfg aws.Config, id *string) error {
	_, err := findAlarm(ctx, cloudwatch.NewFromConfig(cfg), *id)
	if errors.Is(err, ErrGone) {
		return errAbsent
	}
	return err
}

func findConnection(ctx context.Context, cfg aws.Config, id *string) error {
	_, err := codeconnections.NewFromConfig(cfg).GetConnection(ctx, &codeconnections.GetConnectionInput{ConnectionArn: id})
	return err
}

// findRepository finds a repository by its id, which no call takes.
func findRepository(ctx context.Context, cfg aws.Config, id string) (string, error) {
	client := codecommit.NewFromConfig(cfg)
	pages := codecommit.NewListRepositoriesPaginator(client, &codecommit.ListRepositoriesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, r := range page.Repositories {
			if aws.ToString(r.RepositoryId) == id {
				return id, nil
			}
		}
	}
	return "", errAbsent
}

// Identifier is the properties that name a resource of the type for an
// import, in order; nil for types that cannot be imported.
func Identifier(name string) []string {
	t, ok := spec.Lookup(name)
	if !ok || strings.HasPrefix(name, "AWS::CloudFormation::") && name != "AWS::CloudFormation::Stack" {
		return nil
	}
	return t.Identifier
}

// Find looks whether a resource exists, by the properties that name it, and
// answers with its physical id. Types that run are asked of their service, all
// others of Cloud Control.
func Find(ctx context.Context, cfg aws.Config, resourceType string, identifier map[string]string) (physical string, err error) {
	values := make([]string, 0, len(identifier))
	for _, name := range Identifier(resourceType) {
		values = append(values, identifier[name])
	}
	id := strings.Join(values, "|")
	if find, ok := finderOf(resourceType); ok {
		physical, err = find(ctx, cfg, id)
	} else {
		physical = id
		_, err = cloudcontrol.NewFromConfig(cfg).GetResource(ctx, &cloudcontrol.GetResourceInput{TypeName: &resourceType, Identifier: &id})
	}
	if errors.Is(err, errAbsent) || IsNotFound(err) {
		return "", Sayf("Resource of type '%s' with identifier '%s' was not found.", resourceType, id)
	}
	return physical, err
}

func finderOf(resourceType string) (finder, bool) {
	for _, some := range []map[string]finder{finders, functionFinders(), httpFinders(), restFinders()} {
		if find, ok := some[resourceType]; ok {
			return find, true
		}
	}
	return nil, false
}

// CanBeNamed tells whether the template itself names the resource by all that
// identifies it: what an import finds without being told.
func CanBeNamed(resourceType string, properties map[string]any) (identifier map[string]string, ok bool) {
	names := Identifier(resourceType)
	identifier = map[string]string{}
	for _, name := range names {
		value, isText := properties[name].(string)
		if !isText || value == "" {
			return nil, false
		}
		identifier[name] = value
	}
	return identifier, len(names) > 0 && !slices.Contains(names, "")
}
