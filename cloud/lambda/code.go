package lambda

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithy "github.com/aws/smithy-go"

	"ouro/cloud/door"
	"ouro/cloud/unzip"
)

// AWS's bounds on code, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxDirect   = 50 << 20  // a zip in a request
	maxUnzipped = 250 << 20 // a function with its layers
)

// code is what a version or a layer consists of.
type code struct {
	SHA256   string // hex, of the zip; it names the archive and the folder
	Size     int64  // of the zip
	Unzipped int64
	Image    string // URI; then there is nothing else
}

// digest is the SHA-256 as Lambda tells it.
func (c code) digest() string {
	raw, err := hex.DecodeString(c.SHA256)
	if err != nil {
		return "" // it is our own, and hex
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// source is where a request has its code from.
type source struct {
	zip                  []byte
	bucket, key, version *string
	image                *string
}

// take stores the code of a request.
func (s *Service) take(ctx context.Context, from source) (code, error) {
	switch {
	case from.image != nil:
		sum := sha256.Sum256([]byte(*from.image))
		return code{Image: *from.image, SHA256: hex.EncodeToString(sum[:])}, nil
	case len(from.zip) > maxDirect:
		return code{}, oversized("Zipped size must be smaller than %d bytes", maxDirect)
	case len(from.zip) > 0:
		return s.archives.put(ctx, bytes.NewReader(from.zip))
	case from.bucket == nil || from.key == nil:
		return code{}, invalid("Please provide a source for function code.")
	}
	// As AWS, with the caller's permissions.
	out, err := s3.NewFromConfig(s.host.As(door.CallerFrom(ctx))).GetObject(ctx, &s3.GetObjectInput{Bucket: from.bucket, Key: from.key, VersionId: from.version})
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return code{}, invalid("Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", api.ErrorCode(), api.ErrorMessage())
	}
	if err != nil {
		return code{}, fmt.Errorf("reading code from the bucket %q: %w", *from.bucket, err)
	}
	defer out.Body.Close()
	return s.archives.put(ctx, out.Body)
}

// archives keeps zips and what they unpack to, once for each content: SHA.zip
// and the folder SHA. They are no blobs of the store, since equal bytes there
// belong to S3, which deletes them.
type archives struct {
	dir string
	// keep is held for reading from when an archive is put or looked for until
	// the store or busy tells that it is needed, and for writing while those
	// that nobody needs are removed.
	keep sync.RWMutex
	mu   sync.Mutex
	busy map[string]int // invocations under way, by the archives that they run
	// unpacking is held while an archive is unpacked, by the first byte of its
	// content's sum: functions that are made at once often have the same code.
	unpacking [256]sync.Mutex
}

// hold marks archives as being run; release says that they are no more.
func (a *archives) hold(list ...code) (release func()) {
	count := func(n int) {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, c := range list {
			if a.busy[c.SHA256] += n; a.busy[c.SHA256] == 0 {
				delete(a.busy, c.SHA256)
			}
		}
	}
	count(1)
	return func() { count(-1) }
}

func (a *archives) zip(sum string) string    { return filepath.Join(a.dir, "archives", sum+".zip") }
func (a *archives) folder(sum string) string { return filepath.Join(a.dir, "code", sum) }

// put keeps a zip and unpacks it, which shows whether it is one.
func (a *archives) put(ctx context.Context, r io.Reader) (c code, err error) {
	if err := os.MkdirAll(filepath.Join(a.dir, "archives"), 0o700); err != nil {
		return code{}, err
	}
	f, err := os.CreateTemp(filepath.Join(a.dir, "archives"), "put-")
	if err != nil {
		return code{}, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	sum := sha256.New()
	// What is larger unzipped than allowed may not be larger zipped.
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(r, maxUnzipped+1))
	switch {
	case err != nil:
		return code{}, fmt.Errorf("reading code: %w", err)
	case n > maxUnzipped:
		return code{}, tooLarge()
	case n == 0:
		return code{}, invalid("Uploaded file must be a non-empty zip")
	}
	c = code{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: n}
	if c.Unzipped, err = a.unpack(ctx, f, c); err != nil {
		return code{}, err
	}
	return c, os.Rename(f.Name(), a.zip(c.SHA256))
}

func tooLarge() error {
	return invalid("Unzipped size must be smaller than %d bytes", maxUnzipped)
}

// unpack makes the folder of an archive, if it is not there, at once or not at
// all. It gives how many bytes the files have.
func (a *archives) unpack(ctx context.Context, archive io.ReaderAt, c code) (int64, error) {
	first, err := strconv.ParseUint(c.SHA256[:2], 16, 8)
	if err != nil {
		return 0, fmt.Errorf("the sum of code is %q: %w", c.SHA256, err)
	}
	a.unpacking[first].Lock()
	defer a.unpacking[first].Unlock()
	if isDir(a.folder(c.SHA256)) {
		return unzip.Size(archive, c.Size, maxUnzipped)
	}
	parent := filepath.Join(a.dir, "code")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return 0, err
	}
	tmp, err := os.MkdirTemp(parent, "put-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return 0, err
	}
	n, err := unzip.Into(ctx, archive, c.Size, tmp, maxUnzipped)
	var large *unzip.TooLargeError
	switch {
	case errors.As(err, &large):
		return 0, tooLarge()
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case err != nil:
		return 0, invalid("Could not unzip uploaded file. Please check your file, then try to upload again. (%v)", err)
	}
	return n, os.Rename(tmp, a.folder(c.SHA256))
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// open gives the folder of an archive.
func (a *archives) open(ctx context.Context, c code) (string, error) {
	if isDir(a.folder(c.SHA256)) {
		return a.folder(c.SHA256), nil
	}
	f, err := os.Open(a.zip(c.SHA256))
	if err != nil {
		return "", fmt.Errorf("opening code: %w", err)
	}
	defer f.Close()
	_, err = a.unpack(ctx, f, c)
	return a.folder(c.SHA256), err
}
