package store

import (
	"context"
	"errors"
)

// tx is the writer's transaction as one write sees it.
type tx struct {
	writer *writer
	over   bool
	wrote  bool // something in it was a write
}

type txKey struct{}

var errTxOver = errors.New("the context's transaction is over")

// joined is the transaction of this store that ctx is part of, or nil.
func (s *Store) joined(ctx context.Context) *tx {
	t, _ := ctx.Value(txKey{}).(*tx)
	if t == nil || t.writer.store != s {
		return nil
	}
	return t
}

func (t *tx) conn() *conn { return t.writer.conn }

func (t *tx) reading(fn func(c *conn) error) error {
	if t.over {
		return errTxOver
	}
	return fn(t.conn())
}

// do runs fn, and takes its writes back when it gives an error.
func (t *tx) do(g guard, fn func() error) error {
	if g == unguarded {
		return fn()
	}
	if _, err := t.conn().exec("SAVEPOINT w"); err != nil {
		return err
	}
	err := fn()
	if err != nil {
		_, undo := t.conn().exec("ROLLBACK TO w")
		err = both(err, undo)
	}
	_, release := t.conn().exec("RELEASE w")
	return both(err, release)
}

// both is errors.Join that leaves a single error as it is, so that callers meet
// their own.
func both(err, other error) error {
	if other == nil {
		return err
	}
	return errors.Join(err, other)
}
