package library_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/library"
	"ouro/template"
)

const connection = "arn:aws:codeconnections:us-east-1:000000000000:connection/11111111-2222-3333-4444-555555555555"

// TestPipelines creates both pipelines with every kind of source.
func TestPipelines(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	if _, err := secretsmanager.NewFromConfig(a.config).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("github"), SecretString: aws.String(`{"token": "0123456789abcdef", "webhook": "fedcba9876543210"}`),
	}); err != nil {
		t.Fatal(err)
	}
	sources := map[string]values{
		"connection": {"SourceProvider": "Connection", "ConnectionArn": connection, "SourceOwner": "group/team", "SourceRepository": "site"},
		"codecommit": {"SourceProvider": "CodeCommit", "SourceRepository": "site"},
		"github":     {"SourceProvider": "GitHub", "SourceOwner": "octo", "SourceRepository": "site", "SourceTokenSecret": "github"},
		"s3":         {"SourceProvider": "S3", "SourceRepository": "sources", "SourceBranch": "octo/site/main/site.zip", "SelfDeployPipeline": "False"},
	}
	for source, given := range sources {
		given = given.with(values{"PipelineTemplateConfigurationPath": "pipeline.dev.json"})
		site := "site-" + source
		a.deploy(t, site+"-Pipeline", "pipeline/pipeline.yaml", given.with(values{"ProjectName": site, "SiteConfigurationPath": "site.dev.json"}))
		image := "image-" + source
		a.deploy(t, image+"-Pipeline", "pipeline/docker-image.yaml", given.with(values{
			"ProjectName": image, "RepositoryName": "dev/app", "AppConfigurationPath": "app.dev.json", "Approval": "True",
			"UpstreamRepositoryArn": "arn:aws:ecr:eu-west-1:111111111111:repository/dev/app",
		}))
	}
}

const siteTemplate = `
Parameters: {Greeting: {Type: String}}
Resources:
  Log: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 1}}
Outputs: {Greeting: {Value: !Ref Greeting}}
`

const publishing = `
version: 0.2
phases: {build: {commands: [mkdir -p out, cp site.yaml out/site.json]}}
artifacts: {files: [out/site.json]}
`

