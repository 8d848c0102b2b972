package s3_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/door"
)

// refusal is a request that S3 refuses.
type refusal struct {
	name   string
	do     func(context.Context, *cloud) error
	code   string
	status int
}

var str = aws.String

func refuse[Out any](out Out, err error) error { return err }

func TestRefusals(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put(t, "key", "hello")
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			wantError(t, r.do(t.Context(), c), r.code, r.status)
		})
	}
}

var refusals = []refusal{
	{"bucket name", func(ctx context.Context, c *cloud) error {
		return refuse(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: str("no_good")}))
	}, "InvalidBucketName", 400},
	{"bucket in a region of none", func(ctx context.Context, c *cloud) error {
		return refuse(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: str("other"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "mars-1"}}))
	}, "InvalidLocationConstraint", 400},
	{"no such bucket", func(ctx context.Context, c *cloud) error {
		return refuse(c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: str("nobody")}))
	}, "NoSuchBucket", 404},
	{"no such key", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetObject(ctx, &s3.GetObjectInput{Bucket: str("bucket"), Key: str("none")}))
	}, "NoSuchKey", 404},
	{"head of no such key", func(ctx context.Context, c *cloud) error {
		return refuse(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: str("bucket"), Key: str("none")}))
	}, "NotFound", 404},
	{"version id of no form", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetObject(ctx, &s3.GetObjectInput{Bucket: str("bucket"), Key: str("key"), VersionId: str("what")}))
	}, "InvalidArgument", 400},
	{"no such version", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetObject(ctx, &s3.GetObjectInput{Bucket: str("bucket"), Key: str("key"), VersionId: str(strings.Repeat("a", 32))}))
	}, "NoSuchVersion", 404},
	{"other owner", func(ctx context.Context, c *cloud) error {
		return refuse(c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: str("bucket"), ExpectedBucketOwner: str("111111111111")}))
	}, "Forbidden", 403},
	{"bucket not empty", func(ctx context.Context, c *cloud) error {
		return refuse(c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: str("bucket")}))
	}, "BucketNotEmpty", 409},
	{"range beyond the end", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetObject(ctx, &s3.GetObjectInput{Bucket: str("bucket"), Key: str("key"), Range: str("bytes=5-")}))
	}, "InvalidRange", 416},
	{"if-match of another", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetObject(ctx, &s3.GetObjectInput{Bucket: str("bucket"), Key: str("key"), IfMatch: str("other")}))
	}, "PreconditionFailed", 412},
	{"not modified", func(ctx context.Context, c *cloud) error {
		return refuse(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: str("bucket"), Key: str("key"), IfNoneMatch: str(`"5d41402abc4b2a76b9719d911017c592"`)}))
	}, "NotModified", 304},
	{"write where there is one", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: str("key"), IfNoneMatch: str("*")}))
	}, "PreconditionFailed", 412},
	{"write over what is not there", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: str("none"), IfMatch: str("x")}))
	}, "NoSuchKey", 404},
	{"wrong MD5", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: str("bad"), Body: strings.NewReader("x"), ContentMD5: str("XUFAKrxLKna5cZ2REBfFkg==")}))
	}, "BadDigest", 400},
	{"no MD5", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: str("bad"), Body: strings.NewReader("x"), ContentMD5: str("x")}))
	}, "InvalidDigest", 400},
	{"wrong checksum", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: str("bad"), Body: strings.NewReader("x"), ChecksumCRC32C: str("AAAAAA==")}))
	}, "BadDigest", 400},
	{"no checksum", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: str("bad"), Body: strings.NewReader("x"), ChecksumSHA1: str("AAAAAA==")}))
	}, "InvalidRequest", 400},
	{"storage class", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: str("bad"), StorageClass: "COLD"}))
	}, "InvalidStorageClass", 400},
	{"public ACL", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: str("bad"), ACL: types.ObjectCannedACLPublicRead}))
	}, "AccessControlListNotSupported", 400},
	{"key too long", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: str(strings.Repeat("k", 1025))}))
	}, "KeyTooLongError", 400},
	{"too many tags", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: str("bad"), Tagging: str("a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=")}))
	}, "BadRequest", 400},
	{"copy onto itself", func(ctx context.Context, c *cloud) error {
		return refuse(c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: str("bucket"), Key: str("key"), CopySource: str("bucket/key")}))
	}, "InvalidRequest", 400},
	{"conditional copy", func(ctx context.Context, c *cloud) error {
		return refuse(c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: str("bucket"), Key: str("copy"), CopySource: str("bucket/key"), CopySourceIfNoneMatch: str("*")}))
	}, "PreconditionFailed", 412},
	{"no such upload", func(ctx context.Context, c *cloud) error {
		return refuse(c.ListParts(ctx, &s3.ListPartsInput{Bucket: str("bucket"), Key: str("key"), UploadId: str("none")}))
	}, "NoSuchUpload", 404},
	{"delete nothing", func(ctx context.Context, c *cloud) error {
		return refuse(c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: str("bucket"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{}}}))
	}, "MalformedXML", 400},
	{"restore", func(ctx context.Context, c *cloud) error {
		return refuse(c.RestoreObject(ctx, &s3.RestoreObjectInput{Bucket: str("bucket"), Key: str("key"), RestoreRequest: &types.RestoreRequest{}}))
	}, "InvalidObjectState", 403},
	{"policy that is no JSON", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: str("bucket"), Policy: str("{")}))
	}, "MalformedPolicy", 400},
	{"policy of another bucket", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: str("bucket"),
			Policy: str(`{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::other/*"}}`)}))
	}, "MalformedPolicy", 400},
	{"public policy", func(ctx context.Context, c *cloud) error {
		return refuse(c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: str("bucket"),
			Policy: str(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}}`)}))
	}, "AccessDenied", 403},
	{"no policy", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: str("bucket")}))
	}, "NoSuchBucketPolicy", 404},
	{"no lifecycle", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: str("bucket")}))
	}, "NoSuchLifecycleConfiguration", 404},
	{"no tags", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: str("bucket")}))
	}, "NoSuchTagSet", 404},
	{"no CORS", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: str("bucket")}))
	}, "NoSuchCORSConfiguration", 404},
	{"no website", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: str("bucket")}))
	}, "NoSuchWebsiteConfiguration", 404},
	{"no replication", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: str("bucket")}))
	}, "ReplicationConfigurationNotFoundError", 404},
	{"no object lock", func(ctx context.Context, c *cloud) error {
		return refuse(c.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: str("bucket")}))
	}, "ObjectLockConfigurationNotFoundError", 404},
}

func TestBucketsAreOneNamespace(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	if err := refuse(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: str("bucket")})); err != nil {
		t.Errorf("making one's own bucket again in us-east-1: %v", err)
	}
	other := s3.NewFromConfig(c.door.As(door.Caller{Account: "111111111111", Region: "us-east-1"}))
	wantError(t, refuse(other.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: str("bucket")})), "BucketAlreadyExists", 409)
	west := s3.NewFromConfig(c.door.As(door.Caller{Account: account, Region: "eu-west-1"}))
	in := &s3.CreateBucketInput{Bucket: str("west-bucket")}
	wantError(t, refuse(west.CreateBucket(t.Context(), in)), "IllegalLocationConstraintException", 400)
	in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}
	if err := refuse(west.CreateBucket(t.Context(), in)); err != nil {
		t.Fatal(err)
	}
	wantError(t, refuse(west.CreateBucket(t.Context(), in)), "BucketAlreadyOwnedByYou", 409)
	list, err := c.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil || len(list.Buckets) != 2 || *list.Buckets[1].BucketRegion != "eu-west-1" {
		t.Errorf("ListBuckets: %v, %v", list, err)
	}
}
