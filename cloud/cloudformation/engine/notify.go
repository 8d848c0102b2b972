package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// notifySubject is the subject of every notification.
const notifySubject = "AWS CloudFormation Notification"

// notify publishes the events of an operation to the stack's topics, beside
// the operation and in the order of the events. How far it has come is kept,
// so that a process that takes over goes on from there; an event may then be
// published twice.
func (e *Engine) notify(scope store.Scope, caller door.Caller, stack ledger.Stack, since time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(stack.NotificationARNs) == 0 || e.notifying[stack.UUID] {
		return
	}
	e.notifying[stack.UUID] = true
	e.host.Go("cloudformation: notifications of stack "+stack.Name, func(ctx context.Context) {
		n := &notifier{e: e, scope: scope, caller: caller, stack: stack}
		if err := n.run(ctx, since); err != nil && ctx.Err() == nil {
			e.host.Log().Error("publishing the events of a stack", "stack", stack.Name, "error", err)
		}
	})
}

// notifier publishes the events of one stack.
type notifier struct {
	e      *Engine
	scope  store.Scope
	caller door.Caller
	stack  ledger.Stack
}

// run goes on until nothing happens to the stack and everything is published.
func (n *notifier) run(ctx context.Context, since time.Time) error {
	at, err := n.e.ledger.Notified.Get(ctx, n.scope, n.stack.UUID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return n.ended(err)
	}
	if !at.Open {
		at.Since = since
	}
	at.Open, at.Stack, at.Caller = true, n.stack.Key(), n.caller
	if err := n.keep(ctx, at); err != nil {
		return n.ended(err)
	}
	for pause := shortestWait; ; pause = min(2*pause, longestWait) {
		busy := n.e.busy(n.stack.UUID)
		batches, err := n.e.ledger.EventsAfter(ctx, n.scope, n.stack.UUID, at.Seq)
		if err != nil {
			return n.ended(err)
		}
		if now, err := n.e.ledger.Stacks.Get(ctx, n.scope, at.Stack); err == nil && len(batches) > 0 {
			n.stack = now // an operation may have changed its topics
		}
		for _, b := range batches {
			for _, ev := range b.Events {
				if !ev.Time.Before(at.Since) {
					n.publish(ctx, ev)
				}
			}
			at.Seq, pause = b.Seq, shortestWait
			if err := n.keep(ctx, at); err != nil {
				return n.ended(err)
			}
		}
		if len(batches) == 0 && !busy && n.stop() {
			at.Open = false
			return n.keep(ctx, at)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return n.ended(ctx.Err())
		}
	}
}

func (n *notifier) keep(ctx context.Context, at ledger.Notified) error {
	return n.e.ledger.Notified.Put(ctx, n.scope, n.stack.UUID, at)
}

// stop lets the next operation have a notifier of its own, unless one has begun.
func (n *notifier) stop() bool {
	n.e.mu.Lock()
	defer n.e.mu.Unlock()
	if n.e.runs[n.stack.UUID] != nil {
		return false
	}
	delete(n.e.notifying, n.stack.UUID)
	return true
}

func (n *notifier) ended(err error) error {
	n.e.mu.Lock()
	defer n.e.mu.Unlock()
	delete(n.e.notifying, n.stack.UUID)
	return err
}

// publish sends one event to the topics. A topic that cannot be reached is
// nothing that a stack operation fails for.
func (n *notifier) publish(ctx context.Context, ev ledger.Event) {
	message := n.message(ev)
	for _, topic := range n.stack.NotificationARNs {
		_, err := sns.NewFromConfig(n.e.TopicConfig(n.caller, topic)).Publish(ctx, &sns.PublishInput{
			TopicArn: &topic, Subject: aws.String(notifySubject), Message: &message})
		if err != nil && ctx.Err() == nil {
			n.e.host.Log().Warn("publishing a stack event", "stack", n.stack.Name, "topic", topic, "error", err)
		}
	}
}

// message is an event in the form in which CloudFormation publishes it.
func (n *notifier) message(ev ledger.Event) string {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%s='%s'\n", name, value) }
	line("StackId", n.stack.ID)
	line("Timestamp", ev.Time.UTC().Format("2006-01-02T15:04:05.000Z"))
	line("EventId", ev.ID)
	line("LogicalResourceId", ev.LogicalID)
	line("Namespace", n.caller.Account)
	line("PhysicalResourceId", ev.Physical)
	line("PrincipalId", n.caller.UserID)
	line("ResourceProperties", cmp.Or(ev.Properties, "null"))
	line("ResourceStatus", string(ev.Status))
	line("ResourceStatusReason", ev.Reason)
	line("ResourceType", ev.Type)
	line("StackName", n.stack.Name)
	line("ClientRequestToken", cmp.Or(ev.Token, "null"))
	return b.String()
}

// TopicConfig is the configuration for calls about a topic, in its own region.
func (e *Engine) TopicConfig(caller door.Caller, topic string) aws.Config {
	if parts := strings.SplitN(topic, ":", 6); len(parts) == 6 && parts[3] != "" {
		caller.Region = parts[3]
	}
	return e.host.As(caller)
}

func (e *Engine) busy(uuid string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.runs[uuid] != nil
}

// resumeNotifications publishes what a process did not come to.
func (e *Engine) resumeNotifications(ctx context.Context) error {
	entries, err := e.ledger.Notified.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("reading unpublished stack events: %w", err)
	}
	for _, entry := range entries {
		if !entry.Value.Open {
			continue
		}
		stack, err := e.ledger.Stacks.Get(ctx, entry.Scope, entry.Value.Stack)
		if err != nil {
			return fmt.Errorf("reading stack %q: %w", entry.Value.Stack, err)
		}
		e.notify(entry.Scope, entry.Value.Caller, stack, entry.Value.Since)
	}
	return nil
}