// TestPromotion: a push goes to dev by itself; prod waits until somebody
// approves what the approval says, and gets that.
func TestPromotion(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("aws"); err != nil {
		if os.Getenv("OURO_REQUIRE_TOOLS") == "1" {
			t.Fatal("the AWS CLI is not installed, and OURO_REQUIRE_TOOLS asks for it")
		}
		t.Skip("the AWS CLI is not installed")
	}
	a := newAccount(t)
	body, err := library.Open("pipeline/pipeline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	repos := codecommit.NewFromConfig(a.config)
	if _, err := repos.CreateRepository(t.Context(), &codecommit.CreateRepositoryInput{RepositoryName: aws.String("site")}); err != nil {
		t.Fatal(err)
	}
	given := values{
		"ProjectName": "site", "SourceProvider": "CodeCommit", "SourceRepository": "site", "BuildSpec": publishing,
		"PipelineTemplateConfigurationPath": "pipeline.json", "SiteConfigurationPath": "dev.json",
		"SecondEnvironment": "prod", "SecondConfigurationPath": "prod.json",
		"DeployPolicyArns": "arn:aws:iam::aws:policy/CloudWatchLogsFullAccess",
	}
	commit := &codecommit.CreateCommitInput{RepositoryName: aws.String("site"), BranchName: aws.String("main")}
	for name, text := range map[string]string{
		"pipeline.yaml": string(body.Body), "pipeline.json": configuration(given), "site.yaml": siteTemplate,
		"dev.json": configuration(values{"Greeting": "hello dev"}), "prod.json": configuration(values{"Greeting": "hello prod"}),
	} {
		commit.PutFiles = append(commit.PutFiles, cctypes.PutFileEntry{FilePath: aws.String(name), FileContent: []byte(text)})
	}
	if _, err := repos.CreateCommit(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	a.deploy(t, "site-Pipeline", "pipeline/pipeline.yaml", given)
	p := codepipeline.NewFromConfig(a.config)
	waiting := a.until(t, p, "prod", "Approve", types.ActionExecutionStatusInProgress)
	if got := a.greeting(t, "site-Site"); got != "hello dev" {
		t.Errorf("dev says %q", got)
	}
	said := a.approval(t, p)
	if said["CustomData"] != "Add Log (AWS::Logs::LogGroup)" {
		t.Errorf("the approval says %q", said["CustomData"])
	}
	if link := said["ExternalEntityLink"]; !strings.HasPrefix(link, "https://") || !strings.Contains(link, "&changeSetId=arn:aws:cloudformation:") {
		t.Errorf("the approval leads to %q", said["ExternalEntityLink"])
	}
	if _, err := p.PutApprovalResult(t.Context(), &codepipeline.PutApprovalResultInput{
		PipelineName: aws.String("site"), StageName: aws.String("prod"), ActionName: aws.String("Approve"), Token: waiting.Token,
		Result: &types.ApprovalResult{Status: types.ApprovalStatusApproved, Summary: aws.String("good")},
	}); err != nil {
		t.Fatal(err)
	}
	a.until(t, p, "prod", "Deploy", types.ActionExecutionStatusSucceeded)
	if got := a.greeting(t, "site-Site-prod"); got != "hello prod" {
		t.Errorf("prod says %q", got)
	}
	// What did not change was not updated.
	out, err := p.GetPipeline(t.Context(), &codepipeline.GetPipelineInput{Name: aws.String("site")})
	if err != nil {
		t.Fatal(err)
	}
	if v := aws.ToInt32(out.Pipeline.Version); v != 1 {
		t.Errorf("the pipeline has version %d", v)
	}
}

// configuration is a template configuration with these parameters.
func configuration(parameters values) string {
	body, _ := json.Marshal(map[string]values{"Parameters": parameters}) // texts only
	return string(body)
}

// until waits for an action of the pipeline site to be so.
func (a *account) until(t *testing.T, p *codepipeline.Client, stage, action string, want types.ActionExecutionStatus) *types.ActionExecution {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * time.Minute)
	for {
		out, err := p.GetPipelineState(t.Context(), &codepipeline.GetPipelineStateInput{Name: aws.String("site")})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out.StageStates {
			for _, act := range s.ActionStates {
				e := act.LatestExecution
				if e != nil && e.Status == types.ActionExecutionStatusFailed {
					t.Fatalf("%s of %s failed: %s", *act.ActionName, *s.StageName, aws.ToString(e.ErrorDetails.Message))
				}
				if e != nil && *s.StageName == stage && *act.ActionName == action && e.Status == want {
					return e
				}
			}
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s of %s is not %s", action, stage, want)
		}
	}
}

// approval is what the approval shows, variables resolved.
func (a *account) approval(t *testing.T, p *codepipeline.Client) map[string]string {
	t.Helper()
	out, err := p.ListActionExecutions(t.Context(), &codepipeline.ListActionExecutionsInput{PipelineName: aws.String("site")})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range out.ActionExecutionDetails {
		if *e.ActionName == "Approve" {
			return e.Input.ResolvedConfiguration
		}
	}
	t.Fatal("there is no approval")
	return nil
}

func (a *account) greeting(t *testing.T, stack string) string {
	t.Helper()
	out, err := a.cfn.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.Stacks[0].Outputs[0].OutputValue)
}

// TestPathFilters: the local cloud has no triggers with filters, so that what
// AWS would be told is looked at.
func TestPathFilters(t *testing.T) {
	t.Parallel()
	tpl, err := library.Open("pipeline/pipeline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parameters, err := tpl.Parsed.ResolveParameters(values{
		"ProjectName": "site", "SourceProvider": "Connection", "ConnectionArn": connection, "SourceOwner": "octo", "SourceRepository": "site",
		"SourcePaths": "site/**,pipeline.yaml", "PipelineTemplateConfigurationPath": "p.json", "SiteConfigurationPath": "s.json",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	env := &template.Env{Parameters: parameters}
	if env.Conditions, err = tpl.Parsed.EvalConditions(env); err != nil {
		t.Fatal(err)
	}
	pipeline, _ := tpl.Parsed.Resource("Pipeline")
	got, err := tpl.Parsed.Eval(pipeline.Properties.Get("Triggers"), env)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(got) // maps, lists and texts
	want := `[{"GitConfiguration":{"Push":[{"Branches":{"Includes":["main"]},"FilePaths":{"Includes":["site/**","pipeline.yaml"]}}],"SourceActionName":"Source"},"ProviderType":"CodeStarSourceConnection"}]`
	if string(text) != want {
		t.Errorf("got %s", text)
	}
}
