package cloudformation_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"
)

// changeSet makes a change set and tells of it.
func (w *world) changeSet(stack, name string, kind types.ChangeSetType, body string, change ...func(*cloudformation.CreateChangeSetInput)) *cloudformation.DescribeChangeSetOutput {
	w.t.Helper()
	in := &cloudformation.CreateChangeSetInput{StackName: &stack, ChangeSetName: &name, ChangeSetType: kind, TemplateBody: &body}
	for _, c := range change {
		c(in)
	}
	if _, err := w.cfn.CreateChangeSet(w.t.Context(), in); err != nil {
		w.t.Fatal(err)
	}
	out, err := w.cfn.DescribeChangeSet(w.t.Context(), &cloudformation.DescribeChangeSetInput{StackName: &stack, ChangeSetName: &name, IncludePropertyValues: aws.Bool(true)})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) execute(stack, name string) types.Stack {
	w.t.Helper()
	if _, err := w.cfn.ExecuteChangeSet(w.t.Context(), &cloudformation.ExecuteChangeSetInput{StackName: &stack, ChangeSetName: &name}); err != nil {
		w.t.Fatal(err)
	}
	return w.settled(stack)
}

// summary is the changes of a change set, one a line.
func summary(cs *cloudformation.DescribeChangeSetOutput) (lines []string) {
	for _, c := range cs.Changes {
		r := c.ResourceChange
		lines = append(lines, fmt.Sprintf("%s %s %s", r.Action, *r.LogicalResourceId, r.Replacement))
		for _, d := range r.Details {
			lines = append(lines, fmt.Sprintf("  %s %s: %s -> %s (%s)", d.Target.Attribute, aws.ToString(d.Target.Name),
				aws.ToString(d.Target.BeforeValue), aws.ToString(d.Target.AfterValue), d.Target.RequiresRecreation))
		}
	}
	return lines
}

func TestChangeSets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := template(t, map[string]any{"A": parameter("1"), "B": parameter("2"), "C": parameter("3")})
	cs := w.changeSet("s", "one", types.ChangeSetTypeCreate, first)
	if diff := cmp.Diff([]string{"Add A ", "Add B ", "Add C "}, summary(cs)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if s := w.describe("s"); s.StackStatus != types.StackStatusReviewInProgress {
		t.Errorf("the stack is in %s", s.StackStatus)
	}
	if s := w.execute("s", "one"); s.StackStatus != types.StackStatusCreateComplete || aws.ToString(s.ChangeSetId) != *cs.ChangeSetId {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}

	cs = w.changeSet("s", "same", types.ChangeSetTypeUpdate, first)
	const nothing = "The submitted information didn't contain changes. Submit different information to create a change set."
	if cs.Status != types.ChangeSetStatusFailed || aws.ToString(cs.StatusReason) != nothing || cs.ExecutionStatus != types.ExecutionStatusUnavailable {
		t.Errorf("the change set is %s: %s", cs.Status, aws.ToString(cs.StatusReason))
	}
	_, err := w.cfn.ExecuteChangeSet(t.Context(), &cloudformation.ExecuteChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("same")})
	refused(t, err, "InvalidChangeSetStatus", "cannot be executed in its current status of [FAILED]")

	cs = w.changeSet("s", "two", "", template(t, map[string]any{"A": parameter("one"), "B": parameter("2", "Name", "b"), "D": parameter(ref("B"))}))
	want := []string{
		"Modify A False", "  Properties Value: 1 -> one (Never)",
		"Modify B True", "  Properties Name:  -> b (Always)",
		"Add D ", "Remove C ",
	}
	if diff := cmp.Diff(want, summary(cs)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if s := w.execute("s", "two"); s.StackStatus != types.StackStatusUpdateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	list, err := w.cfn.ListChangeSets(t.Context(), &cloudformation.ListChangeSetsInput{StackName: aws.String("s")})
	if err != nil || len(list.Summaries) != 1 || list.Summaries[0].ExecutionStatus != types.ExecutionStatusExecuteComplete {
		t.Errorf("change sets are %v, %v", list, err)
	}

	_, err = w.cfn.DescribeChangeSet(t.Context(), &cloudformation.DescribeChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("none")})
	refused(t, err, "ChangeSetNotFound", "ChangeSet [none] does not exist")
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) && resp.HTTPStatusCode() != http.StatusNotFound {
		t.Errorf("a missing change set is answered with %d", resp.HTTPStatusCode())
	}
	if _, err := w.cfn.DeleteChangeSet(t.Context(), &cloudformation.DeleteChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("two")}); err != nil {
		t.Error(err)
	}
}
