package codebuild

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"ouro/cloud/unzip"
)

// maxUnpacked is how much an archive may unpack to, in bytes.
const maxUnpacked = 64 << 30

// transfers is how many objects a build moves at once.
const transfers = 8

// fetchS3 unpacks the zip at location, or copies the folder there if location
// is no object but a prefix.
func (r *run) fetchS3(ctx context.Context, location, version, dir string) (resolved string, err error) {
	bucket, key := bucketAndKey(location)
	if bucket == "" {
		return "", failf("CLIENT_ERROR", "S3 source location %q has no bucket", location)
	}
	if key == "" || strings.HasSuffix(key, "/") {
		return "", r.fetchFolder(ctx, bucket, key, dir)
	}
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := r.role.s3().GetObject(ctx, in)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	file, err := os.CreateTemp(r.work.state, "source-")
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	size, err := io.Copy(file, out.Body)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", location, err)
	}
	if r.rec.Pipeline {
		if ref, ok, err := readCloneRef(file, size); err != nil {
			return "", err
		} else if ok {
			return r.follow(ctx, ref, dir)
		}
	}
	_, err = unzip.Into(ctx, file, size, dir, maxUnpacked)
	return aws.ToString(out.VersionId), err
}

// fetchFolder copies all objects below a prefix.
func (r *run) fetchFolder(ctx context.Context, bucket, prefix, dir string) error {
	into, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer into.Close()
	together, ctx := errgroup.WithContext(ctx)
	together.SetLimit(transfers)
	found := false
	pages := s3.NewListObjectsV2Paginator(r.role.s3(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() && ctx.Err() == nil {
		page, err := pages.NextPage(ctx)
		if err != nil {
			_ = together.Wait()
			return err
		}
		for _, o := range page.Contents {
			found = true
			key := aws.ToString(o.Key)
			name := strings.TrimPrefix(key, prefix)
			if name == "" || strings.HasSuffix(name, "/") {
				continue
			}
			together.Go(func() error { return r.copyObject(ctx, bucket, key, into, filepath.FromSlash(name)) })
		}
	}
	if err := together.Wait(); err != nil {
		return err
	}
	if !found {
		return failf("CLIENT_ERROR", "there is no object below s3://%s/%s", bucket, prefix)
	}
	return nil
}

func (r *run) copyObject(ctx context.Context, bucket, key string, into *os.Root, name string) error {
	out, err := r.role.s3().GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return err
	}
	defer out.Body.Close()
	if err := into.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := into.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, out.Body); err != nil {
		file.Close()
		return fmt.Errorf("reading s3://%s/%s: %w", bucket, key, err)
	}
	return file.Close()
}

// readObject reads a small object.
func (r *run) readObject(ctx context.Context, location string, limit int64) ([]byte, error) {
	bucket, key := bucketAndKey(location)
	out, err := r.role.s3().GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(io.LimitReader(out.Body, limit+1))
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("it has more than %d bytes", limit)
	}
	return body, err
}
