package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Archive writes the files of a commit as a zip to w. The same commit gives
// the same bytes: times are the commit's, and attributes that would leave out
// or change files have no effect.
func (r *Repository) Archive(ctx context.Context, commit string, w io.Writer) error {
	if !ValidID(commit) {
		return fmt.Errorf("archiving %q of repository %q: %w", commit, r.id, ErrNoObject)
	}
	// Level 1: the zip goes no further than this machine.
	err := r.run(ctx, call{stdout: w}, "archive", "--format=zip", "-1", commit)
	if err != nil {
		return fmt.Errorf("archiving %q of repository %q: %w", commit, r.id, err)
	}
	return nil
}

// UploadArchive puts the archive of a commit into S3, as in says, whose body
// and content type it sets.
func (r *Repository) UploadArchive(ctx context.Context, client *s3.Client, commit string, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	var zip spool
	defer zip.Close()
	if err := r.Archive(ctx, commit, &zip); err != nil {
		return nil, err
	}
	body, size, err := zip.Reader()
	if err != nil {
		return nil, fmt.Errorf("archiving %q of repository %q: %w", commit, r.id, err)
	}
	in.Body, in.ContentLength, in.ContentType = body, aws.Int64(size), aws.String("application/zip")
	out, err := client.PutObject(ctx, in,
		s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware))
	if err != nil {
		return nil, fmt.Errorf("uploading the archive of %q of repository %q: %w", commit, r.id, err)
	}
	return out, nil
}

// spoolMemory is how many bytes of an archive stay in memory.
const spoolMemory = 4 << 20

// spool takes what is written to it, in memory while it is little and else in
// a temporary file, for S3 wants to know the length before it gets the bytes.
type spool struct {
	buf  bytes.Buffer
	file *os.File
}

func (s *spool) Write(p []byte) (int, error) {
	if s.file != nil {
		return s.file.Write(p)
	}
	if s.buf.Len()+len(p) <= spoolMemory {
		return s.buf.Write(p)
	}
	f, err := os.CreateTemp("", "archive-*.zip")
	if err != nil {
		return 0, err
	}
	s.file = f
	if _, err := s.buf.WriteTo(f); err != nil {
		return 0, err
	}
	return f.Write(p)
}

// Reader returns what was written and its size.
func (s *spool) Reader() (io.ReadSeeker, int64, error) {
	if s.file == nil {
		return bytes.NewReader(s.buf.Bytes()), int64(s.buf.Len()), nil
	}
	size, err := s.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, 0, err
	}
	_, err = s.file.Seek(0, io.SeekStart)
	return s.file, size, err
}

// Close removes the temporary file.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
