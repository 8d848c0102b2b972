package stackset

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

var operationID = regex.New(`^[a-zA-Z0-9][-a-zA-Z0-9]{0,127}$`)

// under way are the states in which an operation is not at its end.
var underWay = []types.StackSetOperationStatus{types.StackSetOperationStatusRunning, types.StackSetOperationStatusQueued, types.StackSetOperationStatusStopping}

// begin stores an operation, with what it changes at once, and starts it. A set
// has one operation at a time; with managed execution further ones queue.
func (s *Sets) begin(ctx context.Context, v set, op operation, change func(context.Context, *set) error) (id string, err error) {
	caller := door.CallerFrom(ctx)
	if op.ID == "" {
		op.ID = s.host.NewID()
	}
	if !operationID().MatchString(op.ID) {
		return "", invalid("1 validation error detected: Value '%s' at 'operationId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*", op.ID)
	}
	if err := checkPreferences(op.Preferences); err != nil {
		return "", err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		v, err := s.findActive(ctx, aws.String(v.id()), types.CallAsSelf) // as it is by now
		if err != nil {
			return err
		}
		before, err := s.operationsOf(ctx, v)
		if err != nil {
			return err
		}
		op.Status = types.StackSetOperationStatusRunning
		for _, o := range before {
			if o.ID == op.ID {
				return &types.OperationIdAlreadyExistsException{Message: aws.String(fmt.Sprintf("Operation %s already exists", op.ID))}
			}
			if slices.Contains(underWay, o.Status) {
				if !v.Managed {
					return inProgress(v, o)
				}
				op.Status = types.StackSetOperationStatusQueued
			}
		}
		if err := change(ctx, &v); err != nil {
			return err
		}
		if err := s.sets.Put(ctx, caller.Scope(), v.id(), v); err != nil {
			return err
		}
		op.Set, op.Number, op.Created, op.Caller = v.id(), len(before), s.host.Now(), caller
		op.Admin, op.Exec = v.Revision.AdminRole, v.Revision.ExecRole
		for _, t := range op.Targets {
			r := result{Account: t.Account, Region: t.Region, Status: types.StackSetOperationResultStatusPending}
			if err := s.results.Put(ctx, caller.Scope(), t.key(v.UUID+"/"+op.ID), r); err != nil {
				return err
			}
		}
		return s.operations.Put(ctx, caller.Scope(), v.UUID+"/"+op.ID, op)
	})
	if err != nil {
		return "", err
	}
	s.wake(v.UUID, caller)
	return op.ID, nil
}

func inProgress(v set, o operation) error {
	return &types.OperationInProgressException{Message: aws.String(fmt.Sprintf("Another Operation on StackSet %s is in progress: %s", v.ARN, o.ID))}
}

// idle refuses what needs a set without an operation under way.
func (s *Sets) idle(ctx context.Context, v set) error {
	list, err := s.operationsOf(ctx, v)
	for _, o := range list {
		if slices.Contains(underWay, o.Status) {
			return inProgress(v, o)
		}
	}
	return err
}

// percent is a bound that preferences may give.
type bound struct {
	name     string
	value    *int32
	low, top int32
}

func checkPreferences(p *types.StackSetOperationPreferences) error {
	if p == nil {
		return nil
	}
	if p.FailureToleranceCount != nil && p.FailureTolerancePercentage != nil {
		return invalid("FailureToleranceCount and FailureTolerancePercentage cannot both be specified")
	}
	if p.MaxConcurrentCount != nil && p.MaxConcurrentPercentage != nil {
		return invalid("MaxConcurrentCount and MaxConcurrentPercentage cannot both be specified")
	}
	for _, b := range []bound{
		{"failureToleranceCount", p.FailureToleranceCount, 0, 1 << 30}, {"failureTolerancePercentage", p.FailureTolerancePercentage, 0, 100},
		{"maxConcurrentCount", p.MaxConcurrentCount, 1, 1 << 30}, {"maxConcurrentPercentage", p.MaxConcurrentPercentage, 1, 100},
	} {
		if b.value != nil && *b.value < b.low {
			return invalid("1 validation error detected: Value '%d' at 'operationPreferences.%s' failed to satisfy constraint: Member must have value greater than or equal to %d", *b.value, b.name, b.low)
		}
		if b.value != nil && *b.value > b.top {
			return invalid("1 validation error detected: Value '%d' at 'operationPreferences.%s' failed to satisfy constraint: Member must have value less than or equal to %d", *b.value, b.name, b.top)
		}
	}
	return nil
}

// operationsOf are the operations of a set in the order in which they were begun.
func (s *Sets) operationsOf(ctx context.Context, v set) ([]operation, error) {
	entries, err := s.operations.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: v.UUID + "/"})
	if err != nil {
		return nil, fmt.Errorf("reading the operations of stack set %q: %w", v.Name, err)
	}
	list := make([]operation, len(entries))
	for i, e := range entries {
		list[i] = e.Value
	}
	slices.SortFunc(list, func(a, b operation) int { return a.Number - b.Number })
	return list, nil
}

func (s *Sets) findOperation(ctx context.Context, name, id *string, as types.CallAs) (set, operation, error) {
	v, err := s.find(ctx, name, as)
	if err != nil {
		return v, operation{}, err
	}
	op, err := s.operations.Get(ctx, door.CallerFrom(ctx).Scope(), v.UUID+"/"+aws.ToString(id))
	if errors.Is(err, store.ErrNotFound) {
		return v, op, &types.OperationNotFoundException{Message: aws.String(fmt.Sprintf("Operation %s not found", aws.ToString(id)))}
	}
	return v, op, err
}

