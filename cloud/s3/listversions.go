package s3

import (
	"context"
	"errors"
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/store"
)

// versionRows walks over all versions of a bucket's objects: by key, the newest
// first.
type versionRows struct {
	current *currentRows[listing]
	older   cursor[listing]
	bucket  string
	first   *listing // of the key of the marker: its current version, where that is an older one than the marker
	seen    string   // the key of the row before
	any     bool     // there was one

	fromOlder bool // where the row that was peeked is
}

// versionEntry is a version in a list.
type versionEntry struct {
	listing
	latest bool
}

// newVersionRows begins after the key q.after, or, with a marker, after that
// version of it.
func newVersionRows(s *Service, bucket string, q query, marker, first *listing) *versionRows {
	r := &versionRows{
		current: newCurrentRows(s, bucket, q), bucket: bucket,
		older: cursor[listing]{
			table: store.NewTable[listing](s.host.Store(), "s3", "version"), prefix: bucket + "\x00" + escapeKey(q.prefix), size: 64,
		},
	}
	switch {
	case marker != nil:
		r.older.after = versionRow(bucket, q.after, marker.Order)
		r.seen, r.any, r.first = q.after, true, first
	case q.after != "":
		r.older.after = beyond(keyRow(bucket, q.after))
	}
	return r
}

func (r *versionRows) peek(ctx context.Context) (string, versionEntry, bool, error) {
	if r.first != nil {
		return r.seen, versionEntry{*r.first, true}, true, nil
	}
	key, row, ok, err := r.current.peek(ctx)
	if err != nil {
		return "", versionEntry{}, false, err
	}
	old, err := r.older.peek(ctx)
	if err != nil || !ok && old == nil {
		return "", versionEntry{}, false, err
	}
	if old != nil {
		oldKey := keyOfRow(r.bucket, old.ID)
		if r.fromOlder = !ok || oldKey < key; r.fromOlder {
			return oldKey, versionEntry{old.Value, !r.any || r.seen != oldKey}, true, nil
		}
	}
	r.fromOlder = false
	return key, versionEntry{row, true}, true, nil
}

func (r *versionRows) next() {
	if r.first != nil {
		r.first = nil
		return
	}
	r.any = true
	if r.fromOlder {
		r.seen = keyOfRow(r.bucket, r.older.page[0].ID)
		r.older.next()
		return
	}
	r.seen = r.current.page[0].ID[len(r.bucket)+1:]
	r.current.next()
}

func (r *versionRows) skip(prefix string) {
	r.first = nil
	r.current.skip(prefix)
	r.older.skip(beyond(r.bucket + "\x00" + escapeKey(prefix)))
}

// ListObjectVersions lists all versions and delete markers.
func (s *Service) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	e, err := newEncoder(in.EncodingType)
	if err != nil {
		return nil, err
	}
	q, err := newQuery(in.Prefix, in.Delimiter, in.KeyMarker, in.MaxKeys, "max-keys")
	if err != nil {
		return nil, err
	}
	marker, err := s.versionMarker(ctx, b, in)
	if err != nil {
		return nil, err
	}
	first, err := s.promoted(ctx, b, q.after, marker)
	if err != nil {
		return nil, err
	}
	out := &s3.ListObjectVersionsOutput{
		Name: &b.Name, Prefix: e.string(q.prefix), Delimiter: e.optional(in.Delimiter), MaxKeys: aws.Int32(int32(q.limit)),
		KeyMarker: e.string(q.after), VersionIdMarker: aws.String(aws.ToString(in.VersionIdMarker)), EncodingType: in.EncodingType,
	}
	var last string
	p, err := walk(ctx, newVersionRows(s, b.Name, q, marker, first), q, func(key string, v versionEntry) {
		last = v.Version
		addVersion(out, b, e.string(key), v)
	})
	if err != nil {
		return nil, err
	}
	out.CommonPrefixes, out.IsTruncated = e.prefixes(p.prefixes), &p.truncated
	if p.truncated {
		out.NextKeyMarker = e.string(p.last)
		if n := len(p.prefixes); n == 0 || p.prefixes[n-1] != p.last {
			out.NextVersionIdMarker = &last
		}
	}
	return out, nil
}

func addVersion(out *s3.ListObjectVersionsOutput, b bucket, key *string, v versionEntry) {
	if v.Marker {
		out.DeleteMarkers = append(out.DeleteMarkers, types.DeleteMarkerEntry{
			Key: key, VersionId: &v.Version, IsLatest: &v.latest, LastModified: &v.Modified, Owner: b.owner(),
		})
		return
	}
	item := types.ObjectVersion{
		Key: key, VersionId: &v.Version, IsLatest: &v.latest, LastModified: &v.Modified, Owner: b.owner(),
		ETag: v.quotedETag(), Size: &v.Size, StorageClass: types.ObjectVersionStorageClass(v.Class),
	}
	if v.Class == "" {
		item.StorageClass = types.ObjectVersionStorageClassStandard
	}
	if v.Sum.Algorithm != "" {
		item.ChecksumAlgorithm, item.ChecksumType = []types.ChecksumAlgorithm{v.Sum.Algorithm}, v.Sum.Type
	}
	out.Versions = append(out.Versions, item)
}

// versionMarker is the version that the list goes on after, or nil to go on
// after all versions of the key marker.
func (s *Service) versionMarker(ctx context.Context, b bucket, in *s3.ListObjectVersionsInput) (*listing, error) {
	id := aws.ToString(in.VersionIdMarker)
	switch {
	case id == "":
		return nil, nil
	case aws.ToString(in.KeyMarker) == "":
		return nil, invalidArgument("A version-id marker cannot be specified without a key marker.", "version-id-marker", id)
	}
	if order, ok := orderOf(id); ok {
		return &listing{Order: order}, nil // the version itself may be gone
	}
	if id != nullVersion {
		return nil, invalidArgument("Invalid version id specified", "version-id-marker", id)
	}
	o, err := s.find(ctx, b, *in.KeyMarker, &id)
	if isCode(err, "NoSuchVersion", "NoSuchKey") {
		// Where it was nobody knows any more: better all of the key's than none.
		return &listing{Order: math.MaxInt64}, nil
	}
	return &o.listing, err
}

// promoted is the key's current version if it became that after the marker was
// given out: clients delete page by page while they list.
func (s *Service) promoted(ctx context.Context, b bucket, key string, marker *listing) (*listing, error) {
	if marker == nil {
		return nil, nil
	}
	current, err := s.listings.Get(ctx, everywhere, objectID(b.Name, key))
	if errors.Is(err, store.ErrNotFound) || err == nil && current.Order >= marker.Order {
		return nil, nil
	}
	return &current, err
}
