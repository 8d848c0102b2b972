package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"
)

func whole(in *cloudformation.CreateChangeSetInput) { in.IncludeNestedStacks = aws.Bool(true) }

func (w *world) describeSet(id string) *cloudformation.DescribeChangeSetOutput {
	w.t.Helper()
	out, err := w.cfn.DescribeChangeSet(w.t.Context(), &cloudformation.DescribeChangeSetInput{ChangeSetName: &id, IncludePropertyValues: aws.Bool(true)})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// inside is the change set of a nested stack among the changes of another.
func (w *world) inside(cs *cloudformation.DescribeChangeSetOutput, logicalID string) *cloudformation.DescribeChangeSetOutput {
	w.t.Helper()
	for _, c := range cs.Changes {
		if *c.ResourceChange.LogicalResourceId == logicalID && c.ResourceChange.ChangeSetId != nil {
			return w.describeSet(*c.ResourceChange.ChangeSetId)
		}
	}
	w.t.Fatalf("%s has no change set for %s", *cs.ChangeSetName, logicalID)
	return nil
}

// TestNestedChangeSets makes, changes and gives up a tree through change sets.
func TestNestedChangeSets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	leafURL := w.put("leaf.yaml", leaf)
	middle := func(name string) string {
		return template(t, map[string]any{"Leaf": stackOf(leafURL, map[string]any{"Value": ref("V"), "Name": name})}, "Parameters", map[string]any{"V": map[string]any{"Type": "String"}})
	}
	root := func(url, value string) string {
		return template(t, map[string]any{"Middle": stackOf(url, map[string]any{"V": value}), "P": parameter("p", "Name", "p")})
	}
	one := root(w.put("one", middle("a")), "1")
	cs := w.changeSet("root", "make", types.ChangeSetTypeCreate, one, whole)
	m := w.inside(cs, "Middle")
	l := w.inside(m, "Leaf")
	if diff := cmp.Diff([]string{"Add P "}, summary(l)); diff != "" {
		t.Errorf("changes of the leaf (-want +got):\n%s", diff)
	}
	if aws.ToString(m.ParentChangeSetId) != *cs.ChangeSetId || aws.ToString(l.ParentChangeSetId) != *m.ChangeSetId || aws.ToString(l.RootChangeSetId) != *cs.ChangeSetId {
		t.Errorf("the leaf's change set is in %v of %v", l.ParentChangeSetId, l.RootChangeSetId)
	}
	if s := w.describe(*l.StackId); s.StackStatus != types.StackStatusReviewInProgress || aws.ToString(s.ParentId) != *m.StackId || aws.ToString(s.RootId) != *cs.StackId {
		t.Errorf("the leaf is %s in %v", s.StackStatus, s.ParentId)
	}
	_, err := w.cfn.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{ChangeSetName: l.ChangeSetId})
	refused(t, err, "ValidationError", "Execute the root change set")
	_, err = w.cfn.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: m.ChangeSetId})
	refused(t, err, "ValidationError", "Delete the root change set")

	// The stacks become what the change sets promised.
	if s := w.execute("root", "make"); s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("root"))
	}
	if got := w.physical(w.physical("root", "Middle"), "Leaf"); got != *l.StackId || w.parameters()["a"] != "1" {
		t.Errorf("the leaf is %s, promised was %s: %v", got, *l.StackId, w.parameters())
	}
	if got := w.describeSet(*l.ChangeSetId); got.ExecutionStatus != types.ExecutionStatusExecuteComplete {
		t.Errorf("the leaf's change set is %s", got.ExecutionStatus)
	}

	// A parameter goes down the tree.
	cs = w.changeSet("root", "change", "", strings.Replace(one, `"V":"1"`, `"V":"2"`, 1), whole)
	l = w.inside(w.inside(cs, "Middle"), "Leaf")
	if diff := cmp.Diff([]string{"Modify P False", "  Properties Value: 1 -> 2 (Never)", "  Properties Value: 1 -> 2 (Never)"}, summary(l)); diff != "" {
		t.Errorf("changes of the leaf (-want +got):\n%s", diff)
	}
	if s := w.execute("root", "change"); s.StackStatus != types.StackStatusUpdateComplete || w.parameters()["a"] != "2" {
		t.Errorf("%s: %v", s.StackStatus, w.parameters())
	}

	// What a nested template cannot be is what the root's change set fails for.
	cs = w.changeSet("root", "broken", "", root(w.put("two", `{"Resources": {"X": {"Type": "No::Such::Type"}}}`), "2"), whole)
	if cs.Status != types.ChangeSetStatusFailed || !strings.Contains(aws.ToString(cs.StatusReason), "was not successfully created: Currently in FAILED.") {
		t.Errorf("%s: %s", cs.Status, aws.ToString(cs.StatusReason))
	}

	// A root that goes takes the tree with it.
	cs = w.changeSet("other", "make", types.ChangeSetTypeCreate, strings.ReplaceAll(one, `"p"`, `"q"`), whole)
	m = w.inside(cs, "Middle")
	if _, err := w.cfn.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: cs.ChangeSetId}); err != nil {
		t.Fatal(err)
	}
	if s := w.describe(*m.StackId); s.StackStatus != types.StackStatusDeleteComplete {
		t.Errorf("the nested stack is %s", s.StackStatus)
	}
	if s := w.describe("other"); s.StackStatus != types.StackStatusReviewInProgress {
		t.Errorf("the root is %s", s.StackStatus)
	}
}

