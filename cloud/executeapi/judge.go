package executeapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"ouro/cloud/policy"
)

// Verdict is what a policy says of a call.
type Verdict int

// A policy that says nothing of a call denies it too.
const (
	Silent Verdict = iota
	Allowed
	Denied
)

// Judge reads the policy that an authorizer answered with: whether it allows
// to call what arn names, and what it says besides.
func Judge(payload []byte, arn string) (verdict Verdict, context map[string]any, err error) {
	var said struct {
		PrincipalID    string          `json:"principalId"`
		PolicyDocument json.RawMessage `json:"policyDocument"`
		Context        map[string]any  `json:"context"`
	}
	if err := json.Unmarshal(payload, &said); err != nil {
		return Silent, nil, fmt.Errorf("read the authorizer's answer: %w", err)
	}
	if said.PrincipalID == "" || len(said.PolicyDocument) == 0 {
		return Silent, nil, errors.New("read the authorizer's answer: it lacks principalId or policyDocument")
	}
	doc, err := policy.Parse(string(said.PolicyDocument))
	if err != nil {
		return Silent, nil, fmt.Errorf("read the authorizer's policy: %w", err)
	}
	context = said.Context
	if context == nil {
		context = map[string]any{}
	}
	context["principalId"] = said.PrincipalID
	for _, s := range doc.Statements {
		about := s.AllowsAction("execute-api:Invoke") &&
			slices.ContainsFunc(s.Resources, func(r string) bool { return policy.Like(r, arn) })
		if !about {
			continue
		}
		if s.Effect != "Allow" {
			return Denied, context, nil
		}
		verdict = Allowed
	}
	return verdict, context, nil
}

// Text is a value of an authorizer's context as text.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
