package s3

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

const (
	maxParts    = 10000
	minPartSize = 5 << 20 // bytes, of all parts but the last
)

// upload is a multipart upload in progress.
type upload struct {
	Object    object // what it will be
	Initiated time.Time
	Initiator string // account
	Algorithm types.ChecksumAlgorithm
	Type      types.ChecksumType
	Chosen    bool `json:",omitempty"` // the client chose the algorithm
}

// part is a part of an upload, and later of the object that the upload made.
type part struct {
	Number   int32
	Blob     string
	Size     int64
	ETag     string   // without quotes
	Sum      checksum // by the upload's algorithm
	Modified time.Time
}

func (p part) quotedETag() *string { return aws.String(`"` + p.ETag + `"`) }

// uploadRow names an upload's record. Upload ids begin with the time, so that
// uploads of one key sort by it.
func uploadRow(bucket, key, id string) string { return keyRow(bucket, key) + id }

func newUploadID(now time.Time) string {
	return fmt.Sprintf("%016x", now.UnixNano()) + newVersionID(0)[16:]
}

func partRow(uploadID string, number int32) string {
	return fmt.Sprintf("%s\x00%05d", uploadID, number)
}

var createOutput = sameFields[attributes, s3.CreateMultipartUploadOutput]()

// CreateMultipartUpload begins an upload in parts.
func (s *Service) CreateMultipartUpload(ctx context.Context, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	var put s3.PutObjectInput
	createAttributes(in, &put)
	put.ChecksumAlgorithm = ""
	o, err := newObject(b, &put, s.now())
	if err != nil {
		return nil, err
	}
	u := upload{Object: o, Initiated: s.now(), Initiator: door.CallerFrom(ctx).Account, Algorithm: in.ChecksumAlgorithm, Type: in.ChecksumType}
	if err := u.chooseChecksum(); err != nil {
		return nil, err
	}
	id := newUploadID(s.host.Now())
	err = s.atomically(ctx, func(ctx context.Context) error {
		if _, err := s.bucket(ctx, in.Bucket, nil); err != nil {
			return err
		}
		return s.uploads.Put(ctx, everywhere, uploadRow(b.Name, *in.Key, id), u)
	})
	if err != nil {
		return nil, err
	}
	out := &s3.CreateMultipartUploadOutput{Bucket: in.Bucket, Key: in.Key, UploadId: &id}
	createOutput(&o.attributes, out)
	if u.Chosen {
		out.ChecksumAlgorithm, out.ChecksumType = u.Algorithm, u.Type
	}
	return out, nil
}

// chooseChecksum fills in what the request left open, and refuses what does
// not go together.
func (u *upload) chooseChecksum() error {
	if u.Chosen = u.Algorithm != ""; !u.Chosen {
		if u.Type == types.ChecksumTypeComposite {
			return invalidRequest("The COMPOSITE checksum type can only be used with a checksum algorithm.")
		}
		u.Algorithm, u.Type = defaultAlgorithm, types.ChecksumTypeFullObject
		return nil
	}
	a, err := algorithmOf(u.Algorithm)
	if err != nil {
		return err
	}
	if u.Type == "" {
		u.Type = types.ChecksumTypeComposite
		if !a.parts {
			u.Type = types.ChecksumTypeFullObject
		}
	}
	if u.Type == types.ChecksumTypeFullObject && !a.whole || u.Type == types.ChecksumTypeComposite && !a.parts {
		return invalidRequest(fmt.Sprintf("The %s checksum type cannot be used with the %s checksum algorithm.", u.Type, a.name))
	}
	return nil
}

// upload gives the upload of that id.
func (s *Service) upload(ctx context.Context, bucketName, key, id, owner *string) (bucket, upload, error) {
	b, err := s.bucket(ctx, bucketName, owner)
	if err != nil {
		return b, upload{}, err
	}
	if _, err := checkKey(key); err != nil {
		return b, upload{}, err
	}
	u, err := s.uploads.Get(ctx, everywhere, uploadRow(b.Name, *key, aws.ToString(id)))
	if errors.Is(err, store.ErrNotFound) {
		err = noSuchUpload(aws.ToString(id))
	}
	return b, u, err
}

