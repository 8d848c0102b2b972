package cloudformation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudformation/engine"
	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// maxNesting bounds how deep a tree of change sets goes.
const maxNesting = 32

// linkNested names the change sets of nested stacks where these are among the
// changes.
func (p *proposal) linkNested() {
	for _, list := range [][]types.ResourceChange{p.set.Changes, p.set.Outline} {
		for i := range list {
			if n := p.nested[aws.ToString(list[i].LogicalResourceId)]; n != nil {
				list[i].ChangeSetId = aws.String(n.set.ID)
			}
		}
	}
}

// proposeNested makes the change set of a nested stack that is made or changed,
// and tells the outputs that it will have. Neither is possible when its template
// is not known yet.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/change-sets-for-nested-stacks.html
func (s *Service) proposeNested(ctx context.Context, caller door.Caller, p *proposal, planned engine.NestedPlan, depth int) (map[string]any, error) {
	if depth == maxNesting {
		p.fail(fmt.Sprintf("Change sets of nested stacks may not be nested more than %d deep.", maxNesting))
		return nil, nil
	}
	request, err := planned.Request(p.set.Revision.Tags)
	if err != nil {
		p.fail(err.Error())
		return nil, nil
	}
	if strings.Contains(request.TemplateURL, engine.KnownAfterApply) {
		return nil, nil
	}
	stack, suffix, err := s.nestedPlace(ctx, caller, p, planned)
	if err != nil {
		return nil, err
	}
	kind := types.ChangeSetTypeUpdate
	if suffix != "" {
		kind = types.ChangeSetTypeCreate
		if p.set.Suffixes == nil {
			p.set.Suffixes = map[string]string{}
		}
		p.set.Suffixes[planned.LogicalID] = suffix
	}
	d, err := s.draft(ctx, asked{
		source: source{url: &request.TemplateURL}, roleARN: text(p.set.Revision.RoleARN), parameters: request.Parameters,
		capabilities: p.set.Revision.Capabilities, tags: request.Tags, notifications: request.NotificationARNs, reviewed: true,
	}, stack, previousStack(stack))
	n := s.propose(caller, stack, p.set.Name+"-"+planned.LogicalID+"-"+s.host.NewID()[:8], kind, d)
	n.isNew, n.set.NewStack = suffix != "", suffix != ""
	n.set.IncludeNestedStacks, n.set.OnFailure = true, p.set.OnFailure
	n.set.Parent, n.set.Root = p.set.ID, cmp.Or(p.set.Root, p.set.ID)
	var refused smithy.APIError
	switch {
	case errors.As(err, &refused):
		n.fail(refused.ErrorMessage())
	case err != nil:
		return nil, err
	default:
		if err := s.fill(ctx, caller, n, d, depth+1); err != nil {
			return nil, err
		}
	}
	if n.set.Status == types.ChangeSetStatusFailed {
		p.fail(fmt.Sprintf("Nested change set %s was not successfully created: Currently in %s.", n.set.ID, n.set.Status))
	}
	if p.nested == nil {
		p.nested = map[string]*proposal{}
	}
	p.nested[planned.LogicalID] = n
	return n.will, nil
}

// nestedPlace is the nested stack that is there, or a new one with its name fixed.
func (s *Service) nestedPlace(ctx context.Context, caller door.Caller, p *proposal, planned engine.NestedPlan) (stack ledger.Stack, suffix string, err error) {
	if planned.Physical != "" {
		stack, err = s.ledger.FindStack(ctx, caller.Scope(), planned.Physical)
		if err == nil || !errors.Is(err, store.ErrNotFound) {
			return stack, "", err
		}
	}
	name, suffix := s.engine.Promise(p.stack, planned.LogicalID)
	stack = s.newStack(caller, name)
	stack.Status, stack.Reason = types.StackStatusReviewInProgress, "User Initiated"
	stack.Parent, stack.Root = p.stack.ID, cmp.Or(p.stack.Root, p.stack.ID)
	return stack, suffix, nil
}

// withChildren are a change set and all that are nested in it, it first.
func (s *Service) withChildren(ctx context.Context, root ledger.ChangeSet) ([]ledger.ChangeSet, error) {
	out := []ledger.ChangeSet{root}
	if !root.IncludeNestedStacks {
		return out, nil
	}
	entries, err := s.ledger.ChangeSets.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	for _, e := range entries {
		if e.Value.Root == root.ID {
			out = append(out, e.Value)
		}
	}
	return out, err
}

// forget removes a change set and those nested in it, and the stacks that
// were there for these only.
func (s *Service) forget(ctx context.Context, root ledger.ChangeSet) error {
	scope := door.CallerFrom(ctx).Scope()
	tree, err := s.withChildren(ctx, root)
	if err != nil {
		return err
	}
	return s.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		for _, cs := range tree {
			stack, err := s.ledger.Stacks.Get(ctx, scope, cs.Stack)
			if err != nil {
				return err
			}
			if err := s.ledger.ChangeSets.Delete(ctx, scope, cs.Key(stack.UUID)); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if !cs.NewStack || stack.Status != types.StackStatusReviewInProgress {
				continue
			}
			if err := s.endReview(ctx, stack); err != nil {
				return err
			}
		}
		return nil
	})
}

// endReview deletes a stack that never was made.
func (s *Service) endReview(ctx context.Context, stack ledger.Stack) error {
	scope := door.CallerFrom(ctx).Scope()
	stack, err := s.ledger.Stacks.Update(ctx, scope, stack.Key(), func(st *ledger.Stack) error {
		st.Status, st.Reason, st.Deleted = types.StackStatusDeleteComplete, "", s.host.Now()
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.ledger.Names.Delete(ctx, scope, stack.Name); err != nil {
		return err
	}
	ev := engine.StackEvent(stack, ledger.Operation{}, stack.Status, "", s.host)
	return s.ledger.AppendEvents(ctx, scope, stack.UUID, []ledger.Event{ev})
}

// dropChangeSets removes all change sets of a stack.
func (s *Service) dropChangeSets(ctx context.Context, stack ledger.Stack) error {
	all, err := s.changeSets(ctx, stack)
	if err != nil {
		return err
	}
	for _, cs := range all {
		if err := s.forget(ctx, cs); err != nil {
			return err
		}
	}
	return nil
}
