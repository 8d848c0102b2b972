package cloudformation

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
)

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
	caller, token := door.CallerFrom(ctx), aws.ToString(in.ClientRequestToken)
	wanted := asked{
		source: source{in.TemplateBody, in.TemplateURL, aws.ToBool(in.UsePreviousTemplate)}, token: in.ClientRequestToken, roleARN: in.RoleARN,
		parameters: in.Parameters, capabilities: in.Capabilities, tags: in.Tags, notifications: in.NotificationARNs,
		rollback: in.RollbackConfiguration, resourceTypes: in.ResourceTypes, deployment: in.DeploymentConfig,
	}
	if err := checkUpdate(in, &wanted); err != nil {
		return nil, err
	}
	stack, err := s.find(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	if repeated, err := repeats(stack, token, updateStack); err != nil || repeated {
		return &cloudformation.UpdateStackOutput{StackId: &stack.ID}, err
	}
	if err := mayUpdate(stack); err != nil {
		return nil, err
	}
	during, err := s.policyText(ctx, in.StackPolicyDuringUpdateBody, in.StackPolicyDuringUpdateURL)
	if err != nil {
		return nil, err
	}
	policy, err := s.policyText(ctx, in.StackPolicyBody, in.StackPolicyURL)
	if err != nil {
		return nil, err
	}
	d, err := s.draft(ctx, wanted, stack, &stack)
	if err == nil && d.refused != "" {
		err = invalid("%s", d.refused)
	}
	if err != nil {
		return nil, err
	}
	model, err := s.changed(ctx, caller, stack, d)
	if err != nil {
		return nil, err
	}
	op := ledger.Operation{Kind: ledger.Update, Phase: ledger.Forward, Token: token, RetainExceptOnCreate: aws.ToBool(in.RetainExceptOnCreate),
		Policy: stack.Policy}
	if during != nil {
		op.Policy = *during
	}
	if disablesRollback(in.DisableRollback, in.DeploymentConfig) {
		op.OnFailure = types.OnFailureDoNothing
	}
	if policy != nil {
		stack.Policy = *policy
	}
	stack.Action = updateStack
	if op.ID, err = s.update(ctx, caller, stack, op, d.revision, model); err != nil {
		return nil, err
	}
	if err := s.outdate(ctx, stack); err != nil {
		return nil, err
	}
	return &cloudformation.UpdateStackOutput{StackId: &stack.ID, OperationId: &op.ID}, nil
}

func checkUpdate(in *cloudformation.UpdateStackInput, wanted *asked) error {
	var v violations
	v.text("stackName", in.StackName, 1, 2048, nameOrIDText, nameOrIDExpr)
	v.text("stackPolicyBody", in.StackPolicyBody, 1, maxPolicy, "", nil)
	v.text("stackPolicyDuringUpdateBody", in.StackPolicyDuringUpdateBody, 1, maxPolicy, "", nil)
	return wanted.check(&v)
}

// mayUpdate tells why a stack cannot be updated as it is.
func mayUpdate(stack ledger.Stack) error {
	switch {
	case !slices.Contains(updatable, stack.Status):
		return cannotUpdate(stack)
	case stack.Status == types.StackStatusCreateFailed && stack.DoNothing:
		return invalid("This stack cannot be updated from [%s] state because it contains [on-failure: DO_NOTHING]. Please use disable-rollback option instead during stack creation.", stack.Status)
	}
	return nil
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
func (s *Service) update(ctx context.Context, caller door.Caller, stack ledger.Stack, op ledger.Operation, rev ledger.Revision, model *engine.Model) (operation string, err error) {
	read, before := stack, stack.Revision
	op.Before = &before
	stack.Revision, stack.Updated = rev, s.host.Now()
	if stack.Parent != "" {
		nested, err := s.ledger.Nested.Get(ctx, caller.Scope(), stack.Name)
		op.Hold = err == nil && nested.Token == op.Token && op.Token != ""
	}
	status := types.StackStatusUpdateInProgress
	if op.Kind == ledger.Adopt {
		status = types.StackStatusImportInProgress
	}
	return s.begin(ctx, caller, stack, op, status, model, s.unchangedSince(caller, read))
}
