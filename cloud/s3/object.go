package s3

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// object is one version of an object, or a delete marker.
type object struct {
	listing
	details
}

// details are what lists do not tell of a version.
type details struct {
	Upload string        `json:",omitempty"` // the upload whose parts are the body
	Parts  int32         `json:",omitempty"` // how many they are
	Blob   string        `json:",omitempty"` // the body, when it was not uploaded in parts
	Tags   []types.Tag   `json:",omitempty"`
	Grants []types.Grant `json:",omitempty"`
	attributes
}

const nullVersion = "null"

// attributes are what a request says of an object besides its body. The fields
// are named and typed as in the SDK's inputs and outputs; see sameFields.
type attributes struct {
	CacheControl              *string                         `json:",omitempty"`
	ContentDisposition        *string                         `json:",omitempty"`
	ContentEncoding           *string                         `json:",omitempty"`
	ContentLanguage           *string                         `json:",omitempty"`
	ContentType               *string                         `json:",omitempty"`
	Expires                   *time.Time                      `json:",omitempty"`
	WebsiteRedirectLocation   *string                         `json:",omitempty"`
	Metadata                  map[string]string               `json:",omitempty"`
	ServerSideEncryption      types.ServerSideEncryption      `json:",omitempty"`
	SSEKMSKeyId               *string                         `json:",omitempty"`
	BucketKeyEnabled          *bool                           `json:",omitempty"`
	ObjectLockMode            types.ObjectLockMode            `json:",omitempty"`
	ObjectLockRetainUntilDate *time.Time                      `json:",omitempty"`
	ObjectLockLegalHoldStatus types.ObjectLockLegalHoldStatus `json:",omitempty"`
}

// shownVersion is the version id as answers tell it: none where versions were
// never enabled when the object was written.
func (l listing) shownVersion() *string {
	if l.Version == nullVersion || l.Version == "" {
		return nil
	}
	return &l.Version
}

func (l listing) quotedETag() *string { return aws.String(`"` + l.ETag + `"`) }

// now is the time as records keep it: S3 tells no finer than milliseconds.
func (s *Service) now() time.Time { return s.host.Now().UTC().Truncate(time.Millisecond) }

// newVersionID is a version id that begins with the order of its version, so
// that the version is found by it.
func newVersionID(order int64) string {
	b := make([]byte, 8)
	rand.Read(b) //nolint:errcheck // never fails: https://pkg.go.dev/crypto/rand#Read
	return orderText(order) + hex.EncodeToString(b)
}

// orderText writes an order so that the newest sorts first.
func orderText(order int64) string { return fmt.Sprintf("%016x", ^uint64(order)) }

// orderOf is the order in a version id that newVersionID made.
func orderOf(versionID string) (int64, bool) {
	if len(versionID) != 32 {
		return 0, false
	}
	n, err := strconv.ParseUint(versionID[:16], 16, 64)
	return int64(^n), err == nil
}

func versionRow(bucket, key string, order int64) string {
	return keyRow(bucket, key) + orderText(order)
}

// target is the version of an object that a request is about; no version is
// the current one.
type target struct{ bucket, key, version, owner *string }

// version gives the version that t names. What is a delete marker is an error
// that depends on the method.
func (s *Service) version(ctx context.Context, t target, method string) (bucket, object, error) {
	b, err := s.bucket(ctx, t.bucket, t.owner)
	if err != nil {
		return b, object{}, err
	}
	key, err := checkKey(t.key)
	if err != nil {
		return b, object{}, err
	}
	o, err := s.find(ctx, b, key, t.version)
	if err == nil && o.Marker {
		err = markerError(key, t.version, o, method)
	}
	return b, o, err
}

// markerError is what a delete marker answers with: as if there were nothing,
// or, when the request named it, that it cannot be read.
func markerError(key string, version *string, o object, method string) error {
	e := noSuchKey(key)
	if version != nil {
		e = methodNotAllowed(method)
		e.Header = map[string]string{"Allow": "DELETE", "Last-Modified": o.Modified.Format(timeFormat)}
	}
	return withHeader(e, "X-Amz-Delete-Marker", "true", "X-Amz-Version-Id", o.Version)
}