// partsOf are the parts of an upload, by number.
func (s *Service) partsOf(ctx context.Context, uploadID string) ([]part, error) {
	entries, err := s.parts.List(ctx, everywhere, store.Query{Prefix: uploadID + "\x00"})
	parts := make([]part, len(entries))
	for i, e := range entries {
		parts[i] = e.Value
	}
	return parts, err
}

// dropPart removes a part with its reference, in a transaction.
func (s *Service) dropPart(ctx context.Context, uploadID string, p part) error {
	if err := s.parts.Delete(ctx, everywhere, partRow(uploadID, p.Number)); err != nil {
		return err
	}
	return s.bodies.drop(ctx, p.Blob)
}

func (s *Service) dropParts(ctx context.Context, uploadID string) error {
	parts, err := s.partsOf(ctx, uploadID)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := s.dropPart(ctx, uploadID, p); err != nil {
			return err
		}
	}
	return nil
}

// dropUploads ends all uploads to a bucket that goes away.
func (s *Service) dropUploads(ctx context.Context, bucket string) error {
	entries, err := s.uploads.List(ctx, everywhere, store.Query{Prefix: bucket + "\x00"})
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := s.dropParts(ctx, uploadIDOfRow(e.ID)); err != nil {
			return err
		}
		if err := s.uploads.Delete(ctx, everywhere, e.ID); err != nil {
			return err
		}
	}
	return nil
}

// AbortMultipartUpload gives up an upload and its parts.
func (s *Service) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	err := s.atomically(ctx, func(ctx context.Context) error {
		b, _, err := s.upload(ctx, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		if err := s.dropParts(ctx, *in.UploadId); err != nil {
			return err
		}
		return s.uploads.Delete(ctx, everywhere, uploadRow(b.Name, *in.Key, *in.UploadId))
	})
	if err != nil {
		return nil, err
	}
	return &s3.AbortMultipartUploadOutput{}, nil
}

// ListParts lists the parts of an upload by number.
func (s *Service) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	b, u, err := s.upload(ctx, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	q, err := newQuery(nil, nil, nil, in.MaxParts, "max-parts")
	if err != nil {
		return nil, err
	}
	marker, err := partMarker(in.PartNumberMarker)
	if err != nil {
		return nil, err
	}
	entries, err := s.parts.List(ctx, everywhere, store.Query{Prefix: *in.UploadId + "\x00", After: partRow(*in.UploadId, marker), Limit: q.limit + 1})
	if err != nil {
		return nil, err
	}
	out := &s3.ListPartsOutput{
		Bucket: &b.Name, Key: in.Key, UploadId: in.UploadId, MaxParts: aws.Int32(int32(q.limit)),
		PartNumberMarker: aws.String(strconv.Itoa(int(marker))), NextPartNumberMarker: aws.String("0"),
		Owner: b.owner(), Initiator: &types.Initiator{ID: aws.String(canonicalID(u.Initiator))},
		StorageClass: u.Object.shownClass(), IsTruncated: aws.Bool(len(entries) > q.limit && q.limit > 0),
	}
	if u.Chosen {
		out.ChecksumAlgorithm, out.ChecksumType = u.Algorithm, u.Type
	}
	for _, e := range entries[:min(len(entries), q.limit)] {
		p := e.Value
		item := types.Part{PartNumber: &p.Number, Size: &p.Size, ETag: p.quotedETag(), LastModified: &p.Modified}
		if u.Chosen {
			p.Sum.tell(&item)
		}
		out.Parts = append(out.Parts, item)
		out.NextPartNumberMarker = aws.String(strconv.Itoa(int(p.Number)))
	}
	return out, nil
}

func partMarker(text *string) (int32, error) {
	if aws.ToString(text) == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(*text, 10, 32)
	if err != nil || n < 0 {
		return 0, invalidArgument("Argument part-number-marker must be an integer between 0 and 2147483647", "part-number-marker", *text)
	}
	return int32(min(n, 99999)), nil
}

// shownClass is the storage class where it is always told.
func (l listing) shownClass() types.StorageClass {
	if l.Class == "" {
		return types.StorageClassStandard
	}
	return l.Class
}
