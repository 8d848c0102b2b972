package pipeline_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ouro/pipeline"
)

// delivery is a small project: a pipeline that deploys a template from its
// source, and what a build makes of site.yaml.
var delivery = map[string]string{
	"pipeline.yaml": `Parameters:
  ProjectName: {Type: String}
  Role: {Type: String, Default: "arn:aws:iam::123456789012:role/work"}
Resources:
  Build:
    Type: AWS::CodeBuild::Project
    Properties:
      ServiceRole: !Ref Role
      Artifacts: {Type: CODEPIPELINE}
      Source: {Type: CODEPIPELINE}
      Environment:
        Type: LINUX_CONTAINER
        ComputeType: BUILD_GENERAL1_SMALL
        Image: aws/codebuild/amazonlinux-x86_64-standard:5.0
        EnvironmentVariables:
          - {Name: ENTRYPOINT, Value: site.yaml}
          - {Name: BUCKET, Value: templates}
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: !Ref ProjectName
      RoleArn: !Ref Role
      ArtifactStore: {Type: S3, Location: templates}
      Stages:
        - Name: Source
          Actions:
            - Name: Source
              ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeCommit, Version: "1"}
              Configuration: {RepositoryName: site, BranchName: main}
              OutputArtifacts: [{Name: Source}]
        - Name: Deploy
          Actions:
            - Name: Rights
              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: CloudFormation, Version: "1"}
              Configuration:
                ActionMode: CREATE_UPDATE
                StackName: rights
                TemplatePath: Source::rights.yaml
                TemplateConfiguration: Source::rights.json
                ParameterOverrides: '{"Owner": "me"}'
              InputArtifacts: [{Name: Source}]
            - Name: Site
              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: CloudFormation, Version: "1"}
              Configuration:
                ActionMode: CREATE_UPDATE
                StackName: site
                TemplatePath: Built::out/site.json
                TemplateConfiguration: Source::site.dev.json
              InputArtifacts: [{Name: Source}]
`,
	"pipeline.dev.json": `{"Parameters": {"ProjectName": "site"}}`,
	"rights.yaml": `Parameters:
  Owner: {Type: String}
  Days: {Type: Number}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub "${Owner}-${Days}"}}
`,
	"rights.json": `{"Parameters": {"Days": "3"}}`,
	"site.yaml": `Parameters:
  Size: {Type: String, AllowedValues: [small, large]}
Resources:
  In:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: in.yaml, Parameters: {Size: !Ref Size}}
`,
	"in.yaml": `Parameters:
  Size: {Type: String}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Size}}
`,
	"site.dev.json": `{"Parameters": {"Size": "small"}}`,
}

func checkProject(t *testing.T, changed map[string]string) (pipeline.Checked, error) {
	t.Helper()
	files, dir := maps.Clone(delivery), t.TempDir()
	maps.Copy(files, changed)
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := pipeline.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return pipeline.Check(t.Context(), p, "123456789012", "eu-west-1")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	checked, err := checkProject(t, nil)
	if err != nil || checked.Templates != 4 || len(checked.Warnings) > 0 || len(checked.Facts.Deploys) != 2 {
		t.Errorf("%+v, %v", checked, err)
	}
	for name, c := range map[string]struct {
		changed map[string]string
		want    []string
	}{
		"the pipeline's template": {
			map[string]string{"pipeline.yaml": strings.Replace(delivery["pipeline.yaml"], "RoleArn:", "RoleAnr:", 1)},
			[]string{
				`pipeline.yaml:18:3: error: AWS::CodePipeline::Pipeline must have a property "RoleArn" (missing-property)`,
				`pipeline.yaml:22:7: error: AWS::CodePipeline::Pipeline has no property "RoleAnr"; did you mean "RoleArn"? (unknown-property)`,
			},
		},
		"the pipeline's configuration": {
			map[string]string{"pipeline.dev.json": `{"Parameters": {"ProjectName": "site", "Rloe": "x"}}`},
			[]string{`pipeline.dev.json:1:40: error: pipeline.yaml has no parameter "Rloe"; did you mean "Role"? (unknown-parameter)`},
		},
		"a template of the site": {
			map[string]string{"in.yaml": strings.Replace(delivery["in.yaml"], "TopicName", "Nonsense", 1)},
			[]string{`in.yaml:4:47: error: AWS::SNS::Topic has no property "Nonsense" (unknown-property), referred to by site.yaml:6:31`},
		},
		"configurations": {
			map[string]string{"site.dev.json": `{"Parameters": {"Size": "huge"}}`, "rights.json": `{"Parameters": {"Dasy": "3"}}`},
			[]string{
				`rights.json:1:16: error: no value for the parameter "Days" of rights.yaml, which has no default (missing-parameter)`,
				`rights.json:1:17: error: rights.yaml has no parameter "Dasy"; did you mean "Days"? (unknown-parameter)`,
				`site.dev.json:1:17: error: Parameter 'Size' must be one of AllowedValues (parameter-value)`,
			},
		},
		"a template that is deployed from the source": {
			map[string]string{"rights.yaml": delivery["rights.yaml"] + "  Nothing: {Type: AWS::Nothing::Much}\n"},
			[]string{`rights.yaml:6:19: error: AWS has no resource type "AWS::Nothing::Much" (unknown-type)`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := checkProject(t, c.changed)
			var refused *pipeline.CheckError
			if want := strings.Join(c.want, "\n"); !errors.As(err, &refused) || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

func TestCheckWarns(t *testing.T) {
	t.Parallel()
	checked, err := checkProject(t, map[string]string{"in.yaml": strings.Replace(delivery["in.yaml"], "!Ref Size", "fixed", 1)})
	want := `in.yaml:2:3: warning: the parameter "Size" is not used (unused-parameter), referred to by site.yaml:6:31`
	if err != nil || len(checked.Warnings) != 1 || checked.Warnings[0] != want {
		t.Errorf("%q, %v, want %s", checked.Warnings, err, want)
	}
}
