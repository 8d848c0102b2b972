package runner

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// initLimit is how long a runtime has to ask for its first invocation, outside
// of the function's own timeout
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
const initLimit = 10 * time.Second

func (fn Function) withDefaults() Function {
	if fn.MemoryMB == 0 {
		fn.MemoryMB = 128
	}
	if fn.EphemeralMB == 0 {
		fn.EphemeralMB = 512
	}
	if fn.Timeout == 0 {
		fn.Timeout = 3 * time.Second
	}
	if fn.LogGroup == "" {
		fn.LogGroup = "/aws/lambda/" + fn.Name
	}
	return fn
}

// phase is when an invocation began, and what its init has taken before.
type phase struct {
	started time.Time
	init    time.Duration
	cold    bool
}

// cold runs an invocation on a new process. An init that fails is tried once
// more, then as a part of the invocation and within its timeout, as Lambda does.
func (p *Pool) cold(ctx context.Context, fn Function, in Invocation) (Result, error) {
	log := newStream(p.options.Log, fn)
	defer log.deliver() // also if nothing can be started
	log.initStart(p.places.version(fn.Runtime))
	log.forget() // LogResult begins after it
	at := phase{started: time.Now(), cold: true}
	s, fault, err := p.initialise(ctx, fn, in, log, p.init)
	if err != nil {
		return Result{}, err
	}
	if fault == nil {
		at.init, at.started = time.Since(at.started), time.Now()
	} else {
		log.initReport("init", time.Since(at.started), fault)
		at.started = time.Now()
		if s, fault, err = p.initialise(ctx, fn, in, log, fn.Timeout); err != nil {
			return Result{}, err
		}
	}
	if fault != nil {
		log.initReport("invoke", time.Since(at.started), fault)
		log.start(in.RequestID)
		var used int64
		if s != nil {
			used = s.memory.Load()
		}
		return log.finish(in, at, nil, fault, used), nil
	}
	defer p.giveBack(s)
	return s.invoke(ctx, in, at)
}

// initialise starts a process and waits until it asks for work. It has ended
// when there is a failure or an error.
func (p *Pool) initialise(ctx context.Context, fn Function, in Invocation, log *stream, limit time.Duration) (*process, *failure, error) {
	deadline := time.Now().Add(limit)
	s, fault, err := p.start(ctx, fn, log)
	if fault != nil || err != nil {
		return nil, fault, err
	}
	fault, err = s.watch(ctx, deadline, in.RequestID, limit, nil, nil, s.ready)
	if fault != nil || err != nil {
		s.end()
	}
	return s, fault, err
}

// invoke runs an invocation on a process that is ready.
func (s *process) invoke(ctx context.Context, in Invocation, at phase) (Result, error) {
	if !at.cold && s.ended() {
		return Result{}, errGone
	}
	j := &job{in: in, deadline: at.started.Add(s.fn.Timeout), done: make(chan struct{})}
	if !at.cold {
		s.log.forget()
	}
	s.log.start(in.RequestID)
	fault, err := s.watch(ctx, j.deadline, in.RequestID, s.fn.Timeout, s.jobs, j, j.done)
	if err != nil {
		s.end()
		return Result{}, err
	}
	if fault != nil {
		s.end()
	}
	j.body.Lock()
	defer j.body.Unlock()
	if fault == nil {
		fault = j.failure
	}
	s.output.flush()
	s.measure()
	return s.log.finish(in, at, j.payload, fault, s.memory.Load()), nil
}

// watch waits for done, gives the job to whoever asks for one, and looks to
// time, memory and the end of the process meanwhile.
func (s *process) watch(ctx context.Context, deadline time.Time, id string, limit time.Duration, jobs chan<- *job, j *job, done <-chan struct{}) (*failure, error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case jobs <- j:
			jobs = nil
		case <-done:
			return nil, nil
		case fault := <-s.failed:
			return fault, nil
		case <-s.exited:
			return s.exit(id, j)
		case now := <-timer.C:
			s.end()
			return timedOut(id, now, limit), nil
		case <-tick.C:
			if s.measure(); s.overdrawn() {
				s.end()
				return outOfMemory(id), nil
			}
		case <-ctx.Done():
			s.end()
			return nil, fmt.Errorf("running the function %s: %w", s.fn.Name, ctx.Err())
		}
	}
}

// exit says what the end of the process means to the invocation: nothing if it
// was answered.
func (s *process) exit(id string, j *job) (*failure, error) {
	if s.doomed.Load() {
		return nil, errClosed
	}
	s.doomed.Store(true)
	select {
	case fault := <-s.failed: // said before it ended
		return fault, nil
	default:
	}
	if j != nil {
		j.body.Lock()
		defer j.body.Unlock()
		if j.complete {
			return nil, nil
		}
	}
	return exitFailure(id, s.reason), nil
}

// newTrace makes the trace of an invocation whose caller has none.
func newTrace(now time.Time) string {
	number := make([]byte, 20)
	_, _ = rand.Read(number)
	digits := hex.EncodeToString(number)
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), digits[:24], digits[24:])
}

// shortVersion is "python:3.13" of "python3.13", "provided:al2023", "nodejs:22".
func shortVersion(runtime string) string {
	if system, ok := strings.CutPrefix(runtime, "provided."); ok {
		return "provided:" + system
	}
	at := strings.IndexAny(runtime, "0123456789")
	if at < 0 {
		return runtime
	}
	return runtime[:at] + ":" + strings.TrimSuffix(runtime[at:], ".x")
}
