package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// newStack is a stack that does not exist yet.
func (s *Service) newStack(caller door.Caller, name string) ledger.Stack {
	uuid := s.host.NewID()
	return ledger.Stack{ID: caller.ResourceARN("cloudformation", "stack/"+name+"/"+uuid), Name: name, UUID: uuid, Created: s.host.Now()}
}

// CreateStack begins to create a stack.
func (s *Service) CreateStack(ctx context.Context, in *cloudformation.CreateStackInput) (*cloudformation.CreateStackOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.StackName)
	wanted := asked{
		source: source{in.TemplateBody, in.TemplateURL, false}, token: in.ClientRequestToken, roleARN: in.RoleARN,
		parameters: in.Parameters, capabilities: in.Capabilities, tags: in.Tags, notifications: in.NotificationARNs,
		rollback: in.RollbackConfiguration, resourceTypes: in.ResourceTypes, deployment: in.DeploymentConfig,
	}
	if err := checkCreate(in, &wanted); err != nil {
		return nil, err
	}
	stack, promised, err := s.placeFor(ctx, caller, name, aws.ToString(in.ClientRequestToken))
	if err != nil || stack.Status != "" && stack.Status != types.StackStatusReviewInProgress {
		return &cloudformation.CreateStackOutput{StackId: &stack.ID}, err
	}
	policy, err := s.policyText(ctx, in.StackPolicyBody, in.StackPolicyURL)
	if err != nil {
		return nil, err
	}
	d, err := s.draft(ctx, wanted, stack, nil)
	if err != nil {
		return nil, err
	}
	stack.Revision, stack.TimeoutMinutes = d.revision, aws.ToInt32(in.TimeoutInMinutes)
	stack.Protected, stack.Policy = aws.ToBool(in.EnableTerminationProtection), aws.ToString(policy)
	op := ledger.Operation{Kind: ledger.Create, Phase: ledger.Forward, Token: aws.ToString(in.ClientRequestToken),
		OnFailure: in.OnFailure, RetainExceptOnCreate: aws.ToBool(in.RetainExceptOnCreate), Refused: d.refused, Suffixes: promised}
	stack.DoNothing = in.OnFailure == types.OnFailureDoNothing
	if disablesRollback(in.DisableRollback, in.DeploymentConfig) {
		op.OnFailure = types.OnFailureDoNothing
	}
	stack.DisableRollback = op.OnFailure == types.OnFailureDoNothing
	stack.Action = createStack
	if op.ID, err = s.create(ctx, caller, stack, op, d); err != nil {
		return nil, err
	}
	return &cloudformation.CreateStackOutput{StackId: &stack.ID, OperationId: &op.ID}, nil
}

// The operations that begin something, by which tokens are told apart.
const (
	createStack         = "CreateStack"
	updateStack         = "UpdateStack"
	deleteStack         = "DeleteStack"
	executeChangeSet    = "ExecuteChangeSet"
	rollbackStack       = "RollbackStack"
	continueUpdateStack = "ContinueUpdateRollback"
)

func checkCreate(in *cloudformation.CreateStackInput, wanted *asked) error {
	var v violations
	v.name("stackName", in.StackName)
	enum(&v, "onFailure", in.OnFailure, in.OnFailure.Values())
	if in.TimeoutInMinutes != nil && *in.TimeoutInMinutes < 1 {
		v.add("timeoutInMinutes", fmt.Sprint(*in.TimeoutInMinutes), "have value greater than or equal to 1")
	}
	v.text("stackPolicyBody", in.StackPolicyBody, 1, maxPolicy, "", nil)
	if err := wanted.check(&v); err != nil {
		return err
	}
	if in.OnFailure != "" && in.DisableRollback != nil {
		return invalid("Either DisableRollback or OnFailure can be specified, not both.")
	}
	return nil
}

func disablesRollback(asked *bool, config *types.DeploymentConfig) bool {
	return aws.ToBool(asked) || config != nil && aws.ToBool(config.DisableRollback)
}

// placeFor is where a new stack is made: nowhere yet, or in a nested stack's
// place that a change set has promised, with the names that it promised
// further down. A stack with another status than these is the answer to a
// request that is repeated.
func (s *Service) placeFor(ctx context.Context, caller door.Caller, name, token string) (stack ledger.Stack, promised map[string]string, err error) {
	old, err := s.ledger.FindStack(ctx, caller.Scope(), name)
	if errors.Is(err, store.ErrNotFound) {
		return s.newStack(caller, name), nil, nil
	}
	if err != nil {
		return old, nil, err
	}
	if old.Status != types.StackStatusReviewInProgress {
		repeated, err := repeats(old, token, createStack)
		if err == nil && !repeated {
			err = alreadyExists(name)
		}
		return old, nil, err
	}
	nested, err := s.ledger.Nested.Get(ctx, caller.Scope(), name)
	if err != nil || nested.Token != token || old.Parent == "" {
		return old, nil, alreadyExists(name)
	}
	all, err := s.changeSets(ctx, old)
	for _, cs := range all {
		promised = cs.Suffixes
	}
	return old, promised, err
}

// repeats tells whether a request is one that was made before, by its token;
// a token that stood for something else is refused.
func repeats(stack ledger.Stack, token, action string) (bool, error) {
	switch {
	case token == "" || stack.Token != token:
		return false, nil
	case stack.Action == action:
		return true, nil
	}
	return false, &types.TokenAlreadyExistsException{Message: aws.String(fmt.Sprintf("A client request token %s already exists.", token))}
}

func alreadyExists(name string) error {
	return &types.AlreadyExistsException{Message: aws.String(fmt.Sprintf("Stack [%s] already exists", name))}
}

// create begins a creation: of a new stack, or of one in REVIEW_IN_PROGRESS.
func (s *Service) create(ctx context.Context, caller door.Caller, stack ledger.Stack, op ledger.Operation, d draft) (operation string, err error) {
	var model *engine.Model
	if op.Refused == "" {
		if model, err = engine.NewModel(d.template, d.values, caller, stack, stack.Revision); err != nil {
			return "", invalid("%s", err)
		}
	}
	status := types.StackStatusCreateInProgress
	if op.Kind == ledger.Adopt {
		status = types.StackStatusImportInProgress
	}
	if stack.TimeoutMinutes > 0 {
		op.Deadline = s.host.Now().Add(time.Duration(stack.TimeoutMinutes) * time.Minute)
	}
	reviewed := stack.Status == types.StackStatusReviewInProgress
	return s.begin(ctx, caller, stack, op, status, model, func(ctx context.Context, stack *ledger.Stack) error {
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

// begin stores an operation with the stack's new status and starts it. It
// answers with the operation's id.
func (s *Service) begin(ctx context.Context, caller door.Caller, stack ledger.Stack, op ledger.Operation, status types.StackStatus, model *engine.Model, check func(context.Context, *ledger.Stack) error) (operation string, err error) {
	scope := caller.Scope()
	op.ID, op.Stack, op.Caller, op.Started, op.Was = s.host.NewID(), stack.Key(), caller, s.host.Now(), stack.Status
	stack.Status, stack.Reason, stack.Token, stack.LastOperation = status, "User Initiated", op.Token, op.ID
	err = s.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
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
		return "", err
	}
	s.engine.Start(op, stack, model)
	return op.ID, nil
}
