package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/policy"
)

// StackPolicy says what updates may do to the resources of a stack. It is no
// IAM policy: a resource that no statement speaks of is protected.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
type StackPolicy struct{ Statement []policyStatement }

type policyStatement struct {
	Sid                   string `json:",omitempty"`
	Effect                string
	Principal             string
	Action, NotAction     oneOrMore
	Resource, NotResource oneOrMore
	Condition             map[string]map[string]oneOrMore // StringEquals or StringLike of ResourceType
}

// oneOrMore is a string or a list of strings.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// errStackPolicy is all that AWS says of a policy that is none.
var errStackPolicy = resource.Sayf("Error validating stack policy: Invalid stack policy")

const logicalResource = "LogicalResourceId/"

var policyActions = []string{"*", "Update:*", "Update:Modify", "Update:Replace", "Update:Delete"}

// ParseStackPolicy reads a stack policy.
func ParseStackPolicy(text string) (*StackPolicy, error) {
	var doc struct {
		Version   string
		Statement json.RawMessage
	}
	if strict(text, &doc) != nil {
		return nil, errStackPolicy
	}
	p := &StackPolicy{}
	if len(doc.Statement) == 0 {
		return p, nil
	}
	raw := string(doc.Statement)
	if !strings.HasPrefix(raw, "[") {
		raw = "[" + raw + "]"
	}
	if strict(raw, &p.Statement) != nil {
		return nil, errStackPolicy
	}
	for _, s := range p.Statement {
		if !s.valid() {
			return nil, errStackPolicy
		}
	}
	return p, nil
}

func strict(text string, into any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func (s policyStatement) valid() bool {
	for _, a := range slices.Concat(s.Action, s.NotAction) {
		if !slices.Contains(policyActions, a) {
			return false
		}
	}
	for _, r := range slices.Concat(s.Resource, s.NotResource) {
		if r != "*" && !strings.HasPrefix(r, logicalResource) {
			return false
		}
	}
	for operator, tests := range s.Condition {
		if operator != "StringEquals" && operator != "StringLike" {
			return false
		}
		for key := range tests {
			if key != "ResourceType" {
				return false
			}
		}
	}
	one := func(a, b oneOrMore) bool { return (len(a) > 0) != (len(b) > 0) }
	return (s.Effect == "Allow" || s.Effect == "Deny") && s.Principal == "*" && one(s.Action, s.NotAction) && one(s.Resource, s.NotResource)
}

// Refuses is the reason why the policy does not let an action, such as
// Update:Replace, happen to a resource; empty when it does.
func (p *StackPolicy) Refuses(action, logicalID, resourceType string) string {
	allowed := len(p.Statement) == 0 // "{}" is how a policy is taken away
	for i, s := range p.Statement {
		switch {
		case !s.about(action, logicalID, resourceType):
		case s.Effect == "Deny":
			return fmt.Sprintf("Action denied by stack policy: Statement [#%d] does not allow [%s] for resource [%s]", i+1,
				strings.Join(slices.Concat(s.Action, s.NotAction), ", "), strings.Join(slices.Concat(s.Resource, s.NotResource), ", "))
		default:
			allowed = true
		}
	}
	if allowed {
		return ""
	}
	return "Action not allowed by stack policy"
}

func (s policyStatement) about(action, logicalID, resourceType string) bool {
	like := func(text string) func(string) bool {
		return func(pattern string) bool { return policy.Like(pattern, text) }
	}
	matches := func(wanted, unwanted oneOrMore, text string) bool {
		if len(unwanted) > 0 {
			return !slices.ContainsFunc(unwanted, like(text))
		}
		return slices.ContainsFunc(wanted, like(text))
	}
	if !matches(s.Action, s.NotAction, action) || !matches(s.Resource, s.NotResource, logicalResource+logicalID) {
		return false
	}
	for operator, tests := range s.Condition {
		test := like(resourceType)
		if operator == "StringEquals" {
			test = func(wanted string) bool { return wanted == resourceType }
		}
		if !slices.ContainsFunc(tests["ResourceType"], test) {
			return false
		}
	}
	return true
}

// policyVerbs are the actions of stack policies by what happens to a resource.
var policyVerbs = map[change]string{inPlace: "Update:Modify", replace: "Update:Replace"}

// permit holds a change of a resource against the stack policy.
func (r *run) permit(id, resourceType, action string) error {
	if r.op.Kind != ledger.Update || r.op.Policy == "" || action == "" {
		return nil
	}
	p, err := ParseStackPolicy(r.op.Policy)
	if err != nil {
		return err
	}
	if why := p.Refuses(action, id, resourceType); why != "" {
		return resource.Sayf("%s", why)
	}
	return nil
}

// permitRemovals holds what an update would delete against the stack policy,
// before anything happens.
func (r *run) permitRemovals(ctx context.Context) bool {
	ok := true
	for _, id := range r.living(slices.Sorted(maps.Keys(r.rows))...) {
		row := r.rows[id]
		if _, stays := r.model.Resources[id]; stays {
			continue
		}
		if err := r.permit(id, row.Type, "Update:Delete"); err != nil {
			shadow := *row // nothing happened to the resource itself
			r.set(&shadow, types.ResourceStatusUpdateFailed, err.Error())
			r.recorded(ctx, row, r.event(&shadow, row.Now.Physical, err.Error()))
			r.fail("update", id)
			ok = false
		}
	}
	return ok
}
