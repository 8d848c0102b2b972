package engine

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/store"
	"ouro/template"
)

const nestedType = "AWS::CloudFormation::Stack"

// nestedKind is the stack as a resource of another. It is made, changed and
// deleted by CloudFormation's own API, with the permissions of the outer
// stack. That it is nested is announced in the ledger beforehand, since no
// member of the API says so.
func (e *Engine) nestedKind() *resource.Kind {
	return &resource.Kind{
		Type: nestedType, Naming: &resource.Naming{Max: 128},
		Create: e.createNested, Update: e.updateNested, Delete: e.deleteNested,
		Commit: func(ctx context.Context, r *resource.Request) error {
			_, err := e.decideNested(ctx, r, ledger.Cleanup)
			return err
		},
		Revert: e.revertNested,
		Stale:  e.nestedStale,
	}
}

// nestedInput is what a template says of a nested stack.
type nestedInput struct {
	NotificationARNs []string
	Parameters       map[string]string
	TemplateURL      *string
	TimeoutInMinutes *int32
}

func (in *nestedInput) parameters() []types.Parameter {
	out := []types.Parameter{}
	for k, v := range in.Parameters {
		out = append(out, types.Parameter{ParameterKey: aws.String(k), ParameterValue: aws.String(v)})
	}
	slices.SortFunc(out, func(a, b types.Parameter) int { return strings.Compare(*a.ParameterKey, *b.ParameterKey) })
	return out
}

func readNested(r *resource.Request) (*nestedInput, error) {
	in := &nestedInput{}
	properties := map[string]any{}
	for name, v := range r.Properties {
		properties[name] = v
	}
	// Lists become text with commas: all parameters travel as text.
	if p, ok := properties["Parameters"].(map[string]any); ok {
		flat := map[string]any{}
		for k, v := range p {
			flat[k] = outputText(v)
		}
		properties["Parameters"] = flat
	}
	if err := resource.Bind(properties, in, "Tags"); err != nil {
		return nil, err
	}
	if in.TemplateURL == nil {
		return nil, resource.Sayf("Property TemplateURL cannot be empty.")
	}
	return in, nil
}

func nestedTags(r *resource.Request) []types.Tag {
	tags := []types.Tag{}
	for _, k := range r.TagKeys() {
		if !strings.HasPrefix(k, "aws:") {
			tags = append(tags, types.Tag{Key: aws.String(k), Value: aws.String(r.AllTags()[k])})
		}
	}
	return tags
}

// announce tells the ledger whose child the stack of that name is.
func (e *Engine) announce(ctx context.Context, r *resource.Request) (outer ledger.Stack, err error) {
	scope := store.Scope{Account: r.Account, Region: r.Region}
	outer, err = e.ledger.FindStack(ctx, scope, r.StackID)
	if err != nil {
		return outer, fmt.Errorf("finding the outer stack: %w", err)
	}
	root := outer.Root
	if root == "" {
		root = outer.ID
	}
	return outer, e.ledger.Nested.Put(ctx, scope, r.Name, ledger.Nested{Parent: outer.ID, Root: root, Token: r.Token})
}

func (e *Engine) createNested(ctx context.Context, r *resource.Request) (resource.Result, error) {
	in, err := readNested(r)
	if err != nil {
		return resource.Result{}, err
	}
	outer, err := e.announce(ctx, r)
	if err != nil {
		return resource.Result{}, err
	}
	client := resource.Client(r.Clients, cloudformation.NewFromConfig)
	out, err := client.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: &r.Name, TemplateURL: in.TemplateURL, Parameters: in.parameters(), Capabilities: outer.Capabilities,
		NotificationARNs: in.NotificationARNs, TimeoutInMinutes: in.TimeoutInMinutes, Tags: nestedTags(r),
		RoleARN: optional(outer.RoleARN), OnFailure: types.OnFailureDoNothing, ClientRequestToken: &r.Token,
	})
	if err != nil && !(r.Retry && resource.IsExists(err)) {
		return resource.Result{}, err
	}
	r.Physical = r.Name
	if err == nil {
		r.Physical = aws.ToString(out.StackId)
	} else if stack, err := describe(ctx, client, r.Name); err == nil {
		r.Physical = aws.ToString(stack.StackId)
	} else {
		return resource.Result{}, err
	}
	id := r.Physical
	if err := r.Started(ctx, id); err != nil {
		return resource.Result{}, err
	}
	stack, err := e.await(ctx, client, id, r.Cancelled)
	if err != nil {
		return resource.Result{}, err
	}
	if stack.StackStatus != types.StackStatusCreateComplete {
		return resource.Result{}, resource.Sayf("Embedded stack %s was not successfully created: %s", id, aws.ToString(stack.StackStatusReason))
	}
	return outputsOf(stack), nil
}

