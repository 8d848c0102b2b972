package cloudformation_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudtest/tool"
)

// TestCommandLine takes a tree of stacks through its life with the AWS CLI.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir, url := t.TempDir(), w.put("leaf.yaml", leaf)
	write := func(name string, resources map[string]any) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(template(t, resources)), 0o600); err != nil {
			t.Fatal(err)
		}
		return "file://" + path
	}
	tree := func(value string) map[string]any {
		return map[string]any{"Leaf": stackOf(url, map[string]any{"Value": value, "Name": "cli"})}
	}
	cli := tool.NewAWS(t, w.URL, "cloudformation")
	must := cli.Run
	ends := func(want types.StackStatus) {
		t.Helper()
		if s := w.settled("cli"); s.StackStatus != want {
			t.Fatalf("%s\n%s", s.StackStatus, w.story("cli"))
		}
	}
	must("create-stack", "--stack-name", "cli", "--template-body", write("one", tree("1")), "--tags", "Key=a,Value=b")
	ends(types.StackStatusCreateComplete)
	must("create-change-set", "--stack-name", "cli", "--change-set-name", "two", "--template-body", write("two", tree("2")), "--include-nested-stacks")
	told := must("describe-change-set", "--stack-name", "cli", "--change-set-name", "two", "--include-property-values",
		"--query", "Changes[].ResourceChange.Details[].Target.[Path,BeforeValue,AfterValue]")
	if told != "/Properties/Parameters/Value\t1\t2" {
		t.Errorf("the change set tells %q", told)
	}
	must("execute-change-set", "--stack-name", "cli", "--change-set-name", "two")
	ends(types.StackStatusUpdateComplete)
	bad := tree("3")
	bad["Bad"] = broken("Leaf")
	must("update-stack", "--stack-name", "cli", "--template-body", write("bad", bad))
	ends(types.StackStatusUpdateRollbackComplete)
	if got := w.parameters()["cli"]; got != "2" {
		t.Errorf("the leaf has %q", got)
	}
	if out, code := cli.Try("update-stack", "--stack-name", "cli", "--template-body", write("two", tree("2"))); code == 0 || !strings.Contains(out, "No updates are to be performed.") {
		t.Errorf("an update of nothing: exit status %d\n%s", code, out)
	}
	id := *w.describe("cli").StackId
	must("delete-stack", "--stack-name", "cli")
	must("wait", "stack-delete-complete", "--stack-name", w.settledID(id))
	if len(w.parameters()) != 0 {
		t.Errorf("left is %v", w.parameters())
	}
}

// settledID waits for a stack to be settled and gives its id back.
func (w *world) settledID(id string) string {
	w.t.Helper()
	w.settled(id)
	return id
}

// TestBoto3 does the same with boto3.
func TestBoto3(t *testing.T) {
	t.Parallel()
	python := tool.Find(t, "python3", "-c", "import boto3")
	w := newWorld(t)
	out, err := exec.CommandContext(t.Context(), python, "testdata/tree.py", w.URL, w.put("leaf.yaml", leaf)).CombinedOutput()
	if err != nil || len(w.parameters()) != 0 {
		t.Errorf("%v\n%s\nleft is %v", err, out, w.parameters())
	}
}
