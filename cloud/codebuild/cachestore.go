package codebuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// localCaches is the folder of the caches that the build's project has on
// this machine. No other project has it.
func (r *run) localCaches() string {
	c := r.rec.Caller
	return filepath.Join(r.s.host.Store().Dir("caches"), c.Account, c.Region, *r.rec.Project.Name)
}

// localCache is a folder of archives.
type localCache string

func (c localCache) open(_ context.Context, name string, _ bool) (*os.File, error) {
	archive, err := os.Open(filepath.Join(string(c), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return archive, err
}

func (c localCache) keep(_ context.Context, name string, archive *os.File) error {
	// What lies beside it belongs to a cache that was invalidated.
	siblings, err := os.ReadDir(filepath.Dir(string(c)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, s := range siblings {
		if s.Name() != filepath.Base(string(c)) {
			removeTree(filepath.Join(filepath.Dir(string(c)), s.Name()))
		}
	}
	if err := os.MkdirAll(string(c), 0o700); err != nil {
		return fmt.Errorf("making the folder of a cache: %w", err)
	}
	return os.Rename(archive.Name(), filepath.Join(string(c), name))
}

// s3Cache is a prefix of objects.
type s3Cache struct {
	r              *run
	bucket, prefix string
}

func (c *s3Cache) open(ctx context.Context, name string, like bool) (*os.File, error) {
	key := path.Join(c.prefix, name)
	if like {
		var err error
		if key, err = c.newest(ctx, key); err != nil || key == "" {
			return nil, err
		}
	}
	out, err := c.r.role.s3().GetObject(ctx, &s3.GetObjectInput{Bucket: &c.bucket, Key: &key})
	var missing *s3types.NoSuchKey
	if errors.As(err, &missing) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	archive, err := os.CreateTemp(c.r.work.state, "cache-")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(archive, out.Body); err != nil {
		return nil, errors.Join(fmt.Errorf("reading s3://%s/%s: %w", c.bucket, key, err), archive.Close())
	}
	return archive, nil
}

// newest is the object below a prefix that was written last, "" for none.
func (c *s3Cache) newest(ctx context.Context, prefix string) (key string, err error) {
	var at time.Time
	pages := s3.NewListObjectsV2Paginator(c.r.role.s3(), &s3.ListObjectsV2Input{Bucket: &c.bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, o := range page.Contents {
			if t := aws.ToTime(o.LastModified); key == "" || t.After(at) {
				key, at = aws.ToString(o.Key), t
			}
		}
	}
	return key, nil
}

func (c *s3Cache) keep(ctx context.Context, name string, archive *os.File) error {
	to := destination{bucket: c.bucket, key: path.Join(c.prefix, name), kms: kmsKey(c.r.rec.Caller, c.r.rec.Project.EncryptionKey)}
	return c.r.put(ctx, to, "application/zip", archive)
}
