package ledger

import (
	"context"
	"fmt"

	"ouro/cloud/store"
)

// Entry is what is written together, all or nothing.
type Entry struct {
	Rows   []*Resource // sealed and written as they are when Record is called
	Drop   []string    // logical ids of resources whose records go
	Events []Event
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
	return &Recorder{ledger: l, scope: scope, uuid: uuid, in: make(chan pending, maxBatch)}
}

// Run writes until ctx ends.
func (r *Recorder) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-r.in:
			batch := r.waiting(first)
			err := r.write(ctx, batch)
			for _, p := range batch {
				p.done <- err
			}
		}
	}
}

func (r *Recorder) waiting(first pending) []pending {
	batch := []pending{first}
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
	err := l.Store.Atomically(ctx, func(ctx context.Context) error {
		var events []Event
		for _, p := range batch {
			events = append(events, p.entry.Events...)
			for _, row := range p.rows {
				if err := l.Resources.Put(ctx, r.scope, r.uuid+"/"+row.LogicalID, row); err != nil {
					return err
				}
			}
			for _, id := range p.entry.Drop {
				if err := l.Resources.Delete(ctx, r.scope, r.uuid+"/"+id); err != nil {
					return err
				}
			}
			if p.entry.Also != nil {
				if err := p.entry.Also(ctx); err != nil {
					return err
				}
			}
		}
		return l.AppendEvents(ctx, r.scope, r.uuid, events)
	})
	if err != nil {
		return fmt.Errorf("recording a stack operation: %w", err)
	}
	return nil
}

// AppendEvents writes events of a stack, oldest first.
func (l *Ledger) AppendEvents(ctx context.Context, scope store.Scope, uuid string, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	_, err := l.events.Append(ctx, scope, uuid, events)
	return err
}
