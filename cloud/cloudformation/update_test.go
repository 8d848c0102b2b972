package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// tagsOf are the tags of a parameter.
func (w *world) tagsOf(name string) map[string]string {
	w.t.Helper()
	out, err := ssm.NewFromConfig(w.Config).ListTagsForResource(w.t.Context(), &ssm.ListTagsForResourceInput{ResourceType: ssmtypes.ResourceTypeForTaggingParameter, ResourceId: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	tags := map[string]string{}
	for _, t := range out.TagList {
		tags[*t.Key] = *t.Value
	}
	return tags
}

// look is everything that can be seen of a stack and its resources, apart from
// times and reasons.
func (w *world) look(name string) map[string]any {
	w.t.Helper()
	ctx := w.t.Context()
	s := w.describe(name)
	s.StackStatus, s.StackStatusReason, s.LastUpdatedTime, s.LastOperations = "", nil, nil, nil
	list, err := w.cfn.ListStackResources(ctx, &sdk.ListStackResourcesInput{StackName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	resources, tags := map[string]string{}, map[string]any{}
	for _, r := range list.StackResourceSummaries {
		id := aws.ToString(r.PhysicalResourceId)
		resources[*r.LogicalResourceId] = id
		tags[*r.LogicalResourceId] = w.tagsOf(id)
	}
	body, err := w.cfn.GetTemplate(ctx, &sdk.GetTemplateInput{StackName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	exports, err := w.cfn.ListExports(ctx, &sdk.ListExportsInput{})
	if err != nil {
		w.t.Fatal(err)
	}
	return map[string]any{"stack": s, "resources": resources, "tags": tags, "parameters": w.parameters(), "template": *body.TemplateBody, "exports": exports.Exports}
}

// sdkValues compares values of the SDK's types.
var sdkValues = cmpopts.IgnoreUnexported(types.Stack{}, types.StackDriftInformation{}, types.RollbackConfiguration{}, types.Parameter{}, types.Tag{}, types.Output{}, types.Export{})

// TestRollbackRestores changes everything that can be changed about a stack in
// an update that fails at its end.
func TestRollbackRestores(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	declared := map[string]any{"Value": map[string]any{"Type": "String"}}
	out := func(value any, export string) map[string]any {
		return map[string]any{"Out": map[string]any{"Value": value, "Export": map[string]any{"Name": export}}}
	}
	w.create("s", template(t, map[string]any{
		"A": parameter(ref("Value"), "Tags", map[string]any{"own": "1"}), "Kept": parameter("2", "!DeletionPolicy", "Retain"),
		"Named": parameter("3", "Name", "named"), "Gone": parameter("4", "!DependsOn", "A"),
	}, "Parameters", declared, "Outputs", out(ref("A"), "first"), "Description", "before"), func(in *sdk.CreateStackInput) {
		in.Parameters = []types.Parameter{{ParameterKey: aws.String("Value"), ParameterValue: aws.String("one")}}
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}
		in.RollbackConfiguration = &types.RollbackConfiguration{MonitoringTimeInMinutes: aws.Int32(0)}
	})
	before := w.look("s")
	s := w.update("s", template(t, map[string]any{
		"A": parameter(ref("Value"), "Tags", map[string]any{"own": "2", "more": "3"}), "Kept": parameter("2"),
		"Named": parameter("5", "Name", "renamed"), "New": parameter("6"), "Bad": broken("A", "Kept", "Named", "New"),
	}, "Parameters", declared, "Outputs", out("other", "second"), "Description", "after"), func(in *sdk.UpdateStackInput) {
		in.Parameters = []types.Parameter{{ParameterKey: aws.String("Value"), ParameterValue: aws.String("two")}}
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("b")}, {Key: aws.String("cost"), Value: aws.String("1")}}
		in.Capabilities = []types.Capability{types.CapabilityCapabilityIam}
	})
	if s.StackStatus != types.StackStatusUpdateRollbackComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	if diff := cmp.Diff(before, w.look("s"), sdkValues); diff != "" {
		t.Errorf("the rollback left a difference (-before +after):\n%s\n%s", diff, w.story("s"))
	}
	// The policy of the former version is in force again.
	w.delete("s")
	if diff := cmp.Diff([]string{"2"}, valuesOf(w.parameters())); diff != "" {
		t.Errorf("what the deletion kept (-want +got):\n%s", diff)
	}
}

func valuesOf(m map[string]string) (out []string) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// TestConditionsFlip adds and removes resources by a parameter alone.
func TestConditionsFlip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := template(t, map[string]any{
		"Always": parameter("1", "Name", "always"),
		"Some":   parameter("2", "Name", "some", "!Condition", "On"),
		"After":  parameter(map[string]any{"Fn::If": []any{"On", ref("Some"), "none"}}, "Name", "after"),
	}, "Parameters", map[string]any{"Mode": map[string]any{"Type": "String", "Default": "off"}},
		"Conditions", map[string]any{"On": map[string]any{"Fn::Equals": []any{ref("Mode"), "on"}}},
		"Outputs", map[string]any{"Some": map[string]any{"Condition": "On", "Value": ref("Some")}})
	w.create("s", body)
	for _, c := range []struct {
		mode    string
		want    map[string]string
		outputs map[string]string
	}{
		{"on", map[string]string{"always": "1", "some": "2", "after": "some"}, map[string]string{"Some": "some"}},
		{"off", map[string]string{"always": "1", "after": "none"}, map[string]string{}},
		{"on", map[string]string{"always": "1", "some": "2", "after": "some"}, map[string]string{"Some": "some"}},
	} {
		s := w.update("s", "", func(in *sdk.UpdateStackInput) {
			in.TemplateBody, in.UsePreviousTemplate = nil, aws.Bool(true)
			in.Parameters = []types.Parameter{{ParameterKey: aws.String("Mode"), ParameterValue: &c.mode}}
		})
		if s.StackStatus != types.StackStatusUpdateComplete {
			t.Fatalf("%s: %s\n%s", c.mode, s.StackStatus, w.story("s"))
		}
		if diff := cmp.Diff(c.want, w.parameters()) + cmp.Diff(c.outputs, outputs(s)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.mode, diff)
		}
	}
	if strings.Contains(w.story("s"), "Always UPDATE") {
		t.Errorf("what does not change was touched:\n%s", w.story("s"))
	}
}

// TestReplacement holds the order of a replacement: the new one is made before
// what depends on it follows, and the old one goes last.
func TestReplacement(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]string{
		"Delete":   "\nA DELETE_IN_PROGRESS\nA DELETE_COMPLETE",
		"Retain":   "\nA DELETE_SKIPPED",
		"Snapshot": "\nA DELETE_IN_PROGRESS: The policy asks for a snapshot, and the local cloud takes none.\nA DELETE_COMPLETE",
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			body := func(name string) string {
				return template(t, map[string]any{"A": parameter("1", "Name", name, "!UpdateReplacePolicy", policy), "B": parameter(ref("A"), "Name", "b")})
			}
			w.create("s", body("old"))
			seen := len(w.story("s")) + 1
			w.update("s", body("new"))
			if diff := cmp.Diff(`s UPDATE_IN_PROGRESS: User Initiated
A UPDATE_IN_PROGRESS: Requested update requires the creation of a new physical resource; hence creating one.
A UPDATE_IN_PROGRESS: Resource creation Initiated
A UPDATE_COMPLETE
B UPDATE_IN_PROGRESS
B UPDATE_COMPLETE
s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS`+want+`
s UPDATE_COMPLETE`, w.story("s")[seen:]); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if _, kept := w.parameters()["old"]; kept != (policy == "Retain") {
				t.Errorf("the old one is there: %v", kept)
			}
		})
	}
}

