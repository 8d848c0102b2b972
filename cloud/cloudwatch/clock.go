package cloudwatch

import (
	"context"
	"errors"
	"time"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// evaluateDue evaluates what is due, and tells when the next will be.
func (s *Service) evaluateDue(ctx context.Context) (next time.Time, err error) {
	all, err := s.alarms.All(ctx, store.Query{})
	if err != nil {
		return next, err
	}
	for _, e := range all {
		a := e.Value
		if a.isComposite() || a.Lacks != "" {
			continue
		}
		if now := s.host.Now(); !a.Due.After(now) {
			if a.Due, err = s.evaluateOne(ctx, e.Scope, a, now); err != nil {
				return next, err
			}
		}
		next = door.Sooner(next, a.Due)
	}
	return next, nil
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
		s.outbox.Tell()
	}
	return due, err
}
