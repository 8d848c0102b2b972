package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// currentRows walks over the current versions of a bucket's objects.
type currentRows[T any] struct {
	cursor[T]
	bucket string
}

// newCurrentRows begins after the key after. A first page that holds what the
// caller wants, and one more, is one read.
func newCurrentRows(s *Service, bucket string, q query) *currentRows[listing] {
	size := q.limit + 1
	if q.delimiter != "" {
		size = min(size, 64)
	}
	return &currentRows[listing]{
		cursor: cursor[listing]{table: s.listings, prefix: objectID(bucket, q.prefix), after: objectID(bucket, q.after), size: size},
		bucket: bucket,
	}
}

func (r *currentRows[T]) peek(ctx context.Context) (string, T, bool, error) {
	e, err := r.cursor.peek(ctx)
	if e == nil {
		var none T
		return "", none, false, err
	}
	return e.ID[len(r.bucket)+1:], e.Value, true, nil
}

func (r *currentRows[T]) skip(prefix string) { r.cursor.skip(beyond(objectID(r.bucket, prefix))) }

// listed is one page of a bucket's objects.
type listed struct {
	page
	contents []types.Object
}

func (s *Service) list(ctx context.Context, b bucket, q query, e encoder, withOwner bool) (listed, error) {
	l := listed{contents: make([]types.Object, 0, min(q.limit, 64))}
	var owner *types.Owner
	if withOwner {
		owner = b.owner()
	}
	var err error
	l.page, err = walk(ctx, newCurrentRows(s, b.Name, q), q, func(key string, o listing) {
		item := types.Object{
			Key: e.string(key), LastModified: &o.Modified, ETag: o.quotedETag(), Size: &o.Size,
			StorageClass: types.ObjectStorageClassStandard, Owner: owner,
		}
		if o.Class != "" {
			item.StorageClass = types.ObjectStorageClass(o.Class)
		}
		if o.Sum.Algorithm != "" {
			item.ChecksumAlgorithm, item.ChecksumType = []types.ChecksumAlgorithm{o.Sum.Algorithm}, o.Sum.Type
		}
		l.contents = append(l.contents, item)
	})
	return l, err
}

// ListObjectsV2 lists objects by key.
func (s *Service) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	e, err := newEncoder(in.EncodingType)
	if err != nil {
		return nil, err
	}
	after := aws.ToString(in.StartAfter)
	if in.ContinuationToken != nil {
		if *in.ContinuationToken == "" {
			return nil, invalidArgument("The continuation token provided is incorrect", "continuation-token", "")
		}
		if after, err = decodeToken(in.ContinuationToken); err != nil {
			return nil, err
		}
	}
	q, err := newQuery(in.Prefix, in.Delimiter, &after, in.MaxKeys, "max-keys")
	if err != nil {
		return nil, err
	}
	l, err := s.list(ctx, b, q, e, aws.ToBool(in.FetchOwner))
	if err != nil {
		return nil, err
	}
	out := &s3.ListObjectsV2Output{
		Name: &b.Name, Prefix: e.string(q.prefix), Delimiter: e.optional(in.Delimiter), MaxKeys: aws.Int32(int32(q.limit)),
		KeyCount: aws.Int32(int32(l.count)), IsTruncated: &l.truncated, EncodingType: in.EncodingType,
		StartAfter: e.optional(in.StartAfter), ContinuationToken: in.ContinuationToken,
		Contents: l.contents, CommonPrefixes: e.prefixes(l.prefixes),
	}
	if l.truncated {
		out.NextContinuationToken = encodeToken(l.last)
	}
	return out, nil
}

// ListObjects is the older way to list objects.
func (s *Service) ListObjects(ctx context.Context, in *s3.ListObjectsInput) (*s3.ListObjectsOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	e, err := newEncoder(in.EncodingType)
	if err != nil {
		return nil, err
	}
	q, err := newQuery(in.Prefix, in.Delimiter, in.Marker, in.MaxKeys, "max-keys")
	if err != nil {
		return nil, err
	}
	l, err := s.list(ctx, b, q, e, true)
	if err != nil {
		return nil, err
	}
	out := &s3.ListObjectsOutput{
		Name: &b.Name, Prefix: e.string(q.prefix), Delimiter: e.optional(in.Delimiter), MaxKeys: aws.Int32(int32(q.limit)),
		Marker: e.string(q.after), IsTruncated: &l.truncated, EncodingType: in.EncodingType,
		Contents: l.contents, CommonPrefixes: e.prefixes(l.prefixes),
	}
	if l.truncated && q.delimiter != "" { // without a delimiter the last key serves
		out.NextMarker = e.string(l.last)
	}
	return out, nil
}
