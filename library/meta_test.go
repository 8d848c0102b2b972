package library_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	contypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"ouro/library"
	"ouro/publish"
)

// wrapped is a pipeline's template, whose second stage is called as given.
func wrapped(stage string) string {
	return strings.ReplaceAll(`
Parameters:
  Name: {Type: String}
  Token: {Type: String, NoEcho: true, Default: none}
Resources:
  Bucket: {Type: AWS::S3::Bucket, Properties: {VersioningConfiguration: {Status: Enabled}}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: codepipeline.amazonaws.com}, Action: "sts:AssumeRole"}]}
  Said: {Type: AWS::SSM::Parameter, Properties: {Type: String, Name: !Sub "/${Name}/token", Value: !Ref Token}}
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: !Ref Name
      RoleArn: !GetAtt Role.Arn
      ArtifactStore: {Type: S3, Location: !Ref Bucket}
      Stages:
        - Name: Source
          Actions: [{Name: Source, ActionTypeId: {Category: Source, Owner: AWS, Provider: S3, Version: "1"}, OutputArtifacts: [{Name: App}],
            Configuration: {S3Bucket: !Ref Bucket, S3ObjectKey: app.zip, PollForSourceChanges: "false"}}]
        - Name: STAGE
          Actions: [{Name: Ask, ActionTypeId: {Category: Approval, Owner: AWS, Provider: Manual, Version: "1"}}]
`, "STAGE", stage)
}

// metas are meta pipelines on one cloud.
type metas struct {
	*account
	pipelines *codepipeline.Client
}

func (m *metas) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick, late := time.NewTicker(30*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it never came true that %s", what)
		}
	}
}

// stages waits until the wrapped pipeline's second stage is called so.
func (m *metas) stage(t *testing.T, pipeline, want string) {
	t.Helper()
	m.until(t, "the stage of "+pipeline+" is "+want, func() bool {
		out, err := m.pipelines.GetPipeline(t.Context(), &codepipeline.GetPipelineInput{Name: &pipeline})
		return err == nil && *out.Pipeline.Stages[1].Name == want
	})
}

// executions waits until all executions have ended, and tells what became of
// each, oldest first: the revision, cut short, and the status.
func (m *metas) executions(t *testing.T, pipeline string, n int) []string {
	t.Helper()
	var told []string
	m.until(t, "the executions of "+pipeline+" have ended", func() bool {
		out, err := m.pipelines.ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: &pipeline})
		if err != nil {
			t.Fatal(err)
		}
		told = nil
		for _, e := range slices.Backward(out.PipelineExecutionSummaries) {
			if e.Status == types.PipelineExecutionStatusInProgress {
				return false
			}
			revision := "none"
			if len(e.SourceRevisions) > 0 {
				revision = aws.ToString(e.SourceRevisions[0].RevisionId)
			}
			told = append(told, revision+" "+string(e.Status))
		}
		return len(told) >= n
	})
	return told
}

func (m *metas) describe(t *testing.T, stack string) cftypes.Stack {
	t.Helper()
	out, err := m.cfn.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		t.Fatal(err)
	}
	return out.Stacks[0]
}

// resource is the physical id of a resource.
func (m *metas) resource(t *testing.T, stack, id string) string {
	t.Helper()
	out, err := m.cfn.DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{StackName: &stack, LogicalResourceId: &id})
	if err != nil {
		t.Fatal(err)
	}
	return *out.StackResourceDetail.PhysicalResourceId
}

