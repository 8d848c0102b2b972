package eventbridge

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// lateness is how late a rule may fire; AWS promises the minute. What fell
// due before, while nobody ran the cloud, is not made up for.
const lateness = time.Minute

// wind sets when the rule fires next, as far as it does.
func (r *rule) wind(after time.Time) {
	r.Due = time.Time{}
	if sch, ok := parseSchedule(r.Schedule); ok && r.State != types.RuleStateDisabled {
		r.Due, _ = sch.next(after)
	}
}

// moveOn passes over all times until now, and tells the last of them.
func (r *rule) moveOn(now time.Time) (last time.Time) {
	last = r.Due
	switch sch, _ := parseSchedule(r.Schedule); sch := sch.(type) {
	case rate: // at the old distances, however many were missed
		last = last.Add(now.Sub(last).Truncate(time.Duration(sch)))
		r.Due, _ = sch.next(last)
	case times:
		if at, ok := sch.next(now.Add(-lateness)); ok && !at.After(now) {
			last = at
		}
		r.Due, _ = sch.next(now)
	}
	return last
}

// fireDue fires what is due, and tells when the next will be. When a rule fires
// next is in the store, and is moved on in the transaction that stores the
// deliveries, so that no end of the process makes it fire twice.
func (s *Service) fireDue(ctx context.Context) (next time.Time, err error) {
	all, err := s.rules.All(ctx, store.Query{})
	if err != nil {
		return next, err
	}
	for _, e := range all {
		r := e.Value
		if r.Due.IsZero() {
			continue
		}
		if now := s.host.Now(); !r.Due.After(now) {
			if r, err = s.fire(ctx, e.Scope, e.ID, now); err != nil {
				return next, err
			}
		}
		next = door.Sooner(next, r.Due)
	}
	return next, nil
}

// fire moves a rule on that is due, and has its targets told.
func (s *Service) fire(ctx context.Context, scope store.Scope, id string, now time.Time) (rule, error) {
	var moved rule
	var due []delivery
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		due = nil
		_, err := s.rules.Update(ctx, scope, id, func(r *rule) error {
			at := r.Due
			if at.IsZero() || at.After(now) {
				moved = *r
				return nil
			}
			at = r.moveOn(now)
			moved = *r
			if now.Sub(at) > lateness {
				return nil
			}
			var err error
			due, err = s.scheduled(scope, *r, at, now)
			return err
		})
		if errors.Is(err, store.ErrNotFound) {
			moved = rule{}
			return nil
		}
		if err != nil {
			return err
		}
		return s.record(ctx, due)
	})
	if err == nil {
		for _, d := range due {
			s.enqueue(d)
		}
	}
	return moved, err
}

// scheduled is one delivery for each target of a rule that fired.
func (s *Service) scheduled(scope store.Scope, r rule, at, now time.Time) ([]delivery, error) {
	body, err := encode(event{Version: "0", ID: s.host.NewID(), DetailType: "Scheduled Event", Source: "aws.events",
		Account: scope.Account, Time: at.UTC().Format(time.RFC3339), Region: scope.Region, Resources: []string{r.ARN}, Detail: json.RawMessage("{}")})
	if err != nil {
		return nil, err
	}
	return s.deliveriesOf(door.Caller{Account: scope.Account, Region: scope.Region}, r, body, now), nil
}
