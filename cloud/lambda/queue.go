package lambda

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"ouro/cloud/store"
)

// attempts is how many asynchronous events of a function run at once. On AWS it
// is as many as the function's concurrency allows; here they share a machine.
const attempts = 16

// line names the events of one function, which wait in the store and nowhere
// else.
type line struct {
	scope store.Scope
	name  string
}

func (l line) prefix() string { return l.scope.Account + "/" + l.scope.Region + "/" + l.name + "/" }

// key names an event in the store, so that the one due first comes first.
func (l line) key(e event) string {
	return fmt.Sprintf("%s%020d-%s", l.prefix(), e.Due.UnixNano(), e.ID)
}

// lineOf is the line that an event of that key waits in.
func lineOf(key string) line {
	parts := strings.SplitN(key, "/", 4)
	return line{store.Scope{Account: parts[0], Region: parts[1]}, parts[2]}
}

// lines are those that somebody works on, each with how it is told of news.
type lines struct {
	mu   sync.Mutex
	open map[line]chan struct{}
}

// see has somebody look into a line.
func (s *Service) see(l line) {
	s.lines.mu.Lock()
	defer s.lines.mu.Unlock()
	news, ok := s.lines.open[l]
	if !ok {
		news = make(chan struct{}, 1)
		s.lines.open[l] = news
		w := &worker{s: s, line: l, news: news, running: map[string]bool{}, done: make(chan string)}
		s.host.Go("run "+l.name+" for events", w.work)
	}
	select {
	case news <- struct{}{}:
	default: // it has not yet looked at the last
	}
}

// leave ends the work on a line, unless there is news of it.
func (s *Service) leave(l line, news chan struct{}) bool {
	s.lines.mu.Lock()
	defer s.lines.mu.Unlock()
	if len(news) > 0 {
		return false
	}
	delete(s.lines.open, l)
	return true
}

// resumeEvents takes up the lines that an earlier process left.
func (s *Service) resumeEvents(ctx context.Context) error {
	for after := ""; ; {
		next, err := s.queue.List(ctx, store.Scope{}, store.Query{After: after, Limit: 1})
		if err != nil {
			return fmt.Errorf("looking for events that were not handled: %w", err)
		}
		if len(next) == 0 {
			return nil
		}
		l := lineOf(next[0].ID)
		s.see(l)
		after = l.prefix() + "~" // after all of its keys, which go on with digits
	}
}

// worker sees to one line, until it is empty.
type worker struct {
	s       *Service
	line    line
	news    chan struct{}
	running map[string]bool // keys of the events under way
	done    chan string     // that are over
}

func (w *worker) work(ctx context.Context) {
	for {
		next, err := w.begin(ctx)
		if err != nil && ctx.Err() == nil {
			w.s.host.Log().Error("asynchronous events cannot be read", "function", w.line.name, "error", err)
			next = w.s.host.Now().Add(longestBackoff)
		}
		if err == nil && next.IsZero() && len(w.running) == 0 && w.s.leave(w.line, w.news) {
			return
		}
		if !w.wait(ctx, next) {
			for len(w.running) > 0 {
				delete(w.running, <-w.done)
			}
			return // the store has what is left
		}
	}
}

// begin starts what is due, as far as there is room, and tells when the next one
// will be; never, for an empty line or a full worker.
func (w *worker) begin(ctx context.Context) (next time.Time, err error) {
	if len(w.running) == attempts {
		return next, nil
	}
	// Those under way are among the first.
	first, err := w.s.queue.List(ctx, store.Scope{}, store.Query{Prefix: w.line.prefix(), Limit: attempts + 1})
	for _, waiting := range first {
		e := waiting.Value
		switch {
		case w.running[waiting.ID]:
		case len(w.running) == attempts:
			return time.Time{}, err
		case e.Due.After(w.s.host.Now()):
			return e.Due, err
		default:
			w.running[waiting.ID] = true
			go func() { // work waits for it
				w.s.handle(ctx, w.line, waiting.ID, e)
				w.done <- waiting.ID
			}()
		}
	}
	return time.Time{}, err
}

// wait returns when there is something to look at: false if it is the end.
func (w *worker) wait(ctx context.Context, next time.Time) bool {
	var due <-chan time.Time
	if !next.IsZero() {
		timer := time.NewTimer(next.Sub(w.s.host.Now()))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-w.news:
	case <-due:
	case key := <-w.done:
		delete(w.running, key)
	}
	return true
}

// handle attempts an event, and takes it out of the store or to its next place
// in the line.
func (s *Service) handle(ctx context.Context, l line, key string, e event) {
	done := s.attempt(ctx, l.scope, &e)
	if ctx.Err() != nil {
		return // the store still has it
	}
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		err := s.queue.Delete(ctx, store.Scope{}, key)
		if err == nil && !done {
			err = s.queue.Put(ctx, store.Scope{}, l.key(e), e)
		}
		return err
	})
	if err == nil || ctx.Err() != nil {
		return
	}
	s.host.Log().Error("an asynchronous event cannot be kept up with", "function", e.Name, "error", err)
	select { // it is still due
	case <-ctx.Done():
	case <-time.After(longestBackoff):
	}
}
