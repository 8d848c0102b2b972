package cloudformation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/regex"
)

// noChanges is the reason that clients know an empty change set by.
const noChanges = "The submitted information didn't contain changes. Submit different information to create a change set."

var changeSetName = regex.New(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)

func sameTypes(plan engine.Plan) error {
	if len(plan.Types) == 0 {
		return nil
	}
	return invalid("Update of resource type is not permitted. The new template modifies resource type of the following resources: [%s]", strings.Join(plan.Types, ", "))
}

// CreateChangeSet works out what a template and its parameters would change.
// For a stack that does not exist yet it makes one in REVIEW_IN_PROGRESS.
func (s *Service) CreateChangeSet(ctx context.Context, in *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.ChangeSetName)
	if !changeSetName().MatchString(name) {
		return nil, invalid("1 validation error detected: Value '%s' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name)
	}
	kind := in.ChangeSetType
	if kind == "" {
		kind = types.ChangeSetTypeUpdate
	}
	if kind != types.ChangeSetTypeCreate && kind != types.ChangeSetTypeUpdate {
		return nil, invalid("Change sets of type %s are not supported by the local cloud yet", kind)
	}
	if len(in.ResourcesToImport) > 0 || aws.ToBool(in.ImportExistingResources) {
		return nil, invalid("Importing resources is not supported by the local cloud yet")
	}
	stack, isNew, err := s.reviewed(ctx, caller, in, kind)
	if err != nil {
		return nil, err
	}
	d, err := s.draft(ctx, asked{
		source: source{in.TemplateBody, in.TemplateURL, aws.ToBool(in.UsePreviousTemplate)}, roleARN: aws.ToString(in.RoleARN),
		parameters: in.Parameters, capabilities: in.Capabilities, tags: in.Tags, notifications: in.NotificationARNs, rollback: in.RollbackConfiguration,
	}, previousStack(stack, kind))
	if err != nil {
		return nil, err
	}
	cs := ledger.ChangeSet{Name: name, UUID: s.host.NewID(), Stack: stack.Key(), Type: kind, Description: aws.ToString(in.Description), Created: s.host.Now(),
		Revision: d.revision, OnFailure: in.OnStackFailure, IncludeNestedStacks: aws.ToBool(in.IncludeNestedStacks), Token: aws.ToString(in.ClientToken),
		Status: types.ChangeSetStatusCreateComplete, Execution: types.ExecutionStatusAvailable}
	cs.ID = caller.ResourceARN("cloudformation", "changeSet/"+name+"/"+cs.UUID)
	if err := s.fillChangeSet(ctx, caller, stack, d, &cs); err != nil {
		return nil, err
	}
	return &cloudformation.CreateChangeSetOutput{Id: &cs.ID, StackId: &stack.ID}, s.keepChangeSet(ctx, caller, stack, isNew, cs)
}

func previousStack(stack ledger.Stack, kind types.ChangeSetType) *ledger.Stack {
	if kind == types.ChangeSetTypeCreate {
		return nil
	}
	return &stack
}

// reviewed is the stack that a change set is for; isNew when it does not exist yet.
func (s *Service) reviewed(ctx context.Context, caller door.Caller, in *cloudformation.CreateChangeSetInput, kind types.ChangeSetType) (stack ledger.Stack, isNew bool, err error) {
	stack, err = s.findLiving(ctx, in.StackName, noStack)
	if kind == types.ChangeSetTypeUpdate {
		if err == nil && !slices.Contains(updatable, stack.Status) {
			err = cannotUpdate(stack)
		}
		return stack, false, err
	}
	if err != nil {
		if err := checkStackName(aws.ToString(in.StackName)); err != nil {
			return stack, false, err
		}
		stack = s.newStack(caller, aws.ToString(in.StackName))
		stack.Status, stack.Reason = types.StackStatusReviewInProgress, "User Initiated"
		return stack, true, nil
	}
	if stack.Status != types.StackStatusReviewInProgress {
		return stack, false, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", stack.Name, aws.ToString(in.ChangeSetName))
	}
	return stack, false, nil
}

// fillChangeSet finds the changes, or the reason why there are none to execute.
func (s *Service) fillChangeSet(ctx context.Context, caller door.Caller, stack ledger.Stack, d draft, cs *ledger.ChangeSet) error {
	fail := func(reason string) {
		cs.Status, cs.Execution, cs.Reason = types.ChangeSetStatusFailed, types.ExecutionStatusUnavailable, reason
	}
	model, err := engine.NewModel(d.template, d.values, caller, stack, d.revision)
	if err != nil {
		return invalid("%s", err)
	}
	plan, err := s.engine.Plan(ctx, caller, stack, d.revision, model)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch {
	case err != nil:
		fail(err.Error())
	case len(plan.Types) > 0:
		fail(sameTypes(plan).(interface{ ErrorMessage() string }).ErrorMessage())
	case plan.Empty():
		fail(noChanges)
	}
	cs.Changes = plan.Changes
	return nil
}

