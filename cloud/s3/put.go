package s3

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/store"
)

const maxMetadata = 2 << 10 // bytes of names and values

var (
	putAttributes    = sameFields[s3.PutObjectInput, attributes]()
	putEncryption    = sameFields[attributes, s3.PutObjectOutput]()
	createAttributes = sameFields[s3.CreateMultipartUploadInput, s3.PutObjectInput]()
	copyAttributes   = sameFields[s3.CopyObjectInput, s3.PutObjectInput]()
)

// PutObject stores an object.
func (s *Service) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	o, err := newObject(b, in, s.now())
	if err != nil {
		return nil, err
	}
	conditions := writeConditions{in.IfMatch, in.IfNoneMatch}
	if err := s.checkEarly(ctx, b, *in.Key, conditions); err != nil {
		return nil, err
	}
	t, body, done, err := s.receive(ctx, delivery{
		body: in.Body, length: in.ContentLength, contentMD5: in.ContentMD5, in: in, announced: in.ChecksumAlgorithm,
	})
	if err != nil {
		return nil, err
	}
	o.Blob, o.Size, o.ETag, o.Sum = body.name, body.size, t.etag(), t.kept("")
	if err := s.write(ctx, b.Name, *in.Key, &o, body, done, conditions, eventPut); err != nil {
		return nil, err
	}
	out := &s3.PutObjectOutput{ETag: o.quotedETag(), VersionId: o.shownVersion()}
	putEncryption(&o.attributes, out)
	o.Sum.tell(out)
	return out, nil
}

// newObject is what the request says of the object that it makes, all but the
// body.
func newObject(b bucket, in *s3.PutObjectInput, now time.Time) (object, error) {
	o := object{listing: listing{Class: in.StorageClass}}
	putAttributes(in, &o.attributes)
	if _, err := checkKey(in.Key); err != nil {
		return o, err
	}
	if err := refuseUnsupported(in); err != nil {
		return o, err
	}
	if err := checkClass(in.StorageClass); err != nil {
		return o, err
	}
	if o.Class == types.StorageClassStandard {
		o.Class = ""
	}
	if err := o.checkMetadata(); err != nil {
		return o, err
	}
	var err error
	if o.Tags, err = tagsOfHeader(in.Tagging); err != nil {
		return o, err
	}
	if err := o.encrypt(b); err != nil {
		return o, err
	}
	if err := o.lock(b, now); err != nil {
		return o, err
	}
	o.Grants, err = grantsOf(b, b.Owner, string(in.ACL), grantHeaders{fullControl: in.GrantFullControl, read: in.GrantRead, readACP: in.GrantReadACP, writeACP: in.GrantWriteACP})
	if o.ContentType == nil {
		o.ContentType = aws.String("binary/octet-stream")
	}
	return o, err
}

// refuseUnsupported refuses headers whose meaning this S3 does not carry out.
func refuseUnsupported(in *s3.PutObjectInput) error {
	switch {
	case in.SSECustomerAlgorithm != nil || in.SSECustomerKey != nil || in.SSECustomerKeyMD5 != nil:
		return notImplemented("x-amz-server-side-encryption-customer-algorithm")
	case in.WriteOffsetBytes != nil:
		return notImplemented("x-amz-write-offset-bytes")
	case in.ObjectLockEventHold != "":
		return notImplemented("x-amz-object-lock-event-hold")
	}
	return nil
}

// checkMetadata bounds user metadata and brings its names to small letters, as
// S3 does.
func (a *attributes) checkMetadata() error {
	size := 0
	for name, value := range a.Metadata {
		size += len(name) + len(value)
		if lower := strings.ToLower(name); lower != name {
			delete(a.Metadata, name)
			a.Metadata[lower] = value
		}
	}
	if size > maxMetadata {
		return badRequest("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size",
			"Size", strconv.Itoa(size), "MaxSizeAllowed", strconv.Itoa(maxMetadata))
	}
	return nil
}

