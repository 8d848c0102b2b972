package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/regex"
	"ouro/cloud/store"
)

var stackName = regex.New(`^[a-zA-Z][-a-zA-Z0-9]*$`)

const maxStackName = 128

func checkStackName(name string) error {
	if !stackName().MatchString(name) {
		return invalid("1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name)
	}
	if len(name) > maxStackName {
		return invalid("1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: Member must have length less than or equal to %d", name, maxStackName)
	}
	return nil
}

// newStack is a stack that does not exist yet.
func (s *Service) newStack(caller door.Caller, name string) ledger.Stack {
	uuid := s.host.NewID()
	return ledger.Stack{ID: caller.ResourceARN("cloudformation", "stack/"+name+"/"+uuid), Name: name, UUID: uuid, Created: s.host.Now()}
}

// CreateStack begins to create a stack.
func (s *Service) CreateStack(ctx context.Context, in *cloudformation.CreateStackInput) (*cloudformation.CreateStackOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.StackName)
	if err := checkStackName(name); err != nil {
		return nil, err
	}
	if in.OnFailure != "" && in.DisableRollback != nil {
		return nil, invalid("Either DisableRollback or OnFailure can be specified, not both.")
	}
	if old, err := s.ledger.FindStack(ctx, caller.Scope(), name); err == nil {
		if t := aws.ToString(in.ClientRequestToken); t != "" && old.Token == t {
			return &cloudformation.CreateStackOutput{StackId: &old.ID}, nil
		}
		return nil, alreadyExists(name)
	}
	d, err := s.draft(ctx, asked{
		source: source{in.TemplateBody, in.TemplateURL, false}, roleARN: aws.ToString(in.RoleARN),
		parameters: in.Parameters, capabilities: in.Capabilities, tags: in.Tags, notifications: in.NotificationARNs, rollback: in.RollbackConfiguration,
	}, nil)
	if err != nil {
		return nil, err
	}
	stack := s.newStack(caller, name)
	stack.Revision, stack.TimeoutMinutes = d.revision, aws.ToInt32(in.TimeoutInMinutes)
	stack.Protected, stack.Policy = aws.ToBool(in.EnableTerminationProtection), aws.ToString(in.StackPolicyBody)
	op := ledger.Operation{Kind: ledger.Create, Phase: ledger.Forward, Token: aws.ToString(in.ClientRequestToken),
		OnFailure: in.OnFailure, RetainExceptOnCreate: aws.ToBool(in.RetainExceptOnCreate)}
	if aws.ToBool(in.DisableRollback) {
		op.OnFailure, stack.DisableRollback = types.OnFailureDoNothing, true
	}
	if err := s.create(ctx, caller, stack, op, d); err != nil {
		return nil, err
	}
	return &cloudformation.CreateStackOutput{StackId: &stack.ID}, nil
}

func alreadyExists(name string) error {
	return &types.AlreadyExistsException{Message: aws.String(fmt.Sprintf("Stack [%s] already exists", name))}
}

// create begins a creation: of a new stack, or of one in REVIEW_IN_PROGRESS.
func (s *Service) create(ctx context.Context, caller door.Caller, stack ledger.Stack, op ledger.Operation, d draft) error {
	model, err := engine.NewModel(d.template, d.values, caller, stack, stack.Revision)
	if err != nil {
		return invalid("%s", err)
	}
	if stack.TimeoutMinutes > 0 {
		op.Deadline = s.host.Now().Add(time.Duration(stack.TimeoutMinutes) * time.Minute)
	}
	reviewed := stack.Status == types.StackStatusReviewInProgress
	return s.begin(ctx, caller, stack, op, types.StackStatusCreateInProgress, model, func(ctx context.Context, stack *ledger.Stack) error {
		if reviewed {
			return nil
		}
		err := s.ledger.Names.Insert(ctx, caller.Scope(), stack.Name, stack.Key())
		if errors.Is(err, store.ErrExists) {
			return alreadyExists(stack.Name)
		}
		nested, nestedErr := s.ledger.Nested.Get(ctx, caller.Scope(), stack.Name)
		if nestedErr == nil && nested.Token == op.Token {
			stack.Parent, stack.Root = nested.Parent, nested.Root
		}
		return err
	})
}

// begin stores an operation with the stack's new status and starts it.
func (s *Service) begin(ctx context.Context, caller door.Caller, stack ledger.Stack, op ledger.Operation, status types.StackStatus, model *engine.Model, check func(context.Context, *ledger.Stack) error) error {
	scope := caller.Scope()
	op.ID, op.Stack, op.Caller, op.Started, op.Was = s.host.NewID(), stack.Key(), caller, s.host.Now(), stack.Status
	stack.Status, stack.Reason, stack.Token, stack.LastOperation = status, "User Initiated", op.Token, op.ID
	err := s.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		if err := check(ctx, &stack); err != nil {
			return err
		}
		if err := s.ledger.Stacks.Put(ctx, scope, stack.Key(), stack); err != nil {
			return err
		}
		if err := s.ledger.Operations.Put(ctx, scope, stack.UUID, op); err != nil {
			return err
		}
		return s.ledger.AppendEvents(ctx, scope, stack.UUID, []ledger.Event{engine.StackEvent(stack, op, status, stack.Reason, s.host)})
	})
	if err != nil {
		return err
	}
	s.engine.Start(op, stack, model)
	return nil
}

