package eventbridge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
)

// AWS's bounds on retries for a target without a RetryPolicy, and our pauses
// between them.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
const (
	maxAttempts = 185
	maxAge      = 24 * time.Hour
	firstPause  = 50 * time.Millisecond
	longPause   = time.Minute
)

// delivery is one event on its way to one target. It is in the store from
// before PutEvents answers until it arrived or was given up.
type delivery struct {
	ID                string
	Account, Region   string
	RuleName, RuleARN string
	Target            types.Target
	Event             string // JSON
	Accepted          time.Time
}

// key names a delivery in the store, so that they sort by age.
func (d delivery) key() string { return fmt.Sprintf("%020d-%s", d.Accepted.UnixNano(), d.ID) }

func (d delivery) caller() door.Caller { return door.Caller{Account: d.Account, Region: d.Region} }

// lane is where the deliveries of one rule to one target wait for each other.
func (d delivery) lane() string { return d.RuleARN + "|" + aws.ToString(d.Target.Id) }

func (s *Service) record(ctx context.Context, due []delivery) error {
	if len(due) == 0 {
		return nil
	}
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		for _, d := range due {
			if err := s.deliveries.Put(ctx, d.caller().Scope(), d.key(), d); err != nil {
				return err
			}
		}
		return nil
	})
}

// lanes keep the first attempts for a target in the order of the events. A
// lane that is in the map has a goroutine that drives it.
type lanes struct {
	mu      sync.Mutex
	waiting map[string][]delivery
}

func (s *Service) enqueue(d delivery) {
	lane := d.lane()
	s.lanes.mu.Lock()
	defer s.lanes.mu.Unlock()
	if s.lanes.waiting == nil {
		s.lanes.waiting = map[string][]delivery{}
	}
	queue, driven := s.lanes.waiting[lane]
	s.lanes.waiting[lane] = append(queue, d)
	if !driven {
		s.host.Go("deliver events of rule "+d.RuleName, func(ctx context.Context) { s.drive(ctx, lane) })
	}
}

// drive attempts what waits in a lane until nothing does. What needs another
// attempt goes its own way and holds nothing up.
func (s *Service) drive(ctx context.Context, lane string) {
	for ctx.Err() == nil {
		d, ok := s.next(lane)
		if !ok {
			return
		}
		if pause := s.attempt(ctx, d, 1); pause > 0 {
			s.host.Go("deliver an event of rule "+d.RuleName+" again", func(ctx context.Context) { s.retry(ctx, d, pause) })
		}
	}
}

func (s *Service) next(lane string) (delivery, bool) {
	s.lanes.mu.Lock()
	defer s.lanes.mu.Unlock()
	queue := s.lanes.waiting[lane]
	if len(queue) == 0 {
		delete(s.lanes.waiting, lane)
		return delivery{}, false
	}
	s.lanes.waiting[lane] = queue[1:]
	return queue[0], true
}

func (s *Service) retry(ctx context.Context, d delivery, pause time.Duration) {
	for n := 2; pause > 0; n++ {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		pause = s.attempt(ctx, d, n)
	}
}

// attempt tries once; the result is the pause before the next attempt, or 0
// when the delivery is done with.
func (s *Service) attempt(ctx context.Context, d delivery, n int) time.Duration {
	err := s.deliver(ctx, d)
	if err != nil && ctx.Err() != nil {
		return 0 // the process ends; the store still has the delivery
	}
	if err != nil && retryable(err) && n < d.attempts() && s.host.Now().Sub(d.Accepted) < d.age() {
		return min(firstPause<<min(n-1, 16), longPause)
	}
	if err != nil {
		s.host.Log().Warn("event not delivered", "rule", d.RuleARN, "target", aws.ToString(d.Target.Arn), "attempts", n, "error", err)
	}
	if err := s.deliveries.Delete(context.WithoutCancel(ctx), d.caller().Scope(), d.key()); err != nil {
		s.host.Log().Error("delivered event stays in the store", "rule", d.RuleARN, "error", err)
	}
	return 0
}

func (d delivery) attempts() int {
	if p := d.Target.RetryPolicy; p != nil && p.MaximumRetryAttempts != nil {
		return 1 + int(*p.MaximumRetryAttempts)
	}
	return 1 + maxAttempts
}

func (d delivery) age() time.Duration {
	if p := d.Target.RetryPolicy; p != nil && p.MaximumEventAgeInSeconds != nil {
		return time.Duration(*p.MaximumEventAgeInSeconds) * time.Second
	}
	return maxAge
}

// retryable tells a target that is out of order from one that refuses: the
// latter, such as a pipeline that is not there or a role that may not, is not
// tried again.
func retryable(err error) bool {
	var response interface{ HTTPStatusCode() int }
	if errors.As(err, &response) {
		status := response.HTTPStatusCode()
		return status >= 500 || status == 429
	}
	var refused *refusal
	return !errors.As(err, &refused)
}

// refusal is our own reason not to deliver.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }
