package cloudformation_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"
)

// causes is the details of a change set, one a line, with what causes them.
func causes(cs *cloudformation.DescribeChangeSetOutput) (lines []string) {
	for _, c := range cs.Changes {
		r := c.ResourceChange
		lines = append(lines, fmt.Sprintf("%s %s %s %s", r.Action, *r.LogicalResourceId, r.Replacement, r.PolicyAction))
		for _, d := range r.Details {
			t := d.Target
			line := fmt.Sprintf("  %s %s %s %s %s", d.ChangeSource, d.Evaluation, aws.ToString(d.CausingEntity), t.RequiresRecreation, aws.ToString(t.Name))
			if t.Path != nil {
				line += fmt.Sprintf(" %s %s %s -> %s", *t.Path, t.AttributeChangeType, aws.ToString(t.BeforeValue), aws.ToString(t.AfterValue))
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// TestChangeDetails holds what is told of changes against what AWS tells of
// the same ones, with values of properties and without.
func TestChangeDetails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	getAtt := func(id, attribute string) map[string]any {
		return map[string]any{"Fn::GetAtt": []string{id, attribute}}
	}
	resources := func(a, tag, name any) map[string]any {
		return map[string]any{
			"A": parameter(a, "Name", "a", "Tags", map[string]any{"k": tag}),
			"B": parameter(getAtt("A", "Value"), "Name", "b"),
			"C": parameter("1", "Name", name),
			"D": parameter(map[string]any{"Fn::Sub": "${C} ${Colour}"}, "Name", "d"),
			"E": parameter(ref("A"), "Name", "e"),
		}
	}
	parameters := []any{"Parameters", map[string]any{"Colour": map[string]any{"Type": "String", "Default": "red"}}}
	w.create("s", template(t, resources("1", "x", "c"), parameters...))
	name, after := aws.String("s"), template(t, resources("2", "y", "c2"), parameters...)
	if _, err := w.cfn.CreateChangeSet(t.Context(), &cloudformation.CreateChangeSetInput{StackName: name, ChangeSetName: aws.String("c"), TemplateBody: &after,
		Parameters: []types.Parameter{{ParameterKey: aws.String("Colour"), ParameterValue: aws.String("blue")}}}); err != nil {
		t.Fatal(err)
	}
	describe := func(values bool) *cloudformation.DescribeChangeSetOutput {
		out, err := w.cfn.DescribeChangeSet(t.Context(), &cloudformation.DescribeChangeSetInput{StackName: name, ChangeSetName: aws.String("c"), IncludePropertyValues: &values})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	const later = "{{changeSet:KNOWN_AFTER_APPLY}}"
	exact := describe(true)
	if diff := cmp.Diff([]string{
		"Modify A False ",
		"  DirectModification Static  Never Tags /Properties/Tags/k Modify x -> y",
		"  DirectModification Static  Never Value /Properties/Value Modify 1 -> 2",
		"Modify C True ReplaceAndDelete",
		"  DirectModification Static  Always Name /Properties/Name Modify c -> c2",
		"Modify D False ",
		"  ResourceReference Static C Never Value /Properties/Value Modify c red -> " + later + " blue",
		"  ParameterReference Static Colour Never Value /Properties/Value Modify c red -> " + later + " blue",
		"  DirectModification Dynamic  Never Value /Properties/Value Modify c red -> " + later + " blue",
	}, causes(exact)); diff != "" {
		t.Errorf("with values (-want +got):\n%s", diff)
	}
	if got := aws.ToString(exact.Changes[1].ResourceChange.AfterContext); got != `{"Properties":{"Name":"c2","Type":"String","Value":"1"}}` {
		t.Errorf("C is to be %s", got)
	}
	outline := describe(false)
	if diff := cmp.Diff([]string{
		"Modify A False ",
		"  DirectModification Static  Never Tags",
		"  DirectModification Static  Never Value",
		"Modify B False ",
		"  ResourceAttribute Dynamic A.Value Never Value",
		"Modify C True ReplaceAndDelete",
		"  DirectModification Static  Always Name",
		"Modify D False ",
		"  ResourceReference Static C Never Value",
		"  ParameterReference Static Colour Never Value",
	}, causes(outline)); diff != "" {
		t.Errorf("without values (-want +got):\n%s", diff)
	}
	if c := outline.Changes[0].ResourceChange; c.BeforeContext != nil || c.AfterContext != nil {
		t.Errorf("contexts are told: %v", c)
	}
}

// TestConditionalReplacement changes what another resource is perhaps replaced for.
func TestConditionalReplacement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tree := func(value string) string {
		return template(t, map[string]any{"A": parameter(value), "B": parameter("1", "Name", map[string]any{"Fn::GetAtt": []string{"A", "Value"}})})
	}
	w.create("s", tree("one"))
	w.changeSet("s", "c", "", tree("two"))
	out, err := w.cfn.DescribeChangeSet(t.Context(), &cloudformation.DescribeChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("c")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Modify A False ", "  DirectModification Static  Never Value",
		"Modify B Conditional ", "  ResourceAttribute Dynamic A.Value Always Name"}, causes(out)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// TestObsolete updates a stack past its change set.
func TestObsolete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := func(v string) string { return template(t, map[string]any{"A": parameter(v)}) }
	w.create("s", body("1"))
	w.changeSet("s", "c", "", body("2"))
	w.update("s", body("3"))
	_, err := w.cfn.ExecuteChangeSet(t.Context(), &cloudformation.ExecuteChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("c")})
	refused(t, err, "InvalidChangeSetStatus", "cannot be executed in its current execution status of [OBSOLETE]")
	_, err = w.cfn.CreateChangeSet(t.Context(), &cloudformation.CreateChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("d"), TemplateBody: aws.String(body("4")),
		DeploymentMode: types.DeploymentModeRevertDrift})
	refused(t, err, "ValidationError", "DeploymentMode REVERT_DRIFT is not supported by the local cloud")
	_, err = w.cfn.CreateChangeSet(t.Context(), &cloudformation.CreateChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("d"), TemplateBody: aws.String(body("4")),
		ChangeSetType: types.ChangeSetTypeCreate})
	refused(t, err, "ValidationError", "Stack [s] already exists and cannot be created again with the changeSet [d].")
}
