package stack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/uuid"
)

// PreviewAPI is the part of the CloudFormation client that proposals call.
type PreviewAPI interface {
	API
	CreateChangeSet(context.Context, *cloudformation.CreateChangeSetInput, ...func(*cloudformation.Options)) (*cloudformation.CreateChangeSetOutput, error)
	DescribeChangeSet(context.Context, *cloudformation.DescribeChangeSetInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeChangeSetOutput, error)
	DeleteChangeSet(context.Context, *cloudformation.DeleteChangeSetInput, ...func(*cloudformation.Options)) (*cloudformation.DeleteChangeSetOutput, error)
	ExecuteChangeSet(context.Context, *cloudformation.ExecuteChangeSetInput, ...func(*cloudformation.Options)) (*cloudformation.ExecuteChangeSetOutput, error)
}

var _ PreviewAPI = (*cloudformation.Client)(nil)

// Proposal is what would be done to a stack, as a change set that waits: either
// Execute has it done, or Discard takes it away.
type Proposal struct {
	Changes *Changes

	api  PreviewAPI
	made *cloudformation.CreateChangeSetOutput
	only bool // the stack is there for this change set alone
}

// Propose makes a change set that takes the stack to where spec says it should
// be. A stack that is not there yet is made for it, without resources. One that
// another operation is busy with is waited for first.
func Propose(ctx context.Context, api PreviewAPI, spec Spec) (*Proposal, error) {
	for {
		s, err := Describe(ctx, api, spec.Name)
		if err != nil {
			return nil, err
		}
		if s != nil && InProgress(s.StackStatus) {
			if s, err = Wait(ctx, api, aws.ToString(s.StackId)); err != nil {
				return nil, err
			}
		}
		p, err := propose(ctx, api, spec, s)
		if busy(err) {
			continue // somebody was faster; its end is waited for above
		}
		return p, err
	}
}

func propose(ctx context.Context, api PreviewAPI, spec Spec, s *types.Stack) (*Proposal, error) {
	isNew := s == nil || s.StackStatus == types.StackStatusReviewInProgress
	kind := types.ChangeSetTypeUpdate
	if isNew {
		kind = types.ChangeSetTypeCreate
	}
	made, err := api.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{
		StackName: &spec.Name, ChangeSetName: aws.String("ouro-" + uuid.NewString()), ChangeSetType: kind,
		Parameters: parameters(spec.Parameters), Tags: tags(spec.Tags), Capabilities: capabilities,
		RoleARN: optional(spec.RoleARN), IncludeNestedStacks: aws.Bool(true),
		TemplateBody: optional(spec.Template), TemplateURL: optional(spec.TemplateURL),
	})
	if err != nil {
		return nil, fmt.Errorf("asking what would change in stack %q: %w", spec.Name, err)
	}
	p := &Proposal{api: api, made: made, only: s == nil}
	if p.Changes, err = describeChanges(ctx, api, aws.ToString(made.Id), isNew); err != nil {
		return nil, errors.Join(err, p.Discard(ctx))
	}
	return p, nil
}

// Discard deletes the change set, and the stack if it is there for that alone.
// It does so even when ctx has ended.
func (p *Proposal) Discard(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if _, err := p.api.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: p.made.Id}); err != nil {
		return fmt.Errorf("deleting change set %q: %w", aws.ToString(p.made.Id), err)
	}
	if !p.only {
		return nil
	}
	if _, err := p.api.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: p.made.StackId}); err != nil {
		return fmt.Errorf("deleting stack %q, which was under review only: %w", aws.ToString(p.made.StackId), err)
	}
	_, err := Wait(ctx, p.api, aws.ToString(p.made.StackId))
	return err
}

// Execute has the changes made, tells each event to seen as it comes, and
// waits for the end. A failed operation is a [*FailedError].
func (p *Proposal) Execute(ctx context.Context, seen func(types.StackEvent)) error {
	id := aws.ToString(p.made.StackId)
	last, err := lastEvent(ctx, p.api, id)
	if err != nil {
		return err
	}
	if _, err := p.api.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{ChangeSetName: p.made.Id}); err != nil {
		return fmt.Errorf("changing stack %q: %w", p.Changes.Stack, err)
	}
	if err := p.begun(ctx, id, last); err != nil {
		return err
	}
	return Follow(ctx, p.api, id, last, seen)
}

// beginning is how long AWS may take to begin with what it was told to execute.
const beginning = time.Minute

// begun waits for an event after the one with the id last. AWS answers before
// it begins; until then the stack still looks as if another operation had just
// ended.
func (p *Proposal) begun(ctx context.Context, id, last string) error {
	poll := NewPoll()
	for start := time.Now(); time.Since(start) < beginning; {
		newest, err := lastEvent(ctx, p.api, id)
		if err != nil || newest != last {
			return err
		}
		if err := poll.Wait(ctx, false); err != nil {
			return fmt.Errorf("waiting for the change of stack %q to begin: %w", p.Changes.Stack, err)
		}
	}
	return fmt.Errorf("the change of stack %q was told to begin, and within %s did not", p.Changes.Stack, beginning)
}
