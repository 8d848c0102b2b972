package store

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// Table is the records of one kind of one service. Values are kept as JSON, so
// T's exported fields are what is kept.
type Table[T any] struct {
	store   *Store
	kind    string
	counter *Counter // of its writes; nil: nobody counts
}

// NewTable is the table of that service's records of that kind. It costs
// nothing and may be made twice.
func NewTable[T any](s *Store, service, kind string) Table[T] {
	return Table[T]{store: s, kind: service + "/" + kind}
}

// Entry is a record with its name.
type Entry[T any] struct {
	ID    string
	Value T
}

// ScopedEntry is a record with its name and where it lives.
type ScopedEntry[T any] struct {
	Scope Scope
	ID    string
	Value T
}

// Query picks records by name: those that begin with Prefix and come after
// After, at most Limit of them (0: all).
type Query struct {
	Prefix string
	After  string
	Limit  int
}

const (
	sqlGet    = `SELECT value FROM records WHERE kind = ? AND scope = ? AND id = ?`
	sqlPut    = `INSERT INTO records (kind, scope, id, value) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`
	sqlInsert = `INSERT INTO records (kind, scope, id, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`
	sqlDelete = `DELETE FROM records WHERE kind = ? AND scope = ? AND id = ?`
	// Names come back as blobs, which the driver hands over with less ado.
	sqlList = `SELECT CAST(id AS BLOB), value FROM records WHERE kind = ? AND scope = ? AND id >= ? AND id < ? ORDER BY id LIMIT ?`
	sqlRest = `SELECT CAST(id AS BLOB), value FROM records WHERE kind = ? AND scope = ? AND id >= ? ORDER BY id LIMIT ?`
	sqlAll  = `SELECT CAST(scope AS BLOB), CAST(id AS BLOB), value FROM records WHERE kind = ? AND id >= ? AND substr(id, 1, length(?)) = ? ORDER BY scope, id LIMIT ?`
)

// Get gives the record of that name, or ErrNotFound.
func (t Table[T]) Get(ctx context.Context, scope Scope, id string) (T, error) {
	var v T
	err := t.store.read(ctx, func(c *conn) error {
		var err error
		v, err = t.get(c, scope, id)
		return err
	})
	return v, err
}

func (t Table[T]) get(c *conn, scope Scope, id string) (T, error) {
	var v T
	found := false
	err := c.query(sqlGet, func(row []driver.Value) error {
		found = true
		return t.decode(id, row[0], &v)
	}, t.kind, scope.key(), id)
	if err == nil && !found {
		err = ErrNotFound
	}
	return v, err
}

// Put writes the record, whether or not there is one of that name.
func (t Table[T]) Put(ctx context.Context, scope Scope, id string, v T) error {
	b, err := t.encode(id, v)
	if err != nil {
		return err
	}
	return t.store.write(ctx, unguarded, func(x *tx) error {
		x.count(t.counter)
		_, err := x.conn().exec(sqlPut, t.kind, scope.key(), id, b)
		return err
	})
}

// Insert writes a new record; ErrExists if there is one of that name.
func (t Table[T]) Insert(ctx context.Context, scope Scope, id string, v T) error {
	b, err := t.encode(id, v)
	if err != nil {
		return err
	}
	return t.store.write(ctx, unguarded, func(x *tx) error {
		x.count(t.counter)
		n, err := x.conn().exec(sqlInsert, t.kind, scope.key(), id, b)
		if err == nil && n == 0 {
			err = ErrExists
		}
		return err
	})
}

// Update reads the record, has change alter it, and writes it back, with no
// other write between. It gives the record as written. An error of change
// leaves the record as it was and is returned as it is; a record that does not
// exist is ErrNotFound. change must not use the store, and be quick.
func (t Table[T]) Update(ctx context.Context, scope Scope, id string, change func(*T) error) (T, error) {
	var v T
	err := t.store.write(ctx, unguarded, func(x *tx) error {
		x.count(t.counter)
		var err error
		if v, err = t.get(x.conn(), scope, id); err != nil {
			return err
		}
		if err := change(&v); err != nil {
			return err
		}
		b, err := t.encode(id, v)
		if err != nil {
			return err
		}
		_, err = x.conn().exec(sqlPut, t.kind, scope.key(), id, b)
		return err
	})
	return v, err
}

// Delete removes the record, or gives ErrNotFound.
func (t Table[T]) Delete(ctx context.Context, scope Scope, id string) error {
	return t.store.write(ctx, unguarded, func(x *tx) error {
		x.count(t.counter)
		n, err := x.conn().exec(sqlDelete, t.kind, scope.key(), id)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
}

// List gives the records that q picks, sorted by name, byte by byte.
func (t Table[T]) List(ctx context.Context, scope Scope, q Query) ([]Entry[T], error) {
	var list []Entry[T]
	each := func(row []driver.Value) error {
		e := Entry[T]{ID: text(row[0])}
		if err := t.decode(e.ID, row[1], &e.Value); err != nil {
			return err
		}
		list = append(list, e)
		return ctx.Err()
	}
	err := t.store.read(ctx, func(c *conn) error {
		if end, bounded := prefixEnd(q.Prefix); bounded {
			return c.query(sqlList, each, t.kind, scope.key(), q.first(), end, limit(q.Limit))
		}
		return c.query(sqlRest, each, t.kind, scope.key(), q.first(), limit(q.Limit))
	})
	return list, err
}

// All is List over every scope, sorted by scope, then name. q.After is compared
// with the name in every scope.
func (t Table[T]) All(ctx context.Context, q Query) ([]ScopedEntry[T], error) {
	var list []ScopedEntry[T]
	err := t.store.read(ctx, func(c *conn) error {
		return c.query(sqlAll, func(row []driver.Value) error {
			e := ScopedEntry[T]{Scope: scopeOf(text(row[0])), ID: text(row[1])}
			if err := t.decode(e.ID, row[2], &e.Value); err != nil {
				return err
			}
			list = append(list, e)
			return ctx.Err()
		}, t.kind, q.first(), q.Prefix, q.Prefix, limit(q.Limit))
	})
	return list, err
}

func (t Table[T]) encode(id string, v T) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding %s %q: %w", t.kind, id, err)
	}
	return b, nil
}

func (t Table[T]) decode(id string, column driver.Value, v *T) error {
	b, _ := column.([]byte)
	read := func() error { return json.Unmarshal(b, v) }
	if own, ok := any(v).(json.Unmarshaler); ok {
		// The package would read through all of b, and then again, before it asks.
		read = func() error { return own.UnmarshalJSON(b) }
	}
	if err := read(); err != nil {
		return fmt.Errorf("decoding %s %q: %w", t.kind, id, err)
	}
	return nil
}

// text is a column that was cast to a blob; an empty one arrives as nil.
func text(column driver.Value) string {
	b, _ := column.([]byte)
	return string(b)
}

// limit is the LIMIT of a statement, where -1 is none.
func limit(n int) int64 {
	if n <= 0 {
		return -1
	}
	return int64(n)
}

// first is the least name that q may pick.
func (q Query) first() string {
	if next := q.After + "\x00"; q.After != "" && next > q.Prefix {
		return next
	}
	return q.Prefix
}

// prefixEnd is the first name after all that begin with the prefix; there is
// none for the empty prefix, nor for one of 0xff bytes.
func prefixEnd(prefix string) (string, bool) {
	b := []byte(prefix)
	for len(b) > 0 && b[len(b)-1] == 0xff {
		b = b[:len(b)-1]
	}
	if len(b) == 0 {
		return "", false
	}
	b[len(b)-1]++
	return string(b), true
}
