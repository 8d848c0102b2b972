package s3

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/store"
)

const copyPrefix = "x-amz-copy-source-"

var copyEncryption = sameFields[attributes, s3.CopyObjectOutput]()

// source is what is copied.
type source struct {
	object
	bucket, key string
	versioned   bool // the request named a version
}

// copySource finds what x-amz-copy-source names: /bucket/key?versionId=id, as
// in a URL.
func (s *Service) copySource(ctx context.Context, header, owner *string, conditions readConditions) (source, error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(aws.ToString(header), "/"), "?")
	invalid := invalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", aws.ToString(header))
	path, err := url.PathUnescape(path)
	if err != nil {
		return source{}, invalid
	}
	bucketName, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok || bucketName == "" || key == "" {
		return source{}, invalid
	}
	var version *string
	if id, ok := strings.CutPrefix(query, "versionId="); ok {
		version = &id
	}
	_, o, err := s.version(ctx, target{&bucketName, &key, version, owner}, "GET")
	switch {
	case isCode(err, "MethodNotAllowed"):
		return source{}, invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.")
	case err != nil:
		return source{}, err
	case o.Class == types.StorageClassGlacier || o.Class == types.StorageClassDeepArchive:
		return source{}, problem(403, "ObjectNotInActiveTierError", "The source object of the COPY action is not in the active tier")
	}
	return source{o, bucketName, key, version != nil}, conditions.check(o.listing)
}

// CopyObject makes an object of another one's bytes. Bytes that are one blob
// are shared, not copied.
func (s *Service) CopyObject(ctx context.Context, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	conditions := writeConditions{in.IfMatch, in.IfNoneMatch}
	if err := conditions.checkForm(); err != nil {
		return nil, err
	}
	from, err := s.copySource(ctx, in.CopySource, in.ExpectedSourceBucketOwner, readConditions{
		in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince, copyPrefix,
	})
	if err != nil {
		return nil, err
	}
	o, err := s.copied(b, in, from)
	if err != nil {
		return nil, err
	}
	if err := s.copyBody(ctx, b, in, from, &o, conditions); err != nil {
		return nil, err
	}
	out := &s3.CopyObjectOutput{
		VersionId: o.shownVersion(), CopySourceVersionId: from.shownVersion(),
		CopyObjectResult: &types.CopyObjectResult{ETag: o.quotedETag(), LastModified: &o.Modified},
	}
	copyEncryption(&o.attributes, out)
	o.Sum.tell(out.CopyObjectResult)
	return out, nil
}

// copied is what the copy will be, all but its body.
func (s *Service) copied(b bucket, in *s3.CopyObjectInput, from source) (object, error) {
	if in.CopySourceSSECustomerAlgorithm != nil {
		return object{}, notImplemented("x-amz-copy-source-server-side-encryption-customer-algorithm")
	}
	if from.Size > maxPut {
		return object{}, invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
	}
	var put s3.PutObjectInput
	copyAttributes(in, &put)
	if in.TaggingDirective != types.TaggingDirectiveReplace {
		put.Tagging = nil
	}
	o, err := newObject(b, &put, s.now())
	if err != nil {
		return o, err
	}
	if in.TaggingDirective != types.TaggingDirectiveReplace {
		o.Tags = from.Tags
	}
	if in.MetadataDirective == types.MetadataDirectiveReplace {
		return o, nil
	}
	itself := from.bucket == b.Name && from.key == *in.Key && !from.versioned
	changed := in.StorageClass != "" || in.WebsiteRedirectLocation != nil || in.ServerSideEncryption != "" || in.TaggingDirective == types.TaggingDirectiveReplace
	if itself && !changed {
		return o, invalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	a := &from.attributes
	o.CacheControl, o.ContentDisposition, o.ContentEncoding = a.CacheControl, a.ContentDisposition, a.ContentEncoding
	o.ContentLanguage, o.ContentType, o.Expires, o.Metadata = a.ContentLanguage, a.ContentType, a.Expires, a.Metadata
	return o, nil
}

// copyBody gives the copy its bytes and writes it.
func (s *Service) copyBody(ctx context.Context, b bucket, in *s3.CopyObjectInput, from source, o *object, conditions writeConditions) error {
	sameSum := in.ChecksumAlgorithm == "" || in.ChecksumAlgorithm == from.Sum.Algorithm
	if from.Blob != "" && sameSum {
		o.Blob, o.Size, o.ETag, o.Sum = from.Blob, from.Size, from.ETag, from.Sum
		return s.share(ctx, b, in, from, o, conditions)
	}
	bytes, err := s.open(ctx, from.object, span{length: from.Size})
	if err != nil {
		return err
	}
	defer bytes.Close()
	algorithm := cmpAlgorithm(in.ChecksumAlgorithm, from.Sum.Algorithm)
	t, body, done, err := s.receive(ctx, delivery{body: io.Reader(bytes), in: &s3.PutObjectInput{}, kept: algorithm})
	if err != nil {
		return err
	}
	o.Blob, o.Size, o.ETag, o.Sum = body.name, body.size, t.etag(), t.kept(algorithm)
	return s.write(ctx, b.Name, *in.Key, o, body, done, conditions, eventCopy)
}

// share writes the copy as one more owner of its source's body, which may have
// gone since the source was found.
func (s *Service) share(ctx context.Context, b bucket, in *s3.CopyObjectInput, from source, o *object, conditions writeConditions) error {
	return s.atomically(ctx, func(ctx context.Context) error {
		var err error
		o.Blob, err = s.bodies.share(ctx, from.Blob)
		if errors.Is(err, store.ErrNotFound) {
			return noSuchKey(from.key)
		}
		if err != nil {
			return err
		}
		return s.writeIn(ctx, b.Name, *in.Key, o, conditions, eventCopy, nil)
	})
}
