package git

import (
	"bufio"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// object is one object as git keeps it.
type object struct {
	kind string // commit, tree, blob or tag
	body []byte
}

// errTooLarge is returned for an object above the caller's limit.
var errTooLarge = errors.New("object is too large")

// BlobID is the id of the blob that holds content.
func BlobID(content []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// object returns an object of at most limit bytes. What came with a small push
// lies in a file of its own and is read without a process; the rest is asked
// of git.
func (r *Repository) object(ctx context.Context, id string, limit int64) (object, error) {
	if !ValidID(id) {
		return object{}, fmt.Errorf("object %q of repository %q: %w", id, r.id, ErrNoObject)
	}
	o, err := readLoose(filepath.Join(r.dir, "objects", id[:2], id[2:]), limit)
	if errors.Is(err, fs.ErrNotExist) {
		o, err = r.packed(ctx, id, limit)
	}
	if err != nil {
		return object{}, fmt.Errorf("reading object %q of repository %q: %w", id, r.id, err)
	}
	return o, nil
}

// readLoose reads the file of a loose object: its kind, its size, a zero byte
// and its content, all compressed.
func readLoose(file string, limit int64) (object, error) {
	f, err := os.Open(file)
	if err != nil {
		return object{}, err
	}
	defer f.Close()
	z, err := zlib.NewReader(f)
	if err != nil {
		return object{}, err
	}
	defer z.Close()
	in := bufio.NewReader(z)
	head, err := in.ReadString(0)
	if err != nil {
		return object{}, err
	}
	kind, size, _ := strings.Cut(strings.TrimSuffix(head, "\x00"), " ")
	return readBody(in, kind, size, limit)
}

// packed has git look for an object.
func (r *Repository) packed(ctx context.Context, id string, limit int64) (object, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends git in the middle of what is too large
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := r.run(ctx, call{stdin: strings.NewReader(id + "\n"), stdout: in}, "cat-file", "--batch")
		in.CloseWithError(err)
		ended <- err
	}()
	o, err := readBatch(bufio.NewReader(out), limit)
	out.Close()
	if err != nil {
		cancel()
	}
	if failed := <-ended; err == nil {
		err = failed
	}
	return o, err
}

// readBatch reads one answer of git cat-file --batch.
func readBatch(in *bufio.Reader, limit int64) (object, error) {
	head, err := in.ReadString('\n')
	if err != nil {
		return object{}, err
	}
	fields := strings.Fields(head)
	if len(fields) != 3 {
		return object{}, ErrNoObject
	}
	o, err := readBody(in, fields[1], fields[2], limit)
	if err == nil {
		_, err = in.Discard(1) // the line feed that ends it
	}
	return o, err
}

func readBody(in io.Reader, kind, size string, limit int64) (object, error) {
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 {
		return object{}, fmt.Errorf("size %q of an object is no number", size)
	}
	if n > limit {
		return object{}, errTooLarge
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(in, body); err != nil {
		return object{}, err
	}
	return object{kind: kind, body: body}, nil
}

// Blob returns the content of a blob. ok is false if it is longer than limit
// bytes; the error is ErrNoObject if there is no such blob.
func (r *Repository) Blob(ctx context.Context, id string, limit int64) (content []byte, ok bool, err error) {
	o, err := r.object(ctx, id, limit)
	if errors.Is(err, errTooLarge) {
		return nil, false, nil
	}
	if err == nil && o.kind != "blob" {
		err = fmt.Errorf("object %q of repository %q is a %s: %w", id, r.id, o.kind, ErrNoObject)
	}
	return o.body, true, err
}
