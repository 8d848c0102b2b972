package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// readers is a pool of connections that only read.
type readers struct {
	free   chan *conn
	closed chan struct{}
}

func openReaders(file string) (*readers, error) {
	n := max(2, min(8, runtime.GOMAXPROCS(0)))
	r := &readers{free: make(chan *conn, n), closed: make(chan struct{})}
	for range n {
		c, err := connect(file)
		if err == nil {
			r.free <- c
			err = c.run("PRAGMA query_only = 1")
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("opening a connection to read: %w", err), r.closeFree())
		}
	}
	return r, nil
}

func (r *readers) take(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-r.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case c := <-r.free:
		return c, nil
	case <-r.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// close waits for the reads under way, and ends all connections.
func (r *readers) close() error {
	close(r.closed)
	var errs []error
	for range cap(r.free) {
		errs = append(errs, (<-r.free).close())
	}
	return errors.Join(errs...)
}

// closeFree ends the connections that were opened before one failed to.
func (r *readers) closeFree() error {
	var errs []error
	for len(r.free) > 0 {
		errs = append(errs, (<-r.free).close())
	}
	return errors.Join(errs...)
}

// read runs fn on the transaction that ctx is part of, or else on a connection
// of the pool.
func (s *Store) read(ctx context.Context, fn func(c *conn) error) error {
	if t := s.joined(ctx); t != nil {
		return t.reading(fn)
	}
	c, err := s.reads.take(ctx)
	if err != nil {
		return err
	}
	defer func() { s.reads.free <- c }()
	return fn(c)
}