// TestDeleteOrder deletes in the order of the dependencies that the last
// update left, after a snapshot where that is asked for.
func TestDeleteOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("s", template(t, map[string]any{"A": parameter("1"), "B": parameter("1", "!DependsOn", "A"), "C": parameter("1", "!DependsOn", "B")}))
	w.update("s", template(t, map[string]any{"A": parameter("1", "!DependsOn", "C"), "B": parameter("2"), "C": parameter("1", "!DependsOn", "B", "!DeletionPolicy", "Snapshot")}))
	seen := len(w.story("s")) + 1
	id := *w.delete("s").StackId
	if diff := cmp.Diff(`s DELETE_IN_PROGRESS: User Initiated
A DELETE_IN_PROGRESS
A DELETE_COMPLETE
C DELETE_IN_PROGRESS: The policy asks for a snapshot, and the local cloud takes none.
C DELETE_COMPLETE
B DELETE_IN_PROGRESS
B DELETE_COMPLETE
s DELETE_COMPLETE`, w.story(id)[seen:]); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestGoneAlready deletes and rolls back stacks whose resources somebody else
// has deleted.
func TestGoneAlready(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := ssm.NewFromConfig(w.Config)
	inner := w.put("inner", template(t, map[string]any{"P": parameter("1")}))
	s := w.create("s", template(t, map[string]any{"A": parameter("1", "Name", "a"), "N": stackOf(inner, nil)}))
	if _, err := client.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	w.delete(w.physical("s", "N"))
	if got := w.delete("s"); got.StackStatus != types.StackStatusDeleteComplete {
		t.Errorf("%s\n%s", got.StackStatus, w.story(*s.StackId))
	}
	if _, err := w.cfn.DeleteStack(t.Context(), &sdk.DeleteStackInput{StackName: aws.String("s")}); err != nil {
		t.Errorf("deleting it again: %v", err)
	}
}

// TestSiblings updates a tree in which one nested stack changes.
func TestSiblings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := w.put("leaf.yaml", leaf)
	root := func(one, two string) string {
		return template(t, map[string]any{"One": stackOf(url, map[string]any{"Value": one, "Name": "one"}), "Two": stackOf(url, map[string]any{"Value": two, "Name": "two"})})
	}
	w.create("s", root("1", "1"))
	s := w.update("s", root("2", "1"))
	one, two := w.describe(w.physical("s", "One")), w.describe(w.physical("s", "Two"))
	if s.StackStatus != types.StackStatusUpdateComplete || one.StackStatus != types.StackStatusUpdateComplete || two.StackStatus != types.StackStatusCreateComplete || two.LastUpdatedTime != nil {
		t.Errorf("the tree is in %s, %s, %s", s.StackStatus, one.StackStatus, two.StackStatus)
	}
	if story := w.story("s"); strings.Contains(story, "Two UPDATE") {
		t.Errorf("events:\n%s", story)
	}
}
