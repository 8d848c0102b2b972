package door

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"ouro/cloud/store"
)

// Outbox is what a service has yet to tell others of what it did. It is written
// in the transaction of the deed, and told after it, in its order.
type Outbox[T any] struct {
	host    Host
	waiting store.Table[T] // by number
	what    string
	send    func(ctx context.Context, number string, v T) error
	telling sync.Mutex
	last    atomic.Int64 // number that was given out
}

// NewOutbox makes the outbox of a service, whose table has that name. What send
// has sent, or was refused, it drops; an error of it is logged, and what it was
// given stays for the next time.
func NewOutbox[T any](host Host, service, table, what string, send func(ctx context.Context, number string, v T) error) *Outbox[T] {
	return &Outbox[T]{host: host, waiting: store.NewTable[T](host.Store(), service, table), what: what, send: send}
}

// Number is above all former ones, as text too: for what has to keep its order.
func (o *Outbox[T]) Number() string {
	for {
		last := o.last.Load()
		if next := max(last+1, o.host.Now().UnixNano()); o.last.CompareAndSwap(last, next) {
			return fmt.Sprintf("%019d", next)
		}
	}
}

// Put writes down what is to be told.
func (o *Outbox[T]) Put(ctx context.Context, v T) error {
	return o.waiting.Put(ctx, store.Scope{}, o.Number(), v)
}

// Drop forgets what has that number.
func (o *Outbox[T]) Drop(ctx context.Context, number string) error {
	return o.waiting.Delete(ctx, store.Scope{}, number)
}

// Tell has all that is written down sent, in the background.
func (o *Outbox[T]) Tell() {
	o.host.Go(o.what, func(ctx context.Context) {
		o.telling.Lock()
		defer o.telling.Unlock()
		all, err := o.waiting.List(ctx, store.Scope{}, store.Query{})
		for _, e := range all {
			if err == nil {
				err = o.send(ctx, e.ID, e.Value)
			}
		}
		if err != nil && ctx.Err() == nil {
			o.host.Log().Warn("cannot "+o.what, "error", err)
		}
	})
}
