package store

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
)

// Journal is append-only streams of one kind: stack events, log events, the
// history of an execution.
type Journal[T any] struct {
	store *Store
	kind  string
}

// NewJournal is the journal of that service's entries of that kind. It costs
// nothing and may be made twice.
func NewJournal[T any](s *Store, service, kind string) Journal[T] {
	return Journal[T]{store: s, kind: service + "/" + kind}
}

// Item is a journal's entry. Seq rises with every entry of the journal over all
// its streams and scopes, from 1, with gaps, and is never used again.
type Item[T any] struct {
	Seq   int64
	Value T
}

// Span picks entries: After < Seq, and Seq < Before (0: no bound), at most
// Limit of them (0: all), oldest first, or with Newest, newest first.
type Span struct {
	After, Before int64
	Limit         int
	Newest        bool
}

const (
	sqlAppend = `INSERT INTO journal (kind, scope, stream, seq, value) VALUES (?, ?, ?, ?, ?)`
	sqlOldest = `SELECT seq, value FROM journal WHERE kind = ? AND scope = ? AND stream = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT ?`
	sqlNewest = `SELECT seq, value FROM journal WHERE kind = ? AND scope = ? AND stream = ? AND seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?`
	sqlForget = `DELETE FROM journal WHERE kind = ? AND scope = ? AND stream = ?`
)

// Append adds entries to a stream, all or none, and gives the last one's
// sequence number; theirs follow each other without a gap. Without entries it
// gives 0.
func (j Journal[T]) Append(ctx context.Context, scope Scope, stream string, v ...T) (last int64, err error) {
	if len(v) == 0 {
		return 0, nil
	}
	encoded := make([][]byte, len(v))
	for i := range v {
		if encoded[i], err = json.Marshal(v[i]); err != nil {
			return 0, fmt.Errorf("encoding an entry of %s %q: %w", j.kind, stream, err)
		}
	}
	err = j.store.write(ctx, guard(len(v) > 1), func(x *tx) error {
		first, err := x.writer.sequences.take(x.conn(), j.kind, int64(len(v)))
		if err != nil {
			return err
		}
		key := scope.key()
		for i, b := range encoded {
			last = first + int64(i)
			if _, err := x.conn().exec(sqlAppend, j.kind, key, stream, last, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return last, nil
}

// Read gives the entries of a stream that q picks. A stream that nothing was
// appended to is empty.
func (j Journal[T]) Read(ctx context.Context, scope Scope, stream string, q Span) ([]Item[T], error) {
	statement := sqlOldest
	if q.Newest {
		statement = sqlNewest
	}
	before := q.Before
	if before == 0 {
		before = math.MaxInt64
	}
	var items []Item[T]
	err := j.store.read(ctx, func(c *conn) error {
		return c.query(statement, func(row []driver.Value) error {
			item := Item[T]{Seq: row[0].(int64)}
			b, _ := row[1].([]byte)
			if err := json.Unmarshal(b, &item.Value); err != nil {
				return fmt.Errorf("decoding entry %d of %s %q: %w", item.Seq, j.kind, stream, err)
			}
			items = append(items, item)
			return ctx.Err()
		}, j.kind, scope.key(), stream, q.After, before, limit(q.Limit))
	})
	return items, err
}

// Delete removes a stream with all its entries; one that does not exist is no
// error.
func (j Journal[T]) Delete(ctx context.Context, scope Scope, stream string) error {
	return j.store.write(ctx, unguarded, func(x *tx) error {
		_, err := x.conn().exec(sqlForget, j.kind, scope.key(), stream)
		return err
	})
}

// reserved is how many sequence numbers are taken out of the database at once.
// What is left of them when the process ends is a gap.
const reserved = 1024

// sequences gives out sequence numbers. It belongs to the writer and counts in
// memory; the database holds how far it may count. A write that was taken back
// leaves a gap.
type sequences struct {
	last  map[string]int64 // given out
	bound map[string]int64 // in the database, once dirty is flushed
	dirty map[string]bool
}

func newSequences() *sequences {
	return &sequences{last: map[string]int64{}, bound: map[string]int64{}, dirty: map[string]bool{}}
}

// take gives the first of n new numbers.
func (s *sequences) take(c *conn, kind string, n int64) (int64, error) {
	last, known := s.last[kind]
	if !known {
		err := c.query(`SELECT last FROM sequences WHERE kind = ?`, func(row []driver.Value) error {
			last = row[0].(int64)
			return nil
		}, kind)
		if err != nil {
			return 0, err
		}
		s.bound[kind] = last
	}
	s.last[kind] = last + n
	if s.last[kind] > s.bound[kind] {
		s.bound[kind] = s.last[kind] + reserved
		s.dirty[kind] = true
	}
	return last + 1, nil
}

// flush writes the bounds that were raised; the commit that follows makes the
// numbers good.
func (s *sequences) flush(c *conn) error {
	for kind := range s.dirty {
		_, err := c.exec(`INSERT INTO sequences (kind, last) VALUES (?, ?) ON CONFLICT DO UPDATE SET last = excluded.last`, kind, s.bound[kind])
		if err != nil {
			return err
		}
	}
	return nil
}

// flushed is called when what flush wrote is committed.
func (s *sequences) flushed() { clear(s.dirty) }