// keepChangeSet stores a change set, and its stack when that is new.
func (s *Service) keepChangeSet(ctx context.Context, caller door.Caller, stack ledger.Stack, isNew bool, cs ledger.ChangeSet) error {
	scope := caller.Scope()
	return s.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		others, err := s.changeSets(ctx, stack)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(others, func(o ledger.ChangeSet) bool { return o.Name == cs.Name }) {
			return &types.AlreadyExistsException{Message: aws.String(fmt.Sprintf("ChangeSet %s already exists", cs.Name))}
		}
		if isNew {
			if s.ledger.Names.Insert(ctx, scope, stack.Name, stack.Key()) != nil {
				return alreadyExists(stack.Name)
			}
			if err := s.ledger.Stacks.Put(ctx, scope, stack.Key(), stack); err != nil {
				return err
			}
			ev := engine.StackEvent(stack, ledger.Operation{Token: cs.Token}, stack.Status, stack.Reason, s.host)
			if err := s.ledger.AppendEvents(ctx, scope, stack.UUID, []ledger.Event{ev}); err != nil {
				return err
			}
		}
		return s.ledger.ChangeSets.Insert(ctx, scope, cs.Key(stack.UUID), cs)
	})
}

// ExecuteChangeSet makes the changes. The stack's other change sets, which
// spoke of the stack as it was, are gone with it.
func (s *Service) ExecuteChangeSet(ctx context.Context, in *cloudformation.ExecuteChangeSetInput) (*cloudformation.ExecuteChangeSetOutput, error) {
	caller := door.CallerFrom(ctx)
	stack, cs, err := s.findChangeSet(ctx, in.StackName, in.ChangeSetName)
	if err != nil {
		return nil, err
	}
	if cs.Status != types.ChangeSetStatusCreateComplete || cs.Execution != types.ExecutionStatusAvailable {
		return nil, &types.InvalidChangeSetStatusException{Message: aws.String(fmt.Sprintf("ChangeSet [%s] cannot be executed in its current status of [%s]", cs.ID, cs.Status))}
	}
	op := ledger.Operation{Phase: ledger.Forward, Token: aws.ToString(in.ClientRequestToken), RetainExceptOnCreate: aws.ToBool(in.RetainExceptOnCreate)}
	op.OnFailure = types.OnFailure(cs.OnFailure)
	if aws.ToBool(in.DisableRollback) {
		op.OnFailure = types.OnFailureDoNothing
	}
	stack.ChangeSet = cs.ID
	d, err := s.redraft(ctx, caller, stack, cs)
	if err != nil {
		return nil, err
	}
	if cs.Type == types.ChangeSetTypeCreate {
		if stack.Status != types.StackStatusReviewInProgress {
			return nil, cannotUpdate(stack)
		}
		op.Kind, stack.Revision = ledger.Create, cs.Revision
		stack.DisableRollback = op.OnFailure == types.OnFailureDoNothing
		err = s.create(ctx, caller, stack, op, d)
	} else {
		if !slices.Contains(updatable, stack.Status) {
			return nil, cannotUpdate(stack)
		}
		op.Kind = ledger.Update
		var model *engine.Model
		if model, err = engine.NewModel(d.template, d.values, caller, stack, cs.Revision); err != nil {
			return nil, invalid("%s", err)
		}
		err = s.update(ctx, caller, stack, op, cs.Revision, model)
	}
	if err != nil {
		return nil, err
	}
	return &cloudformation.ExecuteChangeSetOutput{}, s.dropChangeSets(ctx, caller, stack, cs.UUID)
}

// redraft reads the draft of a change set back from the ledger.
func (s *Service) redraft(ctx context.Context, caller door.Caller, stack ledger.Stack, cs ledger.ChangeSet) (draft, error) {
	model, err := s.engine.Load(ctx, caller, stack, cs.Revision)
	if err != nil {
		return draft{}, invalid("%s", err)
	}
	return draft{revision: cs.Revision, template: model.Template, values: model.Parameters()}, nil
}

// dropChangeSets marks the executed change set and deletes the others.
func (s *Service) dropChangeSets(ctx context.Context, caller door.Caller, stack ledger.Stack, executed string) error {
	all, err := s.changeSets(ctx, stack)
	if err != nil {
		return err
	}
	for _, cs := range all {
		if cs.UUID != executed {
			err = s.ledger.ChangeSets.Delete(ctx, caller.Scope(), cs.Key(stack.UUID))
		} else {
			cs.Execution = types.ExecutionStatusExecuteComplete
			err = s.ledger.ChangeSets.Put(ctx, caller.Scope(), cs.Key(stack.UUID), cs)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
