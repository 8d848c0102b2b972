package s3

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

var completeEncryption = sameFields[attributes, s3.CompleteMultipartUploadOutput]()

// CompleteMultipartUpload makes an object of the parts that the request lists.
// The bytes stay where they are.
func (s *Service) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	conditions := writeConditions{in.IfMatch, in.IfNoneMatch}
	if err := conditions.checkForm(); err != nil {
		return nil, err
	}
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return nil, malformedXML()
	}
	given, err := givenSum(in)
	if err != nil {
		return nil, err
	}
	var o object
	var chosen bool
	err = s.atomically(ctx, func(ctx context.Context) error {
		b, u, err := s.upload(ctx, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		have, err := s.partsOf(ctx, *in.UploadId)
		if err != nil {
			return err
		}
		parts, unused, err := u.selectParts(*in.UploadId, have, in.MultipartUpload.Parts)
		if err != nil {
			return err
		}
		o, chosen = u.Object, u.Chosen
		if err := o.assemble(u, parts, given, in); err != nil {
			return err
		}
		o.Upload, o.Parts = *in.UploadId, int32(len(parts))
		for _, p := range unused {
			if err := s.dropPart(ctx, *in.UploadId, p); err != nil {
				return err
			}
		}
		if err := s.uploads.Delete(ctx, everywhere, uploadRow(b.Name, *in.Key, *in.UploadId)); err != nil {
			return err
		}
		return s.writeIn(ctx, b.Name, *in.Key, &o, conditions, eventComplete, nil)
	})
	if err != nil {
		return nil, err
	}
	out := &s3.CompleteMultipartUploadOutput{
		Bucket: in.Bucket, Key: in.Key, ETag: o.quotedETag(), VersionId: o.shownVersion(),
		Location: aws.String(s.host.Endpoint() + "/" + *in.Bucket + "/" + encoder(true).text(*in.Key)),
	}
	completeEncryption(&o.attributes, out)
	if chosen || given.Value != "" {
		o.Sum.tell(out)
	}
	return out, nil
}

// selectParts picks the listed parts out of those that were uploaded.
func (u upload) selectParts(id string, have []part, listed []types.CompletedPart) (used, unused []part, err error) {
	byNumber := make(map[int32]part, len(have))
	for _, p := range have {
		byNumber[p.Number] = p
	}
	last := int32(0)
	for i, l := range listed {
		number := aws.ToInt32(l.PartNumber)
		if number <= last {
			return nil, nil, badRequest("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.", "UploadId", id)
		}
		last = number
		p, ok := byNumber[number]
		if !ok || strings.Trim(aws.ToString(l.ETag), `"`) != p.ETag {
			return nil, nil, invalidPart(id, number, trimETag(l.ETag))
		}
		if err := u.checkListed(id, p, l); err != nil {
			return nil, nil, err
		}
		if p.Size < minPartSize && i < len(listed)-1 {
			return nil, nil, badRequest("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
				"ProposedSize", strconv.FormatInt(p.Size, 10), "MinSizeAllowed", strconv.Itoa(minPartSize), "PartNumber", strconv.Itoa(int(number)), "ETag", p.ETag)
		}
		used = append(used, p)
		delete(byNumber, number)
	}
	for _, p := range have {
		if _, left := byNumber[p.Number]; left {
			unused = append(unused, p)
		}
	}
	return used, unused, nil
}

// checkListed compares the checksum that the list gives of a part.
func (u upload) checkListed(id string, p part, l types.CompletedPart) error {
	given, err := givenSum(&l)
	switch {
	case err != nil:
		return err
	case given.Value == "" && u.Chosen && u.Type == types.ChecksumTypeComposite:
		return invalidRequest(fmt.Sprintf("The upload was created using a %s checksum. The complete request must include the checksum for each part. It was missing for part %d in the request.",
			strings.ToLower(string(u.Algorithm)), p.Number))
	case given.Algorithm == u.Algorithm && given.Value != p.Sum.Value:
		return invalidPart(id, p.Number, p.ETag)
	}
	return nil
}

// assemble computes size, ETag and checksum from the parts, and compares them
// with what the request says of the whole object.
func (o *object) assemble(u upload, parts []part, given checksum, in *s3.CompleteMultipartUploadInput) error {
	tags := md5.New()
	for _, p := range parts {
		raw, err := hex.DecodeString(p.ETag)
		if err != nil {
			return fmt.Errorf("reading ETag of part %d: %w", p.Number, err)
		}
		tags.Write(raw)
		o.Size += p.Size
	}
	o.ETag = hex.EncodeToString(tags.Sum(nil)) + "-" + strconv.Itoa(len(parts))
	a, err := algorithmOf(u.Algorithm)
	if err != nil {
		return err
	}
	if o.Sum, err = a.compose(u.Type, parts); err != nil {
		return err
	}
	if in.MpuObjectSize != nil && *in.MpuObjectSize != o.Size {
		return invalidRequest(fmt.Sprintf("The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d", *in.MpuObjectSize, o.Size))
	}
	if in.ChecksumType != "" && u.Chosen && in.ChecksumType != u.Type {
		return invalidRequest(fmt.Sprintf("The upload was created using the %s checksum mode. The complete request must use the same checksum mode.", u.Type))
	}
	if given.Value != "" && given.Algorithm == u.Algorithm {
		// A client may leave out the number of parts behind a composite one.
		computed, _, _ := strings.Cut(o.Sum.Value, "-")
		if sent, _, _ := strings.Cut(given.Value, "-"); sent != computed {
			return badDigest(string(given.Algorithm))
		}
	}
	return nil
}
