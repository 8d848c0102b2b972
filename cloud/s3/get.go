package s3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/store"
	"ouro/cloud/wire"
)

var (
	shownAttributes = sameFields[attributes, s3.GetObjectOutput]()
	headOfGet       = sameFields[s3.GetObjectOutput, s3.HeadObjectOutput]()
	getOfHead       = sameFields[s3.HeadObjectInput, s3.GetObjectInput]()
)

// GetObject gives an object's bytes, or a range of them.
func (s *Service) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	const attempts = 3
	for attempt := 1; ; attempt++ {
		out, o, span, err := s.describe(ctx, in, "GET")
		if err != nil {
			return nil, err
		}
		if slices.Contains([]types.StorageClass{types.StorageClassGlacier, types.StorageClassDeepArchive}, o.Class) {
			return nil, problem(http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class", "StorageClass", string(o.Class))
		}
		out.Body, err = s.open(ctx, o, span)
		if errors.Is(err, store.ErrNotFound) && attempt < attempts {
			continue // overwritten since its record was read: there is another now
		}
		return out, err
	}
}

// HeadObject tells what is known of an object.
func (s *Service) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	var get s3.GetObjectInput
	getOfHead(in, &get)
	told, _, _, err := s.describe(ctx, &get, "HEAD")
	if err != nil {
		return nil, headError(err)
	}
	var out s3.HeadObjectOutput
	headOfGet(told, &out)
	return &out, nil
}

// headError is err as SDKs expect it of HEAD, whose errors have no body.
func headError(err error) error {
	if isCode(err, "NoSuchKey") {
		e := problem(http.StatusNotFound, "NotFound", "Not Found")
		var was *wire.Error
		if errors.As(err, &was) {
			e.Header = was.Header
		}
		return e
	}
	return err
}

// describe gives everything that GetObject answers but the body, and which part
// of the object that is.
func (s *Service) describe(ctx context.Context, in *s3.GetObjectInput, method string) (*s3.GetObjectOutput, object, span, error) {
	_, o, err := s.version(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, method)
	if err != nil {
		return nil, o, span{}, err
	}
	if in.SSECustomerAlgorithm != nil || in.SSECustomerKey != nil {
		return nil, o, span{}, notImplemented("x-amz-server-side-encryption-customer-algorithm")
	}
	conditions := readConditions{match: in.IfMatch, noneMatch: in.IfNoneMatch, modified: in.IfModifiedSince, unmodified: in.IfUnmodifiedSince}
	if err := conditions.check(o.listing); err != nil {
		return nil, o, span{}, err
	}
	out := &s3.GetObjectOutput{
		AcceptRanges: aws.String("bytes"), ETag: o.quotedETag(), LastModified: &o.Modified, VersionId: o.shownVersion(), StorageClass: o.Class,
	}
	shownAttributes(&o.attributes, out)
	overrideHeaders(in, out)
	if len(o.Tags) > 0 {
		out.TagCount = aws.Int32(int32(len(o.Tags)))
	}
	at, err := s.spanOf(ctx, in, o, out)
	if err != nil {
		return nil, o, span{}, err
	}
	out.ContentLength = &at.length
	if at.partial {
		out.ContentRange = aws.String("bytes " + strconv.FormatInt(at.start, 10) + "-" + strconv.FormatInt(at.start+at.length-1, 10) + "/" + strconv.FormatInt(o.Size, 10))
	}
	// The checksum is of the whole object: AWS leaves it out for a part of it.
	if in.ChecksumMode == types.ChecksumModeEnabled && !at.partial {
		o.Sum.tell(out)
	}
	return out, o, at, nil
}

// overrideHeaders sets what the request's response- parameters say.
func overrideHeaders(in *s3.GetObjectInput, out *s3.GetObjectOutput) {
	for _, o := range []struct{ from, to **string }{
		{&in.ResponseCacheControl, &out.CacheControl}, {&in.ResponseContentDisposition, &out.ContentDisposition},
		{&in.ResponseContentEncoding, &out.ContentEncoding}, {&in.ResponseContentLanguage, &out.ContentLanguage},
		{&in.ResponseContentType, &out.ContentType},
	} {
		if *o.from != nil {
			*o.to = *o.from
		}
	}
	if in.ResponseExpires != nil {
		out.ExpiresString = aws.String(in.ResponseExpires.UTC().Format(timeFormat))
	}
}

// spanOf is which bytes the request asks for.
func (s *Service) spanOf(ctx context.Context, in *s3.GetObjectInput, o object, out *s3.GetObjectOutput) (span, error) {
	if in.PartNumber == nil {
		return parseRange(aws.ToString(in.Range), o.Size)
	}
	if in.Range != nil {
		return span{}, invalidRequest("Cannot specify both Range header and partNumber query parameter")
	}
	number := *in.PartNumber
	if number < 1 || number > maxParts {
		return span{}, invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", strconv.Itoa(int(number)))
	}
	if o.Upload == "" {
		if number > 1 {
			return span{}, partNotSatisfiable(number, 1)
		}
		return span{length: o.Size, partial: o.Size > 0}, nil
	}
	if number > o.Parts {
		return span{}, partNotSatisfiable(number, o.Parts)
	}
	parts, err := s.partsOf(ctx, o.Upload)
	if err != nil {
		return span{}, err
	}
	out.PartsCount = &o.Parts
	at := span{partial: true}
	for _, p := range parts[:number-1] {
		at.start += p.Size
	}
	at.length = parts[number-1].Size
	return at, nil
}

func partNotSatisfiable(asked, actual int32) error {
	return problem(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable",
		"PartNumberRequested", strconv.Itoa(int(asked)), "ActualPartCount", strconv.Itoa(int(actual)))
}

// open opens the bytes of an object at a span.
func (s *Service) open(ctx context.Context, o object, at span) (io.ReadCloser, error) {
	if o.Upload == "" {
		return s.bodies.open(ctx, o.Blob, at)
	}
	parts, err := s.partsOf(ctx, o.Upload)
	if err != nil {
		return nil, err
	}
	if len(parts) != int(o.Parts) {
		return nil, store.ErrNotFound
	}
	return newPartsReader(ctx, s.bodies, parts, at), nil
}
