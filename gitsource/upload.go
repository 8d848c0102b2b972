package gitsource

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// partSize is what is in memory of a zip: the least that S3 takes of a part that
// is not the last. With its 10,000 parts, it bounds a zip at 52 GB.
const partSize = 5 << 20

// upload is a zip on its way: nobody sees any of it before it is complete.
type upload struct {
	ctx    context.Context // of the one fetch that it is made for
	api    *s3.Client
	bucket string
	event  Event
	id     *string
	buffer bytes.Buffer
	parts  []types.CompletedPart
}

// metaCommit is the metadata, and the tag, with the commit.
const metaCommit = "commit"

func (u *upload) Write(b []byte) (int, error) {
	written := 0
	u.buffer.Grow(partSize - u.buffer.Len()) // once, and not by doubling
	for len(b) > 0 {
		n := min(len(b), partSize-u.buffer.Len())
		u.buffer.Write(b[:n])
		b, written = b[n:], written+n
		if u.buffer.Len() == partSize {
			if err := u.flush(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

func (u *upload) flush() error {
	key := u.event.Key()
	if u.id == nil {
		ref := url.PathEscape(u.event.Ref)
		meta := map[string]string{
			metaCommit: u.event.Commit, "repository": u.event.Repository(), "ref": ref, "provider": u.event.Provider,
			// What CodePipeline tells of the source.
			"codepipeline-artifact-revision-summary": u.event.Repository() + " " + ref + " at " + u.event.Commit,
		}
		out, err := u.api.CreateMultipartUpload(u.ctx, &s3.CreateMultipartUploadInput{
			Bucket: &u.bucket, Key: &key, ContentType: aws.String("application/zip"), Metadata: meta,
			Tagging: aws.String(url.Values{metaCommit: {u.event.Commit}, "provider": {u.event.Provider}}.Encode()),
		})
		if err != nil {
			return fmt.Errorf("beginning the upload of %s: %w", key, err)
		}
		u.id = out.UploadId
	}
	number := int32(len(u.parts) + 1)
	out, err := u.api.UploadPart(u.ctx, &s3.UploadPartInput{Bucket: &u.bucket, Key: &key, UploadId: u.id, PartNumber: &number, Body: bytes.NewReader(u.buffer.Bytes())})
	if err != nil {
		return fmt.Errorf("uploading part %d of %s: %w", number, key, err)
	}
	u.parts = append(u.parts, types.CompletedPart{
		ETag: out.ETag, PartNumber: &number,
		ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC32C: out.ChecksumCRC32C, ChecksumCRC64NVME: out.ChecksumCRC64NVME, ChecksumSHA1: out.ChecksumSHA1, ChecksumSHA256: out.ChecksumSHA256,
	})
	u.buffer.Reset()
	return nil
}

// complete shows the zip, in place of the object with that entity tag.
func (u *upload) complete(etag string) error {
	key := u.event.Key()
	in := &s3.CompleteMultipartUploadInput{Bucket: &u.bucket, Key: &key, UploadId: u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts}}
	in.IfMatch, in.IfNoneMatch = condition(etag)
	if _, err := u.api.CompleteMultipartUpload(u.ctx, in); err != nil {
		return fmt.Errorf("completing the upload of %s: %w", key, err)
	}
	u.id = nil
	return nil
}

// abort forgets what is not complete, also where the time is up. What remains
// even so, the bucket's lifecycle removes.
func (u *upload) abort() error {
	if u.id == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), 5*time.Second)
	defer cancel()
	key := u.event.Key()
	if _, err := u.api.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &u.bucket, Key: &key, UploadId: u.id}); err != nil {
		return fmt.Errorf("aborting the upload of %s: %w", key, err)
	}
	return nil
}