// DescribeStackSetOperation describes an operation.
func (s *Sets) DescribeStackSetOperation(ctx context.Context, in *cloudformation.DescribeStackSetOperationInput) (*cloudformation.DescribeStackSetOperationOutput, error) {
	v, op, err := s.findOperation(ctx, in.StackSetName, in.OperationId, in.CallAs)
	if err != nil {
		return nil, err
	}
	out := types.StackSetOperation{
		OperationId: &op.ID, StackSetId: aws.String(v.id()), Action: op.Action, Status: op.Status, StatusReason: optional(op.Reason), CreationTimestamp: &op.Created,
		OperationPreferences: preferences(op), AdministrationRoleARN: &op.Admin, ExecutionRoleName: &op.Exec,
		DeploymentTargets: &types.DeploymentTargets{}, StatusDetails: &types.StackSetOperationStatusDetails{FailedStackInstancesCount: aws.Int32(int32(op.Failed))},
	}
	for _, t := range op.Targets {
		if !slices.Contains(out.DeploymentTargets.Accounts, t.Account) {
			out.DeploymentTargets.Accounts = append(out.DeploymentTargets.Accounts, t.Account)
		}
	}
	if op.Action == types.StackSetOperationActionDelete {
		out.RetainStacks = &op.Retain
	}
	if !op.Ended.IsZero() {
		out.EndTimestamp = &op.Ended
	}
	return &cloudformation.DescribeStackSetOperationOutput{StackSetOperation: &out}, nil
}

// preferences are what an operation works by, with what was not said.
func preferences(op operation) *types.StackSetOperationPreferences {
	p := types.StackSetOperationPreferences{}
	if op.Preferences != nil {
		p = *op.Preferences
	}
	if p.FailureToleranceCount == nil && p.FailureTolerancePercentage == nil {
		p.FailureToleranceCount = aws.Int32(0)
	}
	if p.MaxConcurrentCount == nil && p.MaxConcurrentPercentage == nil {
		p.MaxConcurrentCount = aws.Int32(1)
	}
	return &p
}

// ListStackSetOperations lists the operations of a set, the newest first.
func (s *Sets) ListStackSetOperations(ctx context.Context, in *cloudformation.ListStackSetOperationsInput) (*cloudformation.ListStackSetOperationsOutput, error) {
	v, err := s.find(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	all, err := s.operationsOf(ctx, v)
	if err != nil {
		return nil, err
	}
	var list []types.StackSetOperationSummary
	for _, op := range slices.Backward(all) {
		sum := types.StackSetOperationSummary{
			OperationId: &op.ID, Action: op.Action, Status: op.Status, StatusReason: optional(op.Reason), CreationTimestamp: &op.Created,
			OperationPreferences: preferences(op), StatusDetails: &types.StackSetOperationStatusDetails{FailedStackInstancesCount: aws.Int32(int32(op.Failed))},
		}
		if !op.Ended.IsZero() {
			sum.EndTimestamp = &op.Ended
		}
		list = append(list, sum)
	}
	out := &cloudformation.ListStackSetOperationsOutput{}
	out.Summaries, out.NextToken, err = page(list, in.NextToken, in.MaxResults)
	return out, err
}

// ListStackSetOperationResults lists what came of an operation in each account
// and region.
func (s *Sets) ListStackSetOperationResults(ctx context.Context, in *cloudformation.ListStackSetOperationResultsInput) (*cloudformation.ListStackSetOperationResultsOutput, error) {
	v, op, err := s.findOperation(ctx, in.StackSetName, in.OperationId, in.CallAs)
	if err != nil {
		return nil, err
	}
	entries, err := s.results.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: v.UUID + "/" + op.ID + "/"})
	if err != nil {
		return nil, err
	}
	var list []types.StackSetOperationResultSummary
	for _, e := range entries {
		r := e.Value
		if slices.ContainsFunc(in.Filters, func(f types.OperationResultFilter) bool { return aws.ToString(f.Values) != string(r.Status) }) {
			continue
		}
		list = append(list, types.StackSetOperationResultSummary{
			Account: &r.Account, Region: &r.Region, Status: r.Status, StatusReason: optional(r.Reason),
			AccountGateResult: &types.AccountGateResult{Status: types.AccountGateStatusSkipped, StatusReason: aws.String("Function not found: no account gate is set")},
		})
	}
	out := &cloudformation.ListStackSetOperationResultsOutput{}
	out.Summaries, out.NextToken, err = page(list, in.NextToken, in.MaxResults)
	return out, err
}

// StopStackSetOperation makes an operation end after the stacks that it is
// working on.
func (s *Sets) StopStackSetOperation(ctx context.Context, in *cloudformation.StopStackSetOperationInput) (*cloudformation.StopStackSetOperationOutput, error) {
	v, op, err := s.findOperation(ctx, in.StackSetName, in.OperationId, in.CallAs)
	if err != nil {
		return nil, err
	}
	_, err = s.operations.Update(ctx, door.CallerFrom(ctx).Scope(), v.UUID+"/"+op.ID, func(o *operation) error {
		if !slices.Contains(underWay, o.Status) {
			return &types.InvalidOperationException{Message: aws.String(fmt.Sprintf("Operation %s is in %s state and cannot be stopped", o.ID, o.Status))}
		}
		o.Status = types.StackSetOperationStatusStopping
		return nil
	})
	return &cloudformation.StopStackSetOperationOutput{}, err
}
