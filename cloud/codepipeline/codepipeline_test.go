package codepipeline_test

import (
	stdcmp "cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	smithy "github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud/codepipeline"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// world is a door with CodePipeline and stand-ins behind it. It can be closed
// and opened again on the same state, as after a crash.
type world struct {
	t       *testing.T
	dir     string
	store   *store.Store
	door    *door.Door
	service *codepipeline.Service
	client  *api.Client
	objects *objects
	repos   *repositories
	builds  *builds
	stacks  *stacks
	notices *notices

	more map[string]any // services of the test's own

	patience time.Duration // how long until waits; 0: 20 seconds
	now      func() time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), objects: &objects{bytes: map[string][]byte{}}, notices: &notices{}}
	w.repos = &repositories{objects: w.objects}
	w.builds = &builds{byID: map[string]*cbtypes.Build{}, tokens: map[string]string{}}
	w.stacks = &stacks{byName: map[string]*cftypes.Stack{}, bodies: map[string]string{}}
	w.repos.push("c1", map[string]string{"template.yaml": "Resources: {}"})
	w.open()
	t.Cleanup(w.close)
	return w
}

func (w *world) open() {
	w.t.Helper()
	st, err := store.Open(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	w.store, w.door = st, door.New(door.Options{Store: st, Now: w.now})
	service := codepipeline.New(w.door)
	w.service = service
	all := map[string]any{
		"sts": identities{}, "s3": w.objects, "codecommit": w.repos, "codebuild": w.builds,
		"cloudformation": w.stacks, "events": w.notices, "codepipeline": service,
	}
	maps.Copy(all, w.more)
	for name, impl := range all {
		if err := w.door.Register(name, impl); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := service.Resume(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.client = api.NewFromConfig(w.door.As(door.Caller{Account: "000000000000", Region: "us-east-1"}))
}

func (w *world) close() {
	w.door.Close()
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

// until waits for a condition.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	deadline := time.NewTimer(stdcmp.Or(w.patience, time.Minute))
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			w.t.Fatalf("waited in vain: %s\n%s", what, w.picture())
		}
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// picture is the state of the pipeline's stages and actions, one a line.
func (w *world) picture() string {
	w.t.Helper()
	out := must[*api.GetPipelineStateOutput](w.t)(w.client.GetPipelineState(w.t.Context(), &api.GetPipelineStateInput{Name: aws.String("p")}))
	var b strings.Builder
	for _, st := range out.StageStates {
		b.WriteString(*st.StageName)
		if st.LatestExecution != nil {
			b.WriteString(" " + string(st.LatestExecution.Status))
		}
		b.WriteString(":")
		for _, a := range st.ActionStates {
			if a.LatestExecution != nil {
				b.WriteString(" " + *a.ActionName + "=" + string(a.LatestExecution.Status))
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (w *world) start() string {
	w.t.Helper()
	return *must[*api.StartPipelineExecutionOutput](w.t)(w.client.StartPipelineExecution(w.t.Context(), &api.StartPipelineExecutionInput{Name: aws.String("p")})).PipelineExecutionId
}

// first is the execution that CreatePipeline started.
func (w *world) first() string {
	w.t.Helper()
	out := must[*api.ListPipelineExecutionsOutput](w.t)(w.client.ListPipelineExecutions(w.t.Context(), &api.ListPipelineExecutionsInput{PipelineName: aws.String("p")}))
	return *out.PipelineExecutionSummaries[len(out.PipelineExecutionSummaries)-1].PipelineExecutionId
}

func (w *world) execution(id string) *types.PipelineExecution {
	w.t.Helper()
	return must[*api.GetPipelineExecutionOutput](w.t)(w.client.GetPipelineExecution(w.t.Context(), &api.GetPipelineExecutionInput{
		PipelineName: aws.String("p"), PipelineExecutionId: &id,
	})).PipelineExecution
}

func (w *world) reaches(id string, status types.PipelineExecutionStatus) {
	w.t.Helper()
	w.until("execution "+id+" "+string(status), func() bool { return w.execution(id).Status == status })
}

// building waits until so many builds have started.
func (w *world) building(n int) {
	w.t.Helper()
	w.until("builds start", func() bool {
		w.builds.mu.Lock()
		defer w.builds.mu.Unlock()
		return len(w.builds.starts) == n
	})
}

func (w *world) action(name string) types.ActionState {
	w.t.Helper()
	out := must[*api.GetPipelineStateOutput](w.t)(w.client.GetPipelineState(w.t.Context(), &api.GetPipelineStateInput{Name: aws.String("p")}))
	for _, st := range out.StageStates {
		for _, a := range st.ActionStates {
			if *a.ActionName == name {
				return a
			}
		}
	}
	w.t.Fatalf("no action %q", name)
	return types.ActionState{}
}

func (w *world) create(stages ...types.StageDeclaration) {
	w.t.Helper()
	must[*api.CreatePipelineOutput](w.t)(w.client.CreatePipeline(w.t.Context(), &api.CreatePipelineInput{Pipeline: definition(stages...)}))
}

// definition is a pipeline "p" with a source stage and those stages.
func definition(stages ...types.StageDeclaration) *types.PipelineDeclaration {
	source := act("Source", "Source", "CodeCommit", map[string]string{"RepositoryName": "site", "BranchName": "main", "PollForSourceChanges": "false"}, out("App"))
	source.Namespace = aws.String("SourceVariables")
	return &types.PipelineDeclaration{
		Name: aws.String("p"), RoleArn: aws.String("arn:aws:iam::000000000000:role/pipeline"),
		ArtifactStore: &types.ArtifactStore{Type: "S3", Location: aws.String("artifacts")},
		Stages:        append([]types.StageDeclaration{stage("Source", source)}, stages...),
	}
}

func stage(name string, actions ...types.ActionDeclaration) types.StageDeclaration {
	return types.StageDeclaration{Name: &name, Actions: actions}
}

func act(name string, category types.ActionCategory, provider string, configuration map[string]string, with ...func(*types.ActionDeclaration)) types.ActionDeclaration {
	a := types.ActionDeclaration{Name: &name, Configuration: configuration, ActionTypeId: &types.ActionTypeId{
		Category: category, Owner: "AWS", Provider: &provider, Version: aws.String("1"),
	}}
	for _, f := range with {
		f(&a)
	}
	return a
}

func out(name string) func(*types.ActionDeclaration) {
	return func(a *types.ActionDeclaration) {
		a.OutputArtifacts = append(a.OutputArtifacts, types.OutputArtifact{Name: &name})
	}
}

func in(names ...string) func(*types.ActionDeclaration) {
	return func(a *types.ActionDeclaration) {
		for _, n := range names {
			a.InputArtifacts = append(a.InputArtifacts, types.InputArtifact{Name: &n})
		}
	}
}

func order(n int32) func(*types.ActionDeclaration) {
	return func(a *types.ActionDeclaration) { a.RunOrder = &n }
}

func build(name, project string, with ...func(*types.ActionDeclaration)) types.ActionDeclaration {
	return act(name, "Build", "CodeBuild", map[string]string{"ProjectName": project}, append(with, in("App"))...)
}

func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

func TestExecutionRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repos.push("c1", map[string]string{"template.yaml": "Resources: {}", "dev.json": `{"Parameters": {"Env": "dev", "Size": "1"}, "Tags": {"a": "b"}}`})
	compile := build("Compile", "quick-build", out("Built"), order(2))
	compile.Namespace = aws.String("Build")
	deploy := act("Deploy", "Deploy", "CloudFormation", map[string]string{
		"ActionMode": "CREATE_UPDATE", "StackName": "site-#{Build.Made}", "RoleArn": "arn:aws:iam::000000000000:role/stack",
		"TemplatePath": "App::template.yaml", "TemplateConfiguration": "App::dev.json", "OutputFileName": "outputs.json",
		"ParameterOverrides": `{"Size": "2", "Commit": "#{SourceVariables.CommitId}", "Bucket": {"Fn::GetArtifactAtt": ["App", "BucketName"]}}`,
	}, in("App"), out("Outputs"))
	w.create(stage("Build", compile, build("Lint", "quick-lint")), stage("Deploy", deploy))
	id := w.first()
	w.reaches(id, types.PipelineExecutionStatusSucceeded)

	want := "Source Succeeded: Source=Succeeded\nBuild Succeeded: Compile=Succeeded Lint=Succeeded\nDeploy Succeeded: Deploy=Succeeded\n"
	if diff := cmp.Diff(want, w.picture()); diff != "" {
		t.Error(diff)
	}
	e := w.execution(id)
	if r := e.ArtifactRevisions; len(r) != 1 || *r[0].RevisionId != "c1" || *r[0].RevisionSummary != "message of c1" {
		t.Errorf("revisions: %+v", r)
	}
	if e.Trigger.TriggerType != types.TriggerTypeCreatePipeline {
		t.Errorf("trigger: %v", e.Trigger.TriggerType)
	}
	stack := must[*cloudformation.DescribeStacksOutput](t)(w.stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("site-by-quick-build-2")}))
	got := map[string]string{}
	for _, o := range stack.Stacks[0].Outputs {
		got[*o.OutputKey] = *o.OutputValue
	}
	if diff := cmp.Diff(map[string]string{"OfEnv": "dev", "OfSize": "2", "OfCommit": "c1", "OfBucket": "artifacts"}, got); diff != "" {
		t.Error(diff)
	}
	w.historyTells(id)
	w.until("events", func() bool {
		w.notices.mu.Lock()
		defer w.notices.mu.Unlock()
		return slices.Contains(w.notices.told, "Deploy/Deploy SUCCEEDED") && w.notices.told[len(w.notices.told)-1] == "SUCCEEDED"
	})
	if first := w.notices.told[:4]; !slices.Equal(first, []string{"STARTED", "Source STARTED", "Source/Source STARTED", "Source/Source SUCCEEDED"}) {
		t.Errorf("events begin with %q", first)
	}
}

// historyTells checks the list of actions of the execution of TestExecutionRuns.
func (w *world) historyTells(id string) {
	w.t.Helper()
	var names []string
	var token *string
	for {
		page := must[*api.ListActionExecutionsOutput](w.t)(w.client.ListActionExecutions(w.t.Context(), &api.ListActionExecutionsInput{
			PipelineName: aws.String("p"), MaxResults: aws.Int32(3), NextToken: token, Filter: &types.ActionExecutionFilter{PipelineExecutionId: &id},
		}))
		for _, d := range page.ActionExecutionDetails {
			names = append(names, *d.ActionName)
			if *d.ActionName == "Deploy" {
				if got := d.Input.ResolvedConfiguration["StackName"]; got != "site-by-quick-build-2" {
					w.t.Errorf("resolved stack name: %q", got)
				}
				key := *d.Output.OutputArtifacts[0].S3location.Key
				if !strings.HasPrefix(key, "p/Outputs/") || !strings.HasSuffix(key, ".zip") {
					w.t.Errorf("output artifact at %q", key)
				}
				if _, err := w.objects.get("artifacts/" + key); err != nil {
					w.t.Error(err)
				}
			}
		}
		if token = page.NextToken; token == nil {
			break
		}
	}
	if diff := cmp.Diff([]string{"Deploy", "Compile", "Lint", "Source"}, names); diff != "" {
		w.t.Error(diff)
	}
}

func TestFailureAndRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(stage("Build", build("One", "slow-1"), build("Two", "slow-2"), build("Later", "quick", order(2))), stage("Next", build("Last", "quick")))
	id := w.first()
	w.building(2)
	for _, b := range w.builds.starts {
		status := cbtypes.StatusTypeSucceeded
		if *b.ProjectName == "slow-2" {
			status = cbtypes.StatusTypeFailed
		}
		w.builds.finish(*b.ProjectName+":"+map[bool]string{true: "1", false: "2"}[b == w.builds.starts[0]], status)
	}
	w.reaches(id, types.PipelineExecutionStatusFailed)
	if want := "Source Succeeded: Source=Succeeded\nBuild Failed: One=Succeeded Two=Failed\nNext:\n"; w.picture() != want {
		t.Errorf("got\n%s", w.picture())
	}
	details := w.action("Two").LatestExecution.ErrorDetails
	if details == nil || *details.Code != "JobFailed" || !strings.Contains(*details.Message, "Phase: BUILD, Code: COMMAND_EXECUTION_ERROR") {
		t.Errorf("error details: %+v", details)
	}
	if _, err := w.client.RetryStageExecution(t.Context(), &api.RetryStageExecutionInput{
		PipelineName: aws.String("p"), PipelineExecutionId: &id, StageName: aws.String("Next"), RetryMode: types.StageRetryModeFailedActions,
	}); code(err) != "StageNotRetryableException" {
		t.Errorf("retry of a stage that has not run: %v", err)
	}
	must[*api.RetryStageExecutionOutput](t)(w.client.RetryStageExecution(t.Context(), &api.RetryStageExecutionInput{
		PipelineName: aws.String("p"), PipelineExecutionId: &id, StageName: aws.String("Build"), RetryMode: types.StageRetryModeFailedActions,
	}))
	w.building(3)
	w.builds.finish("slow-2:3", cbtypes.StatusTypeSucceeded)
	w.reaches(id, types.PipelineExecutionStatusSucceeded)
	if n := len(w.builds.starts); n != 5 {
		t.Errorf("%d builds ran: the one that had succeeded ran again, or others did not run", n)
	}
}