// checkEarly spares the client a body that a condition would refuse. The
// conditions are checked again when the object is written.
func (s *Service) checkEarly(ctx context.Context, b bucket, key string, conditions writeConditions) error {
	if err := conditions.checkForm(); err != nil || conditions == (writeConditions{}) {
		return err
	}
	current, exists, err := s.latest(ctx, b, key)
	if err != nil {
		return err
	}
	return conditions.check(key, current.listing, exists && !current.Marker)
}

// write makes o, whose bytes were just put, the current version of its key, if
// the conditions hold.
func (s *Service) write(ctx context.Context, bucketName, key string, o *object, put body, done func(), conditions writeConditions, reason string) error {
	err := s.decided(ctx, func(ctx context.Context) error {
		return s.writeIn(ctx, bucketName, key, o, conditions, reason, func(ctx context.Context) error { return s.bodies.refer(ctx, put) })
	})
	done()
	if err != nil {
		s.bodies.abandon(ctx, put)
	}
	return err
}

// writeIn makes o the current version of its key, in a transaction. refer, if
// it is not nil, refers to the body once nothing stands against the write.
func (s *Service) writeIn(ctx context.Context, bucketName, key string, o *object, conditions writeConditions, reason string, refer func(context.Context) error) error {
	b, err := s.bucket(ctx, &bucketName, nil)
	if err != nil {
		return err
	}
	current, exists, err := s.latest(ctx, b, key)
	if err != nil {
		return err
	}
	if err := conditions.check(key, current.listing, exists && !current.Marker); err != nil {
		return err
	}
	if refer != nil {
		if err := refer(ctx); err != nil {
			return err
		}
	}
	s.number(b, o, current.Order)
	if err := s.displace(ctx, b, key, current, exists); err != nil {
		return err
	}
	if err := s.objects.Put(ctx, everywhere, objectID(b.Name, key), *o); err != nil {
		return err
	}
	return s.events.note(ctx, b, key, o.listing, reason)
}

// number gives a new version its place after the last one, its time and id.
func (s *Service) number(b bucket, o *object, last int64) {
	o.Modified = s.now()
	o.Order = max(s.host.Now().UnixNano(), last+1)
	o.Version = nullVersion
	if b.Versioning == types.BucketVersioningStatusEnabled {
		o.Version = newVersionID(o.Order)
	}
}

// displace makes room for a new version: the current one goes to the older
// ones, or away, if it is the null version and the new one will be too.
func (s *Service) displace(ctx context.Context, b bucket, key string, current object, exists bool) error {
	if !exists {
		return nil
	}
	keepNull := b.Versioning == types.BucketVersioningStatusEnabled
	switch {
	case current.Version == nullVersion && !keepNull:
		return s.remove(ctx, b.Name, key, current)
	case !current.Marker:
		if err := s.versions.Put(ctx, everywhere, versionRow(b.Name, key, current.Order), current); err != nil {
			return err
		}
		if err := s.objects.Delete(ctx, everywhere, objectID(b.Name, key)); err != nil {
			return err
		}
	}
	if keepNull {
		return nil
	}
	null, err := s.findNull(ctx, b.Name, key)
	if isCode(err, "NoSuchVersion") {
		return nil
	}
	if err != nil {
		return err
	}
	return s.remove(ctx, b.Name, key, null)
}

// remove takes one version away, with its body's reference.
func (s *Service) remove(ctx context.Context, bucketName, key string, o object) error {
	err := store.ErrNotFound
	if !o.Marker {
		id := objectID(bucketName, key)
		if current, getErr := s.objects.Get(ctx, everywhere, id); getErr == nil && current.Order == o.Order {
			err = s.objects.Delete(ctx, everywhere, id)
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		err = s.versions.Delete(ctx, everywhere, versionRow(bucketName, key, o.Order))
	}
	if err != nil {
		return err
	}
	return s.dropBody(ctx, o)
}

// dropBody gives up a version's references to its bytes.
func (s *Service) dropBody(ctx context.Context, o object) error {
	if o.Blob != "" {
		return s.bodies.drop(ctx, o.Blob)
	}
	if o.Upload != "" {
		return s.dropParts(ctx, o.Upload)
	}
	return nil
}

// isCode tells whether err is the S3 error of one of those codes.
func isCode(err error, codes ...string) bool {
	var api interface{ ErrorCode() string }
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}
