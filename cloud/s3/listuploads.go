package s3

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// uploadRows walks over the uploads to a bucket: by key, the oldest first.
type uploadRows struct {
	cursor[upload]
	bucket string
}

// uploadEntry is an upload in a list.
type uploadEntry struct {
	upload
	id string
}

func uploadIDOfRow(row string) string { return row[strings.LastIndexByte(row, 0)+1:] }

func (r *uploadRows) peek(ctx context.Context) (string, uploadEntry, bool, error) {
	e, err := r.cursor.peek(ctx)
	if e == nil {
		return "", uploadEntry{}, false, err
	}
	return keyOfRow(r.bucket, e.ID), uploadEntry{e.Value, uploadIDOfRow(e.ID)}, true, nil
}

func (r *uploadRows) skip(prefix string) {
	r.cursor.skip(beyond(r.bucket + "\x00" + escapeKey(prefix)))
}

// ListMultipartUploads lists the uploads in progress.
func (s *Service) ListMultipartUploads(ctx context.Context, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	e, err := newEncoder(in.EncodingType)
	if err != nil {
		return nil, err
	}
	q, err := newQuery(in.Prefix, in.Delimiter, in.KeyMarker, in.MaxUploads, "max-uploads")
	if err != nil {
		return nil, err
	}
	rows := &uploadRows{bucket: b.Name, cursor: cursor[upload]{table: s.uploads, prefix: b.Name + "\x00" + escapeKey(q.prefix), size: 64}}
	if q.after != "" {
		rows.after = beyond(keyRow(b.Name, q.after))
		if id := aws.ToString(in.UploadIdMarker); id != "" {
			rows.after = uploadRow(b.Name, q.after, id)
		}
	}
	out := &s3.ListMultipartUploadsOutput{
		Bucket: &b.Name, Prefix: e.string(q.prefix), Delimiter: e.optional(in.Delimiter), MaxUploads: aws.Int32(int32(q.limit)),
		KeyMarker: e.string(q.after), UploadIdMarker: aws.String(aws.ToString(in.UploadIdMarker)), EncodingType: in.EncodingType,
		NextKeyMarker: aws.String(""), NextUploadIdMarker: aws.String(""),
	}
	var last string
	p, err := walk(ctx, rows, q, func(key string, u uploadEntry) {
		last = u.id
		item := types.MultipartUpload{
			Key: e.string(key), UploadId: &u.id, Initiated: &u.Initiated, Owner: b.owner(),
			Initiator: &types.Initiator{ID: aws.String(canonicalID(u.Initiator))}, StorageClass: u.Object.shownClass(),
		}
		if u.Chosen {
			item.ChecksumAlgorithm, item.ChecksumType = u.Algorithm, u.Type
		}
		out.Uploads = append(out.Uploads, item)
	})
	if err != nil {
		return nil, err
	}
	out.CommonPrefixes, out.IsTruncated = e.prefixes(p.prefixes), &p.truncated
	if p.truncated {
		out.NextKeyMarker, out.NextUploadIdMarker = e.string(p.last), &last
	}
	return out, nil
}
