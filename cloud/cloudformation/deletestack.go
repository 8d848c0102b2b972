package cloudformation

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// undeletable are the states in which a stack is busy with something that a
// deletion cannot take over from.
var undeletable = []types.StackStatus{types.StackStatusUpdateInProgress, types.StackStatusUpdateCompleteCleanupInProgress,
	types.StackStatusUpdateRollbackInProgress, types.StackStatusUpdateRollbackCompleteCleanupInProgress, types.StackStatusRollbackInProgress,
	types.StackStatusImportInProgress, types.StackStatusImportRollbackInProgress}

// DeleteStack begins to delete a stack. One that does not exist is no error.
func (s *Service) DeleteStack(ctx context.Context, in *cloudformation.DeleteStackInput) (*cloudformation.DeleteStackOutput, error) {
	caller, out := door.CallerFrom(ctx), &cloudformation.DeleteStackOutput{}
	if err := checkDelete(in); err != nil {
		return nil, err
	}
	stack, err := s.ledger.FindStack(ctx, caller.Scope(), aws.ToString(in.StackName))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return out, nil
	case err != nil:
		return nil, err
	case stack.Status == types.StackStatusDeleteComplete, stack.Status == types.StackStatusDeleteInProgress:
		return out, nil
	case slices.Contains(undeletable, stack.Status):
		return nil, invalid("Stack [%s] cannot be deleted while in status %s", stack.ID, stack.Status)
	case len(in.RetainResources) > 0 && stack.Status != types.StackStatusDeleteFailed:
		return nil, invalid("Invalid operation on stack [%s]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state.", stack.ID)
	}
	if err := s.mayDelete(ctx, stack, aws.ToString(in.ClientRequestToken)); err != nil {
		return nil, err
	}
	if in.RoleARN != nil {
		stack.RoleARN = *in.RoleARN
	}
	if err := s.checkRole(ctx, stack.RoleARN); err != nil {
		return nil, err
	}
	op := ledger.Operation{Kind: ledger.Delete, Phase: ledger.Deleting, Token: aws.ToString(in.ClientRequestToken), Retain: in.RetainResources}
	if in.DeletionMode == types.DeletionModeForceDeleteStack {
		if stack.Status != types.StackStatusDeleteFailed {
			return nil, invalid("Invalid operation on stack [%s]. FORCE_DELETE_STACK can only be used when the stack is in the DELETE_FAILED state.", stack.ID)
		}
		if op.Retain, err = s.undeleted(ctx, stack); err != nil {
			return nil, err
		}
	}
	if stack.Status == types.StackStatusReviewInProgress {
		if err := s.dropChangeSets(ctx, stack); err != nil {
			return nil, err
		}
	}
	missing, err := s.unknownResources(ctx, stack, in.RetainResources)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, invalid("Invalid operation on stack [%s]. The specified resources to retain must be in a valid state for the operation: [%s]", stack.ID, strings.Join(missing, ", "))
	}
	stack.Action = deleteStack
	// A creation that is under way ends with that.
	_, err = s.begin(ctx, caller, stack, op, types.StackStatusDeleteInProgress, nil, func(context.Context, *ledger.Stack) error { return nil })
	return out, err
}

// undeleted are the resources that the last deletion failed on.
func (s *Service) undeleted(ctx context.Context, stack ledger.Stack) ([]string, error) {
	rows, err := s.ledger.ResourcesOf(ctx, door.CallerFrom(ctx).Scope(), stack.UUID)
	var ids []string
	for id, row := range rows {
		if row.Status == types.ResourceStatusDeleteFailed {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// unknownResources are those of the names that no resource of the stack has
// that is left to be deleted.
func (s *Service) unknownResources(ctx context.Context, stack ledger.Stack, names []string) (missing []string, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	rows, err := s.ledger.ResourcesOf(ctx, door.CallerFrom(ctx).Scope(), stack.UUID)
	for _, name := range names {
		if row := rows[name]; row == nil || row.Status != types.ResourceStatusDeleteFailed {
			missing = append(missing, name)
		}
	}
	return missing, err
}

func checkDelete(in *cloudformation.DeleteStackInput) error {
	var v violations
	v.token("clientRequestToken", in.ClientRequestToken)
	v.text("roleARN", in.RoleARN, 20, 2048, "", nil)
	enum(&v, "deletionMode", in.DeletionMode, in.DeletionMode.Values())
	return v.err()
}

// mayDelete tells why a stack cannot be deleted: because it is protected, or
// the root that it is nested in is. The root's own operations may.
func (s *Service) mayDelete(ctx context.Context, stack ledger.Stack, token string) error {
	protected, err := s.protected(ctx, stack)
	if err != nil || !protected {
		return err
	}
	nested, err := s.ledger.Nested.Get(ctx, door.CallerFrom(ctx).Scope(), stack.Name)
	if stack.Parent != "" && err == nil && token != "" && nested.Token == token {
		return nil
	}
	return invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", stack.Name)
}

// protected tells whether a stack, or the root of its tree, is protected.
func (s *Service) protected(ctx context.Context, stack ledger.Stack) (bool, error) {
	if stack.Root == "" {
		return stack.Protected, nil
	}
	root, err := s.ledger.FindStack(ctx, door.CallerFrom(ctx).Scope(), stack.Root)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return root.Protected, err
}
