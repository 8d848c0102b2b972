package s3_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const partSize = 5 << 20

// pieces are the parts that the tests upload; the last may be small.
func pieces() [][]byte {
	return [][]byte{bytes.Repeat([]byte("abcdefg\n"), partSize/8), bytes.Repeat([]byte("1234567\n"), partSize/8+1), []byte("end")}
}

func (c *cloud) begin(t *testing.T, in *s3.CreateMultipartUploadInput) *string {
	t.Helper()
	in.Bucket, in.Key = str("bucket"), str("big")
	out, err := c.CreateMultipartUpload(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.UploadId
}

// uploadAll uploads the pieces and gives what completing needs.
func (c *cloud) uploadAll(t *testing.T, id *string, algorithm types.ChecksumAlgorithm) []types.CompletedPart {
	t.Helper()
	var done []types.CompletedPart
	for i, p := range pieces() {
		number := aws.Int32(int32(i*10 + 1))
		out, err := c.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: str("bucket"), Key: str("big"), UploadId: id, PartNumber: number, Body: bytes.NewReader(p), ChecksumAlgorithm: algorithm,
		})
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, types.CompletedPart{PartNumber: number, ETag: out.ETag, ChecksumSHA256: out.ChecksumSHA256, ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC64NVME: out.ChecksumCRC64NVME})
	}
	return done
}

func (c *cloud) complete(t *testing.T, id *string, parts []types.CompletedPart) (*s3.CompleteMultipartUploadOutput, error) {
	t.Helper()
	return c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: str("bucket"), Key: str("big"), UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
}

func TestMultipartUpload(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	id := c.begin(t, &s3.CreateMultipartUploadInput{ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ContentType: str("text/plain")})
	parts := c.uploadAll(t, id, types.ChecksumAlgorithmSha256)

	uploads, err := c.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: str("bucket")})
	if err != nil || len(uploads.Uploads) != 1 || *uploads.Uploads[0].UploadId != *id {
		t.Errorf("ListMultipartUploads: %v, %v", uploads, err)
	}
	page, err := c.ListParts(t.Context(), &s3.ListPartsInput{Bucket: str("bucket"), Key: str("big"), UploadId: id, MaxParts: aws.Int32(2)})
	if err != nil || len(page.Parts) != 2 || !*page.IsTruncated || *page.NextPartNumberMarker != "11" {
		t.Errorf("ListParts: %+v, %v", page, err)
	}

	out, err := c.complete(t, id, parts)
	if err != nil {
		t.Fatal(err)
	}
	tags, sums := md5.New(), sha256.New()
	for _, p := range pieces() {
		tag, sum := md5.Sum(p), sha256.Sum256(p)
		tags.Write(tag[:])
		sums.Write(sum[:])
	}
	if want := `"` + hex.EncodeToString(tags.Sum(nil)) + `-3"`; *out.ETag != want {
		t.Errorf("ETag %s, want %s", *out.ETag, want)
	}
	if want := base64.StdEncoding.EncodeToString(sums.Sum(nil)) + "-3"; aws.ToString(out.ChecksumSHA256) != want || out.ChecksumType != types.ChecksumTypeComposite {
		t.Errorf("checksum %+v, want %s", out, want)
	}

	whole := string(bytes.Join(pieces(), nil))
	if got := c.get(t, &s3.GetObjectInput{Key: str("big")}); got != whole {
		t.Errorf("%d bytes came back, want %d", len(got), len(whole))
	}
	if got := c.get(t, &s3.GetObjectInput{Key: str("big"), Range: str("bytes=5242870-10485769")}); got != whole[5242870:10485770] {
		t.Errorf("a range over three parts: %d bytes", len(got))
	}
	if got := c.get(t, &s3.GetObjectInput{Key: str("big"), PartNumber: aws.Int32(3)}); got != "end" {
		t.Errorf("part 3 is %q", got)
	}
	wantError(t, refuse(c.complete(t, id, parts)), "NoSuchUpload", 404)

	attrs, err := c.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{Bucket: str("bucket"), Key: str("big"),
		ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesObjectParts, types.ObjectAttributesObjectSize, types.ObjectAttributesChecksum}})
	if err != nil || *attrs.ObjectParts.TotalPartsCount != 3 || len(attrs.ObjectParts.Parts) != 3 || *attrs.ObjectSize != int64(len(whole)) {
		t.Errorf("GetObjectAttributes: %+v, %v", attrs, err)
	}

	if _, err := c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: str("bucket"), Key: str("copy"), CopySource: str("bucket/big")}); err != nil {
		t.Fatal(err)
	}
	c.remove(t, "big", nil)
	if got := c.get(t, &s3.GetObjectInput{Key: str("copy")}); got != whole {
		t.Error("the copy is another one")
	}
}

