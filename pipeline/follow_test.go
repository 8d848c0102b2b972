package pipeline

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/google/go-cmp/cmp"
)

// answers is an endpoint that gives, for each operation, one answer after the
// other, and the last one again and again. So it can be as late and as odd as
// AWS is allowed to be.
type answers struct {
	mu sync.Mutex
	of map[string][]string
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	list := a.of[operation]
	if len(list) == 0 {
		http.Error(w, `{"__type": "InvalidAction"}`, http.StatusBadRequest)
		return
	}
	if len(list) > 1 {
		a.of[operation] = list[1:]
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	fmt.Fprint(w, list[0])
}

func scripted(t *testing.T, of map[string][]string) *Clients {
	t.Helper()
	server := httptest.NewServer(&answers{of: of})
	t.Cleanup(server.Close)
	return NewClients(aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("000000000000", "test", ""),
	})
}

// heard is what an observer was told.
type heard []string

func (h *heard) Step(string)                    {}
func (h *heard) StackEvent(cfntypes.StackEvent) {}
func (h *heard) Execution(string, string)       {}
func (h *heard) Action(a Action)                { *h = append(*h, a.Name+" "+string(a.Status)) }
func (h *heard) Log(a Action, line string)      { *h = append(*h, a.Name+": "+line) }

func execution(status types.PipelineExecutionStatus) string {
	return `{"pipelineExecution": {"pipelineExecutionId": "e", "status": "` + string(status) + `"}}`
}

// actions are an answer of ListActionExecutions: "id name provider status",
// oldest first.
func actions(list ...string) string {
	var out []string
	for _, text := range list {
		f := strings.Fields(text)
		out = append([]string{fmt.Sprintf(`{"actionExecutionId": %q, "stageName": "S", "actionName": %q, "status": %q,
			"input": {"actionTypeId": {"category": "x", "owner": "AWS", "version": "1", "provider": %q}},
			"output": {"executionResult": {"externalExecutionId": "b:1"}}}`, f[0], f[1], f[3], f[2])}, out...)
	}
	return `{"actionExecutionDetails": [` + strings.Join(out, ",") + `]}`
}

// TestRetryDoubtsTheOldEnd: the end that the execution had before the retry is
// not taken for the end of the retry.
func TestRetryDoubtsTheOldEnd(t *testing.T) {
	t.Parallel()
	before := actions("1 Publish Other Succeeded", "2 Deploy Other Failed")
	c := scripted(t, map[string][]string{
		"RetryStageExecution": {`{"pipelineExecutionId": "e"}`},
		"GetPipelineExecution": {
			execution("Failed"), execution("Failed"), execution("InProgress"), execution("Succeeded"),
		},
		"ListActionExecutions": {
			before, before,
			actions("1 Publish Other Succeeded", "2 Deploy Other Failed", "3 Deploy Other InProgress"),
			actions("1 Publish Other Succeeded", "2 Deploy Other Failed", "3 Deploy Other Succeeded"),
		},
	})
	var h heard
	out, err := Retry(t.Context(), c, "p", StageStatus{Name: "S", Execution: "e"}, false, &h)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(heard{"Deploy InProgress", "Deploy Succeeded"}, h); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if out.Status != types.PipelineExecutionStatusSucceeded || out.Failed() != nil {
		t.Errorf("the execution ended as %s, failed %+v", out.Status, out.Failed())
	}
}

// TestDecideEndsAtTheNextApproval: not at the one that was just decided, which
// AWS may show as waiting a little longer.
func TestDecideEndsAtTheNextApproval(t *testing.T) {
	t.Parallel()
	waits := actions("1 Approve Manual InProgress")
	c := scripted(t, map[string][]string{
		"PutApprovalResult":    {`{}`},
		"GetPipelineExecution": {execution("InProgress")},
		"ListActionExecutions": {
			waits, waits, waits,
			actions("1 Approve Manual Succeeded", "2 Deploy Other InProgress", "3 Again Manual InProgress"),
			actions("1 Approve Manual Succeeded", "2 Deploy Other Succeeded", "3 Again Manual InProgress"),
		},
	})
	var h heard
	decision := types.ApprovalResult{Status: types.ApprovalStatusApproved, Summary: aws.String("yes")}
	out, err := Decide(t.Context(), c, Approval{Pipeline: "p", Execution: "e", Stage: "S", Action: "Approve", token: "t"}, decision, &h)
	if err != nil {
		t.Fatal(err)
	}
	want := heard{"Approve Succeeded", "Deploy InProgress", "Again InProgress", "Deploy Succeeded"}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if w := out.Waiting(); len(w) != 1 || w[0].Name != "Again" {
		t.Errorf("waiting: %+v", w)
	}
}

