package s3_test

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"ouro/cloud/door"
	service "ouro/cloud/s3"
	"ouro/cloud/store"
)

const account = "000000000000"

// cloud is S3 behind a door, with a client.
type cloud struct {
	*s3.Client
	door  *door.Door
	store *store.Store
	url   string // over HTTP
}

// newCloud gives S3 with one bucket, named bucket.
func newCloud(t testing.TB) *cloud {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := door.New(door.Options{Store: st})
	impl := service.New(d)
	if err := d.Register("s3", impl); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(d)
	t.Cleanup(func() {
		server.Close()
		d.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &cloud{Client: s3.NewFromConfig(d.As(door.Caller{Account: account, Region: "us-east-1"})), door: d, store: st, url: server.URL}
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cloud) put(t testing.TB, key, body string) *s3.PutObjectOutput {
	t.Helper()
	out, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: &key, Body: bytes.NewReader([]byte(body))})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c *cloud) get(t testing.TB, in *s3.GetObjectInput) string {
	t.Helper()
	in.Bucket = aws.String("bucket")
	out, err := c.GetObject(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (c *cloud) versioning(t testing.TB, status types.BucketVersioningStatus) {
	t.Helper()
	_, err := c.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: aws.String("bucket"),
		VersioningConfiguration: &types.VersioningConfiguration{Status: status}})
	if err != nil {
		t.Fatal(err)
	}
}

// wantError checks an error's code and HTTP status.
func wantError(t testing.TB, err error, code string, status int) {
	t.Helper()
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		t.Fatalf("error %v, want %s", err, code)
	}
	if api.ErrorCode() != code || response.HTTPStatusCode() != status {
		t.Fatalf("error %d %s: %s, want %d %s", response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage(), status, code)
	}
}

func TestObjectComesBackAsItWasPut(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	put, err := c.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("bucket"), Key: aws.String("a b/ü+%.txt"), Body: bytes.NewReader([]byte("hello")),
		ContentType: aws.String("text/plain"), CacheControl: aws.String("no-cache"), Metadata: map[string]string{"Who": "me"},
		Tagging: aws.String("a=1&b=2"), StorageClass: types.StorageClassStandardIa, ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		t.Fatal(err)
	}
	if *put.ETag != `"5d41402abc4b2a76b9719d911017c592"` || put.ServerSideEncryption != types.ServerSideEncryptionAes256 ||
		aws.ToString(put.ChecksumSHA256) != "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=" {
		t.Errorf("PutObject: %+v", put)
	}
	head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bucket"), Key: aws.String("a b/ü+%.txt"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatal(err)
	}
	if *head.ContentLength != 5 || *head.ContentType != "text/plain" || *head.CacheControl != "no-cache" || head.Metadata["who"] != "me" ||
		head.StorageClass != types.StorageClassStandardIa || *head.ChecksumSHA256 != *put.ChecksumSHA256 || head.VersionId != nil {
		t.Errorf("HeadObject: %+v", head)
	}
	get, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("a b/ü+%.txt"),
		Range: aws.String("bytes=-2"), ResponseContentType: aws.String("x/y")})
	if err != nil {
		t.Fatal(err)
	}
	defer get.Body.Close()
	body, _ := io.ReadAll(get.Body)
	if string(body) != "lo" || *get.ContentRange != "bytes 3-4/5" || *get.ContentType != "x/y" || *get.TagCount != 2 {
		t.Errorf("GetObject: %q %+v", body, get)
	}
}
