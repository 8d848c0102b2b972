package resource

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// ErrGone is what a Read returns for a resource that is not there any more.
var ErrGone = errors.New("the resource does not exist")

type reader = func(ctx context.Context, r *Request) ([]any, error)

// readers ask the services how the resources are now, for drift detection.
// They answer with the SDK's own structs, in which the properties of the
// template are found by name.
var readers = map[string]reader{
	"AWS::SSM::Parameter": func(ctx context.Context, r *Request) ([]any, error) {
		client := Client(r.Clients, ssm.NewFromConfig)
		out, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: &r.Physical, WithDecryption: aws.Bool(true)})
		if err != nil {
			return nil, err
		}
		more, err := client.DescribeParameters(ctx, &ssm.DescribeParametersInput{ParameterFilters: []ssmtypes.ParameterStringFilter{
			{Key: aws.String("Name"), Option: aws.String("Equals"), Values: []string{r.Physical}}}})
		if err != nil || len(more.Parameters) == 0 {
			return []any{out.Parameter}, err
		}
		return []any{out.Parameter, more.Parameters[0]}, nil
	},
	"AWS::Logs::LogGroup": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, cloudwatchlogs.NewFromConfig).DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &r.Physical})
		if err != nil {
			return nil, err
		}
		for _, g := range out.LogGroups {
			if aws.ToString(g.LogGroupName) == r.Physical {
				return []any{g}, nil
			}
		}
		return nil, ErrGone
	},
	"AWS::IAM::Role": func(ctx context.Context, r *Request) ([]any, error) {
		client := Client(r.Clients, iam.NewFromConfig)
		out, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &r.Physical})
		if err != nil {
			return nil, err
		}
		attached, err := client.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &r.Physical})
		if err != nil {
			return nil, err
		}
		arns := []string{}
		for _, p := range attached.AttachedPolicies {
			arns = append(arns, aws.ToString(p.PolicyArn))
		}
		return []any{out.Role, map[string]any{"ManagedPolicyArns": arns}}, nil
	},
	"AWS::S3::Bucket": func(ctx context.Context, r *Request) ([]any, error) {
		client := Client(r.Clients, s3.NewFromConfig)
		versioning, err := client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &r.Physical})
		if err != nil {
			return nil, err
		}
		actual := map[string]any{"BucketName": r.Physical, "VersioningConfiguration": versioning}
		if out, err := client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &r.Physical}); err == nil {
			actual["PublicAccessBlockConfiguration"] = out.PublicAccessBlockConfiguration
		} else if !IsNotFound(err) {
			return nil, err
		} else {
			actual["PublicAccessBlockConfiguration"] = nil
		}
		return []any{actual}, nil
	},
	"AWS::S3::BucketPolicy": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, s3.NewFromConfig).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(r.Text("Bucket"))})
		if err != nil {
			return nil, err
		}
		return []any{map[string]any{"Bucket": r.Text("Bucket"), "PolicyDocument": out.Policy}}, nil
	},
	"AWS::CloudWatch::Alarm":          readAlarm,
	"AWS::CloudWatch::CompositeAlarm": readAlarm,
	"AWS::ECR::Repository":            readImageRepository,
	"AWS::ECR::RegistryPolicy": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, ecr.NewFromConfig).GetRegistryPolicy(ctx, &ecr.GetRegistryPolicyInput{})
		if err != nil {
			return nil, err
		}
		return []any{out}, nil
	},
	"AWS::ECR::RegistryScanningConfiguration": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, ecr.NewFromConfig).GetRegistryScanningConfiguration(ctx, &ecr.GetRegistryScanningConfigurationInput{})
		if err != nil {
			return nil, err
		}
		return []any{out.ScanningConfiguration}, nil
	},
	"AWS::CodeDeploy::Application": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, codedeploy.NewFromConfig).GetApplication(ctx, &codedeploy.GetApplicationInput{ApplicationName: &r.Physical})
		if err != nil {
			return nil, err
		}
		return []any{out.Application}, nil
	},
	"AWS::CodeDeploy::DeploymentConfig": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, codedeploy.NewFromConfig).GetDeploymentConfig(ctx, &codedeploy.GetDeploymentConfigInput{DeploymentConfigName: &r.Physical})
		if err != nil {
			return nil, err
		}
		return []any{out.DeploymentConfigInfo}, nil
	},
	"AWS::CodeDeploy::DeploymentGroup": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, codedeploy.NewFromConfig).GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{
			ApplicationName: aws.String(r.Text("ApplicationName")), DeploymentGroupName: &r.Physical})
		if err != nil {
			return nil, err
		}
		return []any{groupAsTemplate(out.DeploymentGroupInfo), out.DeploymentGroupInfo}, nil
	},
	"AWS::CodeCommit::Repository": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, codecommit.NewFromConfig).GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: aws.String(r.Name)})
		if err != nil {
			return nil, err
		}
		return []any{out.RepositoryMetadata}, nil
	},
	"AWS::CodeBuild::Project": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, codebuild.NewFromConfig).BatchGetProjects(ctx, &codebuild.BatchGetProjectsInput{Names: []string{r.Physical}})
		if err != nil {
			return nil, err
		}
		if len(out.Projects) == 0 {
			return nil, ErrGone
		}
		return []any{out.Projects[0]}, nil
	},
	"AWS::CodeBuild::ReportGroup": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, codebuild.NewFromConfig).BatchGetReportGroups(ctx, &codebuild.BatchGetReportGroupsInput{ReportGroupArns: []string{r.Physical}})
		if err != nil {
			return nil, err
		}
		if len(out.ReportGroups) == 0 {
			return nil, ErrGone
		}
		return []any{out.ReportGroups[0]}, nil
	},
	"AWS::CodeBuild::SourceCredential": func(ctx context.Context, r *Request) ([]any, error) {
		info, err := readCredential(ctx, Client(r.Clients, codebuild.NewFromConfig), r.Physical)
		return []any{info}, err
	},
	"AWS::CodePipeline::Pipeline": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, codepipeline.NewFromConfig).GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &r.Physical})
		if err != nil {
			return nil, err
		}
		return []any{out.Pipeline}, nil
	},
	"AWS::CodePipeline::Webhook": func(ctx context.Context, r *Request) ([]any, error) {
		def, err := readPipelineWebhook(ctx, Client(r.Clients, codepipeline.NewFromConfig), r.Physical)
		if err != nil {
			return nil, err
		}
		if def.AuthenticationConfiguration.SecretToken == nil {
			return []any{def}, nil
		}
		// A masked secret would show as drift.
		return []any{map[string]any{"Authentication": def.Authentication, "Filters": def.Filters, "TargetAction": def.TargetAction, "TargetPipeline": def.TargetPipeline}}, nil
	},
	"AWS::KMS::Key": func(ctx context.Context, r *Request) ([]any, error) {
		client := Client(r.Clients, kms.NewFromConfig)
		out, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &r.Physical})
		if err != nil {
			return nil, err
		}
		policy, err := client.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &r.Physical})
		if err != nil {
			return nil, err
		}
		return []any{out.KeyMetadata, map[string]any{"KeyPolicy": policy.Policy}}, nil
	},
	"AWS::KMS::Alias": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, kms.NewFromConfig).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &r.Physical})
		if err != nil {
			return nil, err
		}
		return []any{map[string]any{"AliasName": r.Physical, "TargetKeyId": keyAsNamed(r.Text("TargetKeyId"), out.KeyMetadata)}}, nil
	},
	"AWS::Events::EventBus": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, eventbridge.NewFromConfig).DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: &r.Physical})
		if err != nil {
			return nil, err
		}
		return []any{out}, nil
	},
	"AWS::Events::Rule": func(ctx context.Context, r *Request) ([]any, error) {
		out, err := Client(r.Clients, eventbridge.NewFromConfig).DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String(r.Name)})
		if err != nil {
			return nil, err
		}
		return []any{out}, nil
	},
}

