package sns

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"ouro/cloud/door"
	"ouro/cloud/policy"
)

// ownerActions are what the default policy allows to the topic's own account.
var ownerActions = []string{
	"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
	"SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
}

// statement is a statement of a policy that SNS itself writes.
type statement struct {
	Sid       string
	Effect    string
	Principal map[string]any
	Action    any
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

type document struct {
	Version   string
	ID        string `json:"Id"`
	Statement []json.RawMessage
}

// policy is the policy in force.
func (t topic) policy() string {
	if t.Policy != "" {
		return t.Policy
	}
	st := statement{Sid: "__default_statement_ID", Effect: "Allow", Principal: map[string]any{"AWS": "*"}, Action: ownerActions,
		Resource: t.ARN, Condition: map[string]map[string]string{"StringEquals": {"AWS:SourceOwner": t.Owner}}}
	return encode(document{Version: "2008-10-17", ID: "__default_policy_ID", Statement: []json.RawMessage{json.RawMessage(encode(st))}})
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // documents of strings always encode
	}
	return string(b)
}

const maxPolicy = 30 << 10 // bytes

// checkPolicy tells what keeps a document from being a topic's policy.
func checkPolicy(text string) error {
	if text == "" {
		return nil
	}
	if len(text) > maxPolicy {
		return invalid("Policy Error: null")
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return invalid("Policy Error: null")
	}
	for _, st := range doc.Statements {
		actions := append(append([]string(nil), st.Actions...), st.NotActions...)
		switch {
		case st.Effect != "Allow" && st.Effect != "Deny", st.Principals == nil && st.NotPrincipals == nil, len(actions) == 0:
			return invalid("Policy Error: null")
		case slices.ContainsFunc(actions, outOfScope):
			return invalid("Policy statement action out of service scope!")
		}
	}
	return nil
}

func outOfScope(action string) bool {
	return action != "*" && !strings.HasPrefix(strings.ToLower(action), "sns:")
}

// permit tells whether the caller may do it to the topic. The topic's own
// account may whatever no statement denies; others and services need one that
// allows. Conditions that cannot be judged here count for the caller.
func (t topic) permit(c door.Caller, action string) error {
	doc, err := policy.Parse(t.policy())
	if err != nil {
		return err
	}
	allowed := c.Account == t.Owner && c.Service == ""
	concerned := func(st policy.Statement) bool {
		return slices.ContainsFunc(principals(c), func(who policy.Principal) bool { return concerns(st, who, t.conditions(c)) })
	}
	for _, st := range doc.Statements {
		if !st.AllowsAction(action) || !t.means(st) || !concerned(st) {
			continue
		}
		if st.Effect == "Deny" {
			allowed = false
			break
		}
		allowed = true
	}
	if allowed {
		return nil
	}
	return denied(c, action, t.ARN)
}

// principals are whom a policy may call the caller. Alarms come in the name of
// their account too, which the default policy lets in.
func principals(c door.Caller) []policy.Principal {
	list := []policy.Principal{{Account: c.Account, ARN: c.ARN, Service: c.Service}}
	if c.Service == "cloudwatch.amazonaws.com" {
		list = append(list, policy.Principal{Account: c.Account})
	}
	return list
}

// means tells whether a statement is about the topic; one that names no
// resource is about what it is attached to.
func (t topic) means(st policy.Statement) bool {
	about := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return policy.Like(p, t.ARN) })
	}
	return (len(st.Resources) == 0 || about(st.Resources)) && !about(st.NotResources)
}

// denied is the answer to a caller who may not do it to the resource.
func denied(c door.Caller, action, arn string) error {
	name := c.ARN
	if c.Service != "" {
		name = c.Service
	}
	return &types.AuthorizationErrorException{Message: aws.String("User: " + name + " is not authorized to perform: " + action +
		" on resource: " + arn + " because no resource-based policy allows the " + action + " action")}
}

