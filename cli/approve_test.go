package cli

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/charmbracelet/x/ansi"

	"ouro/pipeline"
)

func TestChooseApproval(t *testing.T) {
	t.Parallel()
	two := []pipeline.Approval{{Stage: "qa", Action: "Approve"}, {Stage: "prod", Action: "Approve"}, {Stage: "prod", Action: "Lawyers"}}
	tests := map[string]struct {
		waiting       []pipeline.Approval
		stage, action string
		want          string // the approval, or what the error says
	}{
		"none":             {nil, "", "", `nothing waits for an approval in pipeline "site"`},
		"none, named":      {nil, "prod", "", `nothing waits for an approval in pipeline "site"`},
		"the only one":     {two[:1], "", "", "qa Approve"},
		"several":          {two, "", "", `several approvals wait in pipeline "site" (qa › Approve, prod › Approve, prod › Lawyers): choose one with --stage and --action`},
		"by stage":         {two, "qa", "", "qa Approve"},
		"still several":    {two, "prod", "", "several approvals wait"},
		"by action":        {two, "", "Lawyers", "prod Lawyers"},
		"by both":          {two, "prod", "Approve", "prod Approve"},
		"not that one":     {two, "Deploy", "", `that does not wait for an approval in pipeline "site"; what does: qa › Approve, prod › Approve, prod › Lawyers`},
		"not in the stage": {two, "qa", "Lawyers", "that does not wait"},
	}
	for name, test := range tests {
		o := &approveOptions{stage: test.stage, action: test.action}
		a, err := o.choose("site", test.waiting)
		got := a.Stage + " " + a.Action
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestAskForApproval(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{"y\n": "", "yes\n": "", "n\n": "nothing was decided", "\n": "nothing was decided", "": "nothing was decided"} {
		var asked bytes.Buffer
		o := &approveOptions{reject: true, target: targetFlags{asker: &asker{lines: bufio.NewReader(strings.NewReader(answer)), out: &asked}}}
		got := ""
		if err := o.ask(t.Context()); err != nil {
			got = err.Error()
		}
		if got != want || !strings.HasPrefix(asked.String(), "Reject? [y/N] ") {
			t.Errorf("%q: %q, asked %q", answer, got, asked.String())
		}
	}
	var usage usageError
	if err := (&approveOptions{}).ask(t.Context()); !errors.As(err, &usage) {
		t.Errorf("with nobody there: %v", err)
	}
	if err := (&approveOptions{yes: true}).ask(t.Context()); err != nil {
		t.Errorf("with --yes: %v", err)
	}
}

func TestChooseRetry(t *testing.T) {
	t.Parallel()
	stage := func(name string, status types.StageExecutionStatus, execution string) pipeline.StageStatus {
		return pipeline.StageStatus{Name: name, Status: status, Execution: execution}
	}
	const ok, bad, stopped = types.StageExecutionStatusSucceeded, types.StageExecutionStatusFailed, types.StageExecutionStatusStopped
	tests := map[string]struct {
		stages []pipeline.StageStatus
		stage  string
		want   string
	}{
		"nothing failed":       {[]pipeline.StageStatus{stage("A", ok, "2"), stage("B", "", "")}, "", `nothing to retry: no stage of pipeline "site" has failed`},
		"the newest":           {[]pipeline.StageStatus{stage("A", bad, "2"), stage("B", bad, "1")}, "", "A"},
		"an older, named":      {[]pipeline.StageStatus{stage("A", bad, "2"), stage("B", bad, "1")}, "B", "B"},
		"the only, older":      {[]pipeline.StageStatus{stage("A", ok, "2"), stage("B", stopped, "1")}, "", "B"},
		"several older":        {[]pipeline.StageStatus{stage("A", ok, "2"), stage("B", bad, "1"), stage("C", bad, "0")}, "", `several stages of pipeline "site" have failed (B, C)`},
		"named, has succeeded": {[]pipeline.StageStatus{stage("A", ok, "2")}, "A", `stage "A" of pipeline "site" has not failed`},
		"named, not there":     {[]pipeline.StageStatus{stage("A", ok, "2")}, "X", `pipeline "site" has no stage "X"`},
	}
	for name, test := range tests {
		o := &retryOptions{stage: test.stage}
		st, err := o.choose(&pipeline.Status{Name: "site", Newest: &pipeline.ExecutionStatus{ID: "2"}, Stages: test.stages})
		got := st.Name
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestStatusFits: on a terminal no line is wider than it, whatever the names
// are, and nothing that a commit says reaches it but text. Only the command to
// copy is not cut.
func TestStatusFits(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	long := strings.Repeat("long-", 30)
	s := pipelineStatus{
		Status: &pipeline.Status{
			Name: "site", Version: 7, Updated: now.Add(-49 * time.Hour), Mode: types.ExecutionModeQueued,
			Newest: &pipeline.ExecutionStatus{
				ID: "11111111-2222-3333-4444-555555555555", Status: types.PipelineExecutionStatusInProgress, Started: now.Add(-90 * time.Second),
				Revisions: []pipeline.Revision{{ID: "0123456789abcdef", Summary: "Mend \x1b[2J" + long + "\nmore"}, {ID: "1.0", Summary: "tiny"}},
			},
			Stages: []pipeline.StageStatus{
				{Name: long, Status: types.StageExecutionStatusInProgress, Execution: "11111111-2222-3333-4444-555555555555", Actions: []pipeline.ActionStatus{
					{Name: long, Status: types.ActionExecutionStatusSucceeded, Summary: long, Changed: now.Add(-time.Minute)},
					{Name: "Deploy", Status: types.ActionExecutionStatusFailed, Changed: now.Add(-3 * time.Hour)},
					{Name: "Never"},
				}},
				{Name: "Older", Status: types.StageExecutionStatusSucceeded, Execution: "99999999-2222-3333-4444-555555555555", Closed: "holidays"},
			},
			Waiting: []pipeline.Approval{{Stage: "prod", Action: "Approve", Text: long, Since: now.Add(-time.Second)}},
		},
		Deployed: []pipeline.Stack{{Name: long, Status: "ROLLBACK_COMPLETE", Reason: long, Protected: true, Changed: now, Outputs: []pipeline.Output{{Name: "Url", Value: long}}}},
	}
	for width, colour := range map[int]bool{40: false, 80: true} {
		var out bytes.Buffer
		d := newStatusDrawer(IO{Out: &out, Terminal: true, Width: width, Color: colour}, now)
		d.pipeline(s, "ouro approve site")
		text := ansi.Strip(out.String())
		for line := range strings.Lines(text) {
			if w := ansi.StringWidth(strings.TrimSuffix(line, "\n")); w > width {
				t.Errorf("%d columns in %d: %s", w, width, line)
			}
		}
		if strings.Contains(out.String(), "\x1b[2J") {
			t.Error("a commit's message clears the screen")
		}
		for _, want := range []string{
			"Pipeline site, version 7  2d ago, QUEUED\n", "  01234567  Mend long-", "  1.0  tiny\n", "  ouro approve site --stage prod\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		if width < 80 {
			continue
		}
		for _, want := range []string{
			"    Deploy                Failed       3h ago   in an earlier execution\n", "    Never                 -\n",
			"  Older                   Succeeded             closed: holidays\n", "Waits for approval: prod › Approve, for 1s\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	}
}

// TestLogPrinterNames: lines have names when they can be of several actions.
func TestLogPrinterNames(t *testing.T) {
	t.Parallel()
	declared := []pipeline.Action{
		{Stage: "Source", Name: "Source", Provider: "CodeCommit"}, {Stage: "Build", Name: "Publish", Provider: "CodeBuild"}, {Stage: "prod", Name: "Review", Provider: "CodeBuild"},
	}
	for want, q := range map[string]pipeline.LogQuery{
		"prod › Review   │ hello\n": {}, "hello\n": {Stage: "prod"},
	} {
		var out bytes.Buffer
		p := newLogPrinter(newNarrator(IO{Err: io.Discard}), IO{Out: &out}, "")
		p.prefix(q, declared)
		p.Log(declared[2], "hello")
		if out.String() != want {
			t.Errorf("%+v: %q", q, out.String())
		}
	}
}
