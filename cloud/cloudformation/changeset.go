package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

// noChanges is the reason that clients know an empty change set by.
const noChanges = "The submitted information didn't contain changes. Submit different information to create a change set."

func sameTypes(plan engine.Plan) error {
	if len(plan.Types) == 0 {
		return nil
	}
	return invalid("Update of resource type is not permitted. The new template modifies resource type of the following resources: [%s]", strings.Join(plan.Types, ", "))
}

// proposal is a change set that is being made, with those of nested stacks.
type proposal struct {
	stack  ledger.Stack
	isNew  bool // the stack does not exist yet
	set    ledger.ChangeSet
	nested map[string]*proposal // by logical id
	will   map[string]any       // the outputs that the stack will have
}

// CreateChangeSet works out what a template and its parameters would change.
// For a stack that does not exist yet it makes one in REVIEW_IN_PROGRESS.
func (s *Service) CreateChangeSet(ctx context.Context, in *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.ChangeSetName)
	wanted := asked{
		source: source{in.TemplateBody, in.TemplateURL, aws.ToBool(in.UsePreviousTemplate)}, token: in.ClientToken, roleARN: in.RoleARN,
		parameters: in.Parameters, capabilities: in.Capabilities, tags: in.Tags, notifications: in.NotificationARNs,
		rollback: in.RollbackConfiguration, resourceTypes: in.ResourceTypes, deployment: in.DeploymentConfig, reviewed: true,
	}
	if err := checkChangeSet(in, &wanted); err != nil {
		return nil, err
	}
	kind := in.ChangeSetType
	if kind == "" {
		kind = types.ChangeSetTypeUpdate
	}
	stack, isNew, err := s.reviewed(ctx, caller, in, kind)
	if err != nil {
		return nil, err
	}
	if same, err := s.sameChangeSet(ctx, stack, name, aws.ToString(in.ClientToken)); err != nil || same != nil {
		return same, err
	}
	d, err := s.draft(ctx, wanted, stack, previousStack(stack))
	if err != nil {
		return nil, err
	}
	p := s.propose(caller, stack, name, kind, d)
	p.isNew = isNew
	p.set.Description, p.set.Token, p.set.OnFailure = aws.ToString(in.Description), aws.ToString(in.ClientToken), in.OnStackFailure
	p.set.IncludeNestedStacks, p.set.ImportExisting = aws.ToBool(in.IncludeNestedStacks), aws.ToBool(in.ImportExistingResources)
	if p.set.Imports, err = imports(in, d.template); err != nil {
		return nil, err
	}
	if err := s.fill(ctx, caller, p, d, 0); err != nil {
		return nil, err
	}
	return &cloudformation.CreateChangeSetOutput{Id: &p.set.ID, StackId: &stack.ID}, s.keepProposal(ctx, caller, p)
}

func checkChangeSet(in *cloudformation.CreateChangeSetInput, wanted *asked) error {
	var v violations
	v.text("stackName", in.StackName, 1, 2048, nameOrIDText, nameOrIDExpr)
	v.name("changeSetName", in.ChangeSetName)
	v.text("description", in.Description, 1, 1024, "", nil)
	enum(&v, "changeSetType", in.ChangeSetType, in.ChangeSetType.Values())
	enum(&v, "onStackFailure", in.OnStackFailure, in.OnStackFailure.Values())
	enum(&v, "deploymentMode", in.DeploymentMode, in.DeploymentMode.Values())
	if err := wanted.check(&v); err != nil {
		return err
	}
	switch {
	case in.DeploymentMode == types.DeploymentModeRevertDrift:
		return invalid("DeploymentMode REVERT_DRIFT is not supported by the local cloud: change sets compare templates, not the state of resources")
	case in.OnStackFailure == types.OnStackFailureDelete && in.ChangeSetType != types.ChangeSetTypeCreate:
		return invalid("OnStackFailure DELETE is only valid when ChangeSetType is CREATE")
	}
	return nil
}

// sameChangeSet answers a request that is repeated, known by its token.
func (s *Service) sameChangeSet(ctx context.Context, stack ledger.Stack, name, token string) (*cloudformation.CreateChangeSetOutput, error) {
	all, err := s.changeSets(ctx, stack)
	if err != nil {
		return nil, err
	}
	for _, cs := range all {
		switch {
		case cs.Name != name:
		case token != "" && cs.Token == token:
			return &cloudformation.CreateChangeSetOutput{Id: aws.String(cs.ID), StackId: aws.String(stack.ID)}, nil
		default:
			return nil, changeSetExists(name)
		}
	}
	return nil, nil
}

func changeSetExists(name string) error {
	return &types.AlreadyExistsException{Message: aws.String(fmt.Sprintf("ChangeSet %s already exists", name))}
}

// previousStack is what a change set starts from: nothing for a stack that has
// never been made.
func previousStack(stack ledger.Stack) *ledger.Stack {
	if stack.Status == types.StackStatusReviewInProgress {
		return nil
	}
	return &stack
}

