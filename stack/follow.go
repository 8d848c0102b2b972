package stack

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
)

// Follow tells the events after the one with the id last ("": from the first)
// to seen, in the order they happened, until the operation on the stack has
// ended. A failed operation is a [*FailedError].
func Follow(ctx context.Context, api API, id, last string, seen func(types.StackEvent)) error {
	poll := NewPoll()
	reason := ""
	for {
		s, err := Describe(ctx, api, id)
		if err != nil {
			return err
		}
		if s == nil {
			return fmt.Errorf("stack %q is gone", id)
		}
		events, err := EventsAfter(ctx, api, id, last)
		if err != nil {
			return err
		}
		for _, e := range events {
			last = aws.ToString(e.EventId)
			if reason == "" {
				reason = failure(e)
			}
			if seen != nil {
				seen(e)
			}
		}
		// The events were read after the status: none of the operation's can
		// be missing once the status says that it has ended.
		if !InProgress(s.StackStatus) {
			if Succeeded(s.StackStatus) {
				return nil
			}
			if reason == "" {
				reason = aws.ToString(s.StackStatusReason)
			}
			return &FailedError{Stack: aws.ToString(s.StackName), Status: s.StackStatus, Reason: reason}
		}
		if err := poll.Wait(ctx, len(events) > 0); err != nil {
			return fmt.Errorf("following stack %q: %w", aws.ToString(s.StackName), err)
		}
	}
}

// failure is the reason in an event of a resource that failed by itself.
func failure(e types.StackEvent) string {
	status, reason := string(e.ResourceStatus), aws.ToString(e.ResourceStatusReason)
	if !strings.HasSuffix(status, "_FAILED") || strings.HasPrefix(reason, "Resource creation cancelled") || strings.HasPrefix(reason, "Resource update cancelled") {
		return ""
	}
	return aws.ToString(e.LogicalResourceId) + ": " + reason
}

// LastFailure is the reason of the first resource that failed in the last
// operation on a stack; empty if none did.
func LastFailure(ctx context.Context, api API, id string) (string, error) {
	reason := ""
	err := eachEvent(ctx, api, id, func(e types.StackEvent) error {
		if f := failure(e); f != "" {
			reason = f
		}
		if aws.ToString(e.PhysicalResourceId) == aws.ToString(e.StackId) && aws.ToString(e.ResourceStatusReason) == "User Initiated" {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return reason, err
}

var errEnough = errors.New("enough")

// EventsAfter gives the stack's events after the one with the id last, oldest
// first.
func EventsAfter(ctx context.Context, api API, id, last string) ([]types.StackEvent, error) {
	var events []types.StackEvent
	err := eachEvent(ctx, api, id, func(e types.StackEvent) error {
		if aws.ToString(e.EventId) == last {
			return errEnough
		}
		events = append(events, e)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	slices.Reverse(events)
	return events, nil
}

func lastEvent(ctx context.Context, api API, id string) (string, error) {
	last := ""
	err := eachEvent(ctx, api, id, func(e types.StackEvent) error {
		last = aws.ToString(e.EventId)
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return last, err
}

// eachEvent gives the events, newest first, until f returns an error.
func eachEvent(ctx context.Context, api API, id string, f func(types.StackEvent) error) error {
	pages := cloudformation.NewDescribeStackEventsPaginator(api, &cloudformation.DescribeStackEventsInput{StackName: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading the events of stack %q: %w", id, err)
		}
		for _, e := range page.StackEvents {
			if err := f(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
