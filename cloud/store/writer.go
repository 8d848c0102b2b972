package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// batchLimit bounds how many writes are committed together, and with that how
// long the first of them waits.
const batchLimit = 512

// guard says whether a write needs a savepoint to be taken back alone. One
// statement does not: SQLite takes it back by itself.
type guard bool

const (
	guarded   guard = true
	unguarded guard = false
)

// write is one caller's change, waiting for the writer.
type write struct {
	guard guard
	fn    func(t *tx) error
	state atomic.Int32
	err   error
	panic *caught
	done  chan struct{}
}

// States of a write. It leaves waiting once: the writer begins it, or the
// caller gives it up.
const (
	waiting = iota
	begun
	given
)

// caught is a panic of a caller's function; it goes on in the caller.
type caught struct {
	value any
	stack []byte
}

// writer owns the connection that writes.
type writer struct {
	conn      *conn
	store     *Store
	sequences *sequences
	counters  []*Counter // of the transaction under way
	queue     chan *write
	closing   chan struct{}
	ended     chan struct{}
}

func startWriter(s *Store, c *conn) *writer {
	w := &writer{
		conn: c, store: s, sequences: newSequences(),
		queue:   make(chan *write, batchLimit),
		closing: make(chan struct{}), ended: make(chan struct{}),
	}
	go w.loop()
	return w
}

func (w *writer) close() error {
	close(w.closing)
	<-w.ended
	return w.conn.close()
}

func (w *writer) loop() {
	defer close(w.ended)
	batch := make([]*write, 0, batchLimit)
	for {
		select {
		case first := <-w.queue:
			batch = w.commit(append(batch[:0], first))
		case <-w.closing:
			select {
			case first := <-w.queue:
				batch = w.commit(append(batch[:0], first))
			default:
				return
			}
		}
	}
}

// commit runs the batch, and whatever comes in meanwhile, as one transaction,
// and answers all of it.
func (w *writer) commit(batch []*write) []*write {
	_, err := w.conn.exec("BEGIN IMMEDIATE")
	for i := 0; i < len(batch); i++ {
		switch {
		case err != nil:
		case i == 0:
			err = w.runFirst(batch[0])
		default:
			if half := w.run(batch[i]); half {
				err = fmt.Errorf("a write failed half-way: %w", batch[i].err)
			}
		}
		if i+1 == len(batch) && len(batch) < batchLimit {
			batch = w.more(batch)
		}
	}
	if err == nil {
		err = w.finish()
	}
	if err != nil {
		// Fails if SQLite ended the transaction itself, as on a full disk.
		_, _ = w.conn.exec("ROLLBACK")
	}
	w.counted()
	for i, each := range batch {
		if err != nil && each.err == nil {
			each.err = fmt.Errorf("committing: %w", err)
		}
		close(each.done)
		batch[i] = nil
	}
	return batch
}

// more adds a write to the batch that is waiting, or that comes when everybody
// who can run has had a turn: a commit costs as much as several writes.
func (w *writer) more(batch []*write) []*write {
	if len(w.queue) == 0 {
		runtime.Gosched()
	}
	select {
	case next := <-w.queue:
		return append(batch, next)
	default:
		return batch
	}
}

func (w *writer) finish() error {
	if err := w.sequences.flush(w.conn); err != nil {
		return err
	}
	_, err := w.conn.exec("COMMIT")
	if err == nil {
		w.sequences.flushed()
	}
	return err
}

// runFirst runs the first write of a transaction, which needs no savepoint:
// when it fails, the transaction begins anew.
func (w *writer) runFirst(job *write) error {
	wanted := job.guard
	job.guard = unguarded
	if half := w.run(job); job.err == nil || wanted == unguarded && !half {
		return nil
	}
	if _, err := w.conn.exec("ROLLBACK"); err != nil {
		return err
	}
	_, err := w.conn.exec("BEGIN IMMEDIATE")
	return err
}

// run runs one write. half tells that it failed with writes of its own in the
// transaction that no savepoint takes back.
func (w *writer) run(job *write) (half bool) {
	if !job.state.CompareAndSwap(waiting, begun) {
		return false
	}
	t := &tx{writer: w}
	job.err = t.do(job.guard, func() (err error) {
		defer func() {
			if v := recover(); v != nil {
				job.panic = &caught{value: v, stack: debug.Stack()}
				err = errors.New("panic in a write")
			}
		}()
		return job.fn(t)
	})
	t.over = true
	return job.err != nil && job.guard == unguarded && t.wrote
}

// write has the writer run fn, and returns once it is committed. Within a
// transaction it runs fn at once as a part of it.
func (s *Store) write(ctx context.Context, g guard, fn func(t *tx) error) error {
	if t := s.joined(ctx); t != nil {
		if t.over {
			return errTxOver
		}
		t.wrote = true
		return t.do(g, func() error { return fn(t) })
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	job := &write{guard: g, fn: fn, done: make(chan struct{})}
	select {
	case <-s.writer.closing:
		return ErrClosed
	default:
	}
	select {
	case s.writer.queue <- job:
	case <-s.writer.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.writer.wait(ctx, job)
}

func (w *writer) wait(ctx context.Context, job *write) error {
	select {
	case <-job.done:
	case <-ctx.Done():
		if job.state.CompareAndSwap(waiting, given) {
			return ctx.Err()
		}
		<-job.done // it has begun, and its outcome is known in a moment
	case <-w.ended:
		// It came in as the writer left; or was done just before.
		if job.state.CompareAndSwap(waiting, given) {
			return ErrClosed
		}
		<-job.done
	}
	if job.panic != nil {
		panic(fmt.Sprintf("%v\n\nin the store's writer:\n%s", job.panic.value, job.panic.stack))
	}
	return job.err
}
