package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/store"
)

var partEncryption = sameFields[attributes, s3.UploadPartOutput]()

func checkPartNumber(number *int32) error {
	if n := aws.ToInt32(number); n < 1 || n > maxParts {
		return invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", strconv.Itoa(int(n)))
	}
	return nil
}

// UploadPart stores one part of an upload, in place of one of the same number.
func (s *Service) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	if err := checkPartNumber(in.PartNumber); err != nil {
		return nil, err
	}
	_, u, err := s.upload(ctx, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	given, err := givenSum(in)
	if err != nil {
		return nil, err
	}
	if sent := cmpAlgorithm(given.Algorithm, in.ChecksumAlgorithm); u.Chosen && sent != "" && sent != u.Algorithm {
		return nil, invalidRequest(fmt.Sprintf("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
			strings.ToLower(string(u.Algorithm)), strings.ToLower(string(sent))))
	}
	p, t, err := s.keepPart(ctx, partTarget{in.Bucket, in.Key, in.UploadId, *in.PartNumber}, u, delivery{
		body: in.Body, length: in.ContentLength, contentMD5: in.ContentMD5, in: in, announced: in.ChecksumAlgorithm, kept: u.Algorithm,
	})
	if err != nil {
		return nil, err
	}
	out := &s3.UploadPartOutput{ETag: p.quotedETag()}
	partEncryption(&u.Object.attributes, out)
	t.kept(t.given.Algorithm).tell(out)
	return out, nil
}

func cmpAlgorithm(a, b types.ChecksumAlgorithm) types.ChecksumAlgorithm {
	if a != "" {
		return a
	}
	return b
}

// partTarget is the part that a request stores.
type partTarget struct {
	bucket, key, upload *string
	number              int32
}

// keepPart stores what d delivers as that part.
func (s *Service) keepPart(ctx context.Context, at partTarget, u upload, d delivery) (part, *intake, error) {
	t, body, done, err := s.receive(ctx, d)
	if err != nil {
		return part{}, nil, err
	}
	p := part{Number: at.number, Blob: body.name, Size: body.size, ETag: t.etag(), Sum: t.kept(u.Algorithm), Modified: s.now()}
	p.Sum.Type = ""
	err = s.atomically(ctx, func(ctx context.Context) error {
		if _, _, err := s.upload(ctx, at.bucket, at.key, at.upload, nil); err != nil {
			return err
		}
		old, err := s.parts.Get(ctx, everywhere, partRow(*at.upload, at.number))
		if err == nil {
			err = s.dropPart(ctx, *at.upload, old)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := s.bodies.refer(ctx, body); err != nil {
			return err
		}
		return s.parts.Put(ctx, everywhere, partRow(*at.upload, at.number), p)
	})
	done()
	if err != nil {
		s.bodies.abandon(ctx, body)
	}
	return p, t, err
}

// UploadPartCopy stores bytes of an object as a part.
func (s *Service) UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	if err := checkPartNumber(in.PartNumber); err != nil {
		return nil, err
	}
	_, u, err := s.upload(ctx, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	source, err := s.copySource(ctx, in.CopySource, in.ExpectedSourceBucketOwner, readConditions{
		in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince, copyPrefix,
	})
	if err != nil {
		return nil, err
	}
	at := span{length: source.Size}
	if in.CopySourceRange != nil {
		if at, err = copyRange(*in.CopySourceRange, source.Size); err != nil {
			return nil, err
		}
	}
	if at.length > maxPut {
		return nil, invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
	}
	body, err := s.open(ctx, source.object, at)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	p, _, err := s.keepPart(ctx, partTarget{in.Bucket, in.Key, in.UploadId, *in.PartNumber}, u, delivery{
		body: io.Reader(body), in: &s3.UploadPartInput{}, kept: u.Algorithm,
	})
	if err != nil {
		return nil, err
	}
	out := &s3.UploadPartCopyOutput{
		CopyPartResult: &types.CopyPartResult{ETag: p.quotedETag(), LastModified: &p.Modified}, CopySourceVersionId: source.shownVersion(),
		ServerSideEncryption: u.Object.ServerSideEncryption, SSEKMSKeyId: u.Object.SSEKMSKeyId, BucketKeyEnabled: u.Object.BucketKeyEnabled,
	}
	if u.Chosen {
		p.Sum.tell(out.CopyPartResult)
	}
	return out, nil
}

// copyRange is a range of which, other than of a read, both ends must lie
// within the object.
func copyRange(header string, size int64) (span, error) {
	invalid := invalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy", "x-amz-copy-source-range", header)
	first, last, ok := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	start, err1 := strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	if !ok || err1 != nil || err2 != nil || !strings.HasPrefix(header, "bytes=") || end < start {
		return span{}, invalid
	}
	if end >= size {
		return span{}, invalidArgument(fmt.Sprintf("Range specified is not valid for source object of size: %d", size), "x-amz-copy-source-range", header)
	}
	return span{start: start, length: end - start + 1, partial: true}, nil
}
