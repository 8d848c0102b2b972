package function

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// maxArtifact bounds what is taken of an artifact: it lies on a function's disk,
// which has 512 MB.
const maxArtifact = 300 << 20

// opened is an artifact on disk.
type opened struct {
	*zip.Reader
	file *os.File
}

// Close takes the artifact away again.
func (o *opened) Close() error { return errors.Join(o.file.Close(), os.Remove(o.file.Name())) }

// input opens the job's only input artifact. Whoever opened it closes it.
func (j *job) input(ctx context.Context) (*opened, error) {
	if n := len(j.Data.InputArtifacts); n != 1 {
		return nil, fmt.Errorf("the action has %d input artifacts, and needs one", n)
	}
	a := j.Data.InputArtifacts[0]
	o, err := j.download(ctx, a.Location.S3.Bucket, a.Location.S3.Key)
	if err != nil {
		return nil, fmt.Errorf("reading artifact %q: %w", a.Name, err)
	}
	return o, nil
}

func (j *job) download(ctx context.Context, bucket, key string) (_ *opened, err error) {
	out, err := j.buckets.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close() //nolint:errcheck // only read from
	f, err := os.CreateTemp("", "artifact-")
	if err != nil {
		return nil, err
	}
	o := &opened{file: f}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	n, err := io.Copy(f, io.LimitReader(out.Body, maxArtifact+1))
	if err == nil && n > maxArtifact {
		err = fmt.Errorf("it has more than %d MB", maxArtifact>>20)
	}
	if err != nil {
		return nil, err
	}
	o.Reader, err = zip.NewReader(f, n)
	return o, err
}

// read is a small file of the artifact.
func (o *opened) read(name string, most int64) ([]byte, error) {
	f, err := o.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the artifact has no %q", name)
	}
	defer f.Close() //nolint:errcheck // only read from
	body, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q of the artifact: %w", name, err)
	}
	return body, nil
}

// member is a file of an artifact.
type member struct {
	name string
	body []byte
}

// output writes the job's only output artifact.
func (j *job) output(ctx context.Context, members ...member) error {
	if n := len(j.Data.OutputArtifacts); n != 1 {
		return fmt.Errorf("the action has %d output artifacts, and needs one", n)
	}
	var body bytes.Buffer
	w := zip.NewWriter(&body)
	for _, m := range members {
		to, err := w.Create(m.name)
		if err == nil {
			_, err = to.Write(m.body)
		}
		if err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	a := j.Data.OutputArtifacts[0]
	in := &s3.PutObjectInput{Bucket: &a.Location.S3.Bucket, Key: &a.Location.S3.Key, Body: bytes.NewReader(body.Bytes())}
	if key := j.Data.EncryptionKey; key != nil && key.ID != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &key.ID
	}
	if _, err := j.buckets.PutObject(ctx, in); err != nil {
		return fmt.Errorf("writing artifact %q: %w", a.Name, err)
	}
	return nil
}
