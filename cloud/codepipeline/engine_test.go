package codepipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func TestNewerExecutionsSupersede(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(stage("Build", build("Slow", "slow")))
	first := w.first()
	w.building(1)
	second := w.start()
	w.until("the second waits", func() bool { return strings.Contains(w.inbound("Build"), second) })
	third := w.start()
	w.reaches(second, types.PipelineExecutionStatusSuperseded)
	w.builds.finish("slow:1", cbtypes.StatusTypeSucceeded)
	w.reaches(first, types.PipelineExecutionStatusSucceeded)
	w.building(2)
	w.builds.finish("slow:2", cbtypes.StatusTypeSucceeded)
	w.reaches(third, types.PipelineExecutionStatusSucceeded)
}

func TestExecutionModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []types.ExecutionMode{types.ExecutionModeQueued, types.ExecutionModeParallel} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			def := definition(stage("Build", build("Slow", "slow")))
			def.ExecutionMode = mode
			if _, err := w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}); code(err) != "InvalidStructureException" {
				t.Fatalf("type V1: %v", err)
			}
			def.PipelineType = types.PipelineTypeV2
			must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}))
			ids := []string{w.first(), w.start(), w.start()}
			if mode == types.ExecutionModeParallel {
				w.building(3)
			}
			for i, b := range []string{"slow:1", "slow:2", "slow:3"} {
				if mode == types.ExecutionModeQueued {
					w.building(i + 1)
				}
				w.builds.finish(b, cbtypes.StatusTypeSucceeded)
			}
			for _, id := range ids {
				w.reaches(id, types.PipelineExecutionStatusSucceeded)
			}
		})
	}
}

// inbound are the executions that wait before a stage.
func (w *world) inbound(name string) string {
	w.t.Helper()
	out := must[*api.GetPipelineStateOutput](w.t)(w.client.GetPipelineState(w.t.Context(), &api.GetPipelineStateInput{Name: aws.String("p")}))
	var ids []string
	for _, st := range out.StageStates {
		if *st.StageName == name {
			for _, e := range st.InboundExecutions {
				ids = append(ids, *e.PipelineExecutionId)
			}
		}
	}
	return strings.Join(ids, " ")
}

func TestApproval(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		result types.ApprovalStatus
		want   types.PipelineExecutionStatus
	}{
		{types.ApprovalStatusApproved, types.PipelineExecutionStatusSucceeded},
		{types.ApprovalStatusRejected, types.PipelineExecutionStatusFailed},
	} {
		t.Run(string(test.result), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.create(stage("Ask", act("Ask", "Approval", "Manual", map[string]string{"CustomData": "#{SourceVariables.CommitId}"})))
			w.until("the approval waits", func() bool {
				e := w.action("Ask").LatestExecution
				return e != nil && e.Token != nil
			})
			put := func(token string) error {
				_, err := w.client.PutApprovalResult(t.Context(), &api.PutApprovalResultInput{
					PipelineName: aws.String("p"), StageName: aws.String("Ask"), ActionName: aws.String("Ask"), Token: &token,
					Result: &types.ApprovalResult{Status: test.result, Summary: aws.String("because")},
				})
				return err
			}
			for want, result := range map[string]*types.ApprovalResult{
				"Value 'Maybe' at 'result.status'": {Status: "Maybe", Summary: aws.String("")},
				"at 'result.summary' failed":       {Status: test.result, Summary: aws.String(strings.Repeat("x", 513))},
			} {
				_, err := w.client.PutApprovalResult(t.Context(), &api.PutApprovalResultInput{
					PipelineName: aws.String("p"), StageName: aws.String("Ask"), ActionName: aws.String("Ask"), Token: aws.String("x"), Result: result,
				})
				if code(err) != "ValidationException" || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %v", want, err)
				}
			}
			token := *w.action("Ask").LatestExecution.Token
			if err := put("00000000-0000-0000-0000-000000000000"); code(err) != "InvalidApprovalTokenException" {
				t.Errorf("wrong token: %v", err)
			}
			if err := put(token); err != nil {
				t.Fatal(err)
			}
			w.reaches(w.first(), test.want)
			if e := w.action("Ask").LatestExecution; *e.Summary != "because" || e.Token != nil || e.LastUpdatedBy == nil {
				t.Errorf("after the approval: %+v", e)
			}
			if err := put(token); code(err) != "ApprovalAlreadyCompletedException" {
				t.Errorf("second time: %v", err)
			}
		})
	}
}

