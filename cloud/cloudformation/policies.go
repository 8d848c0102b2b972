package cloudformation

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
)

// SetStackPolicy sets what updates may do to the stack's resources.
func (s *Service) SetStackPolicy(ctx context.Context, in *cloudformation.SetStackPolicyInput) (*cloudformation.SetStackPolicyOutput, error) {
	var v violations
	v.text("stackPolicyBody", in.StackPolicyBody, 1, maxPolicy, "", nil)
	if err := v.err(); err != nil {
		return nil, err
	}
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	policy, err := s.policyText(ctx, in.StackPolicyBody, in.StackPolicyURL)
	if err == nil && policy == nil {
		err = errNoPolicy
	}
	if err != nil {
		return nil, err
	}
	_, err = s.ledger.Stacks.Update(ctx, door.CallerFrom(ctx).Scope(), stack.Key(), func(st *ledger.Stack) error {
		st.Policy = *policy
		return nil
	})
	return &cloudformation.SetStackPolicyOutput{}, err
}

var errNoPolicy = invalid("Either StackPolicyURL or StackPolicyBody must be specified")

// policyText reads and checks a policy that a request gives itself or by its
// address; nil when it gives none.
func (s *Service) policyText(ctx context.Context, body, url *string) (*string, error) {
	switch {
	case body != nil && url != nil:
		return nil, invalid("You cannot specify both StackPolicyURL and StackPolicyBody")
	case url != nil:
		text, err := engine.FetchTemplate(ctx, s.host.As(door.CallerFrom(ctx)), s.host.Endpoint(), *url)
		if err != nil {
			return nil, invalid("%s", strings.Replace(err.Error(), "TemplateURL", "StackPolicyURL", 1))
		}
		body = &text
	case body == nil:
		return nil, nil
	}
	if _, err := engine.ParseStackPolicy(*body); err != nil {
		return nil, invalid("%s", err)
	}
	return body, nil
}

// GetStackPolicy gives the stack policy that was set, if any.
func (s *Service) GetStackPolicy(ctx context.Context, in *cloudformation.GetStackPolicyInput) (*cloudformation.GetStackPolicyOutput, error) {
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	return &cloudformation.GetStackPolicyOutput{StackPolicyBody: text(stack.Policy)}, nil
}
