package s3_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func (c *cloud) remove(t testing.TB, key string, version *string) *s3.DeleteObjectOutput {
	t.Helper()
	out, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: str("bucket"), Key: &key, VersionId: version})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestVersions(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put(t, "key", "null")
	c.versioning(t, types.BucketVersioningStatusEnabled)
	one, two := c.put(t, "key", "one"), c.put(t, "key", "two")
	marker := c.remove(t, "key", nil)
	if !*marker.DeleteMarker || marker.VersionId == nil {
		t.Fatalf("deleting with versions: %+v", marker)
	}
	wantError(t, refuse(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: str("bucket"), Key: str("key")})), "NoSuchKey", 404)
	wantError(t, refuse(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: str("bucket"), Key: str("key"), VersionId: marker.VersionId})), "MethodNotAllowed", 405)
	for version, want := range map[*string]string{one.VersionId: "one", two.VersionId: "two", str("null"): "null"} {
		if got := c.get(t, &s3.GetObjectInput{Key: str("key"), VersionId: version}); got != want {
			t.Errorf("version %s is %q, want %q", *version, got, want)
		}
	}
	if list, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: str("bucket")}); err != nil || len(list.Contents) != 0 {
		t.Errorf("a deleted object is listed: %v, %v", list, err)
	}

	c.remove(t, "key", marker.VersionId)
	if got := c.get(t, &s3.GetObjectInput{Key: str("key")}); got != "two" {
		t.Errorf("without the delete marker: %q", got)
	}
	c.remove(t, "key", two.VersionId)
	if got := c.get(t, &s3.GetObjectInput{Key: str("key")}); got != "one" {
		t.Errorf("without the second version: %q", got)
	}

	c.versioning(t, types.BucketVersioningStatusSuspended)
	if put := c.put(t, "key", "new null"); put.VersionId != nil {
		t.Errorf("a version id while suspended: %s", *put.VersionId)
	}
	if got := c.get(t, &s3.GetObjectInput{Key: str("key"), VersionId: str("null")}); got != "new null" {
		t.Errorf("the null version: %q", got)
	}
	c.remove(t, "key", nil)
	list, err := c.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: str("bucket")})
	if err != nil || len(list.Versions) != 1 || len(list.DeleteMarkers) != 1 || *list.DeleteMarkers[0].VersionId != "null" || !*list.DeleteMarkers[0].IsLatest {
		t.Fatalf("versions after deleting while suspended: %+v, %v", list, err)
	}

	c.remove(t, "key", one.VersionId)
	c.remove(t, "key", str("null"))
	if _, err := c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: str("bucket")}); err != nil {
		t.Error(err)
	}
}

func TestObjectLockKeepsVersions(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	_, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: str("locked"), ObjectLockEnabledForBucket: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	put, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: str("locked"), Key: str("key"), ObjectLockLegalHoldStatus: types.ObjectLockLegalHoldStatusOn})
	if err != nil {
		t.Fatal(err)
	}
	in := &s3.DeleteObjectInput{Bucket: str("locked"), Key: str("key"), VersionId: put.VersionId}
	wantError(t, refuse(c.DeleteObject(t.Context(), in)), "AccessDenied", 403)
	_, err = c.PutObjectLegalHold(t.Context(), &s3.PutObjectLegalHoldInput{Bucket: str("locked"), Key: str("key"), LegalHold: &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOff}})
	if err != nil {
		t.Fatal(err)
	}
	if err := refuse(c.DeleteObject(t.Context(), in)); err != nil {
		t.Error(err)
	}
}