func TestFullObjectChecksumOfParts(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	id := c.begin(t, &s3.CreateMultipartUploadInput{ChecksumAlgorithm: types.ChecksumAlgorithmCrc32, ChecksumType: types.ChecksumTypeFullObject})
	out, err := c.complete(t, id, c.uploadAll(t, id, types.ChecksumAlgorithmCrc32))
	if err != nil {
		t.Fatal(err)
	}
	crc := crc32.ChecksumIEEE(bytes.Join(pieces(), nil))
	want := base64.StdEncoding.EncodeToString([]byte{byte(crc >> 24), byte(crc >> 16), byte(crc >> 8), byte(crc)})
	if aws.ToString(out.ChecksumCRC32) != want || out.ChecksumType != types.ChecksumTypeFullObject {
		t.Errorf("checksum %s, want %s", aws.ToString(out.ChecksumCRC32), want)
	}

	id = c.begin(t, &s3.CreateMultipartUploadInput{ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme})
	out, err = c.complete(t, id, c.uploadAll(t, id, types.ChecksumAlgorithmCrc64nvme))
	if err != nil {
		t.Fatal(err)
	}
	one, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: str("bucket"), Key: str("one"), Body: bytes.NewReader(bytes.Join(pieces(), nil)), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme})
	if err != nil || *one.ChecksumCRC64NVME != aws.ToString(out.ChecksumCRC64NVME) {
		t.Errorf("CRC64NVME by parts is %v, of the whole %v", aws.ToString(out.ChecksumCRC64NVME), one)
	}
	// The catalogue's check value: https://reveng.sourceforge.io/crc-catalogue/all.htm
	check, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: str("bucket"), Key: str("check"), Body: bytes.NewReader([]byte("123456789")), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme})
	if err != nil || *check.ChecksumCRC64NVME != "rosUhgyKhBU=" && *check.ChecksumCRC64NVME != base64.StdEncoding.EncodeToString([]byte{0xae, 0x8b, 0x14, 0x86, 0x0a, 0x79, 0x98, 0x88}) {
		t.Errorf("CRC64NVME of 123456789: %s, %v", *check.ChecksumCRC64NVME, err)
	}
}

func TestMultipartRefusals(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	id := c.begin(t, &s3.CreateMultipartUploadInput{})
	parts := c.uploadAll(t, id, "")
	swapped := []types.CompletedPart{parts[1], parts[0]}
	wantError(t, refuse(c.complete(t, id, swapped)), "InvalidPartOrder", 400)
	missing := []types.CompletedPart{parts[0], {PartNumber: aws.Int32(7), ETag: parts[1].ETag}}
	wantError(t, refuse(c.complete(t, id, missing)), "InvalidPart", 400)
	small := []types.CompletedPart{parts[2], {PartNumber: aws.Int32(31), ETag: str("x")}}
	wantError(t, refuse(c.complete(t, id, small)), "EntityTooSmall", 400)
	wantError(t, refuse(c.complete(t, id, nil)), "MalformedXML", 400)

	_, err := c.UploadPartCopy(t.Context(), &s3.UploadPartCopyInput{Bucket: str("bucket"), Key: str("big"), UploadId: id, PartNumber: aws.Int32(1), CopySource: str("bucket/none")})
	wantError(t, err, "NoSuchKey", 404)
	if err := refuse(c.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: str("bucket"), Key: str("big"), UploadId: id})); err != nil {
		t.Fatal(err)
	}
	wantError(t, refuse(c.complete(t, id, parts)), "NoSuchUpload", 404)
}

func TestUploadPartCopy(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put(t, "source", string(pieces()[0])+"tail")
	id := c.begin(t, &s3.CreateMultipartUploadInput{})
	var parts []types.CompletedPart
	for i, r := range []string{"bytes=0-5242879", "bytes=5242880-5242883"} {
		out, err := c.UploadPartCopy(t.Context(), &s3.UploadPartCopyInput{
			Bucket: str("bucket"), Key: str("big"), UploadId: id, PartNumber: aws.Int32(int32(i + 1)), CopySource: str("/bucket/source"), CopySourceRange: &r,
		})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: out.CopyPartResult.ETag})
	}
	if err := refuse(c.complete(t, id, parts)); err != nil {
		t.Fatal(err)
	}
	out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: str("bucket"), Key: str("big"), Range: str("bytes=-6")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if b, _ := io.ReadAll(out.Body); string(b) != "g\ntail" {
		t.Errorf("the end is %q", b)
	}
}
