package ledger

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Event is a stack event. Several that were written together are one entry of
// the journal.
type Event struct {
	ID         string
	Time       time.Time
	LogicalID  string
	Physical   string `json:",omitempty"`
	Type       string
	Status     types.ResourceStatus
	Reason     string `json:",omitempty"`
	Token      string `json:",omitempty"`
	Operation  string `json:",omitempty"`
	Properties string `json:",omitempty"` // JSON, secrets masked
}

// ErrBadToken says that a NextToken is none that Events gave.
var ErrBadToken = fmt.Errorf("the next token is not valid")

// Events reads a stack's events, newest first, at most limit of them from
// where token says. next is empty at the end.
func (l *Ledger) Events(ctx context.Context, scope store.Scope, uuid, token string, limit int) (events []Event, next string, err error) {
	before, skip := int64(0), 0
	if token != "" {
		seq, index, ok := strings.Cut(token, ".")
		if before, err = strconv.ParseInt(seq, 10, 64); err != nil || !ok {
			return nil, "", ErrBadToken
		}
		if skip, err = strconv.Atoi(index); err != nil || skip < 0 {
			return nil, "", ErrBadToken
		}
		before++ // the entry that the last page ended in, whose newest events are known
	}
	for {
		// A few entries at a time: a large stack's are long.
		items, err := l.events.Read(ctx, scope, uuid, store.Span{Before: before, Limit: entriesAtOnce, Newest: true})
		if err != nil {
			return nil, "", fmt.Errorf("reading events: %w", err)
		}
		for _, item := range items {
			batch := item.Value
			for i := len(batch) - 1 - skip; i >= 0; i-- {
				if len(events) == limit {
					return events, fmt.Sprintf("%d.%d", item.Seq, len(batch)-1-i), nil
				}
				events = append(events, batch[i])
			}
			before, skip = item.Seq, 0
		}
		if len(items) < entriesAtOnce {
			return events, "", nil
		}
	}
}

const entriesAtOnce = 8

// AppendEvents writes events of a stack, oldest first.
func (l *Ledger) AppendEvents(ctx context.Context, scope store.Scope, uuid string, events []Event) error {
	before, err := l.lastEvent(ctx, scope, uuid)
	if err == nil {
		_, err = l.appendAfter(ctx, scope, uuid, events, before)
	}
	return err
}

// appendAfter writes events, each a millisecond after the one before it at
// least: clients sort them by their times alone, which travel in milliseconds.
// An operation that is faster than that gets ahead of the clock, by a second at
// most. It gives the time of the last event.
func (l *Ledger) appendAfter(ctx context.Context, scope store.Scope, uuid string, events []Event, before time.Time) (time.Time, error) {
	if len(events) == 0 {
		return before, nil
	}
	for i := range events {
		if earliest := before.Add(time.Millisecond); earliest.After(events[i].Time) && earliest.Sub(events[i].Time) <= time.Second {
			events[i].Time = earliest
		}
		before = events[i].Time
	}
	_, err := l.events.Append(ctx, scope, uuid, events)
	return before, err
}

// lastEvent is when a stack's newest event was.
func (l *Ledger) lastEvent(ctx context.Context, scope store.Scope, uuid string) (last time.Time, err error) {
	items, err := l.events.Read(ctx, scope, uuid, store.Span{Limit: 1, Newest: true})
	if err != nil {
		return last, fmt.Errorf("reading events: %w", err)
	}
	for _, item := range items {
		last = item.Value[len(item.Value)-1].Time
	}
	return last, nil
}

// Notified is how far the events of a stack have been published.
type Notified struct {
	Seq    int64     // of the last batch
	Since  time.Time // events before that are not published
	Open   bool      // there may be more
	Stack  string    // key
	Caller door.Caller
}

// Batch is events that were written together.
type Batch struct {
	Seq    int64
	Events []Event // oldest first
}

// EventsAfter reads the batches that follow one, oldest first, a few at a time.
func (l *Ledger) EventsAfter(ctx context.Context, scope store.Scope, uuid string, seq int64) ([]Batch, error) {
	items, err := l.events.Read(ctx, scope, uuid, store.Span{After: seq, Limit: entriesAtOnce})
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	out := make([]Batch, len(items))
	for i, item := range items {
		out[i] = Batch{item.Seq, item.Value}
	}
	return out, nil
}
