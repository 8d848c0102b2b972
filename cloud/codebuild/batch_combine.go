package codebuild

import (
	"archive/zip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// combine is the phase COMBINE_ARTIFACTS: of a project that wants it, the
// zips of all builds become one. Other artifacts are at one place already.
func (b *batchRun) combine(ctx context.Context) error {
	rec := b.snapshot()
	if !rec.combines() {
		return nil
	}
	if a := rec.Project.Artifacts; zipped(a) {
		done, err := b.combineOne(ctx, a, func(of *types.Build) *types.BuildArtifacts { return of.Artifacts })
		if err != nil {
			return b.combining(ctx, err)
		}
		if err := b.change(ctx, func(rec *batch) { rec.Batch.Artifacts = done }); err != nil {
			return err
		}
	}
	var secondary []types.BuildArtifacts
	for i := range rec.Project.SecondaryArtifacts {
		a, done := &rec.Project.SecondaryArtifacts[i], &rec.Batch.SecondaryArtifacts[i]
		if zipped(a) {
			var err error
			if done, err = b.combineOne(ctx, a, func(of *types.Build) *types.BuildArtifacts { return &of.SecondaryArtifacts[i] }); err != nil {
				return b.combining(ctx, err)
			}
		}
		secondary = append(secondary, *done)
	}
	return b.change(ctx, func(rec *batch) { rec.Batch.SecondaryArtifacts = secondary })
}

func zipped(a *types.ProjectArtifacts) bool {
	return a.Type == types.ArtifactsTypeS3 && a.Packaging == types.ArtifactPackagingZip
}

// combining is the error of the phase.
func (b *batchRun) combining(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return b.halt(ctx)
	}
	return failf("CLIENT_ERROR", "Combining artifacts: %v", err)
}

// combineOne puts the zips together that the builds have made of one
// artifact, and uploads the result.
func (b *batchRun) combineOne(ctx context.Context, to *types.ProjectArtifacts, of func(*types.Build) *types.BuildArtifacts) (*types.BuildArtifacts, error) {
	rec := b.snapshot()
	config := b.s.host.Assume(rec.Caller, aws.ToString(rec.Batch.ServiceRole), "AWSCodeBuild-"+rec.uuid())
	client := s3.NewFromConfig(config)
	dir, err := os.MkdirTemp(b.s.host.Store().Dir("builds"), "batch-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	var parts []string
	for _, g := range rec.Batch.BuildGroups {
		if *g.Identifier == batchSpec || g.CurrentBuildSummary.Arn == nil {
			continue
		}
		build, err := b.s.builds.Get(ctx, rec.Caller.Scope(), buildID(*g.CurrentBuildSummary.Arn))
		if err != nil {
			return nil, fmt.Errorf("reading build %q: %w", *g.CurrentBuildSummary.Arn, err)
		}
		from := of(&build.Build)
		if from.Sha256sum == nil { // it failed, which the batch ignores, before it had any
			continue
		}
		name := filepath.Join(dir, strconv.Itoa(len(parts)))
		if err := download(ctx, client, aws.ToString(from.Location), name); err != nil {
			return nil, err
		}
		parts = append(parts, name)
	}
	out, err := os.Create(filepath.Join(dir, "combined"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	done := buildArtifacts(to, rec.uuid())
	sha, md := sha256.New(), md5.New()
	if err := mergeZips(ctx, io.MultiWriter(out, sha, md), parts); err != nil {
		return nil, err
	}
	done.Sha256sum, done.Md5sum = aws.String(hex.EncodeToString(sha.Sum(nil))), aws.String(hex.EncodeToString(md.Sum(nil)))
	bucket, key := artifactPlace(to, aws.ToString(to.Name), "", rec.uuid())
	done.Location = aws.String("arn:" + rec.Caller.Partition() + ":s3:::" + path.Join(bucket, key))
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	in := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: out, ContentType: aws.String("application/zip"), ACL: ownerAccess[to.BucketOwnerAccess]}
	if kms := kmsKey(rec.Caller, rec.Project.EncryptionKey); kms != nil && !aws.ToBool(to.EncryptionDisabled) {
		in.ServerSideEncryption, in.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, kms
	}
	_, err = client.PutObject(ctx, in)
	return done, err
}

// download writes the object at an ARN to a file.
func download(ctx context.Context, client *s3.Client, arn, name string) error {
	bucket, key := bucketAndKey(arn)
	object, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return fmt.Errorf("reading %s: %w", arn, err)
	}
	defer object.Body.Close()
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, object.Body); err != nil {
		file.Close()
		return fmt.Errorf("reading %s: %w", arn, err)
	}
	return file.Close()
}

// mergeZips writes the entries of all archives as one. Builds may bring the
// same file, but not two with one name: one of them would be lost.
func mergeZips(ctx context.Context, w io.Writer, names []string) error {
	z := zip.NewWriter(w)
	seen := map[string]*zip.File{}
	for _, name := range names {
		r, err := zip.OpenReader(name)
		if err != nil {
			return err
		}
		defer r.Close()
		for _, f := range r.File {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if before := seen[f.Name]; before != nil {
				if before.CRC32 != f.CRC32 || before.UncompressedSize64 != f.UncompressedSize64 {
					return fmt.Errorf("two builds have different files of the name %s", f.Name)
				}
				continue
			}
			seen[f.Name] = f
			if err := z.Copy(f); err != nil {
				return fmt.Errorf("adding %s: %w", f.Name, err)
			}
		}
	}
	return z.Close()
}
