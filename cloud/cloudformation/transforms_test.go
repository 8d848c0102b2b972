package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"
)

const each = `
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: "a,b"}}
Resources:
  Fn::ForEach::Each:
    - Name
    - !Ref Names
    - P${Name}: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: "1", Name: !Sub "${Name}"}}
`

func expanding(in *cloudformation.CreateStackInput) {
	in.Capabilities = []types.Capability{types.CapabilityCapabilityAutoExpand, types.CapabilityCapabilityIam}
}

// TestTransforms makes stacks of templates that are rewritten first.
func TestTransforms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, name := t.Context(), aws.String("s")
	_, err := w.cfn.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: name, TemplateBody: aws.String(each)})
	refused(t, err, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
	if s := w.create("s", each, expanding); s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	stage := func(stage types.TemplateStage) string {
		out, err := w.cfn.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: name, TemplateStage: stage})
		if err != nil {
			t.Fatal(err)
		}
		return *out.TemplateBody
	}
	if got := stage(types.TemplateStageOriginal); got != each {
		t.Errorf("the original is %s", got)
	}
	if got := stage(types.TemplateStageProcessed); got != stage("") || strings.Contains(got, "ForEach") || !strings.Contains(got, `"Pb":`) {
		t.Errorf("the processed one is %s", got)
	}
	// The previous template is processed anew.
	s := w.update("s", "", func(in *cloudformation.UpdateStackInput) {
		in.TemplateBody, in.UsePreviousTemplate = nil, aws.Bool(true)
		in.Capabilities = []types.Capability{types.CapabilityCapabilityAutoExpand}
		in.Parameters = []types.Parameter{{ParameterKey: aws.String("Names"), ParameterValue: aws.String("b,c")}}
	})
	if diff := cmp.Diff(map[string]string{"b": "1", "c": "1"}, w.parameters()); diff != "" || s.StackStatus != types.StackStatusUpdateComplete {
		t.Errorf("%s: parameters (-want +got):\n%s", s.StackStatus, diff)
	}
	valid, err := w.cfn.ValidateTemplate(ctx, &cloudformation.ValidateTemplateInput{TemplateBody: aws.String(each)})
	if err != nil || !cmp.Equal(valid.DeclaredTransforms, []string{"AWS::LanguageExtensions"}) || !cmp.Equal(valid.Capabilities, []types.Capability{types.CapabilityCapabilityAutoExpand}) {
		t.Errorf("the validation is %v, %v", valid, err)
	}
}

// TestInclude puts snippets from S3 into templates.
func TestInclude(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("snippet.yaml", "Type: String\nValue: included\n")
	include := func(location string) string {
		return template(t, map[string]any{"P": map[string]any{"Type": "AWS::SSM::Parameter", "Properties": map[string]any{
			"Name": "p", "Fn::Transform": map[string]any{"Name": "AWS::Include", "Parameters": map[string]any{"Location": location}}}}})
	}
	if s := w.create("s", include("s3://templates/snippet.yaml"), expanding); s.StackStatus != types.StackStatusCreateComplete || w.parameters()["p"] != "included" {
		t.Fatalf("%s: %v\n%s", s.StackStatus, w.parameters(), w.story("s"))
	}
	// A change set says why it failed, a creation is taken back.
	missing := include("s3://doesnotexist/snippet.yaml")
	cs := w.changeSet("t", "c", types.ChangeSetTypeCreate, missing)
	if want := "Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist."; cs.Status != types.ChangeSetStatusFailed || aws.ToString(cs.StatusReason) != want {
		t.Errorf("%s: %s", cs.Status, aws.ToString(cs.StatusReason))
	}
	s := w.create("u", missing, expanding)
	if story := w.story("u"); s.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(story, "u ROLLBACK_IN_PROGRESS: Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist. Rollback requested by user.") {
		t.Errorf("%s\n%s", s.StackStatus, story)
	}
	_, err := w.cfn.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: &missing, Capabilities: types.Capability("").Values()})
	refused(t, err, "ValidationError", "Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist.")
}

// TestServerless makes a function's role without being told of one.
func TestServerless(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const app = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello: {Type: AWS::Serverless::Function, Properties: {InlineCode: "exports.handler = async () => 1", Handler: index.handler, Runtime: nodejs22.x}}
`
	_, err := w.cfn.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(app), Capabilities: []types.Capability{types.CapabilityCapabilityAutoExpand}})
	refused(t, err, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]")
	cs := w.changeSet("s", "c", types.ChangeSetTypeCreate, app+"\n", func(in *cloudformation.CreateChangeSetInput) {
		in.Capabilities = []types.Capability{types.CapabilityCapabilityIam}
	})
	if diff := cmp.Diff([]string{"Add Hello ", "Add HelloRole "}, summary(cs)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// TestRules holds parameters against the template's rules.
func TestRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const ruled = `
Parameters: {Stage: {Type: String}}
Rules:
  Known: {Assertions: [{Assert: !Contains [[test, live], !Ref Stage], AssertDescription: There are two stages}]}
Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Stage}}}
`
	create := func(stage string) error {
		_, err := w.cfn.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(ruled),
			Parameters: []types.Parameter{{ParameterKey: aws.String("Stage"), ParameterValue: &stage}}})
		return err
	}
	refused(t, create("dev"), "ValidationError", "There are two stages")
	if err := create("live"); err != nil {
		t.Error(err)
	}
}

// TestRulesOfNetworks asks in a rule whether subnets are in a VPC.
func TestRulesOfNetworks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("net", `{"Resources":{
		"A":{"Type":"AWS::EC2::VPC","Properties":{"CidrBlock":"10.0.0.0/16","Tags":[{"Key":"Name","Value":"a"}]}},"B":{"Type":"AWS::EC2::VPC","Properties":{"CidrBlock":"10.1.0.0/16"}},
		"Sub":{"Type":"AWS::EC2::Subnet","Properties":{"VpcId":{"Ref":"A"},"CidrBlock":"10.0.0.0/24"}}}}`)
	const ruled = `
Parameters: {Net: {Type: "AWS::EC2::VPC::Id"}, Sub: {Type: "AWS::EC2::Subnet::Id"}}
Rules:
  Inside: {Assertions: [{Assert: !EachMemberIn [!ValueOfAll ["AWS::EC2::Subnet::Id", VpcId], !RefAll "AWS::EC2::VPC::Id"], AssertDescription: All subnets must be in the VPC}]}
  Tagged: {Assertions: [{Assert: !Equals [!ValueOf [Net, Tags.Name], a], AssertDescription: Not the right VPC}]}
Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Net}}}
`
	create := func(net, subnet string) error {
		_, err := w.cfn.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(ruled), Parameters: []types.Parameter{
			{ParameterKey: aws.String("Net"), ParameterValue: &net}, {ParameterKey: aws.String("Sub"), ParameterValue: &subnet}}})
		return err
	}
	refused(t, create(w.physical("net", "B"), w.physical("net", "Sub")), "ValidationError", "All subnets must be in the VPC")
	refused(t, create(w.physical("net", "A"), "subnet-1"), "ValidationError", "The subnet ID 'subnet-1' does not exist")
	if err := create(w.physical("net", "A"), w.physical("net", "Sub")); err != nil {
		t.Error(err)
	}
}
