package cloudformation_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// TestRefusals holds codes and sentences against those that clients of AWS
// know them by.
func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := template(t, map[string]any{"P": parameter("1")})
	role := map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"AssumeRolePolicyDocument": map[string]any{}}}
	named := map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"RoleName": "r", "AssumeRolePolicyDocument": map[string]any{}}}
	needs := template(t, map[string]any{"P": parameter(ref("Colour"))}, "Parameters", map[string]any{"Colour": map[string]any{"Type": "String"}})
	w.create("s", good)
	w.create("failed", template(t, map[string]any{"Bad": broken()}))
	failed := aws.ToString(w.describe("failed").StackId)

	create := func(name, body string, caps ...types.Capability) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.cfn.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &body, Capabilities: caps})
			return err
		}
	}
	update := func(name, body string, parameters ...types.Parameter) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.cfn.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: &name, TemplateBody: &body, Parameters: parameters})
			return err
		}
	}
	url := func(at string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.cfn.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String("n"), TemplateURL: &at})
			return err
		}
	}
	const invalid, insufficient = "ValidationError", "InsufficientCapabilitiesException"
	for _, c := range []struct {
		name          string
		do            func(context.Context) error
		code, message string
	}{
		{"an existing stack", create("s", good), "AlreadyExistsException", "Stack [s] already exists"},
		{"a bad name", create("1", good), invalid, "failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"},
		{"no template", func(ctx context.Context) error {
			_, err := w.cfn.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String("n")})
			return err
		}, invalid, "Either Template URL or Template Body must be specified."},
		{"a body that is too long", create("n", good+strings.Repeat(" ", 51200)), invalid, "Member must have length less than or equal to 51200"},
		{"bad YAML", create("n", "Resources:\n  a: [\n"), invalid, "Template format error: YAML not well-formed. (line "},
		{"no resources", create("n", "{}"), invalid, "Template format error: At least one Resources member must be defined."},
		{"a ref to nothing", create("n", template(t, map[string]any{"P": parameter(ref("Q"))})), invalid, "Template format error: Unresolved resource dependencies [Q] in the Resources block of the template"},
		{"an unknown type", create("n", template(t, map[string]any{"X": map[string]any{"Type": "My::Own::Type"}})), invalid, "Template format error: Unrecognized resource types: [My::Own::Type]"},
		{"a module", create("n", template(t, map[string]any{"X": map[string]any{"Type": "AWS::CloudFormation::ModuleVersion"}})), invalid, "modules are not supported"},
		{"a transform", create("n", template(t, map[string]any{"P": parameter("1")}, "Transform", "Mine")), insufficient, "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"},
		{"a missing parameter", create("n", needs), invalid, "Parameters: [Colour] must have values"},
		{"no capability", create("n", template(t, map[string]any{"R": role})), insufficient, "Requires capabilities : [CAPABILITY_IAM]"},
		{"a weak capability", create("n", template(t, map[string]any{"R": named}), types.CapabilityCapabilityIam), insufficient, "Requires capabilities : [CAPABILITY_NAMED_IAM]"},
		{"an address outside S3", url("https://example.com/a.yaml"), invalid, "TemplateURL must be a supported URL."},
		{"a missing object", url(w.URL + "/nowhere/a.yaml"), invalid, "S3 error: The specified bucket does not exist"},
		{"an update of nothing", update("none", good), invalid, "Stack [none] does not exist"},
		{"an update without changes", update("s", good), invalid, "No updates are to be performed."},
		{"an unknown parameter", update("s", good, types.Parameter{ParameterKey: aws.String("X"), ParameterValue: aws.String("1")}), invalid, "Parameters: [X] do not exist in the template"},
		{"a stack that was rolled back", update("failed", good), invalid, "Stack:" + failed + " is in ROLLBACK_COMPLETE state and can not be updated."},
		{"another type", update("s", template(t, map[string]any{"P": broken()})), invalid, "Update of resource type is not permitted. The new template modifies resource type of the following resources: [P]"},
		{"a missing stack", func(ctx context.Context) error {
			_, err := w.cfn.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("none")})
			return err
		}, invalid, "Stack with id none does not exist"},
		{"a missing resource", func(ctx context.Context) error {
			_, err := w.cfn.DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{StackName: aws.String("s"), LogicalResourceId: aws.String("X")})
			return err
		}, invalid, "Resource X does not exist for stack s"},
		{"resources to retain of a healthy stack", func(ctx context.Context) error {
			_, err := w.cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String("s"), RetainResources: []string{"P"}})
			return err
		}, invalid, "specify which resources to retain only when the stack is in the DELETE_FAILED state"},
		{"a reserved tag", func(ctx context.Context) error {
			_, err := w.cfn.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String("n"), TemplateBody: &good, Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("1")}}})
			return err
		}, invalid, "aws: prefixed tag key names are not allowed for external use."},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.do(t.Context()), c.code, c.message) })
	}
	if list, err := w.cfn.ListStacks(t.Context(), &cloudformation.ListStacksInput{}); err != nil || len(list.StackSummaries) != 2 {
		t.Errorf("stacks are %v, %v", list, err)
	}
}

