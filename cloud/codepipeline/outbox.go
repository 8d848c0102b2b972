package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"ouro/cloud/store"
)

// letter is an event in the outbox.
type letter struct {
	key   string
	event event
}

// announcer tells EventBridge what happened, in the background. Events are put
// into the outbox by the turn that they tell of, and leave it when EventBridge
// has them: a process that dies in between is followed by one that tells them,
// some perhaps for the second time. AWS, too, tells each event at least once.
// Those of a pipeline are told in order.
type announcer struct {
	service *Service
	mu      sync.Mutex
	queue   []letter
	last    int64
	busy    bool
}

// number is a key of the outbox that is above all former ones.
func (an *announcer) number(now time.Time) string {
	an.mu.Lock()
	defer an.mu.Unlock()
	an.last = max(an.last+1, now.UnixNano())
	return fmt.Sprintf("%019d", an.last)
}

// resume tells what a former process has not told.
func (an *announcer) resume(ctx context.Context) error {
	list, err := an.service.outbox.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("reading the events that were not told: %w", err)
	}
	var left []letter
	for _, e := range list {
		left = append(left, letter{e.ID, e.Value})
	}
	an.tell(left)
	return nil
}

// tell has events told that are in the outbox. Its goroutine lives while there
// is something to tell.
func (an *announcer) tell(letters []letter) {
	if len(letters) == 0 {
		return
	}
	an.mu.Lock()
	defer an.mu.Unlock()
	an.queue = append(an.queue, letters...)
	if !an.busy {
		an.busy = true
		an.service.host.Go("codepipeline events", an.drain)
	}
}

func (an *announcer) drain(ctx context.Context) {
	for {
		an.mu.Lock()
		batch := an.queue[:together(an.queue)]
		an.queue = an.queue[len(batch):]
		an.busy = len(batch) > 0 && ctx.Err() == nil
		going := an.busy
		an.mu.Unlock()
		if !going {
			return
		}
		an.send(ctx, batch)
	}
}

// maxBatch is how many events PutEvents takes at once.
const maxBatch = 10

// together tells how many of the first letters go in one call: those of one
// account and region.
func together(queue []letter) int {
	n := 0
	for n < min(len(queue), maxBatch) && queue[n].event.Scope == queue[0].event.Scope {
		n++
	}
	return n
}

// send tells EventBridge, and takes what it has heard out of the outbox. What it
// refuses would be refused again, and is let go of.
func (an *announcer) send(ctx context.Context, batch []letter) {
	s, scope := an.service, batch[0].event.Scope
	in := &eventbridge.PutEventsInput{}
	for _, l := range batch {
		in.Entries = append(in.Entries, l.event.entry())
	}
	out, err := eventbridge.NewFromConfig(s.host.As(self(scope, ""))).PutEvents(ctx, in)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		s.host.Log().Warn("telling EventBridge of state changes", "events", len(batch), "error", err)
	default:
		for _, r := range out.Entries {
			if r.ErrorCode != nil {
				s.host.Log().Warn("telling EventBridge of a state change", "code", *r.ErrorCode, "message", aws.ToString(r.ErrorMessage))
			}
		}
	}
	err = s.host.Store().Atomically(context.WithoutCancel(ctx), func(ctx context.Context) error {
		var errs []error
		for _, l := range batch {
			errs = append(errs, s.outbox.Delete(ctx, scope, l.key))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		s.host.Log().Error("taking told events out of the outbox", "error", err)
	}
}
