package codebuild

import (
	"archive/zip"
	"compress/flate"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// zipTime is when all entries of a zip were changed: the same files give the
// same bytes.
var zipTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// uploadZip uploads the files as one zip, which lies on disk in between.
func (r *run) uploadZip(ctx context.Context, to destination, files []file, done *types.BuildArtifacts) error {
	out, err := os.CreateTemp(r.work.state, "artifacts-")
	if err != nil {
		return fmt.Errorf("making the zip of artifacts: %w", err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	sha, md := sha256.New(), md5.New()
	if err := writeZip(ctx, io.MultiWriter(out, sha, md), files); err != nil {
		return err
	}
	done.Sha256sum = aws.String(hex.EncodeToString(sha.Sum(nil)))
	done.Md5sum = aws.String(hex.EncodeToString(md.Sum(nil)))
	return r.put(ctx, to, "application/zip", out)
}

// writeZip writes the files in order, with their modes.
func writeZip(ctx context.Context, w io.Writer, files []file) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for _, f := range files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := addToZip(z, f); err != nil {
			return fmt.Errorf("adding %s to the artifacts: %w", f.name, err)
		}
	}
	return z.Close()
}

func addToZip(z *zip.Writer, f file) error {
	header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: zipTime}
	if f.link {
		target, err := os.Readlink(f.path)
		if err != nil {
			return err
		}
		header.SetMode(fs.ModeSymlink | 0o777)
		header.Method = zip.Store
		w, err := z.CreateHeader(header)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, target)
		return err
	}
	in, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	header.SetMode(info.Mode().Perm())
	w, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}

// uploadFiles uploads the files one by one below the destination's key.
func (r *run) uploadFiles(ctx context.Context, to destination, files []file) error {
	together, ctx := errgroup.WithContext(ctx)
	together.SetLimit(transfers)
	for _, f := range files {
		together.Go(func() error {
			if f.link {
				return failf("CLIENT_ERROR", "%s is a symbolic link, which S3 cannot keep; use the packaging ZIP", f.name)
			}
			in, err := os.Open(f.path)
			if err != nil {
				return err
			}
			defer in.Close()
			one := to
			one.key = path.Join(to.key, f.name)
			return r.put(ctx, one, "", in)
		})
	}
	return together.Wait()
}

// destination is where in S3 something goes.
type destination struct {
	bucket, key string
	kms         *string // nil: S3's own encryption
	acl         s3types.ObjectCannedACL
}

// ownerAccess is what the bucket's owner may do with objects that a build
// puts there as somebody else.
var ownerAccess = map[types.BucketOwnerAccess]s3types.ObjectCannedACL{
	types.BucketOwnerAccessReadOnly: s3types.ObjectCannedACLBucketOwnerRead,
	types.BucketOwnerAccessFull:     s3types.ObjectCannedACLBucketOwnerFullControl,
}

// put uploads a file from its beginning.
func (r *run) put(ctx context.Context, to destination, contentType string, file *os.File) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("uploading %s: %w", to.key, err)
	}
	in := &s3.PutObjectInput{Bucket: &to.bucket, Key: &to.key, Body: file, ACL: to.acl}
	if contentType != "" {
		in.ContentType = &contentType
	}
	if to.kms != nil {
		in.ServerSideEncryption, in.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, to.kms
	}
	if _, err := r.role.s3().PutObject(ctx, in); err != nil {
		return failf("CLIENT_ERROR", "Error in UPLOAD_ARTIFACTS phase: uploading to s3://%s/%s: %v", to.bucket, to.key, err)
	}
	return nil
}
