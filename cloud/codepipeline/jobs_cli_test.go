package codepipeline_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/cloudtest"
	"ouro/cloud/cloudtest/tool"
)

// commandLine gives what runs the AWS CLI against the URL and compares what it
// tells, unless want is empty. Without the CLI the test is skipped.
func commandLine(t *testing.T, url *string) func(want string, arguments ...string) string {
	t.Helper()
	aws := tool.NewAWS(t, *url, "codepipeline")
	return func(want string, arguments ...string) string {
		t.Helper()
		aws.URL = *url
		out, code := aws.Try(arguments...)
		if text := strings.Join(strings.Fields(out), " "); code != 0 || text != want && want != "" {
			t.Errorf("aws codepipeline %s: exit status %d\n%s", strings.Join(arguments, " "), code, text)
		}
		return out
	}
}

// victimState is where a process that is to be killed keeps its cloud.
const victimState = "OURO_TEST_VICTIM_STATE"

// startVictim starts a process with a cloud in that folder, and gives the
// cloud's address and what kills the process.
func startVictim(t *testing.T, dir string) (url string, kill func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestJobsByCommandLine$", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), victimState+"="+dir)
	out := must[io.ReadCloser](t)(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := must[string](t)(bufio.NewReader(out).ReadString('\n'))
	url = strings.TrimSpace(strings.TrimPrefix(line, "cloud at "))
	return url, func() {
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait()
	}
}

// A job worker of the AWS CLI does an action while the cloud is killed between
// any two of its steps.
func TestJobsByCommandLine(t *testing.T) {
	dir := os.Getenv(victimState)
	if dir != "" { // the process that will be killed
		fmt.Println("cloud at " + cloudtest.Start(t, dir, "").URL)
		<-t.Context().Done()
		return
	}
	t.Parallel()
	dir = t.TempDir()
	url, kill := startVictim(t, dir)
	aws := commandLine(t, &url)
	again := func() {
		kill()
		url, kill = startVictim(t, dir)
	}
	defer func() { kill() }()
	id := "category=Build,owner=Custom,provider=Mine,version=1"
	aws("Custom Mine", "create-custom-action-type", "--category", "Build", "--provider", "Mine", "--action-version", "1",
		"--configuration-properties", "name=Project,required=true,key=true,secret=false,queryable=true",
		"--input-artifact-details", "minimumCount=1,maximumCount=1", "--output-artifact-details", "minimumCount=0,maximumCount=0",
		"--query", "actionType.id.[owner, provider]")
	makeJob(t, url)
	again()
	var job []string
	w := &world{t: t, patience: 2 * time.Minute} // the CLI takes its time
	w.until("a job", func() bool {
		job = strings.Fields(aws("", "poll-for-jobs", "--action-type-id", id, "--query-param", "Project=site", "--query", "jobs[].[id, nonce, data.actionConfiguration.configuration.Project, data.inputArtifacts[0].name]"))
		return len(job) == 4
	})
	if job[2] != "site" || job[3] != "App" {
		t.Errorf("job %v", job)
	}
	again()
	aws("InProgress", "acknowledge-job", "--job-id", job[0], "--nonce", job[1])
	again()
	aws("", "put-job-success-result", "--job-id", job[0], "--execution-details", "summary=done,externalExecutionId=7,percentComplete=100", "--output-variables", "Level=9")
	again()
	w.until("the end", func() bool {
		return aws("", "list-pipeline-executions", "--pipeline-name", "p", "--query", "pipelineExecutionSummaries[0].status") == string(types.PipelineExecutionStatusSucceeded)
	})
	aws("done 7 9", "list-action-executions", "--pipeline-name", "p", "--query",
		"actionExecutionDetails[0].output.[executionResult.externalExecutionSummary, executionResult.externalExecutionId, outputVariables.Level]")
}

// makeJob makes a pipeline whose second stage is an action of Mine.
func makeJob(t *testing.T, url string) {
	t.Helper()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("000000000000", "test", "")}
	roleFor(t, iam.NewFromConfig(cfg), "pipeline", "codepipeline.amazonaws.com")
	must[*s3.CreateBucketOutput](t)(s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("artifacts")}))
	repositories := codecommit.NewFromConfig(cfg)
	must[*codecommit.CreateRepositoryOutput](t)(repositories.CreateRepository(t.Context(), &codecommit.CreateRepositoryInput{RepositoryName: aws.String("site")}))
	must[*codecommit.CreateCommitOutput](t)(repositories.CreateCommit(t.Context(), &codecommit.CreateCommitInput{
		RepositoryName: aws.String("site"), BranchName: aws.String("main"), PutFiles: []cctypes.PutFileEntry{{FilePath: aws.String("a"), FileContent: []byte("a")}},
	}))
	work := act("Work", "", "", map[string]string{"Project": "site"}, in("App"), owned(mineID()))
	work.Namespace = aws.String("Work")
	must[*api.CreatePipelineOutput](t)(api.NewFromConfig(cfg).CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: definition(stage("Build", work))}))
}
