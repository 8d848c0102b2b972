package lambda

import (
	"context"
	"errors"
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

// accept stores an event, which is then seen to in the background.
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
	l := line{q.target.scope, e.Name}
	if err := s.queue.Put(ctx, store.Scope{}, l.key(e), e); err != nil {
		return err
	}
	s.see(l)
	return nil
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
