package cloudformation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// changeSets are those of a stack, oldest first.
func (s *Service) changeSets(ctx context.Context, stack ledger.Stack) ([]ledger.ChangeSet, error) {
	entries, err := s.ledger.ChangeSets.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: stack.UUID + "/"})
	if err != nil {
		return nil, err
	}
	var out []ledger.ChangeSet
	for _, e := range entries {
		out = append(out, e.Value)
	}
	slices.SortStableFunc(out, func(a, b ledger.ChangeSet) int { return a.Created.Compare(b.Created) })
	return out, nil
}

// findChangeSet finds a change set by its id, or by its name and its stack.
func (s *Service) findChangeSet(ctx context.Context, stackName, name *string) (ledger.Stack, ledger.ChangeSet, error) {
	wanted := aws.ToString(name)
	missing := &types.ChangeSetNotFoundException{Message: aws.String(fmt.Sprintf("ChangeSet [%s] does not exist", wanted))}
	if strings.HasPrefix(wanted, "arn:") && aws.ToString(stackName) == "" {
		return s.changeSetByID(ctx, wanted, missing)
	}
	if aws.ToString(stackName) == "" {
		return ledger.Stack{}, ledger.ChangeSet{}, invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
	}
	stack, err := s.find(ctx, stackName, noStack)
	if err != nil {
		return stack, ledger.ChangeSet{}, err
	}
	all, err := s.changeSets(ctx, stack)
	if err != nil {
		return stack, ledger.ChangeSet{}, err
	}
	for _, cs := range all {
		if cs.Name == wanted || cs.ID == wanted {
			return stack, cs, nil
		}
	}
	return stack, ledger.ChangeSet{}, missing
}

func (s *Service) changeSetByID(ctx context.Context, id string, missing error) (ledger.Stack, ledger.ChangeSet, error) {
	scope := door.CallerFrom(ctx).Scope()
	entries, err := s.ledger.ChangeSets.List(ctx, scope, store.Query{})
	if err != nil {
		return ledger.Stack{}, ledger.ChangeSet{}, err
	}
	for _, e := range entries {
		if e.Value.ID == id {
			stack, err := s.ledger.Stacks.Get(ctx, scope, e.Value.Stack)
			return stack, e.Value, err
		}
	}
	return ledger.Stack{}, ledger.ChangeSet{}, missing
}

// DescribeChangeSet tells what a change set would change.
func (s *Service) DescribeChangeSet(ctx context.Context, in *cloudformation.DescribeChangeSetInput) (*cloudformation.DescribeChangeSetOutput, error) {
	stack, cs, err := s.findChangeSet(ctx, in.StackName, in.ChangeSetName)
	if err != nil {
		return nil, err
	}
	changes := cs.Outline
	if aws.ToBool(in.IncludePropertyValues) {
		changes = cs.Changes
	}
	page, next, err := paged(changes, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.DescribeChangeSetOutput{
		Changes:     []types.Change{},
		ChangeSetId: aws.String(cs.ID), ChangeSetName: aws.String(cs.Name), StackId: aws.String(stack.ID), StackName: aws.String(stack.Name),
		Status: cs.Status, StatusReason: text(cs.Reason), ExecutionStatus: cs.Execution, CreationTime: aws.Time(cs.Created), Description: text(cs.Description),
		Capabilities: cs.Revision.Capabilities, Parameters: parametersOut(cs.Revision), Tags: tagsOut(cs.Revision), NotificationARNs: append([]string{}, cs.Revision.NotificationARNs...),
		RollbackConfiguration: cmp.Or(cs.Revision.Rollback, &types.RollbackConfiguration{}), OnStackFailure: cs.OnFailure,
		IncludeNestedStacks: aws.Bool(cs.IncludeNestedStacks), ImportExistingResources: aws.Bool(cs.ImportExisting),
		ParentChangeSetId: text(cs.Parent), RootChangeSetId: text(cs.Root), NextToken: next,
	}
	for _, c := range page {
		out.Changes = append(out.Changes, types.Change{Type: types.ChangeTypeResource, ResourceChange: &c})
	}
	return out, nil
}

// ListChangeSets lists the change sets of a stack.
func (s *Service) ListChangeSets(ctx context.Context, in *cloudformation.ListChangeSetsInput) (*cloudformation.ListChangeSetsOutput, error) {
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	all, err := s.changeSets(ctx, stack)
	if err != nil {
		return nil, err
	}
	page, next, err := paged(all, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.ListChangeSetsOutput{Summaries: []types.ChangeSetSummary{}, NextToken: next}
	for _, cs := range page {
		out.Summaries = append(out.Summaries, types.ChangeSetSummary{ChangeSetId: aws.String(cs.ID), ChangeSetName: aws.String(cs.Name),
			StackId: aws.String(stack.ID), StackName: aws.String(stack.Name), Status: cs.Status, StatusReason: text(cs.Reason),
			ExecutionStatus: cs.Execution, CreationTime: aws.Time(cs.Created), Description: text(cs.Description), IncludeNestedStacks: aws.Bool(cs.IncludeNestedStacks),
			ImportExistingResources: aws.Bool(cs.ImportExisting), ParentChangeSetId: text(cs.Parent), RootChangeSetId: text(cs.Root)})
	}
	return out, nil
}

// DeleteChangeSet deletes a change set; one that does not exist is no error.
func (s *Service) DeleteChangeSet(ctx context.Context, in *cloudformation.DeleteChangeSetInput) (*cloudformation.DeleteChangeSetOutput, error) {
	_, cs, err := s.findChangeSet(ctx, in.StackName, in.ChangeSetName)
	var missing *types.ChangeSetNotFoundException
	if errors.As(err, &missing) {
		return &cloudformation.DeleteChangeSetOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	if cs.Parent != "" {
		return nil, invalid("ChangeSet [%s] is a nested change set and cannot be deleted by itself. Delete the root change set [%s].", cs.ID, cs.Root)
	}
	return &cloudformation.DeleteChangeSetOutput{}, s.forget(ctx, cs)
}