func (e *Engine) updateNested(ctx context.Context, r *resource.Request) (resource.Result, error) {
	in, err := readNested(r)
	if err != nil {
		return resource.Result{}, err
	}
	client := resource.Client(r.Clients, cloudformation.NewFromConfig)
	if r.Retry { // it may be at it still
		if _, err := e.await(ctx, client, r.Physical, r.Cancelled); err != nil {
			return resource.Result{}, err
		}
	}
	outer, err := e.announce(ctx, r)
	if err != nil {
		return resource.Result{}, err
	}
	_, err = client.UpdateStack(ctx, &cloudformation.UpdateStackInput{
		StackName: &r.Physical, TemplateURL: in.TemplateURL, Parameters: in.parameters(), Capabilities: outer.Capabilities,
		NotificationARNs: in.NotificationARNs, Tags: nestedTags(r), RoleARN: optional(outer.RoleARN), ClientRequestToken: &r.Token,
	})
	idle := nothingToUpdate(err)
	if err != nil && !idle {
		return resource.Result{}, err
	}
	stack, err := e.await(ctx, client, r.Physical, r.Cancelled)
	if err != nil {
		return resource.Result{}, err
	}
	switch stack.StackStatus {
	case types.StackStatusUpdateCompleteCleanupInProgress, types.StackStatusUpdateComplete, types.StackStatusCreateComplete:
		return outputsOf(stack), nil
	case types.StackStatusUpdateRollbackComplete, types.StackStatusRollbackComplete:
		if idle {
			return outputsOf(stack), nil
		}
	}
	return resource.Result{}, resource.Sayf("Embedded stack %s was not successfully updated. Currently in %s with reason: %s",
		r.Physical, stack.StackStatus, e.whyRolledBack(ctx, r))
}

// whyRolledBack is the reason that an update of a nested stack failed for. Its
// status has moved on since.
func (e *Engine) whyRolledBack(ctx context.Context, r *resource.Request) string {
	scope := store.Scope{Account: r.Account, Region: r.Region}
	stack, err := e.ledger.FindStack(ctx, scope, r.Physical)
	if err != nil {
		return ""
	}
	events, _, err := e.ledger.Events(ctx, scope, stack.UUID, "", 1000)
	if err != nil {
		return ""
	}
	for _, ev := range events {
		if ev.Physical == stack.ID && ev.Status == types.ResourceStatusUpdateRollbackInProgress {
			return ev.Reason
		}
	}
	return stack.Reason
}

func (e *Engine) deleteNested(ctx context.Context, r *resource.Request) error {
	client := resource.Client(r.Clients, cloudformation.NewFromConfig)
	stack, err := describe(ctx, client, r.Physical)
	if err != nil || stack.StackStatus == types.StackStatusDeleteComplete {
		return ignoreMissing(err)
	}
	id := aws.ToString(stack.StackId)
	if _, err := e.announce(ctx, r); err != nil {
		return err
	}
	if _, err := client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &id, RoleARN: stack.RoleARN, ClientRequestToken: &r.Token}); err != nil {
		return err
	}
	stack, err = e.await(ctx, client, id, never)
	if err != nil {
		return ignoreMissing(err)
	}
	if stack.StackStatus != types.StackStatusDeleteComplete {
		return resource.Sayf("Embedded stack %s was not successfully deleted: %s", id, aws.ToString(stack.StackStatusReason))
	}
	return nil
}

// decideNested ends the wait of a nested stack whose update had succeeded: the
// outer stack keeps it, or takes it back. held is false when it did not wait.
func (e *Engine) decideNested(ctx context.Context, r *resource.Request, next ledger.Phase) (held bool, err error) {
	scope := store.Scope{Account: r.Account, Region: r.Region}
	stack, err := e.ledger.FindStack(ctx, scope, r.Physical)
	if err != nil {
		return false, err
	}
	var op ledger.Operation
	err = e.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		op, err = e.ledger.Operations.Get(ctx, scope, stack.UUID)
		if err != nil || op.Phase != ledger.Held {
			return err
		}
		held, op.Phase = true, next
		if next == ledger.Rollback {
			const reason = "Rollback of the outer stack"
			stack, err = e.ledger.Stacks.Update(ctx, scope, stack.Key(), func(s *ledger.Stack) error {
				s.Status, s.Reason = types.StackStatusUpdateRollbackInProgress, reason
				return nil
			})
			if err != nil {
				return err
			}
			ev := StackEvent(stack, op, stack.Status, reason, e.host)
			if err := e.ledger.AppendEvents(ctx, scope, stack.UUID, []ledger.Event{ev}); err != nil {
				return err
			}
		}
		return e.ledger.Operations.Put(ctx, scope, stack.UUID, op)
	})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil // nothing is under way: it was not changed, or is decided
	}
	if err != nil {
		return false, err
	}
	if held {
		e.Start(op, stack, nil)
	}
	return held, e.wait(ctx, stack.UUID)
}

