package codepipeline_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	contypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/cloudtest"
)

const buildspec = `
version: 0.2
env:
  exported-variables: [Made]
phases:
  build:
    commands:
      - cat greeting > more.txt
      - export Made="of $CODEBUILD_RESOLVED_SOURCE_VERSION"
artifacts:
  files: [more.txt]
`

// A git push to a repository behind a connection starts the pipeline, by the
// rule that it keeps, and its build gets the files that were pushed.
func TestPushToConnection(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := cloudtest.New(t)
	w := &world{t: t, client: api.NewFromConfig(c.Config)}
	roleFor(t, iam.NewFromConfig(c.Config), "pipeline", "codepipeline.amazonaws.com")
	roleFor(t, iam.NewFromConfig(c.Config), "build", "codebuild.amazonaws.com")
	must[*s3.CreateBucketOutput](t)(s3.NewFromConfig(c.Config, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("artifacts")}))
	must[*codebuild.CreateProjectOutput](t)(codebuild.NewFromConfig(c.Config).CreateProject(ctx, &codebuild.CreateProjectInput{
		Name: aws.String("real"), ServiceRole: aws.String("arn:aws:iam::000000000000:role/build"),
		Source:      &cbtypes.ProjectSource{Type: cbtypes.SourceTypeCodepipeline, Buildspec: aws.String(buildspec)},
		Artifacts:   &cbtypes.ProjectArtifacts{Type: cbtypes.ArtifactsTypeCodepipeline},
		Environment: &cbtypes.ProjectEnvironment{ComputeType: cbtypes.ComputeTypeBuildGeneral1Small, Image: aws.String("aws/codebuild/standard:7.0"), Type: cbtypes.EnvironmentTypeLinuxContainer},
	}))
	connection := *must[*codeconnections.CreateConnectionOutput](t)(codeconnections.NewFromConfig(c.Config).CreateConnection(ctx, &codeconnections.CreateConnectionInput{
		ConnectionName: aws.String("hub"), ProviderType: contypes.ProviderTypeGithub,
	})).ConnectionArn

	compile := build("Build", "real", out("Built"))
	compile.Namespace = aws.String("Build")
	def := definition(stage("Build", compile), stage("Again", act("Again", "Build", "CodeBuild", map[string]string{"ProjectName": "real", "PrimarySource": "App"}, in("Built", "App"))))
	def.Stages[0].Actions[0] = act("Source", "Source", "CodeStarSourceConnection", map[string]string{
		"ConnectionArn": connection, "FullRepositoryId": "me/site", "BranchName": "main",
	}, out("App"))
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(ctx, &api.CreatePipelineInput{Pipeline: def}))
	w.reaches(w.first(), types.PipelineExecutionStatusFailed)
	if m := *w.action("Source").LatestExecution.ErrorDetails.Message; !strings.HasPrefix(m, "[GitHub] No Branch [main] found for FullRepositoryName [me/site]") {
		t.Errorf("without a branch: %s", m)
	}
	commit := gitPush(t, c.URL+"/git-http/000000000000/us-east-1/"+connection[strings.LastIndex(connection, "/")+1:]+"/me/site.git")
	newest := func() types.PipelineExecutionSummary {
		return must[*api.ListPipelineExecutionsOutput](t)(w.client.ListPipelineExecutions(ctx, &api.ListPipelineExecutionsInput{PipelineName: aws.String("p")})).PipelineExecutionSummaries[0]
	}
	w.until("the push has gone through", func() bool { return newest().Status == types.PipelineExecutionStatusSucceeded })
	if e := newest(); e.Trigger.TriggerType != types.TriggerTypeWebhook || *e.Trigger.TriggerDetail != connection || *e.SourceRevisions[0].RevisionId != commit {
		t.Errorf("execution %+v %+v", *e.Trigger, e.SourceRevisions)
	}
	details := must[*api.ListActionExecutionsOutput](t)(w.client.ListActionExecutions(ctx, &api.ListActionExecutionsInput{
		PipelineName: aws.String("p"), Filter: &types.ActionExecutionFilter{PipelineExecutionId: newest().PipelineExecutionId},
	})).ActionExecutionDetails
	if got := details[1].Output.OutputVariables["Made"]; got != "of "+commit {
		t.Errorf("the build exported %q", got)
	}
	must[*api.DeletePipelineOutput](t)(w.client.DeletePipeline(ctx, &api.DeletePipelineInput{Name: aws.String("p")}))
	if rules := must[*eventbridge.ListRulesOutput](t)(eventbridge.NewFromConfig(c.Config).ListRules(ctx, &eventbridge.ListRulesInput{})).Rules; len(rules) != 0 {
		t.Errorf("the deleted pipeline leaves %d rules", len(rules))
	}
}

func roleFor(t *testing.T, client *iam.Client, name, service string) {
	t.Helper()
	must[*iam.CreateRoleOutput](t)(client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
		`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "` + service + `"}, "Action": "sts:AssumeRole"}]}`)}))
	must[*iam.PutRolePolicyOutput](t)(client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("everything"), PolicyDocument: aws.String(
		`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`)}))
}

// gitPush pushes a first commit to the branch main of a repository, and gives
// its id.
func gitPush(t *testing.T, url string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "greeting"), []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var last string
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", "."}, {"-c", "user.name=n", "-c", "user.email=n@example.com", "commit", "-q", "-m", "first"},
		{"push", "-q", strings.Replace(url, "http://", "http://user:password@", 1), "main"}, {"rev-parse", "HEAD"},
	} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		b, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", args[0], err, b)
		}
		last = strings.TrimSpace(string(b))
	}
	return last
}