// TestLogsGoOnAfterAnEmptyPage: only the same token again is the end of a log.
func TestLogsGoOnAfterAnEmptyPage(t *testing.T) {
	t.Parallel()
	page := func(token string, lines ...string) string {
		var events []string
		for _, line := range lines {
			events = append(events, fmt.Sprintf(`{"message": %q}`, line))
		}
		return fmt.Sprintf(`{"events": [%s], "nextForwardToken": %q}`, strings.Join(events, ","), token)
	}
	c := scripted(t, map[string][]string{
		"ListPipelineExecutions": {`{"pipelineExecutionSummaries": [{"pipelineExecutionId": "e"}]}`},
		"GetPipelineExecution":   {execution("Succeeded")},
		"ListActionExecutions":   {actions("1 Publish CodeBuild Succeeded", "2 Test CodeBuild Succeeded")},
		"BatchGetBuilds":         {`{"builds": [{"logs": {"groupName": "g", "streamName": "s"}}]}`},
		"GetLogEvents":           {page("f/1", "one\n"), page("f/2"), page("f/3", "two\r\nthree\n"), page("f/3")},
	})
	var h heard
	if _, err := Logs(t.Context(), c, "p", LogQuery{Action: "Publish"}, &h); err != nil {
		t.Fatal(err)
	}
	want := heard{"Publish InProgress", "Publish: one", "Publish: two", "Publish: three", "Publish Succeeded"}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestUnexecuted(t *testing.T) {
	t.Parallel()
	step := func(mode, stack string, status types.ActionExecutionStatus) types.ActionExecutionDetail {
		return types.ActionExecutionDetail{Status: status, Input: &types.ActionExecutionInput{
			Configuration:         map[string]string{"ActionMode": mode, "StackName": "#{v.stack}", "ChangeSetName": "reviewed"},
			ResolvedConfiguration: map[string]string{"ActionMode": mode, "StackName": stack, "ChangeSetName": "reviewed"},
		}}
	}
	const done, failed = types.ActionExecutionStatusSucceeded, types.ActionExecutionStatusFailed
	got := unexecuted([]types.ActionExecutionDetail{
		step("CHANGE_SET_REPLACE", "first", done), step("CHANGE_SET_EXECUTE", "first", done),
		step("CREATE_UPDATE", "other", done), {},
		step("CHANGE_SET_REPLACE", "second", failed), step("CHANGE_SET_REPLACE", "second", done),
		step("CHANGE_SET_REPLACE", "second", done),
		step("CHANGE_SET_REPLACE", "third", failed),
	})
	if len(got) != 1 || got[0] != (made{stack: "second", name: "reviewed"}) {
		t.Errorf("got %+v", got)
	}
}

func TestLinkedChangeSet(t *testing.T) {
	t.Parallel()
	const set = "arn:aws-cn:cloudformation:cn-north-1:111122223333:changeSet/reviewed/1-2"
	for link, want := range map[string]string{
		"https://x/cloudformation/home?region=cn-north-1#/stacks/changesets/changes?stackId=a&changeSetId=" + set:                                                     set,
		"https://x/cloudformation/home#/stacks/changesets/changes?changeSetId=arn%3Aaws-cn%3Acloudformation%3Acn-north-1%3A111122223333%3AchangeSet%2Freviewed%2F1-2": set,
		"https://x/#/?changeSetId=arn:aws:cloudformation:us-east-1:111122223333:stack/a/b":                                                                            "",
		"https://x/#/?changeSetId=%zz": "", "https://example.com/wiki": "", "": "",
	} {
		id, region := linkedChangeSet(link)
		if id != want || want != "" && region != "cn-north-1" {
			t.Errorf("%s: %q in %q", link, id, region)
		}
	}
}

func TestPlainSummary(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"ProviderType":"GitHub","CommitMessage":"Mend it\n\nAll of it"}`: "Mend it\n\nAll of it",
		`{"json": "as a commit's message"}`:                                `{"json": "as a commit's message"}`,
		"{ broken":                                                         "{ broken",
		"plain\n":                                                          "plain",
	} {
		if got := plainSummary(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
