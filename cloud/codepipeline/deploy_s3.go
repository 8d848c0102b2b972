package codepipeline

import (
	"archive/zip"
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// s3Deploy puts the input artifact into a bucket: its files, or the zip as it
// is.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
type s3Deploy struct{}

// maxDeployedFiles is how many files an artifact may have.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxDeployedFiles = 100_000

func (s3Deploy) run(ctx context.Context, j *job) (*outcome, error) {
	bucket, err := j.need("BucketName")
	if err != nil {
		return nil, err
	}
	d := &s3Target{client: s3.NewFromConfig(j.as), bucket: bucket, in: j.record.Inputs[0], key: j.config["ObjectKey"]}
	if d.acl = s3types.ObjectCannedACL(j.config["CannedACL"]); d.acl != "" && !slices.Contains(d.acl.Values(), d.acl) {
		return nil, failed(types.FailureTypeConfigurationError, "the canned ACL %q of action %q is unknown", d.acl, j.record.Name)
	}
	d.cache, d.kms = optional(j.config["CacheControl"]), optional(j.config["KMSEncryptionKeyARN"])
	if d.kms != nil {
		d.encryption = s3types.ServerSideEncryptionAwsKms
	}
	if !j.isTrue("Extract") {
		if d.key, err = j.need("ObjectKey"); err != nil {
			return nil, err
		}
		return &outcome{summary: "Deployment Succeeded"}, d.copy(ctx)
	}
	files, err := j.openArtifact(ctx, d.in)
	if err != nil {
		return nil, err
	}
	return &outcome{summary: "Deployment Succeeded"}, d.extract(ctx, files.File)
}

// s3Target is where the artifact goes, and how.
type s3Target struct {
	client     *s3.Client
	bucket     string
	key        string // of the object, or before the names of the files
	in         artifact
	acl        s3types.ObjectCannedACL
	cache, kms *string
	encryption s3types.ServerSideEncryption
}

func (d *s3Target) copy(ctx context.Context) error {
	in := &s3.CopyObjectInput{
		Bucket: &d.bucket, Key: &d.key, CopySource: aws.String(d.in.Bucket + "/" + escapeKey(d.in.Key)), ACL: d.acl,
		CacheControl: d.cache, ContentType: aws.String("application/zip"), MetadataDirective: s3types.MetadataDirectiveReplace,
		ServerSideEncryption: d.encryption, SSEKMSKeyId: d.kms,
	}
	if _, err := d.client.CopyObject(ctx, in); err != nil {
		return fmt.Errorf("deploying artifact %q to %s/%s: %w", d.in.Name, d.bucket, d.key, err)
	}
	return nil
}

func (d *s3Target) extract(ctx context.Context, files []*zip.File) error {
	if len(files) > maxDeployedFiles {
		return failed(types.FailureTypeConfigurationError, "the artifact %q has %d files, more than %d", d.in.Name, len(files), maxDeployedFiles)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if err := d.put(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// put streams one file: its length is in the zip's directory, and the store
// refuses one that is shorter or longer.
func (d *s3Target) put(ctx context.Context, f *zip.File) error {
	name := strings.TrimPrefix(f.Name, "./")
	if d.key != "" {
		name = strings.TrimSuffix(d.key, "/") + "/" + name
	}
	body, err := f.Open()
	if err != nil {
		return fmt.Errorf("reading %q in artifact %q: %w", f.Name, d.in.Name, err)
	}
	defer body.Close() //nolint:errcheck // only read
	in := &s3.PutObjectInput{
		Bucket: &d.bucket, Key: &name, Body: body, ContentLength: aws.Int64(int64(f.UncompressedSize64)), ACL: d.acl,
		CacheControl: d.cache, ContentType: aws.String(contentType(name)), ServerSideEncryption: d.encryption, SSEKMSKeyId: d.kms,
	}
	if _, err := d.client.PutObject(ctx, in, s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)); err != nil {
		return fmt.Errorf("deploying %q to %s/%s: %w", f.Name, d.bucket, name, err)
	}
	return nil
}

// contentTypes are the media types of what web sites are made of. A table of
// our own gives the same answer on every machine.
var contentTypes = map[string]string{
	".css": "text/css", ".csv": "text/csv", ".gif": "image/gif", ".htm": "text/html", ".html": "text/html", ".ico": "image/x-icon",
	".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".js": "application/javascript", ".json": "application/json", ".md": "text/markdown",
	".mjs": "application/javascript", ".mp3": "audio/mpeg", ".mp4": "video/mp4", ".pdf": "application/pdf", ".png": "image/png",
	".svg": "image/svg+xml", ".txt": "text/plain", ".wasm": "application/wasm", ".webmanifest": "application/manifest+json",
	".webp": "image/webp", ".woff": "font/woff", ".woff2": "font/woff2", ".xml": "application/xml", ".yaml": "application/yaml",
	".yml": "application/yaml", ".zip": "application/zip",
}

func contentType(name string) string {
	return cmp.Or(contentTypes[strings.ToLower(path.Ext(name))], "application/octet-stream")
}
