package runner

import (
	"context"
	"errors"
	"sync"
)

// Pool holds the processes of functions.
type Pool struct {
	options Options
	mu      sync.Mutex
}

// New makes a pool; Close ends it.
func New(options Options) (*Pool, error) {
	return &Pool{options: options}, nil
}

// Invoke runs a function once: on an idle process of its revision, or on a new
// one. Limits of concurrency are the caller's. The error is not nil if there
// was nothing to run: a runtime that this machine has not, credentials that
// could not be had, a closed pool, or a context that ended, with which the
// process ends. What the function does wrong is in the Result.
func (p *Pool) Invoke(ctx context.Context, fn Function, in Invocation) (Result, error) {
	return Result{}, errors.New("functions cannot be run yet")
}

// Retire ends the processes of the functions that match: the idle ones now, the
// others after their invocation. Call it when a function is deleted.
func (p *Pool) Retire(match func(Function) bool) {}

// Close ends all processes and waits for them; invocations that are under way
// fail. It is an error if the context ends first.
func (p *Pool) Close(ctx context.Context) error { return nil }

// Check says in a sentence why functions of a runtime cannot be run on this
// machine, nil if they can. It looks for interpreters, the first time.
func Check(runtime string) error { return nil }