// reviewed is the stack that a change set is for; isNew when it does not exist yet.
func (s *Service) reviewed(ctx context.Context, caller door.Caller, in *cloudformation.CreateChangeSetInput, kind types.ChangeSetType) (stack ledger.Stack, isNew bool, err error) {
	stack, err = s.ledger.FindStack(ctx, caller.Scope(), aws.ToString(in.StackName))
	missing := errors.Is(err, store.ErrNotFound)
	switch {
	case err != nil && !missing:
		return stack, false, err
	case missing && kind == types.ChangeSetTypeUpdate:
		return stack, false, invalid(noStack, aws.ToString(in.StackName))
	case missing:
		var v violations
		v.name("stackName", in.StackName)
		stack = s.newStack(caller, aws.ToString(in.StackName))
		stack.Status, stack.Reason = types.StackStatusReviewInProgress, "User Initiated"
		return stack, true, v.err()
	case kind == types.ChangeSetTypeCreate && stack.Status != types.StackStatusReviewInProgress:
		return stack, false, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", aws.ToString(in.StackName), aws.ToString(in.ChangeSetName))
	case kind == types.ChangeSetTypeUpdate, kind == types.ChangeSetTypeImport && stack.Status != types.StackStatusReviewInProgress:
		return stack, false, mayUpdate(stack)
	}
	return stack, false, nil
}

func (s *Service) propose(caller door.Caller, stack ledger.Stack, name string, kind types.ChangeSetType, d draft) *proposal {
	set := ledger.ChangeSet{Name: name, UUID: s.host.NewID(), Stack: stack.Key(), Type: kind, Created: s.host.Now(), Revision: d.revision,
		Status: types.ChangeSetStatusCreateComplete, Execution: types.ExecutionStatusAvailable}
	set.ID = caller.ResourceARN("cloudformation", "changeSet/"+name+"/"+set.UUID)
	return &proposal{stack: stack, set: set}
}

func (p *proposal) fail(reason string) {
	p.set.Status, p.set.Execution, p.set.Reason = types.ChangeSetStatusFailed, types.ExecutionStatusUnavailable, reason
}

// fill finds the changes, or the reason why there are none to execute.
func (s *Service) fill(ctx context.Context, caller door.Caller, p *proposal, d draft, depth int) error {
	if d.refused != "" {
		p.fail(d.refused)
		return nil
	}
	model, err := engine.NewModel(d.template, d.values, caller, p.stack, d.revision)
	if err != nil {
		return invalid("%s", err)
	}
	model.Imports = p.set.Imports
	if p.set.IncludeNestedStacks {
		model.Nested = func(n engine.NestedPlan) (map[string]any, error) { return s.proposeNested(ctx, caller, p, n, depth) }
	}
	plan, err := s.engine.Plan(ctx, caller, p.stack, d.revision, model)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		p.fail(err.Error())
		return nil
	}
	p.set.Changes, p.set.Outline = plan.Changes, plan.Outline()
	if err := s.fillImports(ctx, caller, p, d, model, plan); err != nil {
		return err
	}
	switch {
	case p.set.Status == types.ChangeSetStatusFailed:
	case len(plan.Types) > 0:
		p.fail(sameTypes(plan).(interface{ ErrorMessage() string }).ErrorMessage())
	case plan.Empty() && p.set.Parent == "":
		p.fail(noChanges)
	}
	p.linkNested()
	p.will = plan.Will
	return nil
}

// keepProposal stores a change set and those inside, and their stacks where
// these are new.
func (s *Service) keepProposal(ctx context.Context, caller door.Caller, p *proposal) error {
	return s.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		others, err := s.changeSets(ctx, p.stack)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(others, func(o ledger.ChangeSet) bool { return o.Name == p.set.Name }) {
			return changeSetExists(p.set.Name)
		}
		if p.isNew {
			if err := s.keepReviewed(ctx, caller, p); err != nil {
				return err
			}
		}
		for _, id := range slices.Sorted(maps.Keys(p.nested)) {
			if err := s.keepProposal(ctx, caller, p.nested[id]); err != nil {
				return err
			}
		}
		return s.ledger.ChangeSets.Insert(ctx, caller.Scope(), p.set.Key(p.stack.UUID), p.set)
	})
}

// keepReviewed stores a stack that exists for a change set only.
func (s *Service) keepReviewed(ctx context.Context, caller door.Caller, p *proposal) error {
	scope := caller.Scope()
	if err := s.ledger.Names.Insert(ctx, scope, p.stack.Name, p.stack.Key()); errors.Is(err, store.ErrExists) {
		return alreadyExists(p.stack.Name)
	} else if err != nil {
		return err
	}
	if err := s.ledger.Stacks.Put(ctx, scope, p.stack.Key(), p.stack); err != nil {
		return err
	}
	ev := engine.StackEvent(p.stack, ledger.Operation{Token: p.set.Token}, p.stack.Status, p.stack.Reason, s.host)
	return s.ledger.AppendEvents(ctx, scope, p.stack.UUID, []ledger.Event{ev})
}