const timeFormat = "Mon, 02 Jan 2006 15:04:05 GMT"

func withHeader(e *wire.Error, pairs ...string) *wire.Error {
	if e.Header == nil {
		e.Header = map[string]string{}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Header[pairs[i]] = pairs[i+1]
	}
	return e
}

// find gives the current version, or the one of that id; either may be a delete
// marker.
func (s *Service) find(ctx context.Context, b bucket, key string, version *string) (object, error) {
	if version == nil {
		o, ok, err := s.latest(ctx, b, key)
		if err == nil && !ok {
			err = noSuchKey(key)
		}
		return o, err
	}
	order, ok := orderOf(*version)
	if !ok && *version != nullVersion {
		return object{}, invalidArgument("Invalid version id specified", "versionId", *version)
	}
	current, err := s.objects.Get(ctx, everywhere, objectID(b.Name, key))
	if err == nil && current.Version == *version {
		return current, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return object{}, err
	}
	if !ok {
		return s.findNull(ctx, b.Name, key)
	}
	o, err := s.versions.Get(ctx, everywhere, versionRow(b.Name, key, order))
	if errors.Is(err, store.ErrNotFound) || err == nil && o.Version != *version {
		return o, noSuchVersion(key, *version)
	}
	return o, err
}

// latest gives the current version or the delete marker in its place; false
// when the key has neither.
func (s *Service) latest(ctx context.Context, b bucket, key string) (object, bool, error) {
	o, err := s.objects.Get(ctx, everywhere, objectID(b.Name, key))
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return o, err == nil, err
	}
	if b.Versioning == "" {
		return object{}, false, nil
	}
	older, err := s.versions.List(ctx, everywhere, store.Query{Prefix: keyRow(b.Name, key), Limit: 1})
	if err != nil || len(older) == 0 {
		return object{}, false, err
	}
	return older[0].Value, true, nil
}

// findNull finds the null version among a key's older ones.
func (s *Service) findNull(ctx context.Context, bucket, key string) (object, error) {
	rows := cursor[object]{table: s.versions, prefix: keyRow(bucket, key), size: 32}
	for {
		e, err := rows.peek(ctx)
		switch {
		case err != nil:
			return object{}, err
		case e == nil:
			return object{}, noSuchVersion(key, nullVersion)
		case e.Value.Version == nullVersion:
			return e.Value, nil
		}
		rows.next()
	}
}

// changeVersion alters what is known of a version, not its body.
func (s *Service) changeVersion(ctx context.Context, t target, change func(b bucket, o *object) error) (object, error) {
	var o object
	err := s.atomically(ctx, func(ctx context.Context) error {
		var b bucket
		var err error
		if b, o, err = s.version(ctx, t, "PUT"); err != nil {
			return err
		}
		if err := change(b, &o); err != nil {
			return err
		}
		id := objectID(b.Name, *t.key)
		current, err := s.objects.Get(ctx, everywhere, id)
		if err == nil && current.Order == o.Order {
			return s.objects.Put(ctx, everywhere, id, o)
		}
		return s.versions.Put(ctx, everywhere, versionRow(b.Name, *t.key, o.Order), o)
	})
	return o, err
}

// checkClass refuses storage classes that objects cannot be put into.
func checkClass(c types.StorageClass) error {
	unfit := []types.StorageClass{types.StorageClassOutposts, types.StorageClassSnow, types.StorageClassExpressOnezone}
	if c != "" && (!slices.Contains(c.Values(), c) || slices.Contains(unfit, c) || strings.HasPrefix(string(c), "FSX") || strings.HasPrefix(string(c), "AWS_")) {
		return badRequest("InvalidStorageClass", "The storage class you specified is not valid", "StorageClassRequested", string(c))
	}
	return nil
}
