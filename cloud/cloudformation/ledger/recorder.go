package ledger

import (
	"context"
	"fmt"
	"time"

	"ouro/cloud/store"
)

// Entry is what is written together, all or nothing.
type Entry struct {
	Rows   []*Resource // sealed and written as they are when Record is called
	Drop   []string    // logical ids of resources whose records go
	Events []Event
	Last   bool // nothing more comes from this recorder
	// Also takes part in the same transaction. It must only write records.
	Also func(ctx context.Context) error
}

// Recorder writes the entries of one stack operation. Entries that come while
// others are being written are written together afterwards: one transaction,
// and one journal entry for all their events.
type Recorder struct {
	ledger *Ledger
	scope  store.Scope
	uuid   string
	in     chan pending
	last   map[string]rowChange // of each resource, since the operation began; Run's own
	newest time.Time            // of the events; Run's own
}

type pending struct {
	rows  []Resource
	entry Entry
	done  chan error
}

// maxBatch bounds how many entries one transaction takes.
const maxBatch = 256

// NewRecorder makes the recorder of a stack's operation; Run does the writing.
func (l *Ledger) NewRecorder(scope store.Scope, uuid string) *Recorder {
	return &Recorder{ledger: l, scope: scope, uuid: uuid, in: make(chan pending, maxBatch), last: map[string]rowChange{}}
}

// Run writes until the last entry or until ctx ends. It goes on from what a
// process has written that died.
//
// The resources are put onto their shelves after the last entry has been
// answered: they can be read from the journal as well, and whoever waits for
// the operation need not wait for that. If it fails, or the process dies before
// it, the next operation of the stack does it.
func (r *Recorder) Run(ctx context.Context) error {
	before, _, unread := r.ledger.changesOf(ctx, r.scope, r.uuid)
	for _, c := range before {
		r.last[c.id()] = c
	}
	if unread == nil {
		r.newest, unread = r.ledger.lastEvent(ctx, r.scope, r.uuid)
	}
	var batch []pending
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-r.in:
			batch = r.waiting(append(batch[:0], first))
			err := unread
			if err == nil {
				err = r.write(ctx, batch)
			}
			last := false
			for _, p := range batch {
				p.done <- err
				last = last || p.entry.Last
			}
			if last && err == nil {
				return r.shelve(context.WithoutCancel(ctx))
			}
		}
	}
}

// waiting adds to a batch what waits to be written.
func (r *Recorder) waiting(batch []pending) []pending {
	for len(batch) < maxBatch {
		select {
		case p := <-r.in:
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

// Record returns when the entry is safe.
func (r *Recorder) Record(ctx context.Context, e Entry) error {
	p := pending{entry: e, done: make(chan error, 1), rows: make([]Resource, 0, len(e.Rows))}
	for _, row := range e.Rows {
		if err := r.ledger.seal(row); err != nil {
			return err
		}
		p.rows = append(p.rows, *row)
	}
	select {
	case r.in <- p:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Recorder) write(ctx context.Context, batch []pending) error {
	l := r.ledger
	events, changes := make([]Event, 0, 2*len(batch)), make([]rowChange, 0, len(batch))
	together := l.Store.Decided // journals do not refuse
	for _, p := range batch {
		if p.entry.Also != nil {
			together = l.Store.Atomically
		}
		events = append(events, p.entry.Events...)
		for i := range p.rows {
			changes = append(changes, rowChange{Row: &p.rows[i]})
		}
		for _, id := range p.entry.Drop {
			changes = append(changes, rowChange{Drop: id})
		}
	}
	err := together(ctx, func(ctx context.Context) error {
		for _, p := range batch {
			if p.entry.Also != nil {
				if err := p.entry.Also(ctx); err != nil {
					return err
				}
			}
		}
		if err := r.writeChanges(ctx, changes); err != nil {
			return err
		}
		var err error
		r.newest, err = l.appendAfter(ctx, r.scope, r.uuid, events, r.newest)
		return err
	})
	if err != nil {
		return fmt.Errorf("recording a stack operation: %w", err)
	}
	return nil
}

// writeChanges appends changes of resources to the operation's journal.
func (r *Recorder) writeChanges(ctx context.Context, changes []rowChange) error {
	for _, c := range changes {
		r.last[c.id()] = c
	}
	if len(changes) == 0 {
		return nil
	}
	_, err := r.ledger.progress.Append(ctx, r.scope, r.uuid, changes)
	return err
}

func (r *Recorder) shelve(ctx context.Context) error {
	err := r.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		return r.ledger.shelve(ctx, r.scope, r.uuid, r.last)
	})
	if err != nil {
		return fmt.Errorf("putting the resources of a stack onto their shelves: %w", err)
	}
	return nil
}
