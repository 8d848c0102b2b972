// Package stack brings CloudFormation stacks to where a template says they
// should be, on any endpoint, and follows their events to the end.
package stack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	smithy "github.com/aws/smithy-go"
)

// API is the part of the CloudFormation client that this package calls.
type API interface {
	DeleteStack(context.Context, *cloudformation.DeleteStackInput, ...func(*cloudformation.Options)) (*cloudformation.DeleteStackOutput, error)
	DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
	DescribeStackEvents(context.Context, *cloudformation.DescribeStackEventsInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStackEventsOutput, error)
}

var _ API = (*cloudformation.Client)(nil)

// Spec is what a stack should be.
type Spec struct {
	Name        string
	Template    string // the body; empty where TemplateURL says it
	TemplateURL string
	Parameters  map[string]string
	Tags        map[string]string
	RoleARN     string // empty: the caller's own rights
}

// FailedError tells that an operation on a stack did not end well.
type FailedError struct {
	Stack  string
	Status types.StackStatus
	Reason string // of the first resource that failed, or of the stack
}

func (e *FailedError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("stack %q ended as %s", e.Stack, e.Status)
	}
	return fmt.Sprintf("stack %q ended as %s: %s", e.Stack, e.Status, e.Reason)
}

// LeftOver tells the states out of which a stack can only be deleted: its
// creation failed, or was proposed and never executed.
func LeftOver(s types.StackStatus) bool {
	return s == types.StackStatusRollbackComplete || s == types.StackStatusRollbackFailed ||
		s == types.StackStatusCreateFailed || s == types.StackStatusDeleteFailed || s == types.StackStatusReviewInProgress
}

// capabilities are acknowledged for every template: they are the user's own.
var capabilities = []types.Capability{
	types.CapabilityCapabilityIam, types.CapabilityCapabilityNamedIam, types.CapabilityCapabilityAutoExpand,
}

// Delete deletes the stack and waits for the end; one that is not there is
// deleted already. A stack that is busy is waited for first.
func Delete(ctx context.Context, api API, name string, seen func(types.StackEvent)) error {
	s, err := Describe(ctx, api, name)
	if err != nil || s == nil {
		return err
	}
	id := aws.ToString(s.StackId)
	if InProgress(s.StackStatus) && s.StackStatus != types.StackStatusDeleteInProgress {
		if _, err := Wait(ctx, api, id); err != nil {
			return err
		}
	}
	last, err := lastEvent(ctx, api, id)
	if err != nil {
		return err
	}
	if _, err := api.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &id}); err != nil {
		return fmt.Errorf("deleting stack %q: %w", name, err)
	}
	return Follow(ctx, api, id, last, seen)
}

// Describe is the stack of that name or id; nil if there is none.
func Describe(ctx context.Context, api API, name string) (*types.Stack, error) {
	out, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		if strings.HasSuffix(message(err), "does not exist") {
			return nil, nil
		}
		return nil, fmt.Errorf("describing stack %q: %w", name, err)
	}
	if len(out.Stacks) == 0 {
		return nil, nil
	}
	return &out.Stacks[0], nil
}

// Wait waits until no operation is under way on the stack and returns it as
// it is then.
func Wait(ctx context.Context, api API, id string) (*types.Stack, error) {
	poll := NewPoll()
	for {
		s, err := Describe(ctx, api, id)
		if err != nil {
			return nil, err
		}
		if s == nil || !InProgress(s.StackStatus) {
			return s, nil
		}
		if err := poll.Wait(ctx, false); err != nil {
			return nil, fmt.Errorf("waiting for stack %q: %w", id, err)
		}
	}
}

// InProgress tells whether an operation is under way. A stack under review
// waits for a person, not for an operation.
func InProgress(s types.StackStatus) bool {
	return strings.HasSuffix(string(s), "_IN_PROGRESS") && s != types.StackStatusReviewInProgress
}

// Succeeded tells whether the last operation did what it was asked to.
func Succeeded(s types.StackStatus) bool {
	return strings.HasSuffix(string(s), "_COMPLETE") && !strings.Contains(string(s), "ROLLBACK")
}

func parameters(m map[string]string) []types.Parameter {
	var list []types.Parameter
	for _, k := range sortedKeys(m) {
		list = append(list, types.Parameter{ParameterKey: aws.String(k), ParameterValue: aws.String(m[k])})
	}
	return list
}

func tags(m map[string]string) []types.Tag {
	var list []types.Tag
	for _, k := range sortedKeys(m) {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String(m[k])})
	}
	return list
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// message is AWS's own message in err.
func message(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorMessage()
	}
	return ""
}

// busy tells whether err says that another operation is under way.
func busy(err error) bool {
	return strings.Contains(message(err), "_IN_PROGRESS state and can not be updated")
}

// Outdated tells whether err says that a proposal is of a stack as it was, and
// that something else was done to it since.
func Outdated(err error) bool {
	old := (*types.InvalidChangeSetStatusException)(nil)
	return busy(err) || errors.As(err, &old) && strings.Contains(old.ErrorMessage(), "OBSOLETE")
}

// Poll is how long to wait between two looks: short while things happen, up
// to two seconds while nothing does, so that a quick endpoint is followed
// closely and a slow one is not asked too often.
type Poll struct{ next time.Duration }

const (
	pollFirst = 10 * time.Millisecond
	pollLast  = 2 * time.Second
)

// NewPoll starts with a short wait.
func NewPoll() *Poll { return &Poll{next: pollFirst} }

// Wait waits for its turn, or until ctx ends. news makes the waits short
// again.
func (p *Poll) Wait(ctx context.Context, news bool) error {
	if news {
		p.next = pollFirst
	}
	timer := time.NewTimer(p.next)
	defer timer.Stop()
	p.next = min(p.next*3/2, pollLast)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
