package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// What is larger than largeFrom is sent in parts. Each of largeAtOnce objects
// has at most partsAtOnce parts in memory and one that is being read.
const (
	largeFrom   = 16 << 20
	partSize    = 8 << 20
	maxParts    = 10_000
	partsAtOnce = 4
	largeAtOnce = 2
	abortTime   = 30 * time.Second
)

var partMemory = sync.Pool{New: func() any { b := make([]byte, partSize); return &b }}

// sendLarge sends c in parts. Parts are no object before the last request has
// made them one; when anything fails they are taken back.
func (u *uploader) sendLarge(ctx context.Context, o Object, c content) error {
	create := &s3.CreateMultipartUploadInput{
		Bucket: aws.String(u.plan.Location.Bucket), Key: aws.String(o.Key), ContentType: contentType(o),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	}
	if u.kmsKey != "" {
		create.ServerSideEncryption, create.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, aws.String(u.kmsKey)
	}
	upload, err := u.api.CreateMultipartUpload(ctx, create, patient)
	if err != nil {
		return err
	}
	upload.Bucket, upload.Key = create.Bucket, create.Key
	parts, err := u.sendParts(ctx, upload, c)
	if err == nil {
		_, err = u.api.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: create.Bucket, Key: create.Key, UploadId: upload.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		}, patient)
	}
	if err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	_, failure := u.api.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: create.Bucket, Key: create.Key, UploadId: upload.UploadId})
	if failure != nil {
		err = fmt.Errorf("%w (and the parts sent so far could not be taken back: %w)", err, failure)
	}
	return err
}

func (u *uploader) sendParts(ctx context.Context, upload *s3.CreateMultipartUploadOutput, c content) ([]types.CompletedPart, error) {
	parts := make([]types.CompletedPart, (c.size+partSize-1)/partSize)
	sum := sha256.New()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(partsAtOnce)
	err := func() error {
		for i := range parts {
			memory := partMemory.Get().(*[]byte)
			body := (*memory)[:min(partSize, c.size-int64(i)*partSize)]
			if _, err := io.ReadFull(c, body); err != nil {
				return fmt.Errorf("read part %d: %w", i+1, err)
			}
			sum.Write(body)
			group.Go(func() error {
				defer partMemory.Put(memory)
				var err error
				parts[i], err = u.sendPart(ctx, upload, int32(i+1), body)
				return err
			})
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if string(sum.Sum(nil)) != string(c.sum) {
			return errors.New("the file changed since it was read")
		}
		return nil
	}()
	if failure := group.Wait(); failure != nil {
		err = failure // it is why the context ended
	}
	return parts, err
}

func (u *uploader) sendPart(ctx context.Context, upload *s3.CreateMultipartUploadOutput, number int32, body []byte) (types.CompletedPart, error) {
	hash := sha256.Sum256(body)
	sum := base64.StdEncoding.EncodeToString(hash[:])
	out, err := u.api.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: upload.Bucket, Key: upload.Key, UploadId: upload.UploadId, PartNumber: aws.Int32(number),
		Body: bytes.NewReader(body), ContentLength: aws.Int64(int64(len(body))), ChecksumSHA256: aws.String(sum),
	}, patient)
	if err != nil {
		return types.CompletedPart{}, fmt.Errorf("send part %d: %w", number, err)
	}
	return types.CompletedPart{PartNumber: aws.Int32(number), ETag: out.ETag, ChecksumSHA256: aws.String(sum)}, nil
}
