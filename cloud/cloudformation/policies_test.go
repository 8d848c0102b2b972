package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

const allowAll = `{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}`

func policyOf(statements ...string) string {
	return `{"Statement": [` + strings.Join(statements, ",") + `]}`
}

// TestStackPolicy updates a stack under policies.
func TestStackPolicy(t *testing.T) {
	t.Parallel()
	before := map[string]any{"A": parameter("1"), "B": parameter("1", "Name", "b")}
	changed := map[string]any{"A": parameter("2"), "B": parameter("1", "Name", "b")}
	replaced := map[string]any{"A": parameter("1"), "B": parameter("1", "Name", "c")}
	removed := map[string]any{"B": parameter("1", "Name", "b")}
	deny := func(action, resource string, more ...string) string {
		return `{"Effect": "Deny", "Action": "` + action + `", "Principal": "*", "Resource": "` + resource + `"` + strings.Join(more, "") + `}`
	}
	for name, c := range map[string]struct {
		policy, during string
		after          map[string]any
		reason         string // empty: it is allowed
	}{
		"denied":             {policyOf(allowAll, deny("Update:*", "LogicalResourceId/A")), "", changed, "A UPDATE_FAILED: Action denied by stack policy: Statement [#2] does not allow [Update:*] for resource [LogicalResourceId/A]"},
		"another resource":   {policyOf(allowAll, deny("Update:*", "LogicalResourceId/B")), "", changed, ""},
		"not allowed":        {policyOf(deny("Update:Delete", "*")), "", changed, "A UPDATE_FAILED: Action not allowed by stack policy"},
		"replacement":        {policyOf(allowAll, deny("Update:Replace", "*")), "", replaced, "B UPDATE_FAILED: Action denied by stack policy: Statement [#2] does not allow [Update:Replace] for resource [*]"},
		"no replacement":     {policyOf(allowAll, deny("Update:Replace", "*")), "", changed, ""},
		"removal":            {policyOf(allowAll, deny("Update:Delete", "LogicalResourceId/A*")), "", removed, "A UPDATE_FAILED: Action denied by stack policy: Statement [#2] does not allow [Update:Delete] for resource [LogicalResourceId/A*]"},
		"of a type":          {policyOf(allowAll, deny("Update:*", "*", `, "Condition": {"StringEquals": {"ResourceType": ["AWS::SSM::Parameter"]}}`)), "", changed, "A UPDATE_FAILED: Action denied"},
		"of another type":    {policyOf(allowAll, deny("Update:*", "*", `, "Condition": {"StringLike": {"ResourceType": "AWS::IAM::*"}}`)), "", changed, ""},
		"during the update":  {policyOf(allowAll, deny("Update:*", "*")), policyOf(allowAll), changed, ""},
		"denied during that": {"", policyOf(deny("Update:*", "*")), changed, "A UPDATE_FAILED: Action denied"},
		"taken away":         {"{}", "", changed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.create("s", template(t, before), func(in *cloudformation.CreateStackInput) {
				if c.policy != "" {
					in.StackPolicyBody = &c.policy
				}
			})
			s := w.update("s", template(t, c.after), func(in *cloudformation.UpdateStackInput) {
				if c.during != "" {
					in.StackPolicyDuringUpdateBody = &c.during
				}
			})
			want := types.StackStatusUpdateComplete
			if c.reason != "" {
				want = types.StackStatusUpdateRollbackComplete
			}
			if story := w.story("s"); s.StackStatus != want || !strings.Contains(story, c.reason) {
				t.Errorf("%s\n%s", s.StackStatus, story)
			}
			got, err := w.cfn.GetStackPolicy(t.Context(), &cloudformation.GetStackPolicyInput{StackName: aws.String("s")})
			if err != nil || aws.ToString(got.StackPolicyBody) != c.policy {
				t.Errorf("the policy is %v, %v", got, err)
			}
		})
	}
}

// TestProtectedTree protects a root, and with it what is nested.
func TestProtectedTree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := w.put("leaf.yaml", leaf)
	w.create("root", template(t, map[string]any{"Leaf": stackOf(url, map[string]any{"Value": "1"}), "P": parameter("1")}), func(in *cloudformation.CreateStackInput) {
		in.EnableTerminationProtection = aws.Bool(true)
	})
	nested, ctx := w.physical("root", "Leaf"), t.Context()
	if !aws.ToBool(w.describe(nested).EnableTerminationProtection) {
		t.Error("the nested stack does not show the protection of its root")
	}
	_, err := w.cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &nested})
	refused(t, err, "ValidationError", "cannot be deleted while TerminationProtection is enabled")
	_, err = w.cfn.UpdateTerminationProtection(ctx, &cloudformation.UpdateTerminationProtectionInput{StackName: &nested, EnableTerminationProtection: aws.Bool(false)})
	refused(t, err, "ValidationError", "nested stack")
	// The root's own updates may remove what is nested.
	s := w.update("root", template(t, map[string]any{"P": parameter("2")}))
	if gone := w.describe(nested); s.StackStatus != types.StackStatusUpdateComplete || gone.StackStatus != types.StackStatusDeleteComplete {
		t.Errorf("%s, nested %s\n%s", s.StackStatus, gone.StackStatus, w.story("root"))
	}
}
