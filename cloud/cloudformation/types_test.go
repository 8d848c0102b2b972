package cloudformation_test

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// TestTypes takes every type that runs through creation, a change of tags and
// properties, and deletion, and looks at a few of them through their services.
func TestTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body, err := os.ReadFile("testdata/types.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := w.create("site", string(body))
	if s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("site"))
	}
	bucket := strings.TrimPrefix(outputs(s)["Arn"], "arn:aws:s3:::")
	if !strings.HasPrefix(bucket, "site-bucket-") || bucket != strings.ToLower(bucket) {
		t.Errorf("the bucket is called %q", bucket)
	}
	if v := outputs(s)["Vpc"]; !strings.HasPrefix(v, "vpc-0") {
		t.Errorf("the VPC is called %q", v)
	}
	versioning, err := s3.NewFromConfig(w.Config).GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: &bucket})
	if err != nil || versioning.Status != "Enabled" {
		t.Errorf("versioning is %v, %v", versioning, err)
	}

	cors, err := s3.NewFromConfig(w.Config).GetBucketCors(t.Context(), &s3.GetBucketCorsInput{Bucket: &bucket})
	if err != nil || aws.ToInt32(cors.CORSRules[0].MaxAgeSeconds) != 60 {
		t.Errorf("CORS is %v, %v", cors, err)
	}
	rules, err := s3.NewFromConfig(w.Config).GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: &bucket})
	if err != nil || len(rules.Rules) != 2 || rules.Rules[0].Filter.And == nil || len(rules.Rules[0].Filter.And.Tags) != 1 {
		t.Errorf("the lifecycle is %v, %v", rules, err)
	}

	changed := strings.NewReplacer("TimeoutInMinutes: '10'", "TimeoutInMinutes: 20", "Status: Enabled}", "Status: Suspended}", "RetentionInDays: 7", "RetentionInDays: 14",
		"PasswordLength: 20", "PasswordLength: 30", "Name: Build\n          Actions", "Name: Make\n          Actions").Replace(string(body))
	s = w.update("site", changed, func(in *cloudformation.UpdateStackInput) {
		in.Parameters = []types.Parameter{{ParameterKey: aws.String("Colour"), ParameterValue: aws.String("blue")}}
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}
	})
	if s.StackStatus != types.StackStatusUpdateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("site"))
	}
	if v := outputs(s)["Version"]; v != "2" {
		t.Errorf("the pipeline's version is %q after one update", v)
	}
	project, err := codebuild.NewFromConfig(w.Config).BatchGetProjects(t.Context(), &codebuild.BatchGetProjectsInput{Names: []string{w.physical("site", "Project")}})
	if err != nil || len(project.Projects) != 1 || aws.ToInt32(project.Projects[0].TimeoutInMinutes) != 20 {
		t.Errorf("the project is %v, %v", project, err)
	}
	pipeline, err := codepipeline.NewFromConfig(w.Config).GetPipeline(t.Context(), &codepipeline.GetPipelineInput{Name: aws.String(w.physical("site", "Pipeline"))})
	if err != nil || aws.ToString(pipeline.Pipeline.Stages[1].Name) != "Make" {
		t.Errorf("the pipeline is %v, %v", pipeline, err)
	}
	param, err := ssm.NewFromConfig(w.Config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(w.physical("site", "Param"))})
	if err != nil || aws.ToString(param.Parameter.Value) != "blue" {
		t.Errorf("the parameter is %v, %v", param, err)
	}
	role, err := iam.NewFromConfig(w.Config).ListRoleTags(t.Context(), &iam.ListRoleTagsInput{RoleName: aws.String(w.physical("site", "Role"))})
	if err != nil || !strings.Contains(tagText(role), "team=a") || !strings.Contains(tagText(role), "aws:cloudformation:stack-name=site") {
		t.Errorf("the role has the tags %v, %v", tagText(role), err)
	}

	if d := w.delete("site"); d.StackStatus != types.StackStatusDeleteComplete {
		t.Fatalf("%s\n%s", d.StackStatus, w.story(*d.StackId))
	}
	if _, err := s3.NewFromConfig(w.Config).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &bucket}); err == nil {
		t.Error("the bucket outlives its stack")
	}
}

func tagText(out *iam.ListRoleTagsOutput) string {
	var parts []string
	if out != nil {
		for _, t := range out.Tags {
			parts = append(parts, *t.Key+"="+*t.Value)
		}
	}
	return strings.Join(parts, " ")
}
