package cloudformation

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// UpdateTerminationProtection allows or forbids the deletion of a stack.
func (s *Service) UpdateTerminationProtection(ctx context.Context, in *cloudformation.UpdateTerminationProtectionInput) (*cloudformation.UpdateTerminationProtectionOutput, error) {
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	if in.EnableTerminationProtection == nil {
		return nil, invalid("1 validation error detected: Value null at 'enableTerminationProtection' failed to satisfy constraint: Member must not be null")
	}
	if stack.Parent != "" {
		return nil, invalid("Termination protection cannot be updated for nested stack [%s]; it follows the root stack.", stack.Name)
	}
	_, err = s.ledger.Stacks.Update(ctx, door.CallerFrom(ctx).Scope(), stack.Key(), func(st *ledger.Stack) error {
		st.Protected = aws.ToBool(in.EnableTerminationProtection)
		return nil
	})
	return &cloudformation.UpdateTerminationProtectionOutput{StackId: &stack.ID}, err
}

// CancelUpdateStack rolls an update back that is under way.
func (s *Service) CancelUpdateStack(ctx context.Context, in *cloudformation.CancelUpdateStackInput) (*cloudformation.CancelUpdateStackOutput, error) {
	var v violations
	v.token("clientRequestToken", in.ClientRequestToken)
	if err := v.err(); err != nil {
		return nil, err
	}
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	if stack.Status != types.StackStatusUpdateInProgress {
		return nil, invalid("CancelUpdateStack cannot be called from current stack status")
	}
	if stack.Parent != "" {
		return nil, invalid("CancelUpdateStack cannot be invoked on child stacks")
	}
	_, err = s.ledger.Operations.Update(ctx, door.CallerFrom(ctx).Scope(), stack.UUID, func(op *ledger.Operation) error {
		op.Cancel = true
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	s.engine.Halt(stack.UUID, "User Initiated")
	return &cloudformation.CancelUpdateStackOutput{}, nil
}

// text is a string for an answer: nil when there is none.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
