package pipeline_test

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/google/go-cmp/cmp"

	"ouro/cli"
	"ouro/cloud/cloudtest"
	"ouro/pipeline"
	"ouro/stack"
)

// TestMain makes this test binary the ouro that builds find on their PATH.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "ouro" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.System())
	stop()
	os.Exit(code)
}

// quiet is an observer that only keeps what tests ask for.
type quiet struct {
	t    *testing.T
	logs []string
}

func (q *quiet) Step(string) {}
func (q *quiet) StackEvent(e cfntypes.StackEvent) {
	if strings.HasSuffix(string(e.ResourceStatus), "FAILED") {
		q.t.Logf("%s %s %s: %s", aws.ToString(e.StackName), aws.ToString(e.LogicalResourceId), e.ResourceStatus, aws.ToString(e.ResourceStatusReason))
	}
}
func (q *quiet) Execution(string, string) {}
func (q *quiet) Action(a pipeline.Action) {
	if a.Reason != "" {
		q.t.Logf("%s › %s: %s: %s", a.Stage, a.Name, a.Status, a.Reason)
	}
}
func (q *quiet) Log(_ pipeline.Action, line string) { q.logs = append(q.logs, line) }

// copySite copies the example project to a directory of the test's own.
func copySite(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "site")
	if err := os.CopyFS(dir, os.DirFS("../examples/site")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, pipeline.StateDir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// bringUp runs Up on the project in dir.
func bringUp(t *testing.T, c *cloudtest.Cloud, dir string) (*pipeline.Up, *pipeline.Outcome) {
	t.Helper()
	p, err := pipeline.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	checked, err := pipeline.Check(t.Context(), p, "000000000000", c.Config.Region)
	if err != nil {
		t.Fatal(err)
	}
	up := &pipeline.Up{Clients: pipeline.NewClients(c.Config), Project: p, Facts: checked.Facts, State: t.TempDir(), Observer: &quiet{t: t}}
	out, err := up.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return up, out
}

// extraStage is a stage with a second CodeBuild action, as a user would add it.
const extraStage = `        - Name: Again
          Actions:
            - Name: Publish
              ActionTypeId:
                Category: Build
                Owner: AWS
                Provider: CodeBuild
                Version: "1"
              Configuration:
                ProjectName: !Ref Build
              InputArtifacts:
                - Name: Source
              OutputArtifacts:
                - Name: BuiltAgain
`

func TestSelfUpdate(t *testing.T) {
	t.Parallel()
	c := cloudtest.Start(t, t.TempDir(), self(t))
	defer func() {
		if err := c.Close(); err != nil {
			t.Errorf("closing the cloud: %v", err)
		}
	}()
	up, out := bringUp(t, c, copySite(t))
	if out.Status != types.PipelineExecutionStatusSucceeded || out.Version != 1 {
		t.Fatalf("the first execution: %s, version %d", out.Status, out.Version)
	}
	work := filepath.Join(t.TempDir(), "work")
	git(t, ".", "clone", "-q", up.Remote, work)
	p := &pusher{t: t, up: up, work: work, last: out.ID}

	good, err := os.ReadFile(filepath.Join(work, "pipeline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const deploy = "\n        - Name: Deploy\n"
	if strings.Count(string(good), deploy) != 1 {
		t.Fatal("the example's pipeline has no stage Deploy")
	}
	more := strings.Replace(string(good), deploy, "\n"+extraStage+deploy[1:], 1)

	p.push("a stage more", map[string]string{"pipeline.yaml": more})
	p.want(2, types.PipelineExecutionStatusSucceeded, types.PipelineExecutionStatusCancelled)
	if !slices.ContainsFunc(p.actions, func(a pipeline.Action) bool {
		return a.Stage == "Again" && a.Status == types.ActionExecutionStatusSucceeded
	}) {
		t.Errorf("the new stage did not run: %+v", p.actions)
	}

	p.push("another file", map[string]string{"notes.txt": "nothing of the pipeline's"})
	p.want(2, types.PipelineExecutionStatusSucceeded)

	p.push("a broken pipeline", map[string]string{"pipeline.yaml": strings.Replace(more, "!GetAtt PipelineRole.Arn", "!GetAtt NoSuchRole.Arn", 1)})
	p.want(2, types.PipelineExecutionStatusFailed)
	if failed := p.failed(); failed.Stage != "SelfUpdate" || !strings.Contains(failed.Reason, "NoSuchRole") {
		t.Errorf("failed: %+v", failed)
	}

	const bad = "Outputs:\n"
	undone := strings.Replace(more, bad, `  Impossible:
    Type: AWS::SSM::Parameter
    DependsOn: Pipeline
    Properties:
      Type: String
      Name: /aws/not-ours
      Value: x

`+bad, 1)
	undone = strings.Replace(undone, "- Name: BuiltAgain", "- Name: BuiltOnceMore", 1)
	p.push("a pipeline that is updated and then taken back", map[string]string{"pipeline.yaml": undone})
	p.want(4, types.PipelineExecutionStatusCancelled, types.PipelineExecutionStatusCancelled)
	s, err := stack.Wait(t.Context(), up.Clients.Stacks, up.Project.StackName())
	if err != nil || s.StackStatus != cfntypes.StackStatusUpdateRollbackComplete {
		t.Errorf("the pipeline's stack: %v, %v", s, err)
	}

	p.push("mended", map[string]string{"pipeline.yaml": string(good)})
	p.want(5, types.PipelineExecutionStatusSucceeded, types.PipelineExecutionStatusCancelled)
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// pusher pushes commits and looks at the executions that come of them.
type pusher struct {
	t       *testing.T
	up      *pipeline.Up
	work    string
	last    string // execution before the push
	before  string // the last, when the push was made
	actions []pipeline.Action
}

func (p *pusher) push(message string, files map[string]string) {
	p.t.Helper()
	write(p.t, p.work, files)
	git(p.t, p.work, "add", "-A")
	git(p.t, p.work, "commit", "-q", "-m", message)
	git(p.t, p.work, "push", "-q", "origin", "HEAD:main")
	id, err := pipeline.Next(p.t.Context(), p.up.Clients, p.up.Pipeline, p.last)
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := pipeline.FollowToEnd(p.t.Context(), p.up.Clients, p.up.Pipeline, id, &quiet{t: p.t})
	if err != nil {
		p.t.Fatal(err)
	}
	p.before, p.last, p.actions = p.last, out.ID, out.Actions
}

// want checks the pipeline's version and, newest first, the executions since
// the push.
func (p *pusher) want(version int32, statuses ...types.PipelineExecutionStatus) {
	p.t.Helper()
	list, err := p.up.Clients.Pipelines.ListPipelineExecutions(p.t.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: &p.up.Pipeline})
	if err != nil {
		p.t.Fatal(err)
	}
	var got []types.PipelineExecutionStatus
	for _, e := range list.PipelineExecutionSummaries {
		if aws.ToString(e.PipelineExecutionId) == p.before {
			break
		}
		got = append(got, e.Status)
	}
	if diff := cmp.Diff(statuses, got); diff != "" {
		p.t.Fatalf("executions (-want +got):\n%s", diff)
	}
	now, err := p.up.Clients.Pipelines.GetPipeline(p.t.Context(), &codepipeline.GetPipelineInput{Name: &p.up.Pipeline})
	if err != nil {
		p.t.Fatal(err)
	}
	if v := aws.ToInt32(now.Pipeline.Version); v != version {
		p.t.Fatalf("version %d, want %d", v, version)
	}
}

func (p *pusher) failed() pipeline.Action {
	for _, a := range p.actions {
		if a.Status == types.ActionExecutionStatusFailed {
			return a
		}
	}
	return pipeline.Action{}
}
