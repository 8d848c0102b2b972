package runner

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ouro/cloud/stray"
)

// Pool holds the processes of functions.
type Pool struct {
	options Options
	init    time.Duration // initLimit
	places  *places
	guard   *guard
	server  *http.Server

	mu        sync.Mutex
	closed    bool
	processes map[*process]bool // whether it is idle
	running   sync.WaitGroup    // one for each process, and each listener of the server
}

var errClosed = errors.New("running a function: the local cloud is ending")

// New makes a pool; Close ends it.
func New(options Options) (*Pool, error) {
	if options.Idle == 0 {
		options.Idle = 5 * time.Minute
	}
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("making the folder of functions %s: %w", options.Dir, err)
	}
	options.Dir = dir
	stray.Kill(sandboxVariable + "=" + dir + string(filepath.Separator))
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("emptying the folder of functions: %w", err)
	}
	places, err := newPlaces(dir)
	if err != nil {
		return nil, err
	}
	return &Pool{options: options, init: initLimit, places: places, guard: &guard{}, server: newServer(), processes: map[*process]bool{}}, nil
}

// Invoke runs a function once: on an idle process of its revision, or on a new
// one. Limits of concurrency are the caller's. The error is not nil if there
// was nothing to run: a runtime that this machine has not, credentials that
// could not be had, a closed pool, or a context that ended, with which the
// process ends. What the function does wrong is in the Result.
func (p *Pool) Invoke(ctx context.Context, fn Function, in Invocation) (Result, error) {
	fn = fn.withDefaults()
	if len(in.Payload) == 0 {
		in.Payload = []byte("{}")
	}
	if in.TraceID == "" {
		in.TraceID = newTrace(time.Now())
	}
	for {
		s, err := p.take(fn)
		if err != nil {
			return Result{}, err
		}
		if s == nil {
			return p.cold(ctx, fn, in)
		}
		result, err := s.invoke(ctx, in, phase{started: time.Now()})
		if errors.Is(err, errGone) {
			continue // it ended while it was idle
		}
		p.giveBack(s)
		return result, err
	}
}

// take finds an idle process, nil if there is none, and ends those of other
// revisions and those whose credentials will not last.
func (p *Pool) take(fn Function) (*process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	var found *process
	for s, idle := range p.processes {
		if s.fn.ARN != fn.ARN {
			continue
		}
		s.retired = s.retired || s.fn.Revision != fn.Revision || s.expired(time.Now())
		switch {
		case !idle:
		case s.retired || s.ended():
			s.kill()
		case found == nil || s.idleSince.After(found.idleSince):
			found = s
		}
	}
	if found != nil {
		p.processes[found] = false
		found.idleTimer.Stop()
	}
	return found, nil
}

// giveBack makes a process idle, or ends it if it has no future.
func (p *Pool) giveBack(s *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, there := p.processes[s]; !there {
		return
	}
	if p.closed || s.retired || s.ended() || s.doomed.Load() {
		s.kill()
		return
	}
	p.processes[s] = true
	s.idleSince = time.Now()
	s.idleTimer = time.AfterFunc(p.options.Idle, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.processes[s] {
			p.processes[s] = false
			s.kill()
		}
	})
}

// enter takes a process that is about to start into the books, leave takes it
// out again after it has ended.
func (p *Pool) enter(s *process) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	p.processes[s] = false
	p.running.Add(1)
	return nil
}

func (p *Pool) leave(s *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.processes[s] {
		s.idleTimer.Stop()
	}
	delete(p.processes, s)
	p.running.Done()
}

// Retire ends the processes of the functions that match: the idle ones now, the
// others after their invocation. Call it when a function is deleted.
func (p *Pool) Retire(match func(Function) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s, idle := range p.processes {
		if !match(s.fn) {
			continue
		}
		s.retired = true
		if idle {
			s.kill()
		}
	}
}

// Close ends all processes and waits for them; invocations that are under way
// fail. It is an error if the context ends first.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	for s := range p.processes {
		s.kill()
	}
	p.mu.Unlock()
	over := make(chan struct{})
	go func() {
		p.running.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-ctx.Done():
		return fmt.Errorf("ending the processes of functions: %w", ctx.Err())
	}
	p.guard.end()
	return errors.Join(p.server.Close(), os.RemoveAll(p.options.Dir))
}