// TestNestedOutputs plans what uses an output of a nested stack by what the
// nested change set says of it.
func TestNestedOutputs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	child := w.put("child", template(t, map[string]any{
		"Net":  map[string]any{"Type": "AWS::EC2::VPC", "Properties": map[string]any{"CidrBlock": ref("Cidr"), "EnableDnsSupport": ref("Dns")}},
		"Side": parameter(ref("Dns")),
	}, "Parameters", map[string]any{"Cidr": map[string]any{"Type": "String"}, "Dns": map[string]any{"Type": "String"}},
		"Outputs", map[string]any{"Id": value(ref("Net")), "Cidr": value(ref("Cidr"))}))
	output := func(name string) map[string]any {
		return map[string]any{"Fn::GetAtt": []any{"Child", "Outputs." + name}}
	}
	root := func(cidr, dns string) string {
		return template(t, map[string]any{
			"Child": stackOf(child, map[string]any{"Cidr": cidr, "Dns": dns}),
			"Id":    parameter(output("Id"), "Name", "id"), "Cidr": parameter(output("Cidr"), "Name", "cidr"),
			"Inner": stackOf(w.put("inner", template(t, map[string]any{"P": parameter(ref("Net"))}, "Parameters", map[string]any{"Net": map[string]any{"Type": "String", "AllowedPattern": "vpc-[0-9a-f]+"}})),
				map[string]any{"Net": output("Id")}),
		})
	}
	w.create("root", root("10.0.0.0/16", "true"))
	vpc := w.parameters()["id"]

	// The outputs stay: nothing else is to do.
	cs := w.changeSet("root", "quiet", "", root("10.0.0.0/16", "false"), whole)
	if got := strings.Join(summary(cs), "\n"); !strings.Contains(got, "Modify Child") || strings.Contains(got, "Cidr ") || strings.Contains(got, "Inner") {
		t.Errorf("without a changed output:\n%s", got)
	}
	// One is known, the other comes with the new network.
	cs = w.changeSet("root", "moved", "", root("10.1.0.0/16", "true"), whole)
	got := strings.Join(summary(cs), "\n")
	for _, want := range []string{"Properties Value: 10.0.0.0/16 -> 10.1.0.0/16 (Never)", "Properties Value: " + vpc + " -> {{changeSet:KNOWN_AFTER_APPLY}} (Never)", "Modify Inner"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if inner := strings.Join(summary(w.inside(cs, "Inner")), "\n"); !strings.Contains(inner, "Modify P") {
		t.Errorf("the inner stack:\n%s", inner)
	}
	if s := w.execute("root", "moved"); s.StackStatus != types.StackStatusUpdateComplete || w.parameters()["cidr"] != "10.1.0.0/16" || w.parameters()["id"] == vpc {
		t.Errorf("%s: %v\n%s", s.StackStatus, w.parameters(), w.story("root"))
	}
}