func (e *Engine) nestedResult(ctx context.Context, r *resource.Request, err error) (resource.Result, error) {
	if err != nil {
		return resource.Result{}, err
	}
	stack, err := describe(ctx, resource.Client(r.Clients, cloudformation.NewFromConfig), r.Physical)
	if err != nil {
		return resource.Result{}, err
	}
	if stack.StackStatus == types.StackStatusUpdateRollbackFailed {
		return resource.Result{}, resource.Sayf("Embedded stack %s was not successfully updated. Currently in %s with reason: %s",
			r.Physical, stack.StackStatus, aws.ToString(stack.StackStatusReason))
	}
	return outputsOf(stack), nil
}

// nestedStale tells whether the template behind an unchanged URL is another
// one than the nested stack was made from.
func (e *Engine) nestedStale(ctx context.Context, r *resource.Request) (bool, error) {
	scope := store.Scope{Account: r.Account, Region: r.Region}
	stack, err := e.ledger.FindStack(ctx, scope, r.Physical)
	if err != nil {
		return false, nil // deleted by hand: an update will say so when there is one
	}
	at, _ := r.Properties["TemplateURL"].(string)
	if u, err := url.Parse(at); err == nil && strings.Contains(u.Path, stack.Template) {
		return false, nil // the address carries the hash
	}
	text, err := FetchTemplate(ctx, r.Clients.Config, e.host.Endpoint(), at)
	return err == nil && template.Hash([]byte(text)) != stack.Template, nil
}

// Looks at a nested stack that nothing runs on here double from the shortest
// pause to the longest.
const (
	shortestWait = 2 * time.Millisecond
	longestWait  = 250 * time.Millisecond
)

// await waits until nothing happens to a stack any more, or, for an update that
// succeeded, until it waits for the outer stack.
func (e *Engine) await(ctx context.Context, client *cloudformation.Client, id string, cancelled <-chan struct{}) (types.Stack, error) {
	for pause := shortestWait; ; pause = min(2*pause, longestWait) {
		over := e.over(id)
		stack, err := describe(ctx, client, id)
		if err != nil {
			return stack, err
		}
		status := string(stack.StackStatus)
		if !strings.HasSuffix(status, "_IN_PROGRESS") || stack.StackStatus == types.StackStatusUpdateCompleteCleanupInProgress && e.holds(stack) {
			return stack, nil
		}
		timer := time.NewTimer(pause)
		if over != nil {
			timer.Stop() // it says when there is something new
		}
		select {
		case <-over:
		case <-timer.C:
		case <-cancelled:
			err = resource.ErrCancelled
		case <-ctx.Done():
			err = ctx.Err()
		}
		timer.Stop()
		if err != nil {
			return stack, err
		}
	}
}

// holds tells whether a stack in cleanup is one that waits for its parent.
func (e *Engine) holds(stack types.Stack) bool { return stack.ParentId != nil }

func describe(ctx context.Context, client *cloudformation.Client, id string) (types.Stack, error) {
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &id})
	if err != nil {
		return types.Stack{}, err
	}
	if len(out.Stacks) == 0 {
		return types.Stack{}, resource.Sayf("Stack with id %s does not exist", id)
	}
	return out.Stacks[0], nil
}

func outputsOf(stack types.Stack) resource.Result {
	attributes := map[string]any{}
	for _, o := range stack.Outputs {
		attributes["Outputs."+aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return resource.Result{Physical: aws.ToString(stack.StackId), Attributes: attributes}
}

func apiMessage(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorMessage()
	}
	return ""
}

func nothingToUpdate(err error) bool { return apiMessage(err) == "No updates are to be performed." }

func ignoreMissing(err error) error {
	if strings.HasSuffix(apiMessage(err), "does not exist") {
		return nil
	}
	return err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