func TestClosedTransition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repos.push("", nil)
	w.create(stage("Build", build("Quick", "quick")))
	w.reaches(w.first(), types.PipelineExecutionStatusFailed)
	if m := w.action("Source").LatestExecution.ErrorDetails.Message; !strings.HasPrefix(*m, "The action failed because no branch named main was found") {
		t.Errorf("without a branch: %s", *m)
	}
	must[*api.DisableStageTransitionOutput](t)(w.client.DisableStageTransition(t.Context(), &api.DisableStageTransitionInput{
		PipelineName: aws.String("p"), StageName: aws.String("Source"), TransitionType: types.StageTransitionTypeOutbound, Reason: aws.String("Christmas"),
	})) // the way out of a stage is that into the next
	if tr := w.stage("Build").InboundTransitionState; tr.Enabled || *tr.DisabledReason != "Christmas" || tr.LastChangedBy == nil {
		t.Errorf("the transition: %+v", tr)
	}
	w.repos.push("c1", nil)
	one := w.start()
	w.until("waits", func() bool { return w.inbound("Build") == one })
	two := w.start()
	w.reaches(one, types.PipelineExecutionStatusSuperseded)
	must[*api.EnableStageTransitionOutput](t)(w.client.EnableStageTransition(t.Context(), &api.EnableStageTransitionInput{
		PipelineName: aws.String("p"), StageName: aws.String("Build"), TransitionType: types.StageTransitionTypeInbound,
	}))
	w.reaches(two, types.PipelineExecutionStatusSucceeded)
}

func TestStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(stage("Build", build("Slow", "slow"), build("Later", "quick", order(2))))
	id := w.first()
	w.building(1)
	stop := func(abandon bool) error {
		_, err := w.client.StopPipelineExecution(t.Context(), &api.StopPipelineExecutionInput{
			PipelineName: aws.String("p"), PipelineExecutionId: &id, Abandon: abandon, Reason: aws.String("enough"),
		})
		return err
	}
	if err := stop(false); err != nil {
		t.Fatal(err)
	}
	if err := stop(false); code(err) != "DuplicatedStopRequestException" {
		t.Errorf("second stop: %v", err)
	}
	if s := w.execution(id).Status; s != types.PipelineExecutionStatusStopping {
		t.Errorf("status %s", s)
	}
	w.builds.finish("slow:1", cbtypes.StatusTypeSucceeded)
	w.reaches(id, types.PipelineExecutionStatusStopped)
	if err := stop(true); code(err) != "PipelineExecutionNotStoppableException" {
		t.Errorf("stop after the end: %v", err)
	}

	id = w.start()
	w.building(2)
	if err := stop(true); err != nil {
		t.Fatal(err)
	}
	w.reaches(id, types.PipelineExecutionStatusStopped)
	if want := "Source Succeeded: Source=Succeeded\nBuild Stopped: Slow=Abandoned\n"; !strings.HasPrefix(w.picture(), want[:len(want)-1]) {
		t.Errorf("got\n%s", w.picture())
	}
	must[*api.RetryStageExecutionOutput](t)(w.client.RetryStageExecution(t.Context(), &api.RetryStageExecutionInput{
		PipelineName: aws.String("p"), PipelineExecutionId: &id, StageName: aws.String("Build"), RetryMode: types.StageRetryModeFailedActions,
	}))
	w.building(3)
	w.builds.finish("slow:3", cbtypes.StatusTypeSucceeded)
	w.reaches(id, types.PipelineExecutionStatusSucceeded)
}