// AddPermission adds a statement to the policy.
func (s *Service) AddPermission(ctx context.Context, in *sns.AddPermissionInput) (*sns.AddPermissionOutput, error) {
	t, scope, err := s.topicAt(ctx, in.TopicArn, "SNS:AddPermission")
	if err != nil {
		return nil, err
	}
	var principals, actions []string
	for _, account := range in.AWSAccountId {
		principals = append(principals, "arn:"+door.CallerFrom(ctx).Partition()+":iam::"+account+":root")
	}
	for _, action := range in.ActionName {
		if !slices.Contains(ownerActions, "SNS:"+action) && action != "*" {
			return nil, invalid("Policy statement action out of service scope!")
		}
		actions = append(actions, "SNS:"+action)
	}
	if len(principals) == 0 || len(actions) == 0 || aws.ToString(in.Label) == "" {
		return nil, invalid("Label, AWSAccountId and ActionName must not be empty")
	}
	_, err = s.topics.Update(ctx, scope, t.Name, func(t *topic) error {
		doc, sids, err := t.statements()
		if err != nil {
			return err
		}
		if slices.Contains(sids, *in.Label) {
			return invalid("Statement already exists")
		}
		doc.Statement = append(doc.Statement, json.RawMessage(encode(statement{Sid: *in.Label, Effect: "Allow",
			Principal: map[string]any{"AWS": oneOrMany(principals)}, Action: oneOrMany(actions), Resource: t.ARN})))
		t.Policy = encode(doc)
		return nil
	})
	return &sns.AddPermissionOutput{}, err
}

// RemovePermission takes a statement out of the policy.
func (s *Service) RemovePermission(ctx context.Context, in *sns.RemovePermissionInput) (*sns.RemovePermissionOutput, error) {
	t, scope, err := s.topicAt(ctx, in.TopicArn, "SNS:RemovePermission")
	if err != nil {
		return nil, err
	}
	_, err = s.topics.Update(ctx, scope, t.Name, func(t *topic) error {
		doc, sids, err := t.statements()
		if err != nil {
			return err
		}
		if at := slices.Index(sids, aws.ToString(in.Label)); at >= 0 {
			doc.Statement = slices.Delete(doc.Statement, at, at+1)
			t.Policy = encode(doc)
		}
		return nil
	})
	return &sns.RemovePermissionOutput{}, err
}

// statements are the policy in force, and the ids of its statements in order.
func (t *topic) statements() (document, []string, error) {
	var doc document
	var one struct{ Statement json.RawMessage }
	text := []byte(t.policy())
	if json.Unmarshal(text, &doc) != nil { // a statement that is not in a list
		if err := json.Unmarshal(text, &one); err != nil {
			return doc, nil, err
		}
		doc.Statement = []json.RawMessage{one.Statement}
	}
	sids := make([]string, len(doc.Statement))
	for i, raw := range doc.Statement {
		var st struct{ Sid string }
		if err := json.Unmarshal(raw, &st); err != nil {
			return doc, nil, err
		}
		sids[i] = st.Sid
	}
	return doc, sids, nil
}

func oneOrMany(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// conditions answers for the condition keys that are known of a call.
func (t topic) conditions(c door.Caller) func(key string) ([]string, bool) {
	return func(key string) ([]string, bool) {
		switch key {
		case "aws:sourceowner", "aws:sourceaccount", "aws:principalaccount":
			return []string{c.Account}, true
		case "aws:principalarn":
			return []string{c.ARN}, true
		case "aws:securetransport": // nothing leaves the machine
			return []string{"true"}, true
		}
		return nil, false
	}
}

// concerns tells whether a statement is about that principal and call.
func concerns(st policy.Statement, who policy.Principal, values func(string) ([]string, bool)) bool {
	switch {
	case st.Principals != nil && !st.Principals.Match(who):
		return false
	case st.NotPrincipals != nil && st.NotPrincipals.Match(who):
		return false
	}
	for _, c := range st.Conditions {
		holds, known := c.Holds(values)
		if known && !holds || !known && st.Effect == "Deny" {
			return false
		}
	}
	return true
}
