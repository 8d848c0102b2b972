package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Blob is bytes that were put.
type Blob struct {
	SHA256 string // hex, lower case
	Size   int64
}

// smallBlob is what is hashed in memory first, so that bytes that are there
// already cost no file.
const smallBlob = 64 << 10

// blobs is the directory of blobs: ab/abcdef… for each, and tmp for what is
// being written.
type blobs struct {
	dir     string
	buffers sync.Pool // of *bytes.Buffer that hold smallBlob
}

func openBlobs(dir string) (*blobs, error) {
	// What a killed process was writing is nobody's.
	if err := os.RemoveAll(filepath.Join(dir, "tmp")); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o700); err != nil {
		return nil, err
	}
	b := &blobs{dir: dir}
	b.buffers.New = func() any { return bytes.NewBuffer(make([]byte, 0, smallBlob+bytes.MinRead)) }
	return b, nil
}

// PutBlob keeps what r gives until its end. Bytes that are there already are
// kept once. It streams: memory is bounded, whatever the size. A failure, or
// ctx's end between two reads, keeps nothing.
func (s *Store) PutBlob(ctx context.Context, r io.Reader) (Blob, error) {
	b, err := s.blobs.put(contextReader{ctx, r})
	if err != nil {
		return Blob{}, fmt.Errorf("storing blob: %w", err)
	}
	return b, nil
}

// OpenBlob opens the blob to read; ErrNotFound if there is none.
func (s *Store) OpenBlob(sha256 string) (*os.File, error) {
	path, err := s.blobs.path(sha256)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	return f, err
}

// DeleteBlob removes the blob; one that is not there is no error. Equal bytes
// are one blob, whoever put them: delete only what nobody else can have put.
func (s *Store) DeleteBlob(sha256 string) error {
	path, err := s.blobs.path(sha256)
	if err != nil {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting blob: %w", err)
	}
	return nil
}

// path is where the blob is. A name that is no SHA-256 names no blob; it may
// come from outside and must not name another file either.
func (b *blobs) path(sum string) (string, error) {
	if len(sum) != sha256.Size*2 {
		return "", ErrNotFound
	}
	for _, c := range []byte(sum) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", ErrNotFound
		}
	}
	return filepath.Join(b.dir, sum[:2], sum), nil
}

func (b *blobs) put(r io.Reader) (Blob, error) {
	head := b.buffers.Get().(*bytes.Buffer)
	defer b.buffers.Put(head)
	head.Reset()
	_, err := io.CopyN(head, r, smallBlob)
	hash := sha256.New()
	if err != io.EOF {
		if err != nil {
			return Blob{}, err
		}
		return b.stream(io.MultiReader(head, r), hash)
	}
	hash.Write(head.Bytes())
	blob := Blob{SHA256: hex.EncodeToString(hash.Sum(nil)), Size: int64(head.Len())}
	path, err := b.path(blob.SHA256)
	if err != nil {
		return Blob{}, err
	}
	if _, err := os.Stat(path); err == nil {
		return blob, nil
	}
	return b.keep(blob, head, nil)
}

// stream writes what r gives and hashes it on the way.
func (b *blobs) stream(r io.Reader, sum hash.Hash) (Blob, error) {
	return b.keep(Blob{}, r, sum)
}

// keep writes a temporary file and renames it to its blob's name. With a hash
// the name is what the hash says in the end, otherwise blob's.
func (b *blobs) keep(blob Blob, r io.Reader, sum hash.Hash) (_ Blob, err error) {
	f, err := os.CreateTemp(filepath.Join(b.dir, "tmp"), "put-")
	if err != nil {
		return Blob{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	var w io.Writer = f
	if sum != nil {
		w = io.MultiWriter(f, sum)
	}
	size, err := io.Copy(w, r)
	if err := errors.Join(err, f.Close()); err != nil {
		return Blob{}, err
	}
	if sum != nil {
		blob = Blob{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size}
	}
	return blob, b.rename(f.Name(), blob.SHA256)
}

// rename gives a finished file its name. Where the blob is there already, the
// same bytes take its place.
func (b *blobs) rename(from, sum string) error {
	path, err := b.path(sum)
	if err != nil {
		return err
	}
	if err = os.Rename(from, path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.Rename(from, path)
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