// Actual is what a Read answered, in the shape of the properties that the
// template sets. Only they take part in drift detection, and of them only those
// that the service tells.
func Actual(properties map[string]any, answered []any) (expected, actual map[string]any) {
	expected, actual = map[string]any{}, map[string]any{}
	for name, want := range properties {
		if strings.Contains(document(want), "{{resolve:") {
			continue // the value is not the template's
		}
		for _, a := range answered {
			field, ok := member(reflect.ValueOf(a), name)
			if !ok {
				continue
			}
			expected[name] = want
			if v := shape(want, field); v != nil {
				actual[name] = v
			}
			break
		}
	}
	return expected, actual
}

// member is the part of a struct or map that a property means.
func member(v reflect.Value, name string) (reflect.Value, bool) {
	v = inside(v)
	switch v.Kind() {
	case reflect.Struct:
		f := fieldNamed(v, name)
		return f, f.IsValid()
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if strings.EqualFold(key.String(), name) {
				return v.MapIndex(key), true
			}
		}
	}
	return reflect.Value{}, false
}

// inside goes through pointers and interfaces.
func inside(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v
}

// shape is an SDK's value as the template would write it: with the names of
// want, and of maps only the members that want has. nil for no value.
func shape(want any, v reflect.Value) any {
	v = inside(v)
	if !v.IsValid() {
		return nil
	}
	switch w := want.(type) {
	case map[string]any:
		if v.Kind() == reflect.String {
			return policyDocument(v.String())
		}
		out := map[string]any{}
		for name, part := range w {
			if f, ok := member(v, name); ok {
				if s := shape(part, f); s != nil {
					out[name] = s
				}
			}
		}
		return out
	case []any:
		if v.Kind() != reflect.Slice {
			return nil
		}
		return shapeList(w, v)
	}
	return scalarText(v)
}

func shapeList(want []any, v reflect.Value) any {
	out := make([]any, 0, v.Len())
	for i := range v.Len() {
		var like any = "" // what the template has no counterpart of
		if len(want) > 0 {
			like = want[min(i, len(want)-1)]
		}
		out = append(out, shape(like, v.Index(i)))
	}
	// Services keep sets of texts in an order of their own.
	if texts := sortedTexts(want); texts != nil && slices.Equal(texts, sortedTexts(out)) {
		return want
	}
	return out
}

func sortedTexts(list []any) []string {
	var out []string
	for _, v := range list {
		if !isScalar(v) {
			return nil
		}
		out = append(out, text(v))
	}
	slices.Sort(out)
	return out
}

func scalarText(v reflect.Value) any {
	if v.Kind() == reflect.String {
		if v.Len() == 0 {
			return nil // how the SDK's enumerations say that there is none
		}
		return v.String()
	}
	b, err := json.Marshal(v.Interface())
	if err != nil {
		return nil
	}
	return strings.Trim(string(b), `"`)
}

// policyDocument reads a document that a service keeps as text; IAM gives it
// escaped for URLs.
func policyDocument(s string) any {
	if u, err := url.QueryUnescape(s); err == nil && strings.HasPrefix(s, "%") {
		s = u
	}
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		return s
	}
	return v
}
