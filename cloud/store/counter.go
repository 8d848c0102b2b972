package store

import "sync/atomic"

// Counter counts commits that wrote to the tables that share it. What was read
// from them after Count gave a number is still so while it gives that number:
// a commit is counted before whoever wrote hears of it.
type Counter struct{ n atomic.Uint64 }

// Count is the number of commits until now.
func (c *Counter) Count() uint64 { return c.n.Load() }

// Counted is the table with its writes counted. Every table of that kind that
// is written to has to be made so.
func (t Table[T]) Counted(by *Counter) Table[T] {
	t.counter = by
	return t
}

// count has a write counted once it is committed.
func (t *tx) count(c *Counter) {
	if c != nil {
		t.writer.counters = append(t.writer.counters, c)
	}
}

// counted counts the writes of the transaction that is over. One that was taken
// back counts too, which does no harm.
func (w *writer) counted() {
	for i, c := range w.counters {
		c.n.Add(1)
		w.counters[i] = nil
	}
	w.counters = w.counters[:0]
}
