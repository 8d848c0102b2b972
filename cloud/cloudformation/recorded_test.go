package cloudformation_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// listed are the models of the resources of a type, by identifier, as Cloud
// Control shows them.
func (w *world) listed(typeName string) map[string]map[string]any {
	w.t.Helper()
	out, err := cloudcontrol.NewFromConfig(w.Config).ListResources(w.t.Context(), &cloudcontrol.ListResourcesInput{TypeName: &typeName})
	if err != nil {
		w.t.Fatal(err)
	}
	models := map[string]map[string]any{}
	for _, d := range out.ResourceDescriptions {
		var m map[string]any
		if err := json.Unmarshal([]byte(*d.Properties), &m); err != nil {
			w.t.Fatal(err)
		}
		models[*d.Identifier] = m
	}
	return models
}

func recordedNetwork(t *testing.T, vpc, subnet map[string]any, more ...any) string {
	t.Helper()
	subnet["VpcId"] = ref("Vpc")
	resources := map[string]any{
		"Vpc":    map[string]any{"Type": "AWS::EC2::VPC", "Properties": vpc},
		"Subnet": map[string]any{"Type": "AWS::EC2::Subnet", "Properties": subnet},
	}
	for i := 0; i+1 < len(more); i += 2 {
		resources[more[i].(string)] = more[i+1]
	}
	return template(t, resources, "Outputs", map[string]any{
		"Group": map[string]any{"Value": map[string]any{"Fn::GetAtt": []string{"Vpc", "DefaultSecurityGroup"}}},
		"Zone":  map[string]any{"Value": map[string]any{"Fn::GetAtt": []string{"Subnet", "AvailabilityZone"}}},
	})
}

// TestRecorded takes recorded resources through the life of a stack.
func TestRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := map[string]any{"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": "true"}
	s := w.create("s", recordedNetwork(t, one, map[string]any{"CidrBlock": "10.0.1.0/24"}), func(in *cloudformation.CreateStackInput) {
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}}
	})
	vpc, subnet := w.physical("s", "Vpc"), w.physical("s", "Subnet")
	if o := outputs(s); !strings.HasPrefix(o["Group"], "sg-0") || o["Zone"] != "us-east-1a" {
		t.Errorf("outputs %v", o)
	}
	if m := w.listed("AWS::EC2::VPC")[vpc]; m["EnableDnsSupport"] != true || fmt.Sprint(m["Tags"]) != "[map[Key:team Value:blue]]" {
		t.Errorf("VPC %v", m)
	}

	// In place, and with a replacement of what depends on what cannot change.
	w.update("s", recordedNetwork(t, map[string]any{"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": "false"}, map[string]any{"CidrBlock": "10.0.2.0/24"}))
	if w.physical("s", "Vpc") != vpc || w.physical("s", "Subnet") == subnet || len(w.listed("AWS::EC2::Subnet")) != 1 {
		t.Errorf("subnets %v\n%s", w.listed("AWS::EC2::Subnet"), w.story("s"))
	}
	before := fmt.Sprint(w.listed("AWS::EC2::VPC"), w.listed("AWS::EC2::Subnet"))

	// What fails is taken back to what it was.
	s = w.update("s", recordedNetwork(t, one, map[string]any{"CidrBlock": "10.0.3.0/24"}, "Bad",
		map[string]any{"Type": "AWS::SQS::Queue", "DependsOn": "Subnet", "Properties": map[string]any{"Foo": "1"}}))
	want := "Bad CREATE_FAILED: Properties validation failed for resource Bad with message:\n#: extraneous key [Foo] is not permitted"
	if story := w.story("s"); s.StackStatus != types.StackStatusUpdateRollbackComplete || !strings.Contains(story, want) {
		t.Errorf("%s\n%s", s.StackStatus, story)
	}
	if after := fmt.Sprint(w.listed("AWS::EC2::VPC"), w.listed("AWS::EC2::Subnet")); after != before {
		t.Errorf("after the rollback %s\nwant %s", after, before)
	}

	s = w.delete("s")
	if s.StackStatus != types.StackStatusDeleteComplete || len(w.listed("AWS::EC2::VPC"))+len(w.listed("AWS::EC2::Subnet")) != 0 {
		t.Errorf("%s leaves %v %v", s.StackStatus, w.listed("AWS::EC2::VPC"), w.listed("AWS::EC2::Subnet"))
	}
	_, err := w.cfn.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("x"),
		TemplateBody: aws.String(template(t, map[string]any{"X": map[string]any{"Type": "AWS::Nothing::Here"}}))})
	refused(t, err, "ValidationError", "Template format error: Unrecognized resource types: [AWS::Nothing::Here]")
}