// unchangedSince refuses to begin when the stack got another status after it was read.
func (s *Service) unchangedSince(caller door.Caller, read ledger.Stack) func(context.Context, *ledger.Stack) error {
	return func(ctx context.Context, stack *ledger.Stack) error {
		now, err := s.ledger.Stacks.Get(ctx, caller.Scope(), read.Key())
		if err != nil {
			return err
		}
		if now.Status != read.Status || now.LastOperation != read.LastOperation {
			return cannotUpdate(now)
		}
		return nil
	}
}

func cannotUpdate(stack ledger.Stack) error {
	return invalid("Stack:%s is in %s state and can not be updated.", stack.ID, stack.Status)
}

// updatable are the states from which an update may start.
var updatable = []types.StackStatus{types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusUpdateRollbackComplete,
	types.StackStatusImportComplete, types.StackStatusImportRollbackComplete, types.StackStatusUpdateFailed, types.StackStatusCreateFailed}

// UpdateStack begins to update a stack.
func (s *Service) UpdateStack(ctx context.Context, in *cloudformation.UpdateStackInput) (*cloudformation.UpdateStackOutput, error) {
	caller := door.CallerFrom(ctx)
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	token := aws.ToString(in.ClientRequestToken)
	if token != "" && stack.Token == token {
		return &cloudformation.UpdateStackOutput{StackId: &stack.ID}, nil
	}
	if !slices.Contains(updatable, stack.Status) {
		return nil, cannotUpdate(stack)
	}
	d, err := s.draft(ctx, asked{
		source: source{in.TemplateBody, in.TemplateURL, aws.ToBool(in.UsePreviousTemplate)}, roleARN: aws.ToString(in.RoleARN),
		parameters: in.Parameters, capabilities: in.Capabilities, tags: in.Tags, notifications: in.NotificationARNs, rollback: in.RollbackConfiguration,
	}, &stack)
	if err != nil {
		return nil, err
	}
	model, err := s.changed(ctx, caller, stack, d)
	if err != nil {
		return nil, err
	}
	op := ledger.Operation{Kind: ledger.Update, Phase: ledger.Forward, Token: token, RetainExceptOnCreate: aws.ToBool(in.RetainExceptOnCreate)}
	if aws.ToBool(in.DisableRollback) {
		op.OnFailure = types.OnFailureDoNothing
	}
	if in.StackPolicyBody != nil {
		stack.Policy = *in.StackPolicyBody
	}
	if err := s.update(ctx, caller, stack, op, d.revision, model); err != nil {
		return nil, err
	}
	return &cloudformation.UpdateStackOutput{StackId: &stack.ID}, nil
}

// changed builds the model of an update, and refuses one that changes nothing.
func (s *Service) changed(ctx context.Context, caller door.Caller, stack ledger.Stack, d draft) (*engine.Model, error) {
	model, err := engine.NewModel(d.template, d.values, caller, stack, d.revision)
	if err != nil {
		return nil, invalid("%s", err)
	}
	plan, err := s.engine.Plan(ctx, caller, stack, d.revision, model)
	if err != nil {
		return nil, invalid("%s", err)
	}
	if err := sameTypes(plan); err != nil {
		return nil, err
	}
	retry := stack.Status == types.StackStatusUpdateFailed || stack.Status == types.StackStatusCreateFailed
	if plan.Empty() && !retry {
		return nil, invalid("No updates are to be performed.")
	}
	return model, nil
}

// update begins an update to a revision.
func (s *Service) update(ctx context.Context, caller door.Caller, stack ledger.Stack, op ledger.Operation, rev ledger.Revision, model *engine.Model) error {
	read, before := stack, stack.Revision
	op.Before = &before
	stack.Revision, stack.Updated = rev, s.host.Now()
	if stack.Parent != "" {
		nested, err := s.ledger.Nested.Get(ctx, caller.Scope(), stack.Name)
		op.Hold = err == nil && nested.Token == op.Token && op.Token != ""
	}
	return s.begin(ctx, caller, stack, op, types.StackStatusUpdateInProgress, model, s.unchangedSince(caller, read))
}

// undeletable are the states in which a stack is busy with something that a
// deletion cannot take over from.
var undeletable = []types.StackStatus{types.StackStatusUpdateInProgress, types.StackStatusUpdateCompleteCleanupInProgress,
	types.StackStatusUpdateRollbackInProgress, types.StackStatusUpdateRollbackCompleteCleanupInProgress, types.StackStatusRollbackInProgress}

// DeleteStack begins to delete a stack. One that does not exist is no error.
func (s *Service) DeleteStack(ctx context.Context, in *cloudformation.DeleteStackInput) (*cloudformation.DeleteStackOutput, error) {
	caller, out := door.CallerFrom(ctx), &cloudformation.DeleteStackOutput{}
	stack, err := s.ledger.FindStack(ctx, caller.Scope(), aws.ToString(in.StackName))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return out, nil
	case err != nil:
		return nil, err
	case stack.Status == types.StackStatusDeleteComplete, stack.Status == types.StackStatusDeleteInProgress:
		return out, nil
	case stack.Protected:
		return nil, invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", stack.Name)
	case slices.Contains(undeletable, stack.Status):
		return nil, invalid("Stack [%s] cannot be deleted while in status %s", stack.ID, stack.Status)
	case len(in.RetainResources) > 0 && stack.Status != types.StackStatusDeleteFailed:
		return nil, invalid("Invalid operation on stack [%s]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state.", stack.ID)
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
	// A creation that is under way ends with that.
	err = s.begin(ctx, caller, stack, op, types.StackStatusDeleteInProgress, nil, func(context.Context, *ledger.Stack) error { return nil })
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