// TestCustomName replaces a resource whose name the template gives and keeps.
func TestCustomName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	connection := func(provider string) string {
		return template(t, map[string]any{"C": map[string]any{"Type": "AWS::CodeConnections::Connection", "Properties": map[string]any{"ConnectionName": "c", "ProviderType": provider}}})
	}
	w.create("s", connection("GitHub"))
	s := w.update("s", connection("GitLab"))
	want := "C UPDATE_FAILED: CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
	if story := w.story("s"); s.StackStatus != types.StackStatusUpdateRollbackComplete || !strings.Contains(story, want) {
		t.Errorf("%s\n%s", s.StackStatus, story)
	}
	if s := w.delete("s"); s.StackStatus != types.StackStatusDeleteComplete {
		t.Error(w.story(*s.StackId))
	}
	// The family of a task definition names its revisions.
	task := func(image string) string {
		return template(t, map[string]any{"T": map[string]any{"Type": "AWS::ECS::TaskDefinition", "Properties": map[string]any{
			"Family": "web", "ContainerDefinitions": []any{map[string]any{"Name": "app", "Image": image}}}}}, "Outputs", map[string]any{"T": value(ref("T"))})
	}
	w.create("t", task("one"))
	if s := w.update("t", task("two")); s.StackStatus != types.StackStatusUpdateComplete || !strings.HasSuffix(*s.Outputs[0].OutputValue, ":task-definition/web:2") {
		t.Errorf("%s: %v\n%s", s.StackStatus, s.Outputs, w.story("t"))
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := template(t, map[string]any{"P": parameter(ref("Secret"))}, "Parameters", map[string]any{
		"Secret": map[string]any{"Type": "String", "NoEcho": true}, "Plain": map[string]any{"Type": "String", "Default": "p"}})
	w.create("s", body, func(in *cloudformation.CreateStackInput) {
		in.Parameters = []types.Parameter{{ParameterKey: aws.String("Secret"), ParameterValue: aws.String("tell nobody")}}
		in.EnableTerminationProtection, in.ClientRequestToken = aws.Bool(true), aws.String("token-1")
	})
	ctx, name := t.Context(), aws.String("s")

	_, err := w.cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: name})
	refused(t, err, "ValidationError", "Stack [s] cannot be deleted while TerminationProtection is enabled")
	if _, err := w.cfn.UpdateTerminationProtection(ctx, &cloudformation.UpdateTerminationProtectionInput{StackName: name, EnableTerminationProtection: aws.Bool(false)}); err != nil {
		t.Error(err)
	}

	if _, err := w.cfn.SetStackPolicy(ctx, &cloudformation.SetStackPolicyInput{StackName: name, StackPolicyBody: aws.String("{}")}); err != nil {
		t.Error(err)
	}
	policy, err := w.cfn.GetStackPolicy(ctx, &cloudformation.GetStackPolicyInput{StackName: name})
	if err != nil || aws.ToString(policy.StackPolicyBody) != "{}" {
		t.Errorf("the policy is %v, %v", policy, err)
	}

	// The previous value of a secret parameter is used without being told.
	s := w.update("s", body, func(in *cloudformation.UpdateStackInput) {
		in.Parameters = []types.Parameter{{ParameterKey: aws.String("Secret"), UsePreviousValue: aws.Bool(true)}, {ParameterKey: aws.String("Plain"), ParameterValue: aws.String("q")}}
		in.Tags, in.TemplateBody, in.UsePreviousTemplate = []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}, nil, aws.Bool(true)
	})
	if s.StackStatus != types.StackStatusUpdateComplete || w.parameters()[w.physical("s", "P")] != "tell nobody" {
		t.Errorf("%s: %v", s.StackStatus, w.parameters())
	}
	for _, p := range s.Parameters {
		if want := map[string]string{"Secret": "****", "Plain": "q"}[*p.ParameterKey]; *p.ParameterValue != want {
			t.Errorf("parameter %s is shown as %q", *p.ParameterKey, *p.ParameterValue)
		}
	}
	events, err := w.cfn.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: name})
	if err != nil {
		t.Fatal(err)
	}
	tokens := 0
	for _, e := range events.StackEvents {
		if strings.Contains(aws.ToString(e.ResourceProperties), "tell nobody") {
			t.Errorf("the event %s tells the secret", *e.EventId)
		}
		if aws.ToString(e.ClientRequestToken) == "token-1" {
			tokens++
		}
	}
	if tokens != 5 {
		t.Errorf("%d events of the creation carry its token", tokens)
	}

	summary, err := w.cfn.GetTemplateSummary(ctx, &cloudformation.GetTemplateSummaryInput{StackName: name})
	if err != nil || len(summary.Parameters) != 2 || len(summary.ResourceTypes) != 1 {
		t.Errorf("the summary is %v, %v", summary, err)
	}
	yaml := "# not ours to change\n" + leaf
	got, err := w.cfn.ValidateTemplate(ctx, &cloudformation.ValidateTemplateInput{TemplateBody: &yaml})
	if err != nil || len(got.Parameters) != 2 {
		t.Errorf("the validation is %v, %v", got, err)
	}
}
