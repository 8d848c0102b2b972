package door

import (
	"context"
	"sync"
	"time"
)

// longestWait is how long a clock sleeps at most: timers do not count the time
// for which the machine slept.
const longestWait = time.Minute

// Clock does what is due. Its goroutine is the host's, and runs while something
// will be due.
type Clock struct {
	host Host
	what string
	due  func(context.Context) (next time.Time, err error)

	mu      sync.Mutex
	running bool
	woken   chan struct{}
}

// NewClock makes a clock for what is told, as in "fire rules by their schedules".
// The function does what is due, and tells when the next will be; never is the
// zero time. The clock begins when it is woken.
func NewClock(host Host, what string, due func(context.Context) (next time.Time, err error)) *Clock {
	return &Clock{host: host, what: what, due: due, woken: make(chan struct{}, 1)}
}

// Wake has the clock look at what is due again.
func (c *Clock) Wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running {
		c.running = true
		c.host.Go(c.what, c.run)
		return
	}
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

func (c *Clock) run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := longestWait
		next, err := c.due(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			c.host.Log().Error("cannot "+c.what, "error", err)
		case err == nil && next.IsZero():
			if c.rest() {
				return
			}
			continue
		case err == nil:
			wait = max(time.Millisecond, min(longestWait, next.Sub(c.host.Now())))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-c.woken:
		}
		timer.Stop()
	}
}

// rest ends the clock, unless somebody woke it.
func (c *Clock) rest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.woken:
		return false
	default:
		c.running = false
		return true
	}
}

// Sooner is the earlier of two times, of which the zero time is never.
func Sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
