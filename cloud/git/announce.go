package git

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ouro/cloud/store"
)

// announced is what the world has been told of a repository.
type announced struct {
	Refs map[string]string
}

// How often, and after what pause at first, an announcement is tried. What
// still fails then is announced after the next start.
const (
	announceTries = 6
	announcePause = 50 * time.Millisecond
)

// queue has changes announced after those that are queued already. The caller
// holds the lock, which makes the order that of the changes.
func (r *Repository) queue(changes []RefChange) {
	r.mu.Lock()
	r.pending = append(r.pending, changes...)
	start := !r.announcing
	r.announcing = true
	r.mu.Unlock()
	if start {
		r.server.host.Go("announce references of "+r.id, r.announceAll)
	}
}

// announceAll announces until nothing is queued.
func (r *Repository) announceAll(ctx context.Context) {
	for {
		r.mu.Lock()
		changes := r.pending
		r.pending = nil
		r.announcing = len(changes) > 0 && ctx.Err() == nil
		going := r.announcing
		r.mu.Unlock()
		if !going {
			return
		}
		if err := r.announce(ctx, changes); err != nil {
			r.server.host.Log().Error("announcing changed references",
				"service", r.server.service, "repository", r.id, "changes", len(changes), "error", err)
		}
	}
}

// announce tells one batch of changes and keeps that it was told.
func (r *Repository) announce(ctx context.Context, changes []RefChange) error {
	pause := announcePause
	for try := 1; ; try++ {
		err := r.server.announce(ctx, r.scope, r.id, changes)
		if err == nil {
			break
		}
		if try == announceTries || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(pause):
			pause *= 2
		case <-ctx.Done():
		}
	}
	_, err := r.server.announced.Update(ctx, r.scope, r.id, func(a *announced) error {
		if a.Refs == nil {
			a.Refs = map[string]string{}
		}
		for _, c := range changes {
			if c.New == "" {
				delete(a.Refs, c.Ref)
			} else {
				a.Refs[c.Ref] = c.New
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) { // removed meanwhile
		return fmt.Errorf("keeping what was announced of repository %q: %w", r.id, err)
	}
	return nil
}
