package layer

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/pipeline"
	"ouro/stack"
)

// A first commit through CodeCommit's API is of files of 6 MB at most, and all of
// them are in memory meanwhile.
// https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
const (
	MaxSeedFile = 6 << 20
	maxSeed     = 64 << 20
)

// CheckSeed tells why a first commit cannot be made of a zip.
func CheckSeed(z *zip.Reader) error {
	var size uint64
	for _, f := range z.File {
		if size += f.UncompressedSize64; f.UncompressedSize64 > MaxSeedFile || size > maxSeed {
			return fmt.Errorf("with its file %q it is larger than CodeCommit's API takes: push it with git", f.Name)
		}
	}
	return nil
}

// begins tells whether a stack, if it is there, is to be made, with a repository
// that gets a first commit. Another branch of one that is there begins with what
// the repository has.
func begins(there *types.Stack) bool { return there == nil || stack.LeftOver(there.StackStatus) }

// seed puts a zip of the source into the bucket, from which the repository's
// first commit is made. Of a source that is too large for that the key is empty:
// the first commit has almost nothing then, and the source is pushed after it.
func (u *Up) seed(ctx context.Context, dir string) (key string, err error) {
	bucket, err := Bucket(ctx, u.Clients)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp("", "seed-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	state, err := filepath.Abs(u.State)
	if err != nil {
		return "", err
	}
	sum, err := pipeline.Snapshot(ctx, dir, filepath.Join(state, "layers"), f)
	if err != nil {
		return "", err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return "", err
	}
	z, err := zip.NewReader(f, size)
	if err != nil {
		return "", fmt.Errorf("reading what was packed of %q: %w", dir, err)
	}
	if CheckSeed(z) != nil {
		u.Observer.Step("Source, too large for a first commit by CodeCommit's API: pushed after it")
		return "", nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	key = "_seeds/" + sum + ".zip"
	if _, err := u.Clients.Buckets.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: f}); err != nil {
		return "", fmt.Errorf("putting the first commit's files into bucket %q: %w", bucket, err)
	}
	return key, nil
}
