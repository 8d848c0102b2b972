package cloudformation

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// SetStackPolicy keeps a stack policy.
func (s *Service) SetStackPolicy(ctx context.Context, in *cloudformation.SetStackPolicyInput) (*cloudformation.SetStackPolicyOutput, error) {
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	policy := aws.ToString(in.StackPolicyBody)
	if in.StackPolicyURL != nil {
		policy, err = engine.FetchTemplate(ctx, s.engine.Config(door.CallerFrom(ctx), ""), s.host.Endpoint(), *in.StackPolicyURL)
		if err != nil {
			return nil, invalid("%s", strings.Replace(err.Error(), "TemplateURL", "StackPolicyURL", 1))
		}
	}
	_, err = s.ledger.Stacks.Update(ctx, door.CallerFrom(ctx).Scope(), stack.Key(), func(st *ledger.Stack) error {
		st.Policy = policy
		return nil
	})
	return &cloudformation.SetStackPolicyOutput{}, err
}

// GetStackPolicy gives the stack policy that was set, if any.
func (s *Service) GetStackPolicy(ctx context.Context, in *cloudformation.GetStackPolicyInput) (*cloudformation.GetStackPolicyOutput, error) {
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	return &cloudformation.GetStackPolicyOutput{StackPolicyBody: text(stack.Policy)}, nil
}

// UpdateTerminationProtection allows or forbids the deletion of a stack.
func (s *Service) UpdateTerminationProtection(ctx context.Context, in *cloudformation.UpdateTerminationProtectionInput) (*cloudformation.UpdateTerminationProtectionOutput, error) {
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
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
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	if stack.Status != types.StackStatusUpdateInProgress {
		return nil, invalid("CancelUpdateStack cannot be called from current stack status")
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

// ContinueUpdateRollback goes on with a rollback that had failed.
func (s *Service) ContinueUpdateRollback(ctx context.Context, in *cloudformation.ContinueUpdateRollbackInput) (*cloudformation.ContinueUpdateRollbackOutput, error) {
	caller := door.CallerFrom(ctx)
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	if stack.Status != types.StackStatusUpdateRollbackFailed {
		return nil, invalid("Stack:%s is in %s state and can not continue an update rollback.", stack.ID, stack.Status)
	}
	op, err := s.ledger.Operations.Get(ctx, caller.Scope(), stack.UUID)
	if err != nil {
		return nil, err
	}
	rows, err := s.ledger.ResourcesOf(ctx, caller.Scope(), stack.UUID)
	if err != nil {
		return nil, err
	}
	for _, id := range in.ResourcesToSkip {
		if row := rows[id]; row == nil || row.Status != types.ResourceStatusUpdateFailed {
			return nil, invalid("The following resource(s) to skip are not in the UPDATE_FAILED state: [%s]", id)
		}
	}
	op.Phase, op.Skip, op.Token = ledger.Rollback, slices.Clone(in.ResourcesToSkip), aws.ToString(in.ClientRequestToken)
	if in.RoleARN != nil {
		stack.RoleARN = *in.RoleARN
	}
	const status = types.StackStatusUpdateRollbackInProgress
	err = s.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		stack, err = s.ledger.Stacks.Update(ctx, caller.Scope(), stack.Key(), func(st *ledger.Stack) error {
			if st.Status != types.StackStatusUpdateRollbackFailed {
				return cannotUpdate(*st)
			}
			st.Status, st.Reason, st.RoleARN, st.Token = status, "User Initiated", stack.RoleARN, op.Token
			return nil
		})
		if err != nil {
			return err
		}
		if err := s.ledger.Operations.Put(ctx, caller.Scope(), stack.UUID, op); err != nil {
			return err
		}
		return s.ledger.AppendEvents(ctx, caller.Scope(), stack.UUID, []ledger.Event{engine.StackEvent(stack, op, status, stack.Reason, s.host)})
	})
	if err != nil {
		return nil, err
	}
	s.engine.Start(op, stack, nil)
	return &cloudformation.ContinueUpdateRollbackOutput{}, nil
}

// text is a string for an answer: nil when there is none.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
