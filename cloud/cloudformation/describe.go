package cloudformation

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// pageSize is how many entries AWS gives at once.
const pageSize = 100

// DescribeStacks tells of one stack, living or (by id) deleted, or of all that live.
func (s *Service) DescribeStacks(ctx context.Context, in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
	if aws.ToString(in.StackName) != "" {
		stack, err := s.find(ctx, in.StackName, noStackWithID)
		if err != nil {
			return nil, err
		}
		if stack.Protected, err = s.protected(ctx, stack); err != nil {
			return nil, err
		}
		return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{stackOut(stack)}}, nil
	}
	stacks, err := s.stacks(ctx, func(st ledger.Stack) bool { return st.Status != types.StackStatusDeleteComplete })
	if err != nil {
		return nil, err
	}
	page, next, err := paged(stacks, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{}, NextToken: next}
	for _, st := range page {
		if st.Protected, err = s.protected(ctx, st); err != nil {
			return nil, err
		}
		out.Stacks = append(out.Stacks, stackOut(st))
	}
	return out, nil
}

// stacks are those that fit, newest first.
func (s *Service) stacks(ctx context.Context, fits func(ledger.Stack) bool) ([]ledger.Stack, error) {
	entries, err := s.ledger.Stacks.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	var out []ledger.Stack
	for _, e := range entries {
		if fits(e.Value) {
			out = append(out, e.Value)
		}
	}
	slices.SortStableFunc(out, func(a, b ledger.Stack) int { return b.Created.Compare(a.Created) })
	return out, nil
}

// paged cuts a page out of a list; the token is where the next one begins.
func paged[T any](all []T, token *string) (page []T, next *string, err error) {
	from := 0
	if t := aws.ToString(token); t != "" {
		if from, err = strconv.Atoi(t); err != nil || from < 0 || from > len(all) {
			return nil, nil, invalid("The next token is not valid: %s", t)
		}
	}
	to := min(from+pageSize, len(all))
	if to < len(all) {
		next = aws.String(strconv.Itoa(to))
	}
	return append([]T{}, all[from:to]...), next, nil // not nil, which would leave the list out
}

func stackOut(st ledger.Stack) types.Stack {
	out := types.Stack{
		StackId: aws.String(st.ID), StackName: aws.String(st.Name), StackStatus: st.Status, StackStatusReason: text(st.Reason),
		Description: text(st.Description), CreationTime: aws.Time(st.Created), LastUpdatedTime: when(st.Updated), DeletionTime: when(st.Deleted),
		Capabilities: st.Capabilities, NotificationARNs: append([]string{}, st.NotificationARNs...), RoleARN: text(st.RoleARN), ParentId: text(st.Parent), RootId: text(st.Root),
		ChangeSetId: text(st.ChangeSet), DisableRollback: aws.Bool(st.DisableRollback), EnableTerminationProtection: aws.Bool(st.Protected),
		DriftInformation:      &types.StackDriftInformation{StackDriftStatus: cmp.Or(st.Drift, types.StackDriftStatusNotChecked), LastCheckTimestamp: when(st.DriftChecked)},
		RollbackConfiguration: cmp.Or(st.Rollback, &types.RollbackConfiguration{}), Parameters: parametersOut(st.Revision), Tags: tagsOut(st.Revision),
	}
	if kind := operationType(st); kind != "" {
		out.LastOperations = []types.OperationEntry{{OperationId: aws.String(st.LastOperation), OperationType: kind}}
	}
	if st.TimeoutMinutes > 0 {
		out.TimeoutInMinutes = aws.Int32(st.TimeoutMinutes)
	}
	for _, o := range st.Outputs {
		out.Outputs = append(out.Outputs, types.Output{OutputKey: aws.String(o.Key), OutputValue: aws.String(o.Value),
			Description: text(o.Description), ExportName: text(o.Export)})
	}
	return out
}

// operationType is the word of DescribeStacks for what began the last
// operation of a stack, if there was one.
func operationType(st ledger.Stack) types.OperationType {
	switch {
	case st.LastOperation == "":
		return ""
	case st.Action == executeChangeSet && st.Updated.IsZero():
		return types.OperationTypeCreateStack
	case st.Action == executeChangeSet:
		return types.OperationTypeUpdateStack
	}
	return operationTypes[st.Action]
}

var operationTypes = map[string]types.OperationType{
	createStack: types.OperationTypeCreateStack, updateStack: types.OperationTypeUpdateStack, deleteStack: types.OperationTypeDeleteStack,
	rollbackStack: types.OperationTypeRollback, continueUpdateStack: types.OperationTypeContinueRollback,
}

func parametersOut(rev ledger.Revision) []types.Parameter {
	var out []types.Parameter
	for _, p := range rev.Parameters {
		value := p.Value
		if p.NoEcho {
			value = engine.Mask
		}
		out = append(out, types.Parameter{ParameterKey: aws.String(p.Key), ParameterValue: aws.String(value), ResolvedValue: text(p.Resolved)})
	}
	return out
}

func tagsOut(rev ledger.Revision) []types.Tag {
	out := []types.Tag{}
	for _, t := range rev.Tags {
		out = append(out, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return out
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// ListStacks lists stacks, deleted ones too, newest first.
func (s *Service) ListStacks(ctx context.Context, in *cloudformation.ListStacksInput) (*cloudformation.ListStacksOutput, error) {
	stacks, err := s.stacks(ctx, func(st ledger.Stack) bool {
		return len(in.StackStatusFilter) == 0 || slices.Contains(in.StackStatusFilter, st.Status)
	})
	if err != nil {
		return nil, err
	}
	page, next, err := paged(stacks, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.ListStacksOutput{StackSummaries: []types.StackSummary{}, NextToken: next}
	for _, st := range page {
		out.StackSummaries = append(out.StackSummaries, types.StackSummary{
			StackId: aws.String(st.ID), StackName: aws.String(st.Name), StackStatus: st.Status, StackStatusReason: text(st.Reason),
			TemplateDescription: text(st.Description), CreationTime: aws.Time(st.Created), LastUpdatedTime: when(st.Updated), DeletionTime: when(st.Deleted),
			ParentId: text(st.Parent), RootId: text(st.Root),
			DriftInformation: &types.StackDriftInformationSummary{StackDriftStatus: cmp.Or(st.Drift, types.StackDriftStatusNotChecked), LastCheckTimestamp: when(st.DriftChecked)},
		})
	}
	return out, nil
}
