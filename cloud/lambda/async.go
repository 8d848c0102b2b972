package lambda

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/lambda/runner"
	"ouro/cloud/store"
)

// AWS's treatment of asynchronous events that nobody configured, and its pauses
// when a function is throttled or out of order.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const (
	defaultRetries = 2
	defaultAge     = 6 * time.Hour
	firstBackoff   = time.Second
	longestBackoff = 5 * time.Minute
)

// attempts is how many asynchronous events run at once.
const attempts = 64

// event is an asynchronous event on its way. It is in the store from before
// Invoke answers until the function took it or it was given up.
type event struct {
	ID              string
	Name, Qualifier string
	Sealed, Context string // the payload and the client's context, sealed: they may hold secrets
	Accepted        time.Time
	Failures        int       // attempts in which the function failed
	Delays          int       // attempts in which it could not run
	Due             time.Time // of the next attempt
}

func (e event) target(scope store.Scope) target { return target{scope, e.Name, e.Qualifier} }

// key names an event in the store, so that events sort by age.
func (e event) key() string { return fmt.Sprintf("%020d-%s", e.Accepted.UnixNano(), e.ID) }

// accept stores an event and then sees to it in the background.
func (s *Service) accept(ctx context.Context, q request) error {
	if len(q.payload) > maxEvent {
		return oversized("%d byte payload is too large for the Event invocation type (limit %d bytes)", len(q.payload), maxEvent)
	}
	if _, err := s.plan(ctx, q.target); err != nil {
		return err
	}
	box, err := s.box()
	if err != nil {
		return err
	}
	e := event{ID: q.id, Name: q.target.name, Qualifier: q.target.qualifier, Accepted: s.host.Now()}
	e.Sealed, e.Context, e.Due = box.Seal(q.payload, "lambda/event/"+e.ID), box.Seal([]byte(q.context), "lambda/context/"+e.ID), e.Accepted
	if err := s.queue.Put(ctx, q.target.scope, e.key(), e); err != nil {
		return err
	}
	s.see(q.target.scope, e)
	return nil
}

func (s *Service) see(scope store.Scope, e event) {
	s.host.Go("run "+e.Name+" for an event", func(ctx context.Context) { s.handle(ctx, scope, e) })
}

func (s *Service) resumeEvents(ctx context.Context) error {
	left, err := s.queue.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("looking for events that were not handled: %w", err)
	}
	for _, e := range left {
		s.see(e.Scope, e.Value)
	}
	return nil
}

// handle attempts an event until it is done with.
func (s *Service) handle(ctx context.Context, scope store.Scope, e event) {
	for {
		timer := time.NewTimer(e.Due.Sub(s.host.Now()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		select {
		case <-ctx.Done():
			return
		case s.slots <- struct{}{}:
		}
		done := s.attempt(ctx, scope, &e)
		<-s.slots
		if ctx.Err() != nil {
			return // the store still has it
		}
		var err error
		if done {
			err = s.queue.Delete(ctx, scope, e.key())
		} else {
			err = s.queue.Put(ctx, scope, e.key(), e)
		}
		if err != nil {
			s.host.Log().Error("an asynchronous event cannot be kept up with", "function", e.Name, "error", err)
		}
		if done || err != nil {
			return
		}
	}
}

// attempt runs the function once, and tells whether the event is done with.
// What it changes in the event says when to try again.
func (s *Service) attempt(ctx context.Context, scope store.Scope, e *event) bool {
	t := e.target(scope)
	d, err := s.deliveries.Get(ctx, scope, qualifiedKey(e.Name, e.Qualifier))
	if err := missing(err, nil); err != nil {
		s.host.Log().Error("settings of asynchronous events cannot be read", "function", e.Name, "error", err)
	}
	q, err := s.open(t, *e)
	if err != nil {
		s.host.Log().Error("an asynchronous event is lost", "function", e.Name, "error", err)
		return true
	}
	v, res, err := s.run(ctx, q)
	if ctx.Err() != nil {
		return false
	}
	o := outcome{event: *e, target: t, request: q, version: v, result: res, settings: d}
	var gone *types.ResourceNotFoundException
	switch {
	case errors.As(err, &gone):
		return true // deleted in the meantime
	case err != nil:
		s.host.Log().Warn("a function cannot run", "function", t.qualified(), "error", err)
		e.Delays++
		e.Due = s.host.Now().Add(min(firstBackoff<<min(e.Delays-1, 16), longestBackoff))
		if permanent(err) {
			o.result = refusalResult(err)
			return s.finish(ctx, o, exhausted)
		}
	case res.FunctionError == "":
		return s.finish(ctx, o, success)
	default:
		e.Failures++
		o.event = *e
		if e.Failures > d.retries() {
			return s.finish(ctx, o, exhausted)
		}
		e.Due = s.host.Now().Add(s.pauses[min(e.Failures, len(s.pauses))-1])
	}
	if e.Due.Sub(e.Accepted) > d.age() {
		return s.finish(ctx, o, aged)
	}
	return false
}

// open gives the request that an event was.
func (s *Service) open(t target, e event) (request, error) {
	box, err := s.box()
	if err != nil {
		return request{}, err
	}
	payload, err := box.Unseal(e.Sealed, "lambda/event/"+e.ID)
	if err != nil {
		return request{}, err
	}
	client, err := box.Unseal(e.Context, "lambda/context/"+e.ID)
	return request{id: e.ID, target: t, payload: payload, context: string(client)}, err
}

// permanent tells a function that will never run here from one that is
// throttled.
func permanent(err error) bool {
	var status interface{ HTTPStatusCode() int }
	return errors.As(err, &status) && status.HTTPStatusCode() == 400
}

func refusalResult(err error) runner.Result {
	return runner.Result{FunctionError: "Unhandled", ErrorMessage: err.Error(), Payload: []byte(encode(map[string]string{"errorMessage": err.Error(), "errorType": "Runtime.InvalidRuntime"}))}
}

func (d delivery) retries() int {
	if d.Retries != nil {
		return int(*d.Retries)
	}
	return defaultRetries
}

func (d delivery) age() time.Duration {
	if d.Age != nil {
		return time.Duration(aws.ToInt32(d.Age)) * time.Second
	}
	return defaultAge
}
