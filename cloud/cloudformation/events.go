package cloudformation

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
)

// DescribeStackEvents gives a stack's events, newest first.
func (s *Service) DescribeStackEvents(ctx context.Context, in *cloudformation.DescribeStackEventsInput) (*cloudformation.DescribeStackEventsOutput, error) {
	stack, err := s.find(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	events, next, err := s.eventsOf(ctx, stack, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.DescribeStackEventsOutput{NextToken: text(next)}
	for _, e := range events {
		out.StackEvents = append(out.StackEvents, types.StackEvent{
			EventId: aws.String(e.ID), StackId: aws.String(stack.ID), StackName: aws.String(stack.Name), Timestamp: aws.Time(e.Time),
			LogicalResourceId: aws.String(e.LogicalID), PhysicalResourceId: aws.String(e.Physical), ResourceType: aws.String(e.Type),
			ResourceStatus: e.Status, ResourceStatusReason: text(e.Reason), ClientRequestToken: text(e.Token), OperationId: text(e.Operation),
			ResourceProperties: text(e.Properties),
		})
	}
	return out, nil
}

func (s *Service) eventsOf(ctx context.Context, stack ledger.Stack, token *string) ([]ledger.Event, string, error) {
	events, next, err := s.ledger.Events(ctx, door.CallerFrom(ctx).Scope(), stack.UUID, aws.ToString(token), pageSize)
	if errors.Is(err, ledger.ErrBadToken) {
		err = invalid("The next token is not valid: %s", *token)
	}
	return events, next, err
}

// DescribeEvents gives the events of an operation, or of all operations of a
// stack, newest first, on request only the failures. The local cloud has no
// hooks and no validations of its own, so all are of stacks and resources.
func (s *Service) DescribeEvents(ctx context.Context, in *cloudformation.DescribeEventsInput) (*cloudformation.DescribeEventsOutput, error) {
	stack, operation, err := s.eventSource(ctx, in)
	if err != nil {
		return nil, err
	}
	events, next, err := s.eventsOf(ctx, stack, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.DescribeEventsOutput{NextToken: text(next)}
	onlyFailed := in.Filters != nil && aws.ToBool(in.Filters.FailedEvents)
	for _, e := range events {
		failed := strings.HasSuffix(string(e.Status), "_FAILED")
		if operation != "" && e.Operation != operation || onlyFailed && !failed {
			continue
		}
		ev := types.OperationEvent{
			EventId: aws.String(e.ID), StackId: aws.String(stack.ID), OperationId: text(e.Operation), Timestamp: aws.Time(e.Time), StartTime: aws.Time(e.Time),
			ClientRequestToken: text(e.Token), EventType: types.EventTypeProgressEvent, LogicalResourceId: aws.String(e.LogicalID),
			PhysicalResourceId: text(e.Physical), ResourceType: aws.String(e.Type), ResourceStatus: e.Status, ResourceStatusReason: text(e.Reason),
			ResourceProperties: text(e.Properties),
		}
		switch {
		case e.Physical == stack.ID:
			ev.EventType = types.EventTypeStackEvent
			if e.Operation == stack.LastOperation {
				ev.OperationType = operationType(stack)
			}
		case failed:
			ev.EventType = types.EventTypeProvisioningError
		}
		out.OperationEvents = append(out.OperationEvents, ev)
	}
	return out, nil
}

// eventSource is the stack, and the operation if only one is asked for.
func (s *Service) eventSource(ctx context.Context, in *cloudformation.DescribeEventsInput) (stack ledger.Stack, operation string, err error) {
	operation = aws.ToString(in.OperationId)
	switch {
	case in.ChangeSetName != nil:
		stack, _, err = s.findChangeSet(ctx, in.StackName, in.ChangeSetName)
		return stack, operation, err
	case in.StackName != nil:
		stack, err = s.find(ctx, in.StackName, noStack)
		return stack, operation, err
	case operation == "":
		return stack, "", invalid("One of StackName, ChangeSetName and OperationId must be specified")
	}
	all, err := s.stacks(ctx, func(st ledger.Stack) bool { return st.LastOperation == operation })
	if err == nil && len(all) == 0 {
		err = invalid("Operation [%s] does not exist", operation)
	}
	if err != nil {
		return stack, operation, err
	}
	return all[0], operation, nil
}
