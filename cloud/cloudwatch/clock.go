package cloudwatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"ouro/cloud/store"
)

// clock evaluates the alarms when they are due. Its goroutine runs while there
// are metric alarms.
type clock struct {
	mu      sync.Mutex
	running bool
	woken   chan struct{}
}

// longestWait is how long the clock sleeps at most: timers do not count the
// time for which the machine slept.
const longestWait = time.Minute

// wake has the clock look at the alarms again.
func (s *Service) wake() {
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	if !s.clock.running {
		s.clock.running = true
		s.host.Go("evaluate alarms", s.run)
		return
	}
	select {
	case s.clock.woken <- struct{}{}:
	default:
	}
}

func (s *Service) run(ctx context.Context) {
	for ctx.Err() == nil {
		wait, err := s.evaluateDue(ctx)
		if err != nil && ctx.Err() == nil {
			s.host.Log().Error("alarms cannot be evaluated", "error", err)
			wait = longestWait
		}
		if wait == 0 && s.rest() {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.clock.woken:
		}
		timer.Stop()
	}
}

// rest ends the clock, unless somebody woke it.
func (s *Service) rest() bool {
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	if len(s.clock.woken) > 0 {
		return false
	}
	s.clock.running = false
	return true
}

// evaluateDue evaluates what is due, and tells how long to wait for what is
// next; 0 is for nothing.
func (s *Service) evaluateDue(ctx context.Context) (wait time.Duration, err error) {
	all, err := s.alarms.All(ctx, store.Query{})
	if err != nil {
		return 0, err
	}
	for _, e := range all {
		a := e.Value
		if a.isComposite() || a.Lacks != "" {
			continue
		}
		now := s.host.Now()
		if !a.Due.After(now) {
			if a.Due, err = s.evaluateOne(ctx, e.Scope, a, now); err != nil {
				return 0, err
			}
			if a.Due.IsZero() {
				continue // it is gone
			}
		}
		if until := max(time.Millisecond, min(longestWait, a.Due.Sub(now))); wait == 0 || until < wait {
			wait = until
		}
	}
	return wait, nil
}

// evaluateOne evaluates an alarm, and tells when it is due again.
func (s *Service) evaluateOne(ctx context.Context, scope store.Scope, seen alarm, now time.Time) (due time.Time, err error) {
	from, to := seen.window(now)
	data, err := s.data(ctx, scope, newMetric(seen.Namespace, seen.MetricName, seen.Dimensions), from, to, seen.Unit)
	if err != nil {
		return due, err
	}
	changed := false
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		changed = false
		a, err := s.alarms.Get(ctx, scope, *seen.AlarmName)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if !a.Due.Equal(seen.Due) || !a.AlarmConfigurationUpdatedTimestamp.Equal(*seen.AlarmConfigurationUpdatedTimestamp) {
			due = a.Due // somebody changed it meanwhile: it is looked at again
			return nil
		}
		due = now.Truncate(a.step()).Add(a.step())
		a.Due = due
		next, judged := a.evaluate(a.datapoints(data, now), now)
		if !judged || next.value == a.StateValue {
			return s.alarms.Put(ctx, scope, *a.AlarmName, a)
		}
		changed = true
		return s.enter(ctx, scope, a, next)
	})
	if err == nil && changed {
		s.tell()
	}
	return due, err
}
