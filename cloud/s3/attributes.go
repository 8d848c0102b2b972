package s3

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// GetObjectAttributes tells what the request asks for of an object.
func (s *Service) GetObjectAttributes(ctx context.Context, in *s3.GetObjectAttributesInput) (*s3.GetObjectAttributesOutput, error) {
	_, o, err := s.version(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, "GET")
	if err != nil {
		return nil, err
	}
	if len(in.ObjectAttributes) == 0 {
		return nil, invalidRequest("The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty")
	}
	out := &s3.GetObjectAttributesOutput{LastModified: &o.Modified, VersionId: o.shownVersion()}
	for _, name := range in.ObjectAttributes {
		switch name {
		case types.ObjectAttributesEtag:
			out.ETag = &o.ETag // without quotes, here alone
		case types.ObjectAttributesChecksum:
			out.Checksum = &types.Checksum{}
			o.Sum.tell(out.Checksum)
		case types.ObjectAttributesStorageClass:
			out.StorageClass = o.shownClass()
		case types.ObjectAttributesObjectSize:
			out.ObjectSize = &o.Size
		case types.ObjectAttributesObjectParts:
			if o.Upload != "" {
				if out.ObjectParts, err = s.partAttributes(ctx, in, o); err != nil {
					return nil, err
				}
			}
		default:
			return nil, invalidArgument("Invalid attribute name specified.", "x-amz-object-attributes", string(name))
		}
	}
	return out, nil
}

func (s *Service) partAttributes(ctx context.Context, in *s3.GetObjectAttributesInput, o object) (*types.GetObjectAttributesParts, error) {
	out := &types.GetObjectAttributesParts{TotalPartsCount: &o.Parts}
	if o.Sum.Type != types.ChecksumTypeComposite {
		return out, nil // AWS lists the parts only where they have checksums of their own
	}
	q, err := newQuery(nil, nil, nil, in.MaxParts, "max-parts")
	if err != nil {
		return nil, err
	}
	marker, err := partMarker(in.PartNumberMarker)
	if err != nil {
		return nil, err
	}
	parts, err := s.partsOf(ctx, o.Upload)
	if err != nil {
		return nil, err
	}
	start := slices.IndexFunc(parts, func(p part) bool { return p.Number > marker })
	if start < 0 {
		start = len(parts)
	}
	end := min(start+q.limit, len(parts))
	out.MaxParts, out.IsTruncated = aws.Int32(int32(q.limit)), aws.Bool(end < len(parts))
	out.PartNumberMarker = aws.String(strconv.Itoa(int(marker)))
	out.NextPartNumberMarker = aws.String("0")
	for _, p := range parts[start:end] {
		item := types.ObjectPart{PartNumber: &p.Number, Size: &p.Size}
		p.Sum.tell(&item)
		out.Parts = append(out.Parts, item)
		out.NextPartNumberMarker = aws.String(strconv.Itoa(int(p.Number)))
	}
	return out, nil
}

// RestoreObject is refused: archived objects cannot be brought back here.
func (s *Service) RestoreObject(ctx context.Context, in *s3.RestoreObjectInput) (*s3.RestoreObjectOutput, error) {
	_, o, err := s.version(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, "POST")
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]types.StorageClass{types.StorageClassGlacier, types.StorageClassDeepArchive}, o.Class) {
		return nil, problem(http.StatusForbidden, "InvalidObjectState", "Restore is not allowed for the object's current storage class", "StorageClass", string(o.shownClass()))
	}
	return nil, problem(http.StatusNotImplemented, "NotImplemented", "The local cloud does not restore objects from archive storage classes.")
}
