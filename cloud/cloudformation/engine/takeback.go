package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/store"
)

// TakeBack is how a failed operation is to be rolled back after all.
type TakeBack struct {
	From   types.StackStatus // in which the stack must be
	Skip   []string          // resources that stay as they are, see ContinueUpdateRollback
	Token  string
	Action string // the API operation that asks for it
	Role   string // empty: the stack's
	Retain bool   // RetainExceptOnCreate
}

// ErrOtherStatus says that the stack is no longer in the status from which something was to begin.
var ErrOtherStatus = errors.New("the stack is in another status")

// TakeBack goes on with the rollback of a failed update, or begins it.
func (e *Engine) TakeBack(ctx context.Context, scope store.Scope, stack ledger.Stack, t TakeBack) (ledger.Operation, error) {
	const status = types.StackStatusUpdateRollbackInProgress
	var op ledger.Operation
	err := e.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		var err error
		if op, err = e.ledger.Operations.Get(ctx, scope, stack.UUID); err != nil {
			return err
		}
		op.Phase, op.Skip, op.Token = ledger.Rollback, slices.Clone(t.Skip), t.Token
		op.RetainExceptOnCreate = op.RetainExceptOnCreate || t.Retain
		stack, err = e.ledger.Stacks.Update(ctx, scope, stack.Key(), func(s *ledger.Stack) error {
			if s.Status != t.From {
				return ErrOtherStatus
			}
			s.Status, s.Reason, s.Token, s.Action = status, "User Initiated", t.Token, t.Action
			if t.Role != "" {
				s.RoleARN = t.Role
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := e.ledger.Operations.Put(ctx, scope, stack.UUID, op); err != nil {
			return err
		}
		return e.ledger.AppendEvents(ctx, scope, stack.UUID, []ledger.Event{StackEvent(stack, op, status, stack.Reason, e.host)})
	})
	if err != nil {
		return op, err
	}
	e.Start(op, stack, nil)
	return op, nil
}

// skips tells whether a resource is left as it is by a rollback that goes on.
// Resources of nested stacks are named NESTEDSTACK.RESOURCE.
func (r *run) skips(logicalID string) bool {
	name := logicalID
	if r.stack.Parent != "" {
		name = r.stack.Name + "." + logicalID
	}
	return slices.Contains(r.op.Skip, name)
}

// revertNested takes a nested stack's update back: one that waits is told so,
// one whose rollback had failed goes on, and one that is decided is set to its
// former properties.
func (e *Engine) revertNested(ctx context.Context, r *resource.Request) (resource.Result, error) {
	held, err := e.decideNested(ctx, r, ledger.Rollback)
	if err != nil || held {
		return e.nestedResult(ctx, r, err)
	}
	scope := store.Scope{Account: r.Account, Region: r.Region}
	stack, err := e.ledger.FindStack(ctx, scope, r.Physical)
	if err != nil || stack.Status != types.StackStatusUpdateRollbackFailed {
		return e.updateNested(ctx, r)
	}
	outer, err := e.ledger.FindStack(ctx, scope, r.StackID)
	if err != nil {
		return resource.Result{}, err
	}
	op, err := e.ledger.Operations.Get(ctx, scope, outer.UUID)
	if err != nil {
		return resource.Result{}, err
	}
	if _, err := e.TakeBack(ctx, scope, stack, TakeBack{From: stack.Status, Skip: op.Skip, Token: op.Token}); err != nil {
		return resource.Result{}, err
	}
	if _, err := e.await(ctx, resource.Client(r.Clients, cloudformation.NewFromConfig), r.Physical, never); err != nil {
		return resource.Result{}, err
	}
	return e.nestedResult(ctx, r, nil)
}