func TestUpdateCancels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(stage("Build", build("Slow", "slow")))
	id := w.first()
	w.building(1)
	same := definition(stage("Build", build("Slow", "slow")))
	if out := must[*api.UpdatePipelineOutput](t)(w.client.UpdatePipeline(t.Context(), &api.UpdatePipelineInput{Pipeline: same})); *out.Pipeline.Version != 2 {
		t.Errorf("version %d", *out.Pipeline.Version)
	}
	if s := w.execution(id).Status; s != types.PipelineExecutionStatusInProgress {
		t.Errorf("an update that changes nothing made the execution %s", s)
	}
	next := definition(stage("Build", build("Slow", "quick")), stage("More", build("Added", "quick")))
	out := must[*api.UpdatePipelineOutput](t)(w.client.UpdatePipeline(t.Context(), &api.UpdatePipelineInput{Pipeline: next}))
	if *out.Pipeline.Version != 3 {
		t.Errorf("version %d", *out.Pipeline.Version)
	}
	w.reaches(id, types.PipelineExecutionStatusCancelled)
	if want := "Source Succeeded: Source=Succeeded\nBuild Cancelled: Slow=Abandoned\nMore:\n"; w.picture() != want {
		t.Errorf("got\n%s", w.picture())
	}
	w.reaches(w.start(), types.PipelineExecutionStatusSucceeded)
	old := must[*api.GetPipelineOutput](t)(w.client.GetPipeline(t.Context(), &api.GetPipelineInput{Name: aws.String("p"), Version: aws.Int32(1)}))
	if len(old.Pipeline.Stages) != 2 {
		t.Errorf("version 1 has %d stages", len(old.Pipeline.Stages))
	}
	if _, err := w.client.RetryStageExecution(t.Context(), &api.RetryStageExecutionInput{
		PipelineName: aws.String("p"), PipelineExecutionId: &id, StageName: aws.String("Build"), RetryMode: types.StageRetryModeAllActions,
	}); code(err) != "NotLatestPipelineExecutionException" {
		t.Errorf("retry of the cancelled execution: %v", err)
	}
}

// A process that dies leaves actions in progress: a build that it had started
// is followed on, and not started again.
func TestResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(stage("Build", build("Slow", "slow")), stage("Ask", act("Ask", "Approval", "Manual", nil)))
	id := w.first()
	w.building(1)
	w.until("the build's id is known", func() bool {
		e := w.action("Slow").LatestExecution
		return e != nil && e.ExternalExecutionId != nil
	})
	w.close()
	w.builds.finish("slow:1", cbtypes.StatusTypeSucceeded)
	w.open()
	w.until("the approval waits", func() bool {
		e := w.action("Ask").LatestExecution
		return e != nil && e.Token != nil
	})
	token := w.action("Ask").LatestExecution.Token
	w.close()
	w.open()
	must[*api.PutApprovalResultOutput](t)(w.client.PutApprovalResult(t.Context(), &api.PutApprovalResultInput{
		PipelineName: aws.String("p"), StageName: aws.String("Ask"), ActionName: aws.String("Ask"), Token: token,
		Result: &types.ApprovalResult{Status: types.ApprovalStatusApproved, Summary: aws.String("yes")},
	}))
	w.reaches(id, types.PipelineExecutionStatusSucceeded)
	w.building(1)
}

func TestPolling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.service.PollWithin(50 * time.Millisecond)
	silent := definition(stage("Build", build("Quick", "quick")))
	silent.Name, silent.Stages[0].Actions[0].Configuration = aws.String("silent"), map[string]string{"RepositoryName": "silent", "BranchName": "main"}
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: silent}))
	w.until("a source that does not answer is asked by its action and by polling", func() bool { return w.repos.questions() > 1 })
	def := definition(stage("Build", build("Quick", "quick")))
	delete(def.Stages[0].Actions[0].Configuration, "PollForSourceChanges")
	w.repos.push("", nil)
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}))
	w.reaches(w.first(), types.PipelineExecutionStatusFailed)
	w.repos.push("c1", nil)
	newest := func() types.PipelineExecutionSummary {
		return must[*api.ListPipelineExecutionsOutput](t)(w.client.ListPipelineExecutions(t.Context(), &api.ListPipelineExecutionsInput{PipelineName: aws.String("p")})).PipelineExecutionSummaries[0]
	}
	w.until("the push is seen", func() bool { return newest().Status == types.PipelineExecutionStatusSucceeded })
	if tr := newest().Trigger; tr.TriggerType != types.TriggerTypePollForSourceChanges {
		t.Errorf("trigger %+v", tr)
	}
}
