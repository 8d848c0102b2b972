// Package store keeps the local cloud's state in one directory: records and
// journals in one SQLite database, blobs in files named by their SHA-256.
//
// What a write has answered survives the death of the process: the database is
// in WAL mode, and a commit has reached the operating system before the caller
// hears of it. It is not forced onto the disk then (synchronous=NORMAL), so a
// power cut may take back the last moments, though it leaves the state whole.
//
// All writes go through one writer, which commits whatever is waiting together,
// so that many small concurrent writes cost little more than one. Reads have
// connections of their own and see every write that was answered before they
// began.
package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

var (
	// ErrNotFound says that there is no record or blob of that name.
	ErrNotFound = errors.New("not found")
	// ErrExists says that Insert met a record of that name.
	ErrExists = errors.New("exists already")
	// ErrClosed says that the store was closed before the call could be done.
	ErrClosed = errors.New("store is closed")
)

// Scope is the part of the cloud that a record lives in. Global services leave
// Region empty; a namespace shared by all accounts (bucket names) leaves both
// empty.
type Scope struct {
	Account string
	Region  string
}

// key is the scope as the database holds it. Neither part holds a slash.
func (s Scope) key() string { return s.Account + "/" + s.Region }

func scopeOf(key string) Scope {
	account, region, _ := strings.Cut(key, "/")
	return Scope{Account: account, Region: region}
}

// Store is an open state directory. One process at a time may have it open.
type Store struct {
	dir    string
	lock   *os.File
	writer *writer
	reads  *readers
	blobs  *blobs
	close  sync.Once
}

// Open opens the state directory, and makes it where it is missing. It gives
// an *InUseError when another process, or this one, has it open already.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening state directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making state directory: %w", err)
	}
	s := &Store{dir: dir}
	if s.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("opening state in %q: %w", dir, err), s.Close())
	}
	return s, nil
}

func (s *Store) open() error {
	file := filepath.Join(s.dir, "state.db")
	conn, err := openDatabase(file)
	if err != nil {
		return err
	}
	s.writer = startWriter(s, conn)
	if s.reads, err = openReaders(file); err != nil {
		return err
	}
	s.blobs, err = openBlobs(filepath.Join(s.dir, "blobs"))
	return err
}

// Close ends the store: writes that are waiting are done first, and later ones
// are answered with ErrClosed, as is a second Close. The directory is free
// again afterwards.
func (s *Store) Close() error {
	err := ErrClosed
	s.close.Do(func() { err = s.end() })
	return err
}

func (s *Store) end() error {
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	if s.reads != nil {
		errs = append(errs, s.reads.close())
	}
	errs = append(errs, unlockDir(s.lock))
	return errors.Join(errs...)
}

// Dir is a directory of one's own below the state directory, such as
// Dir("git"); it is made if it is missing. The names that the store itself
// uses ("blobs") are taken.
func (s *Store) Dir(name string) string {
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return dir // whoever uses it meets the same error, with its own words
	}
	return dir
}

// Atomically runs fn so that all its writes happen, or, when it gives an error,
// none. Every call of a Table or Journal with fn's context takes part, reads
// included; calls with another context do not, and writes among them would wait
// forever. An Atomically within joins the outer one, and its own failure takes
// back its own writes only.
//
// Everybody else's writes wait meanwhile: fn must not call other services, do
// slow work, or hand its context to a goroutine.
func (s *Store) Atomically(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.write(ctx, guarded, func(t *tx) error {
		return fn(context.WithValue(ctx, txKey{}, t))
	})
}

// Decided is Atomically for an fn that decides before it writes: one that gives
// errors of its own only before its first write. That spares it the savepoint
// which would take its writes back alone, a tenth of what a small write costs.
// If a write of fn fails all the same, as on a full disk, all that was to be
// committed together with it fails too.
func (s *Store) Decided(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.write(ctx, unguarded, func(t *tx) error {
		return fn(context.WithValue(ctx, txKey{}, t))
	})
}
