package cloudformation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// TestChangeSetMasksSecrets changes a NoEcho parameter: the change set tells
// what changes, and neither value.
func TestChangeSetMasksSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := template(t, map[string]any{"P": parameter(map[string]any{"Fn::Sub": "user:${Word}"}, "Name", "p")},
		"Parameters", map[string]any{"Word": map[string]any{"Type": "String", "NoEcho": true}})
	word := func(value string) []types.Parameter {
		return []types.Parameter{{ParameterKey: aws.String("Word"), ParameterValue: &value}}
	}
	w.create("s", body, func(in *cloudformation.CreateStackInput) { in.Parameters = word("sesame") })
	cs := w.changeSet("s", "c", "", body, func(in *cloudformation.CreateChangeSetInput) { in.Parameters = word("alakazam") })
	out := w.describeSet(*cs.ChangeSetId)
	if len(out.Changes) != 1 || len(out.Changes[0].ResourceChange.Details) == 0 {
		t.Fatalf("changes are %v", summary(out))
	}
	change := out.Changes[0].ResourceChange
	told := aws.ToString(change.BeforeContext) + aws.ToString(change.AfterContext)
	for _, d := range change.Details {
		told += fmt.Sprint(aws.ToString(d.Target.BeforeValue), aws.ToString(d.Target.AfterValue))
		if aws.ToString(d.Target.BeforeValue) != "user:****" || aws.ToString(d.Target.AfterValue) != "user:****" {
			t.Errorf("told as %s → %s", aws.ToString(d.Target.BeforeValue), aws.ToString(d.Target.AfterValue))
		}
	}
	for _, p := range out.Parameters {
		told += aws.ToString(p.ParameterValue)
	}
	if strings.Contains(told, "sesame") || strings.Contains(told, "alakazam") {
		t.Errorf("a secret is told: %s", told)
	}
}
