package cloudformation

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
)

// ExecuteChangeSet makes the changes. The stack's other change sets, which
// spoke of the stack as it was, are gone with it.
func (s *Service) ExecuteChangeSet(ctx context.Context, in *cloudformation.ExecuteChangeSetInput) (*cloudformation.ExecuteChangeSetOutput, error) {
	var v violations
	v.token("clientRequestToken", in.ClientRequestToken)
	if err := v.err(); err != nil {
		return nil, err
	}
	caller, out := door.CallerFrom(ctx), &cloudformation.ExecuteChangeSetOutput{}
	stack, cs, err := s.findChangeSet(ctx, in.StackName, in.ChangeSetName)
	if err != nil {
		return nil, err
	}
	token := aws.ToString(in.ClientRequestToken)
	if repeated, err := repeats(stack, token, executeChangeSet); err != nil || repeated && stack.ChangeSet == cs.ID {
		return out, err
	}
	if err := executable(cs, in); err != nil {
		return nil, err
	}
	op := ledger.Operation{Phase: ledger.Forward, Token: token, RetainExceptOnCreate: aws.ToBool(in.RetainExceptOnCreate),
		OnFailure: types.OnFailure(cs.OnFailure), Imports: cs.Imports, Suffixes: cs.Suffixes, Policy: stack.Policy}
	if aws.ToBool(in.DisableRollback) {
		op.OnFailure = types.OnFailureDoNothing
	}
	stack.ChangeSet, stack.Action = cs.ID, executeChangeSet
	d, err := s.redraft(ctx, caller, stack, cs)
	if err != nil {
		return nil, err
	}
	if stack.Status == types.StackStatusReviewInProgress {
		err = s.executeNew(ctx, caller, stack, cs, op, d)
	} else {
		err = s.executeUpdate(ctx, caller, stack, cs, op, d)
	}
	if err != nil {
		return nil, err
	}
	return out, s.executed(ctx, stack, cs)
}

// executable tells why a change set cannot be executed as it is.
func executable(cs ledger.ChangeSet, in *cloudformation.ExecuteChangeSetInput) error {
	refuse := func(what, status string) error {
		return &types.InvalidChangeSetStatusException{Message: aws.String(fmt.Sprintf("ChangeSet [%s] cannot be executed in its current %s of [%s]", cs.ID, what, status))}
	}
	switch {
	case cs.Parent != "":
		return invalid("ChangeSet [%s] is a nested change set and cannot be executed by itself. Execute the root change set [%s].", cs.ID, cs.Root)
	case cs.Status != types.ChangeSetStatusCreateComplete:
		return refuse("status", string(cs.Status))
	case cs.Execution != types.ExecutionStatusAvailable:
		return refuse("execution status", string(cs.Execution))
	case cs.OnFailure != "" && in.DisableRollback != nil:
		return invalid("DisableRollback cannot be specified for a change set that was created with OnStackFailure.")
	}
	return nil
}

func (s *Service) executeNew(ctx context.Context, caller door.Caller, stack ledger.Stack, cs ledger.ChangeSet, op ledger.Operation, d draft) error {
	op.Kind, stack.Revision = ledger.Create, cs.Revision
	if cs.Type == types.ChangeSetTypeImport {
		op.Kind = ledger.Adopt
	}
	stack.DisableRollback = op.OnFailure == types.OnFailureDoNothing
	_, err := s.create(ctx, caller, stack, op, d)
	return err
}

func (s *Service) executeUpdate(ctx context.Context, caller door.Caller, stack ledger.Stack, cs ledger.ChangeSet, op ledger.Operation, d draft) error {
	if err := mayUpdate(stack); err != nil {
		return err
	}
	op.Kind = ledger.Update
	if cs.Type == types.ChangeSetTypeImport {
		op.Kind = ledger.Adopt
	}
	model, err := engine.NewModel(d.template, d.values, caller, stack, cs.Revision)
	if err != nil {
		return invalid("%s", err)
	}
	_, err = s.update(ctx, caller, stack, op, cs.Revision, model)
	return err
}

// redraft reads the draft of a change set back from the ledger.
func (s *Service) redraft(ctx context.Context, caller door.Caller, stack ledger.Stack, cs ledger.ChangeSet) (draft, error) {
	model, err := s.engine.Load(ctx, caller, stack, cs.Revision)
	if err != nil {
		return draft{}, invalid("%s", err)
	}
	return draft{revision: cs.Revision, template: model.Template, values: model.Parameters()}, nil
}

// executed marks a change set and those nested in it, and deletes the others
// of their stacks.
func (s *Service) executed(ctx context.Context, stack ledger.Stack, root ledger.ChangeSet) error {
	tree, err := s.withChildren(ctx, root)
	if err != nil {
		return err
	}
	scope := door.CallerFrom(ctx).Scope()
	for _, done := range tree {
		of, err := s.ledger.Stacks.Get(ctx, scope, done.Stack)
		if err != nil {
			return err
		}
		done.Execution = types.ExecutionStatusExecuteComplete
		if err := s.ledger.ChangeSets.Put(ctx, scope, done.Key(of.UUID), done); err != nil {
			return err
		}
	}
	all, err := s.changeSets(ctx, stack)
	if err != nil {
		return err
	}
	for _, cs := range all {
		if cs.UUID != root.UUID {
			if err := s.forget(ctx, cs); err != nil {
				return err
			}
		}
	}
	return nil
}

// outdate marks the change sets of a stack that is updated without them.
func (s *Service) outdate(ctx context.Context, stack ledger.Stack) error {
	all, err := s.changeSets(ctx, stack)
	if err != nil {
		return err
	}
	for _, cs := range all {
		if cs.Execution != types.ExecutionStatusAvailable {
			continue
		}
		cs.Execution = types.ExecutionStatusObsolete
		if err := s.ledger.ChangeSets.Put(ctx, door.CallerFrom(ctx).Scope(), cs.Key(stack.UUID), cs); err != nil {
			return err
		}
	}
	return nil
}