// made waits for the end of the creation of a stack.
func (m *metas) made(t *testing.T, in *cloudformation.CreateStackInput) {
	t.Helper()
	in.Capabilities = []cftypes.Capability{"CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"}
	if _, err := m.cfn.CreateStack(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	m.until(t, "stack "+*in.StackName+" is made", func() bool {
		return !strings.HasSuffix(string(m.describe(t, *in.StackName).StackStatus), "_IN_PROGRESS")
	})
	if s := m.describe(t, *in.StackName).StackStatus; s != cftypes.StackStatusCreateComplete {
		t.Fatalf("stack %s is %s\n%s", *in.StackName, s, m.failures(t, *in.StackName))
	}
}

// TestMetaPipelines wraps a pipeline by each kind of source: by itself, nested,
// and as a serverless application.
func TestMetaPipelines(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	m := &metas{a, codepipeline.NewFromConfig(a.config)}
	t.Run("connection", m.byConnection)
	t.Run("github", m.byGitHub)
	t.Run("codecommit", m.byCodeCommit)
	t.Run("s3", m.byS3)
}

// clone is a work tree of a repository behind a connection.
type clone struct{ dir, remote string }

func (m *metas) clone(t *testing.T, repository string) (clone, string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	out, err := codeconnections.NewFromConfig(m.config).CreateConnection(t.Context(), &codeconnections.CreateConnectionInput{
		ConnectionName: aws.String(t.Name()[strings.LastIndex(t.Name(), "/")+1:]), ProviderType: contypes.ProviderTypeGithub})
	if err != nil {
		t.Fatal(err)
	}
	arn := *out.ConnectionArn
	c := clone{t.TempDir(), *m.config.BaseEndpoint + "/git-http/000000000000/us-east-1/" + arn[strings.LastIndex(arn, "/")+1:] + "/" + repository + ".git"}
	c.git(t, "init", "-q", "-b", "main")
	return c, arn
}

func (c clone) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@localhost", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@localhost")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// push commits a file, pushes, and gives the commit.
func (c clone) push(t *testing.T, file, text string) string {
	t.Helper()
	name := filepath.Join(c.dir, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.git(t, "add", ".")
	c.git(t, "commit", "-q", "-m", "change "+file)
	c.git(t, "push", "-q", c.remote, "main")
	return c.git(t, "rev-parse", "HEAD")
}

// byConnection: only pushes of the template or its configuration start it.
func (m *metas) byConnection(t *testing.T) {
	c, arn := m.clone(t, "octo/one")
	c.push(t, "ci/config.json", configuration(values{"Name": "one"}))
	first := c.push(t, "ci/pipeline.yaml", wrapped("First"))
	pipeline := m.deploy(t, "one-Meta", "pipeline/meta.yaml", values{
		"ProjectName": "one", "TargetStackName": "one-Pipeline", "TemplatePath": "ci/pipeline.yaml", "TemplateConfigurationPath": "ci/config.json",
		"SourceProvider": "Connection", "ConnectionArn": arn, "SourceOwner": "octo", "SourceRepository": "one",
	})["PipelineName"]
	m.stage(t, "one", "First")
	m.executions(t, pipeline, 1)
	c.push(t, "app/main.go", "package main")
	second := c.push(t, "ci/pipeline.yaml", wrapped("Second"))
	m.stage(t, "one", "Second")
	c.push(t, "README.md", "# One")
	third := c.push(t, "ci/config.json", configuration(values{"Name": "one", "Token": "other"}))
	want := []string{first + " Succeeded", second + " Succeeded", third + " Succeeded"}
	if got := m.executions(t, pipeline, 3); !slices.Equal(got, want) {
		t.Errorf("the executions are %v, want %v", got, want)
	}
}

// byGitHub: the webhook looks into the lists of files; the token reaches the
// wrapped pipeline, and is told by nothing on the way.
func (m *metas) byGitHub(t *testing.T) {
	const token = "0123456789abcdefghijklmnopqrstuvwxyz0123"
	c, _ := m.clone(t, "octo/two")
	first := c.push(t, "pipeline.yaml", wrapped("First"))
	pipeline := m.deploy(t, "two-Meta", "pipeline/meta.yaml", values{
		"ProjectName": "two", "TargetStackName": "two-Pipeline", "SourceProvider": "GitHub", "SourceOwner": "octo", "SourceRepository": "two",
		"SourceToken": token, "ParameterOverrides": `{"Name":"two","Token":"@token@"}`, "ResourceKinds": "Buckets,Parameters,Pipelines,Roles",
	})["PipelineName"]
	m.stage(t, "two", "First")
	m.executions(t, pipeline, 1)
	c.push(t, "app/main.go", "package main")
	second := c.push(t, "pipeline.yaml", wrapped("Second"))
	m.stage(t, "two", "Second")
	c.push(t, "pipeline.yaml.txt", "notes")
	c.push(t, "docs/pipeline.yaml", "another")
	third := c.push(t, "pipeline.yaml", wrapped("Third"))
	m.stage(t, "two", "Third")
	want := []string{first + " Succeeded", second + " Succeeded", third + " Succeeded"}
	if got := m.executions(t, pipeline, 3); !slices.Equal(got, want) {
		t.Errorf("the executions are %v, want %v", got, want)
	}
	said, err := ssm.NewFromConfig(m.config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/two/token")})
	if err != nil || *said.Parameter.Value != token {
		t.Errorf("the wrapped pipeline has the token %v, %v", said, err)
	}
	definition, err := m.pipelines.GetPipeline(t.Context(), &codepipeline.GetPipelineInput{Name: &pipeline})
	if err != nil {
		t.Fatal(err)
	}
	actions, err := m.pipelines.ListActionExecutions(t.Context(), &codepipeline.ListActionExecutionsInput{PipelineName: &pipeline})
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []any{definition.Pipeline, actions.ActionExecutionDetails, m.describe(t, "two-Meta"), m.describe(t, "two-Pipeline")} {
		if text, _ := json.Marshal(what); strings.Contains(string(text), token) {
			t.Errorf("the token is told: %s", text)
		}
	}
}

// byCodeCommit nests the meta pipeline, which takes a stack over that is there.
// CodeCommit does not tell files: other pushes start it, and change nothing.
func (m *metas) byCodeCommit(t *testing.T) {
	ctx, repos := t.Context(), codecommit.NewFromConfig(m.config)
	if _, err := repos.CreateRepository(ctx, &codecommit.CreateRepositoryInput{RepositoryName: aws.String("three")}); err != nil {
		t.Fatal(err)
	}
	var tip *string
	push := func(file, text string) string {
		t.Helper()
		out, err := repos.CreateCommit(ctx, &codecommit.CreateCommitInput{RepositoryName: aws.String("three"), BranchName: aws.String("main"), ParentCommitId: tip,
			PutFiles: []cctypes.PutFileEntry{{FilePath: &file, FileContent: []byte(text)}}})
		if err != nil {
			t.Fatal(err)
		}
		tip = out.CommitId
		return *tip
	}
	m.made(t, &cloudformation.CreateStackInput{StackName: aws.String("three-Pipeline"), TemplateBody: aws.String(wrapped("Old")),
		Parameters: []cftypes.Parameter{{ParameterKey: aws.String("Name"), ParameterValue: aws.String("three")}}})
	id, bucket := *m.describe(t, "three-Pipeline").StackId, m.resource(t, "three-Pipeline", "Bucket")
	first := push("pipeline.yaml", wrapped("First"))

	dir := t.TempDir()
	outer := `
Resources:
  Meta:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ouro://pipeline/meta.yaml
      Parameters:
        ProjectName: three
        TargetStackName: three-Pipeline
        SourceProvider: CodeCommit
        SourceRepository: three
        ParameterOverrides: '{"Name":"three"}'
`
	if err := os.WriteFile(filepath.Join(dir, "outer.yaml"), []byte(outer), 0o600); err != nil {
		t.Fatal(err)
	}
	tree, err := publish.Load(t.Context(), dir, "outer.yaml", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := tree.Plan(publish.LocationOf(m.s3.Options(), m.bucket))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Upload(ctx, m.s3, plan, publish.UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	m.made(t, &cloudformation.CreateStackInput{StackName: aws.String("three"), TemplateBody: aws.String(string(plan.Body()))})
	pipeline := m.resource(t, m.resource(t, "three", "Meta"), "Pipeline")
	m.stage(t, "three", "First")
	m.executions(t, pipeline, 1)
	taken := m.describe(t, "three-Pipeline")
	if *taken.StackId != id || m.resource(t, "three-Pipeline", "Bucket") != bucket || !strings.Contains(aws.ToString(taken.RoleARN), "-UpdateRole-") {
		t.Errorf("the stack was not taken over: %+v", taken)
	}
	other := push("main.go", "package main")
	m.executions(t, pipeline, 2)
	if now := m.describe(t, "three-Pipeline"); !now.LastUpdatedTime.Equal(*taken.LastUpdatedTime) {
		t.Errorf("a push of another file updated the stack")
	}
	second := push("pipeline.yaml", wrapped("Second"))
	m.stage(t, "three", "Second")
	want := []string{first + " Succeeded", other + " Succeeded", second + " Succeeded"}
	if got := m.executions(t, pipeline, 3); !slices.Equal(got, want) {
		t.Errorf("the executions are %v, want %v", got, want)
	}
}

// byS3 installs the meta pipeline from the Serverless Application Repository.
func (m *metas) byS3(t *testing.T) {
	ctx := t.Context()
	if _, err := m.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("zips")}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: aws.String("zips"),
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.s3.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: aws.String("zips"),
		NotificationConfiguration: &s3types.NotificationConfiguration{EventBridgeConfiguration: &s3types.EventBridgeConfiguration{}}}); err != nil {
		t.Fatal(err)
	}
	put := func(files values) string {
		t.Helper()
		var body bytes.Buffer
		z := zip.NewWriter(&body)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			w, err := z.Create(name)
			if err == nil {
				_, err = w.Write([]byte(files[name]))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		out, err := m.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("zips"), Key: aws.String("four/main.zip"), Body: bytes.NewReader(body.Bytes())})
		if err != nil {
			t.Fatal(err)
		}
		return *out.VersionId
	}
	first := put(values{"pipeline.yaml": wrapped("First")})

	tpl, err := library.Open("pipeline/meta.yaml")
	if err != nil {
		t.Fatal(err)
	}
	about := tpl.Parsed.Root.Get("Metadata").Get("AWS::ServerlessRepo::Application")
	text := func(key string) *string { return aws.String(about.Get(key).Scalar()) }
	app, err := serverlessapplicationrepository.NewFromConfig(m.config).CreateApplication(ctx, &serverlessapplicationrepository.CreateApplicationInput{
		Name: text("Name"), Author: text("Author"), Description: text("Description"), SemanticVersion: text("SemanticVersion"), TemplateBody: aws.String(string(tpl.Body)),
	})
	if err != nil {
		t.Fatal(err)
	}
	m.made(t, &cloudformation.CreateStackInput{StackName: aws.String("four"), TemplateBody: aws.String(`
Transform: AWS::Serverless-2016-10-31
Resources:
  Meta:
    Type: AWS::Serverless::Application
    Properties:
      Location: {ApplicationId: "` + *app.ApplicationId + `", SemanticVersion: ` + *app.Version.SemanticVersion + `}
      Parameters:
        ProjectName: four
        TargetStackName: four-Pipeline
        SourceProvider: S3
        SourceRepository: zips
        SourceBranch: four/main.zip
        ParameterOverrides: '{"Name":"four"}'
`)})
	pipeline := m.resource(t, m.resource(t, "four", "Meta"), "Pipeline")
	m.stage(t, "four", "First")
	m.executions(t, pipeline, 1)
	second := put(values{"pipeline.yaml": wrapped("Second"), "README.md": "# Four"})
	m.stage(t, "four", "Second")
	want := []string{first + " Succeeded", second + " Succeeded"}
	if got := m.executions(t, pipeline, 2); !slices.Equal(got, want) {
		t.Errorf("the executions are %v, want %v", got, want)
	}
}
