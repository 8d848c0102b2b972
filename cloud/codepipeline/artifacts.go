package codepipeline

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// objectKey is where an artifact is put: the pipeline's name cut to 20
// characters, the artifact's cut to 10, and 7 characters out of seed, which
// must be random.
func objectKey(pipeline, name, seed string) string {
	sum := sha256.Sum256([]byte(seed))
	random := strings.NewReplacer("-", "a", "_", "b").Replace(base64.RawURLEncoding.EncodeToString(sum[:]))[:7]
	return cut(pipeline, 20) + "/" + cut(name, 10) + "/" + random + ".zip"
}

// wholeInMemory is up to which size an artifact is read in one piece; of larger
// ones only the parts that are needed are read.
const wholeInMemory = 4 << 20

// readArtifact gives the bytes of one file of an artifact, at most limit of
// them.
func (j *job) readArtifact(ctx context.Context, from artifact, name string, limit int64) ([]byte, error) {
	files, err := j.openArtifact(ctx, from)
	if err != nil {
		return nil, err
	}
	name = strings.TrimPrefix(name, "./")
	for _, f := range files.File {
		if strings.TrimPrefix(f.Name, "./") != name {
			continue
		}
		if f.UncompressedSize64 > uint64(limit) {
			return nil, failed(types.FailureTypeConfigurationError, "the file %q in artifact %q has %d bytes, more than %d", name, from.Name, f.UncompressedSize64, limit)
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("reading %q in artifact %q: %w", name, from.Name, err)
		}
		defer r.Close() //nolint:errcheck // only read
		b, err := io.ReadAll(io.LimitReader(r, limit))
		if err != nil {
			return nil, fmt.Errorf("reading %q in artifact %q: %w", name, from.Name, err)
		}
		return b, nil
	}
	return nil, &noFile{failed(types.FailureTypeConfigurationError, "File [%s] does not exist in artifact [%s]", name, from.Name)}
}

// noFile is that an artifact lacks a file.
type noFile struct{ error }

func (n *noFile) Unwrap() error { return n.error }

func (j *job) openArtifact(ctx context.Context, from artifact) (*zip.Reader, error) {
	client := s3.NewFromConfig(j.as)
	out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &from.Bucket, Key: &from.Key})
	if err != nil {
		return nil, fmt.Errorf("reading artifact %q at %s/%s: %w", from.Name, from.Bucket, from.Key, err)
	}
	defer out.Body.Close() //nolint:errcheck // only read
	size := aws.ToInt64(out.ContentLength)
	var at io.ReaderAt = &objectAt{ctx: ctx, client: client, location: from.location, size: size}
	if size <= wholeInMemory {
		b, err := io.ReadAll(io.LimitReader(out.Body, wholeInMemory))
		if err != nil {
			return nil, fmt.Errorf("reading artifact %q: %w", from.Name, err)
		}
		at, size = bytes.NewReader(b), int64(len(b))
	}
	files, err := zip.NewReader(at, size)
	if errors.Is(err, zip.ErrFormat) {
		return nil, failed(types.FailureTypeConfigurationError, "the artifact %q is no zip file", from.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading artifact %q: %w", from.Name, err)
	}
	return files, nil
}

// objectAt reads an object in S3 at any place, a block at a time.
type objectAt struct {
	ctx    context.Context
	client *s3.Client
	location
	size  int64
	block []byte // what was read last
	start int64  // and from where
}

const blockSize = 512 << 10

func (o *objectAt) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n)
		if at >= o.size {
			return n, io.EOF
		}
		if at < o.start || at >= o.start+int64(len(o.block)) {
			if err := o.read(at - at%blockSize); err != nil {
				return n, err
			}
		}
		n += copy(p[n:], o.block[at-o.start:])
	}
	return n, nil
}

func (o *objectAt) read(start int64) error {
	end := min(start+blockSize, o.size)
	out, err := o.client.GetObject(o.ctx, &s3.GetObjectInput{
		Bucket: &o.Bucket, Key: &o.Key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", start, end-1)),
	})
	if err != nil {
		return err
	}
	defer out.Body.Close() //nolint:errcheck // only read
	block := make([]byte, end-start)
	if _, err := io.ReadFull(out.Body, block); err != nil {
		return err
	}
	o.block, o.start = block, start
	return nil
}

// writeArtifact puts one file, zipped, as an output artifact.
func (j *job) writeArtifact(ctx context.Context, to artifact, name string, content []byte) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(content)
	}
	if err := errors.Join(err, z.Close()); err != nil {
		return fmt.Errorf("zipping %q: %w", name, err)
	}
	return j.putObject(ctx, to.location, b.Bytes())
}

// putObject puts an object into the artifact bucket, encrypted as the pipeline
// wants.
func (j *job) putObject(ctx context.Context, to location, content []byte) error {
	in := &s3.PutObjectInput{Bucket: &to.Bucket, Key: &to.Key, Body: bytes.NewReader(content)}
	in.ServerSideEncryption, in.SSEKMSKeyId = j.encryption()
	if _, err := s3.NewFromConfig(j.as).PutObject(ctx, in); err != nil {
		return fmt.Errorf("putting %s/%s: %w", to.Bucket, to.Key, err)
	}
	return nil
}

// fetch copies the input artifacts that lie in another region to the store of
// the action's own.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-cross-region.html
func (j *job) fetch(ctx context.Context) error {
	client := s3.NewFromConfig(j.byPipe)
	for _, to := range j.record.Inputs {
		from := j.execution.Artifacts[to.Name]
		if from == to.location {
			continue
		}
		in := &s3.CopyObjectInput{CopySource: aws.String(from.Bucket + "/" + escapeKey(from.Key)), Bucket: &to.Bucket, Key: &to.Key}
		in.ServerSideEncryption, in.SSEKMSKeyId = j.encryption()
		if _, err := client.CopyObject(ctx, in); err != nil {
			return fmt.Errorf("copying artifact %q from %s to %s: %w", to.Name, from.Bucket, to.Bucket, err)
		}
	}
	return nil
}

func (j *job) encryption() (s3types.ServerSideEncryption, *string) {
	if key := j.store.EncryptionKey; key != nil {
		return s3types.ServerSideEncryptionAwsKms, key.Id
	}
	return "", nil
}
