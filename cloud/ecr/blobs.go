package ecr

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// blobs are files named by their digests, sha256/ab/abcd…, and the files of
// uploads that are under way, uploads/ID.
type blobs struct {
	dir func() string
	// keeping is held for reading while a file gets its name and a record that
	// holds it, and for writing while files that no record holds are removed.
	keeping sync.RWMutex
}

func newBlobs(dir func() string) *blobs { return &blobs{dir: sync.OnceValue(dir)} }

// path is where the bytes of a digest are. The digest must have been checked.
func (b *blobs) path(digest string) string {
	sum := strings.TrimPrefix(digest, digestPrefix)
	return filepath.Join(b.dir(), "sha256", sum[:2], sum)
}

const digestPrefix = "sha256:"

func (b *blobs) uploadPath(id string) string { return filepath.Join(b.dir(), "uploads", id) }

// digestOf is the digest of bytes.
func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return digestPrefix + hex.EncodeToString(sum[:])
}

// digestOfFile is the digest of a file's first size bytes.
func digestOfFile(path string, size int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.CopyN(sum, f, size); err != nil {
		return "", fmt.Errorf("hashing an upload: %w", err)
	}
	return digestPrefix + hex.EncodeToString(sum.Sum(nil)), nil
}

// begin makes the file of an upload.
func (b *blobs) begin(id string) error {
	path := b.uploadPath(id)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, nil, 0o600)
}

// begun tells whether there is the file of an upload.
func (b *blobs) begun(id string) bool {
	_, err := os.Stat(b.uploadPath(id))
	return err == nil
}

// extend writes what r gives, at most most bytes, to an upload that has size
// bytes, over what a request that was broken off has left behind them. It
// gives the new size.
func (b *blobs) extend(id string, size, most int64, r io.Reader) (_ int64, err error) {
	f, err := os.OpenFile(b.uploadPath(id), os.O_WRONLY, 0)
	if err != nil {
		return size, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Truncate(size); err != nil {
		return size, err
	}
	if _, err := f.Seek(size, io.SeekStart); err != nil {
		return size, err
	}
	n, err := io.Copy(f, io.LimitReader(r, most-size+1))
	if err == nil && size+n > most {
		err = errTooLarge
	}
	return size + n, err
}

var errTooLarge = errors.New("the layer is larger than a layer may be")

// keep gives an upload's file the name of its digest. The caller holds keeping.
func (b *blobs) keep(id, digest string, size int64) error {
	from, to := b.uploadPath(id), b.path(digest)
	if err := os.Truncate(from, size); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// write keeps bytes under their digest. The caller holds keeping.
func (b *blobs) write(id, digest string, content []byte) error {
	if err := b.begin(id); err != nil {
		return err
	}
	if err := os.WriteFile(b.uploadPath(id), content, 0o600); err != nil {
		return err
	}
	return b.keep(id, digest, int64(len(content)))
}

// forget removes the file of an upload.
func (b *blobs) forget(id string) error { return unlessGone(os.Remove(b.uploadPath(id))) }

// open opens the bytes of a digest.
func (b *blobs) open(digest string) (*os.File, error) { return os.Open(b.path(digest)) }

// all are the digests of all files.
func (b *blobs) all() (digests []string, err error) {
	root := filepath.Join(b.dir(), "sha256")
	err = filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			digests = append(digests, digestPrefix+d.Name())
		}
		return unlessGone(err)
	})
	return digests, err
}

func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
