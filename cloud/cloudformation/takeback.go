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

// ContinueUpdateRollback goes on with a rollback that had failed.
func (s *Service) ContinueUpdateRollback(ctx context.Context, in *cloudformation.ContinueUpdateRollbackInput) (*cloudformation.ContinueUpdateRollbackOutput, error) {
	out := &cloudformation.ContinueUpdateRollbackOutput{}
	stack, repeated, err := s.failed(ctx, in.StackName, in.ClientRequestToken, in.RoleARN, continueUpdateStack)
	if err != nil || repeated {
		return out, err
	}
	if stack.Parent != "" {
		return nil, invalid("RollbackUpdatedStack cannot be invoked on child stacks")
	}
	if stack.Status != types.StackStatusUpdateRollbackFailed {
		return nil, invalid("Stack:%s is in %s state and can not continue an update rollback.", stack.ID, stack.Status)
	}
	skip := in.ResourcesToSkip
	if aws.ToBool(in.ForceRollback) {
		if skip, err = s.stuck(ctx, stack); err != nil {
			return nil, err
		}
	}
	if err := s.checkSkips(ctx, stack, in.ResourcesToSkip); err != nil {
		return nil, err
	}
	_, err = s.engine.TakeBack(ctx, door.CallerFrom(ctx).Scope(), stack, engine.TakeBack{From: stack.Status, Skip: skip,
		Token: aws.ToString(in.ClientRequestToken), Action: continueUpdateStack, Role: aws.ToString(in.RoleARN)})
	if errors.Is(err, engine.ErrOtherStatus) {
		err = cannotUpdate(stack)
	}
	return out, err
}

// failed finds a stack whose operation has failed for an operation that takes
// it from there.
func (s *Service) failed(ctx context.Context, name, token, role *string, action string) (stack ledger.Stack, repeated bool, err error) {
	var v violations
	v.token("clientRequestToken", token)
	v.text("roleARN", role, 20, 2048, "", nil)
	if err := v.err(); err != nil {
		return stack, false, err
	}
	if stack, err = s.findLiving(ctx, name, noStack); err != nil {
		return stack, false, err
	}
	if repeated, err = repeats(stack, aws.ToString(token), action); err != nil || repeated {
		return stack, repeated, err
	}
	return stack, false, s.checkRole(ctx, aws.ToString(role))
}

// checkSkips wants every resource that is to be skipped to be one on which the
// rollback failed; resources of nested stacks are named NESTEDSTACK.RESOURCE.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html
func (s *Service) checkSkips(ctx context.Context, root ledger.Stack, names []string) error {
	var wrong []string
	for _, name := range names {
		stack, id := root, name
		if nested, inside, ok := strings.Cut(name, "."); ok {
			found, err := s.ledger.FindStack(ctx, door.CallerFrom(ctx).Scope(), nested)
			if errors.Is(err, store.ErrNotFound) || err == nil && found.Root != root.ID {
				wrong = append(wrong, name)
				continue
			}
			if err != nil {
				return err
			}
			stack, id = found, inside
		}
		stuck, err := s.stuck(ctx, stack)
		if err != nil {
			return err
		}
		if !slices.Contains(stuck, id) {
			wrong = append(wrong, name)
		}
	}
	if len(wrong) > 0 {
		return invalid("The following resource(s) to skip are not in the UPDATE_FAILED state: [%s]", strings.Join(wrong, ", "))
	}
	return nil
}

// stuck are the resources of a stack that could not be brought back.
func (s *Service) stuck(ctx context.Context, stack ledger.Stack) (ids []string, err error) {
	rows, err := s.ledger.ResourcesOf(ctx, door.CallerFrom(ctx).Scope(), stack.UUID)
	for id, row := range rows {
		if row.Status == types.ResourceStatusUpdateFailed {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, err
}

// RollbackStack takes an operation back that failed and was left as it was. A
// stack that never was in a good state is deleted.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html
func (s *Service) RollbackStack(ctx context.Context, in *cloudformation.RollbackStackInput) (*cloudformation.RollbackStackOutput, error) {
	caller := door.CallerFrom(ctx)
	stack, repeated, err := s.failed(ctx, in.StackName, in.ClientRequestToken, in.RoleARN, rollbackStack)
	if err != nil || repeated {
		return &cloudformation.RollbackStackOutput{StackId: text(stack.ID)}, err
	}
	if stack.Parent != "" {
		return nil, invalid("RollbackStack cannot be invoked on child stacks")
	}
	switch stack.Status {
	case types.StackStatusUpdateFailed:
		op, err := s.engine.TakeBack(ctx, caller.Scope(), stack, engine.TakeBack{From: stack.Status, Token: aws.ToString(in.ClientRequestToken),
			Action: rollbackStack, Role: aws.ToString(in.RoleARN), Retain: aws.ToBool(in.RetainExceptOnCreate)})
		if errors.Is(err, engine.ErrOtherStatus) {
			err = cannotUpdate(stack)
		}
		return &cloudformation.RollbackStackOutput{StackId: &stack.ID, OperationId: text(op.ID)}, err
	case types.StackStatusCreateFailed:
		op := ledger.Operation{Kind: ledger.Create, Phase: ledger.Deleting, Token: aws.ToString(in.ClientRequestToken), RetainExceptOnCreate: aws.ToBool(in.RetainExceptOnCreate)}
		if in.RoleARN != nil {
			stack.RoleARN = *in.RoleARN
		}
		read := stack
		stack.Action = rollbackStack
		id, err := s.begin(ctx, caller, stack, op, types.StackStatusDeleteInProgress, nil, s.unchangedSince(caller, read))
		return &cloudformation.RollbackStackOutput{StackId: &stack.ID, OperationId: text(id)}, err
	}
	return nil, invalid("Stack:%s is in %s state and can not be rolled back.", stack.ID, stack.Status)
}
