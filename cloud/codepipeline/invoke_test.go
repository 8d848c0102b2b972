package codepipeline_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"
)

// functions stand in for Lambda. Each call puts a result: a failure if the
// function is called "fails", a continuation if it is "twice" and has no token
// yet, a success else; "silent" puts none.
type functions struct {
	*world
	mu    sync.Mutex
	calls []string // function and token
	last  string   // the event
}

func (f *functions) told() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *functions) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	var event struct {
		Job struct {
			ID   string
			Data struct{ ContinuationToken string }
		} `json:"CodePipeline.job"`
	}
	if err := json.Unmarshal(in.Payload, &event); err != nil {
		return nil, err
	}
	job, token := aws.String(event.Job.ID), event.Job.Data.ContinuationToken
	f.mu.Lock()
	f.calls, f.last = append(f.calls, *in.FunctionName+" "+token), string(in.Payload)
	f.mu.Unlock()
	var err error
	switch {
	case *in.FunctionName == "silent":
	case *in.FunctionName == "fails":
		_, err = f.client.PutJobFailureResult(ctx, &api.PutJobFailureResultInput{
			JobId: job, FailureDetails: &types.FailureDetails{Type: types.FailureTypeJobFailed, Message: aws.String("it rained")},
		})
	case *in.FunctionName == "twice" && token == "":
		_, err = f.client.PutJobSuccessResult(ctx, &api.PutJobSuccessResultInput{JobId: job, ContinuationToken: aws.String("more")})
	default:
		_, err = f.client.PutJobSuccessResult(ctx, &api.PutJobSuccessResultInput{JobId: job, OutputVariables: map[string]string{"Said": "hello"}})
	}
	return &lambda.InvokeOutput{StatusCode: 202}, err
}

func TestLambdaInvoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &functions{world: w}
	w.more = map[string]any{"lambda": f}
	w.close()
	w.open()
	call := func(name, function string, with ...func(*types.ActionDeclaration)) types.ActionDeclaration {
		a := act(name, "Invoke", "Lambda", map[string]string{"FunctionName": function, "UserParameters": `{"a":1}`}, with...)
		a.Namespace = aws.String(name)
		return a
	}
	w.create(stage("Call", call("Twice", "twice", in("App"), out("Made")), build("Use", "quick-#{Twice.Said}", order(2))), stage("Fail", call("Fails", "fails")), stage("Never", call("Never", "silent")))
	w.reaches(w.first(), types.PipelineExecutionStatusFailed)
	if diff := cmp.Diff([]string{"twice ", "twice more", "fails "}, f.told()); diff != "" {
		t.Error(diff)
	}
	if got := *w.builds.starts[0].ProjectName; got != "quick-hello" {
		t.Errorf("the variable made the project %q", got)
	}
	if d := w.action("Fails").LatestExecution.ErrorDetails; *d.Message != "it rained" || *d.Code != "JobFailed" {
		t.Errorf("failure %s: %s", *d.Code, *d.Message)
	}
	for _, want := range []string{`"accountId":"000000000000"`, `"configuration":{"FunctionName":"fails","UserParameters":"{\"a\":1}"}`, `"artifactCredentials":{"accessKeyId":"ASIA"`, `"inputArtifacts":[]`} {
		if !strings.Contains(f.last, want) {
			t.Errorf("the event lacks %s: %s", want, f.last)
		}
	}
}

// A function that was called before the cloud went away is not called again;
// its answer counts.
func TestLambdaAfterCrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &functions{world: w}
	w.more = map[string]any{"lambda": f}
	w.close()
	w.open()
	w.create(stage("Call", act("Call", "Invoke", "Lambda", map[string]string{"FunctionName": "silent"})))
	w.until("the function is called", func() bool { return len(f.told()) == 1 })
	var event struct {
		Job struct{ ID string } `json:"CodePipeline.job"`
	}
	if err := json.Unmarshal([]byte(f.last), &event); err != nil {
		t.Fatal(err)
	}
	w.close()
	w.open()
	must[*api.PutJobSuccessResultOutput](t)(w.client.PutJobSuccessResult(t.Context(), &api.PutJobSuccessResultInput{JobId: &event.Job.ID}))
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
	if n := len(f.told()); n > 2 { // twice only if the call was not written down yet
		t.Errorf("%d calls", n)
	}
}

// A pipeline runs another one, and fails with it.
func TestPipelineInvoke(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := newWorld(t)
	inner := definition(stage("Build", build("Build", "#{variables.Project}")))
	inner.Name, inner.PipelineType = aws.String("inner"), types.PipelineTypeV2
	inner.Variables = []types.PipelineVariableDeclaration{{Name: aws.String("Project"), DefaultValue: aws.String("quick")}}
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(ctx, &api.CreatePipelineInput{Pipeline: inner}))
	call := func(project string) *types.PipelineDeclaration {
		def := definition(stage("Call", act("Call", "Invoke", "CodePipeline", map[string]string{
			"PipelineName": "inner", "Variables": `[{"name": "Project", "value": "` + project + `"}]`,
			"SourceRevisions": `[{"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "c0"}]`,
		})))
		def.PipelineType = types.PipelineTypeV2
		return def
	}
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(ctx, &api.CreatePipelineInput{Pipeline: call("slow")}))
	w.building(2) // the other one is inner's own first
	w.until("the inner execution is known", func() bool { e := w.action("Call").LatestExecution; return e != nil && e.ExternalExecutionId != nil })
	id := *w.action("Call").LatestExecution.ExternalExecutionId
	w.close()
	w.open()
	w.builds.finish("slow:2", "FAILED")
	w.reaches(w.first(), types.PipelineExecutionStatusFailed)
	if got, want := *w.action("Call").LatestExecution.ErrorDetails.Message, "The execution "+id+" of pipeline inner ended with status Failed"; got != want {
		t.Errorf("got %q", got)
	}
	must[*api.UpdatePipelineOutput](t)(w.client.UpdatePipeline(ctx, &api.UpdatePipelineInput{Pipeline: call("quick")}))
	w.reaches(w.start(), types.PipelineExecutionStatusSucceeded)
	e := must[*api.GetPipelineExecutionOutput](t)(w.client.GetPipelineExecution(ctx, &api.GetPipelineExecutionInput{
		PipelineName: aws.String("inner"), PipelineExecutionId: w.action("Call").LatestExecution.ExternalExecutionId,
	})).PipelineExecution
	if *e.ArtifactRevisions[0].RevisionId != "c0" || *e.Variables[0].ResolvedValue != "quick" {
		t.Errorf("the inner execution had %+v, %+v", e.ArtifactRevisions, e.Variables)
	}
}
