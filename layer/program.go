package layer

import (
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/pipeline"
)

// Program is this program as the code of functions.
type Program struct {
	File         string
	Key          string // of the zip in the bucket, by the program's content
	Architecture string // as Lambda calls it
	Size         int64
}

// FindProgram finds the program for Lambda: the file, if one is given; this
// program, if it is for Linux; or else what can be built from its source. The
// architecture is this machine's, unless named.
func FindProgram(ctx context.Context, file, architecture string) (*Program, error) {
	goarch := goArchitectures[architecture]
	if architecture == "" {
		goarch = goArchitectures[hostArchitecture()]
	}
	if goarch == "" {
		return nil, fmt.Errorf("lambda has no architecture %q: there are x86_64 and arm64", architecture)
	}
	b, err := pipeline.FindBinary(ctx, file, "linux-"+goarch)
	if err != nil {
		return nil, err
	}
	if b.Size > MaxSize {
		return nil, fmt.Errorf("the program %q has %d MB, and Lambda takes 250", b.File, b.Size>>20)
	}
	return &Program{File: b.File, Key: strings.TrimSuffix(b.Key, "ouro") + "function.zip", Architecture: Architecture(goarch), Size: b.Size}, nil
}

// Upload puts the program into the bucket, as a zip with the one file that the
// runtimes of Lambda for programs start, if it is not there.
func (p *Program) Upload(ctx context.Context, api *s3.Client, bucket string, observer pipeline.Observer) (err error) {
	_, err = api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &p.Key})
	if err == nil {
		return nil
	}
	if none := (*s3types.NotFound)(nil); !errors.As(err, &none) {
		return fmt.Errorf("looking for %s in bucket %q: %w", p.Key, bucket, err)
	}
	observer.Step(fmt.Sprintf("This program as the functions' code, %d MB", p.Size>>20))
	f, err := os.CreateTemp("", "function-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if err := p.zip(f); err != nil {
		return fmt.Errorf("zipping %q: %w", p.File, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := api.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &p.Key, Body: f}); err != nil {
		return fmt.Errorf("putting the functions' code into bucket %q: %w", bucket, err)
	}
	return nil
}

func (p *Program) zip(out io.Writer) error {
	w := zip.NewWriter(out)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: stamped}
	h.SetMode(0o755)
	to, err := w.CreateHeader(h)
	if err != nil {
		return err
	}
	in, err := os.Open(p.File)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, in)
	return errors.Join(err, in.Close(), w.Close())
}

// hostArchitecture is Lambda's name for what this program runs on.
func hostArchitecture() string { return Architecture(runtime.GOARCH) }
