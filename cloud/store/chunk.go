package store

import (
	"bytes"
	"context"
	"database/sql/driver"
)

const (
	sqlPutChunk    = `INSERT INTO chunks (id, value) VALUES (?, ?) ON CONFLICT DO NOTHING`
	sqlChunk       = `SELECT value FROM chunks WHERE id = ?`
	sqlDeleteChunk = `DELETE FROM chunks WHERE id = ?`
)

// PutChunk keeps a few kilobytes as they are, under a number that the caller
// chose; ErrExists if it is taken. Numbers that rise are written fastest. What
// is larger belongs into a blob.
func (s *Store) PutChunk(ctx context.Context, id int64, value []byte) error {
	if value == nil {
		value = []byte{} // nil would be NULL
	}
	return s.write(ctx, unguarded, func(x *tx) error {
		n, err := x.conn().exec(sqlPutChunk, id, value)
		if err == nil && n == 0 {
			err = ErrExists
		}
		return err
	})
}

// Chunk gives the bytes under that number, or ErrNotFound.
func (s *Store) Chunk(ctx context.Context, id int64) ([]byte, error) {
	var value []byte
	found := false
	err := s.read(ctx, func(c *conn) error {
		return c.query(sqlChunk, func(row []driver.Value) error {
			found = true
			b, _ := row[0].([]byte)
			value = bytes.Clone(b)
			return nil
		}, id)
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return value, err
}

// DeleteChunk deletes the bytes under that number; ErrNotFound if there are
// none.
func (s *Store) DeleteChunk(ctx context.Context, id int64) error {
	return s.write(ctx, unguarded, func(x *tx) error {
		n, err := x.conn().exec(sqlDeleteChunk, id)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
}
