package s3

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"

	"ouro/cloud/store"
)

const maxDelete = 1000 // keys of one request

// deletion is one thing to delete, and under which conditions.
type deletion struct {
	key      string
	version  *string
	match    *string // entity tag
	size     *int64
	modified *time.Time
	bypass   bool // governance-mode retention
}

// deleted is what became of it.
type deleted struct {
	marker  bool    // a marker was made, or the version deleted was one
	version *string // of the marker made or the version deleted
}

// DeleteObject deletes an object: for good in a bucket without versions or when
// the request names a version, else by a delete marker.
func (s *Service) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if _, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	if in.MFA != nil {
		return nil, notImplemented("x-amz-mfa")
	}
	key, err := checkKey(in.Key)
	if err != nil {
		return nil, err
	}
	d := deletion{key, in.VersionId, in.IfMatch, in.IfMatchSize, in.IfMatchLastModifiedTime, aws.ToBool(in.BypassGovernanceRetention)}
	var done deleted
	err = s.atomically(ctx, func(ctx context.Context) error {
		done, err = s.delete(ctx, *in.Bucket, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &s3.DeleteObjectOutput{VersionId: done.version}
	if done.marker {
		out.DeleteMarker = aws.Bool(true)
	}
	return out, nil
}

// DeleteObjects deletes up to 1,000 objects or versions; each succeeds or fails
// alone.
func (s *Service) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	if _, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	if in.Delete == nil || len(in.Delete.Objects) == 0 || len(in.Delete.Objects) > maxDelete {
		return nil, malformedXML()
	}
	if in.MFA != nil {
		return nil, notImplemented("x-amz-mfa")
	}
	out := &s3.DeleteObjectsOutput{}
	const batch = 100 // of one transaction: others wait meanwhile
	for left := in.Delete.Objects; len(left) > 0; left = left[min(batch, len(left)):] {
		if err := s.deleteBatch(ctx, in, left[:min(batch, len(left))], out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Service) deleteBatch(ctx context.Context, in *s3.DeleteObjectsInput, objects []types.ObjectIdentifier, out *s3.DeleteObjectsOutput) error {
	return s.atomically(ctx, func(ctx context.Context) error {
		for _, o := range objects {
			var done deleted
			key, err := checkKey(o.Key)
			if err == nil {
				d := deletion{key, o.VersionId, o.ETag, o.Size, o.LastModifiedTime, aws.ToBool(in.BypassGovernanceRetention)}
				err = s.host.Store().Atomically(ctx, func(ctx context.Context) error { // so that one that fails is undone alone
					done, err = s.delete(ctx, *in.Bucket, d)
					return err
				})
			}
			var api smithy.APIError
			switch {
			case err != nil && errors.As(err, &api):
				out.Errors = append(out.Errors, types.Error{Key: o.Key, VersionId: o.VersionId, Code: aws.String(api.ErrorCode()), Message: aws.String(api.ErrorMessage())})
			case err != nil:
				return err
			case !aws.ToBool(in.Delete.Quiet):
				out.Deleted = append(out.Deleted, done.entry(o))
			}
		}
		return nil
	})
}

func (d deleted) entry(o types.ObjectIdentifier) types.DeletedObject {
	e := types.DeletedObject{Key: o.Key, VersionId: o.VersionId}
	if d.marker {
		e.DeleteMarker, e.DeleteMarkerVersionId = aws.Bool(true), d.version
	}
	return e
}

// delete does one deletion, in a transaction.
func (s *Service) delete(ctx context.Context, bucketName string, d deletion) (deleted, error) {
	b, err := s.bucket(ctx, &bucketName, nil)
	if err != nil {
		return deleted{}, err
	}
	current, exists, err := s.latest(ctx, b, d.key)
	if err != nil {
		return deleted{}, err
	}
	if err := d.check(current.listing, exists && !current.Marker); err != nil {
		return deleted{}, err
	}
	if d.version != nil {
		return s.deleteVersion(ctx, b, d)
	}
	if b.Versioning == "" {
		if !exists {
			return deleted{}, nil
		}
		if err := s.remove(ctx, b.Name, d.key, current); err != nil {
			return deleted{}, err
		}
		return deleted{}, s.events.note(ctx, b, d.key, current.listing, eventDelete)
	}
	return s.mark(ctx, b, d.key, current, exists)
}

// check decides whether the conditions of the deletion hold for the current
// version.
func (d deletion) check(current listing, exists bool) error {
	switch {
	case d.match == nil && d.size == nil && d.modified == nil:
		return nil
	case !exists && d.match != nil:
		return noSuchKey(d.key)
	case !exists:
		return nil
	case d.match != nil && !tagMatches(*d.match, current.ETag):
		return preconditionFailed("If-Match")
	case d.size != nil && *d.size != current.Size:
		return preconditionFailed("x-amz-if-match-size")
	case d.modified != nil && !d.modified.Equal(current.Modified.Truncate(time.Second)):
		return preconditionFailed("x-amz-if-match-last-modified-time")
	}
	return nil
}

// mark puts a delete marker in the current version's place.
func (s *Service) mark(ctx context.Context, b bucket, key string, current object, exists bool) (deleted, error) {
	marker := object{listing: listing{Marker: true}}
	s.number(b, &marker, current.Order)
	if err := s.displace(ctx, b, key, current, exists); err != nil {
		return deleted{}, err
	}
	if err := s.versions.Put(ctx, everywhere, versionRow(b.Name, key, marker.Order), marker); err != nil {
		return deleted{}, err
	}
	return deleted{true, &marker.Version}, s.events.note(ctx, b, key, marker.listing, eventMark)
}

// deleteVersion removes a version for good. One that is not there is no error.
func (s *Service) deleteVersion(ctx context.Context, b bucket, d deletion) (deleted, error) {
	o, err := s.find(ctx, b, d.key, d.version)
	if isCode(err, "NoSuchVersion") {
		return deleted{version: d.version}, nil
	}
	if err != nil {
		return deleted{}, err
	}
	if err := o.checkUnlocked(s.now(), d.bypass); err != nil {
		return deleted{}, err
	}
	if err := s.remove(ctx, b.Name, d.key, o); err != nil {
		return deleted{}, err
	}
	if err := s.promote(ctx, b.Name, d.key); err != nil {
		return deleted{}, err
	}
	return deleted{o.Marker, d.version}, s.events.note(ctx, b, d.key, o.listing, eventDelete)
}

// promote makes the newest older version the current one, where there is no
// current one and the newest is no delete marker.
func (s *Service) promote(ctx context.Context, bucketName, key string) error {
	id := objectID(bucketName, key)
	if _, err := s.listings.Get(ctx, everywhere, id); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	older, err := s.versions.List(ctx, everywhere, store.Query{Prefix: keyRow(bucketName, key), Limit: 1})
	if err != nil || len(older) == 0 || older[0].Value.Marker {
		return err
	}
	if err := s.versions.Delete(ctx, everywhere, older[0].ID); err != nil {
		return err
	}
	return s.objects.Put(ctx, everywhere, id, older[0].Value)
}
