package codepipeline_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/google/go-cmp/cmp"
)

// heard waits for an event and gives its detail, and all that was told since
// the last call.
func (w *world) heard(what string) (detail map[string]any, told []string) {
	w.t.Helper()
	w.until("the event "+what, func() bool {
		w.notices.mu.Lock()
		defer w.notices.mu.Unlock()
		return slices.Contains(w.notices.told, what) && w.notices.told[len(w.notices.told)-1] == what
	})
	w.notices.mu.Lock()
	defer w.notices.mu.Unlock()
	told, w.notices.told = w.notices.told, nil
	return w.notices.last, told
}

// What happened before a process died is told by the next one, once and in
// order.
func TestEventsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.notices.deaf = true
	w.create(stage("Build", build("B", "quick")))
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
	w.close()
	w.notices.deaf = false
	w.open()
	want := []string{
		"STARTED", "Source STARTED", "Source/Source STARTED", "Source/Source SUCCEEDED", "Source SUCCEEDED",
		"Build STARTED", "Build/B STARTED", "Build/B SUCCEEDED", "Build SUCCEEDED", "SUCCEEDED",
	}
	_, told := w.heard("SUCCEEDED")
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	w.close()
	w.open()
	w.start()
	if _, told := w.heard("SUCCEEDED"); len(told) != len(want) {
		t.Errorf("told again: %q", told)
	}
}

func TestEventsOfInterventions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(stage("Build", build("B", "slow")))
	id := w.first()
	detail, _ := w.heard("Build/B STARTED")
	w.building(1)
	must[*api.StopPipelineExecutionOutput](t)(w.client.StopPipelineExecution(t.Context(), &api.StopPipelineExecutionInput{
		PipelineName: aws.String("p"), PipelineExecutionId: &id, Abandon: true, Reason: aws.String("enough"),
	}))
	if diff := cmp.Diff("1", detail["type"].(map[string]any)["version"]); diff != "" {
		t.Error(diff)
	}
	detail, told := w.heard("STOPPED")
	if diff := cmp.Diff([]string{"STOPPING", "Build STOPPING", "Build/B ABANDONED", "Build STOPPED", "STOPPED"}, told); diff != "" {
		t.Error(diff)
	}
	if detail["stop-execution-comments"] != "enough" || detail["pipeline-execution-attempt"] != 1.0 {
		t.Errorf("detail %v", detail)
	}
	if err := w.retry(id, "Build", types.StageRetryModeAllActions); err != nil {
		t.Fatal(err)
	}
	_, told = w.heard("Build/B STARTED")
	if diff := cmp.Diff([]string{"RESUMED", "Build RESUMED", "Build/B STARTED"}, told); diff != "" {
		t.Error(diff)
	}
	w.building(2)
	w.finish("slow", cbtypes.StatusTypeSucceeded)
	detail, _ = w.heard("SUCCEEDED")
	if detail["last-retry-attempt-time"] == nil || detail["pipeline-execution-attempt"] != 2.0 {
		t.Errorf("detail %v", detail)
	}
	w.start()
	w.heard("Build/B STARTED")
	must[*api.UpdatePipelineOutput](t)(w.client.UpdatePipeline(t.Context(), &api.UpdatePipelineInput{Pipeline: definition(stage("Build", build("C", "slow")))}))
	_, told = w.heard("CANCELED")
	if diff := cmp.Diff([]string{"Build/B CANCELED", "Build CANCELED", "CANCELED"}, told); diff != "" {
		t.Error(diff)
	}
}
