package publish_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/publish"
	"ouro/template"
)

// bucket is the part of S3 that Upload uses, in memory.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
	parts   map[string]map[int32][]byte // of uploads under way
	kms     map[string]bool             // by key of what was sent with one
	calls   map[string]int
	order   []string
	refuse  map[string]error // by operation
	onPut   func(key string) error
}

func newBucket() *bucket {
	return &bucket{objects: map[string][]byte{}, parts: map[string]map[int32][]byte{}, kms: map[string]bool{}, calls: map[string]int{}, refuse: map[string]error{}}
}

// refusal is an answer with an HTTP status, as the SDK gives it.
type refusal int

func (r refusal) Error() string       { return fmt.Sprintf("status %d", int(r)) }
func (r refusal) HTTPStatusCode() int { return int(r) }

func (b *bucket) enter(operation string) error {
	b.mu.Lock()
	b.calls[operation]++
	return b.refuse[operation]
}

func (b *bucket) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	err := b.enter("List")
	defer b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	out := &s3.ListObjectsV2Output{IsTruncated: aws.Bool(false)}
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		if !strings.HasPrefix(key, aws.ToString(in.Prefix)) || key <= aws.ToString(in.StartAfter) {
			continue
		}
		if len(out.Contents) == int(aws.ToInt32(in.MaxKeys)) {
			out.IsTruncated = aws.Bool(true)
			break
		}
		out.Contents = append(out.Contents, types.Object{Key: aws.String(key)})
	}
	return out, nil
}

func (b *bucket) HeadObject(_ context.Context, in *s3.HeadObjectInput, _ ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	err := b.enter("Head")
	defer b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if _, ok := b.objects[aws.ToString(in.Key)]; !ok {
		return nil, refusal(404)
	}
	return &s3.HeadObjectOutput{}, nil
}

func (b *bucket) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	err = b.enter("Put")
	defer b.mu.Unlock()
	if b.onPut != nil && err == nil {
		err = b.onPut(aws.ToString(in.Key))
	}
	if err != nil {
		return nil, err
	}
	sum, _ := hex.DecodeString(template.Hash(body))
	if base64.StdEncoding.EncodeToString(sum) != aws.ToString(in.ChecksumSHA256) || int64(len(body)) != aws.ToInt64(in.ContentLength) {
		return nil, errors.New("BadDigest")
	}
	b.kms[*in.Key] = in.ServerSideEncryption == types.ServerSideEncryptionAwsKms && aws.ToString(in.SSEKMSKeyId) == "alias/k"
	b.objects[aws.ToString(in.Key)] = body
	b.order = append(b.order, aws.ToString(in.Key))
	return &s3.PutObjectOutput{}, nil
}

func (b *bucket) CreateMultipartUpload(_ context.Context, in *s3.CreateMultipartUploadInput, _ ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
	err := b.enter("Create")
	defer b.mu.Unlock()
	b.parts[*in.Key] = map[int32][]byte{}
	b.kms[*in.Key] = in.ServerSideEncryption == types.ServerSideEncryptionAwsKms && aws.ToString(in.SSEKMSKeyId) == "alias/k"
	return &s3.CreateMultipartUploadOutput{UploadId: in.Key}, err
}

func (b *bucket) UploadPart(ctx context.Context, in *s3.UploadPartInput, _ ...func(*s3.Options)) (*s3.UploadPartOutput, error) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	err = b.enter("Part")
	defer b.mu.Unlock()
	if b.onPut != nil && err == nil {
		err = b.onPut(fmt.Sprint(*in.PartNumber))
	}
	if err = cmp.Or(err, ctx.Err()); err != nil {
		return nil, err
	}
	b.parts[*in.UploadId][*in.PartNumber] = body
	return &s3.UploadPartOutput{ETag: in.ChecksumSHA256}, nil
}

func (b *bucket) CompleteMultipartUpload(_ context.Context, in *s3.CompleteMultipartUploadInput, _ ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	err := b.enter("Complete")
	defer b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	for i, p := range in.MultipartUpload.Parts {
		body, ok := b.parts[*in.UploadId][*p.PartNumber]
		if !ok || int(*p.PartNumber) != i+1 {
			return nil, errors.New("InvalidPart")
		}
		b.objects[*in.Key] = append(b.objects[*in.Key], body...)
	}
	delete(b.parts, *in.UploadId)
	return &s3.CompleteMultipartUploadOutput{}, nil
}

func (b *bucket) AbortMultipartUpload(ctx context.Context, in *s3.AbortMultipartUploadInput, _ ...func(*s3.Options)) (*s3.AbortMultipartUploadOutput, error) {
	err := b.enter("Abort")
	defer b.mu.Unlock()
	if err = cmp.Or(err, ctx.Err()); err != nil {
		return nil, err
	}
	delete(b.parts, *in.UploadId)
	return &s3.AbortMultipartUploadOutput{}, nil
}

func planOf(t *testing.T, root string) *publish.Plan {
	t.Helper()
	tree, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := tree.Plan(publish.Location{Bucket: "bucket", Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func upload(t *testing.T, b *bucket, plan *publish.Plan, options publish.UploadOptions) publish.Result {
	t.Helper()
	clear(b.calls)
	result, err := publish.Upload(t.Context(), b, plan, options)
	if err != nil {
		t.Fatal(err)
	}
	result.Bytes = 0
	return result
}

func TestUploadSendsOnce(t *testing.T) {
	t.Parallel()
	root, b := nestedTree(t, 120, true), newBucket()
	entry := publish.UploadOptions{Entrypoint: true}
	plan := planOf(t, root)
	if got, want := upload(t, b, plan, entry), (publish.Result{Objects: 121, Uploaded: 121}); got != want {
		t.Errorf("first: %+v", got)
	}
	if last := b.order[len(b.order)-1]; last != plan.Entrypoint.Key {
		t.Errorf("the last object sent is %s", last)
	}
	for _, o := range plan.Objects {
		if !strings.HasSuffix(o.Key, "/"+template.Hash(b.objects[o.Key])) {
			t.Errorf("%s holds other bytes", o.Key)
		}
	}
	if got, want := upload(t, b, planOf(t, root), entry), (publish.Result{Objects: 121, Kept: 121}); got != want {
		t.Errorf("again: %+v", got)
	}
	if b.calls["List"] != 1 || b.calls["Head"] != 0 || b.calls["Put"] != 0 {
		t.Errorf("again took %v", b.calls)
	}
	write(t, root, "templates/t0007.json", `{"Resources": {"R": {"Type": "T::T::T"}}}`)
	if got, want := upload(t, b, planOf(t, root), entry), (publish.Result{Objects: 121, Uploaded: 2, Kept: 119}); got != want {
		t.Errorf("after a change: %+v", got)
	}
}

// TestUploadAmongOldVersions: a bucket full of older versions costs no more
// than asking for each key.
func TestUploadAmongOldVersions(t *testing.T) {
	t.Parallel()
	root, b := nestedTree(t, 10, true), newBucket()
	plan := planOf(t, root)
	for _, o := range plan.Objects {
		for i := range 2000 {
			b.objects[fmt.Sprintf("%s/%064x", o.Path, i)] = nil
		}
	}
	b.objects[plan.Objects[9].Key] = nil
	if got, want := upload(t, b, plan, publish.UploadOptions{}), (publish.Result{Objects: 10, Uploaded: 9, Kept: 1}); got != want {
		t.Errorf("%+v", got)
	}
	if b.calls["List"] > 1 || b.calls["Head"] > 10 {
		t.Errorf("took %v", b.calls)
	}
}

func TestUploadWithoutList(t *testing.T) {
	t.Parallel()
	root, b := nestedTree(t, 5, true), newBucket()
	b.refuse["List"] = refusal(403)
	upload(t, b, planOf(t, root), publish.UploadOptions{})
	if got, want := upload(t, b, planOf(t, root), publish.UploadOptions{}), (publish.Result{Objects: 5, Kept: 5}); got != want {
		t.Errorf("%+v, calls %v", got, b.calls)
	}
	b.refuse["List"] = refusal(404)
	_, err := publish.Upload(t.Context(), b, planOf(t, root), publish.UploadOptions{})
	if err == nil || err.Error() != `list bucket "bucket": status 404` {
		t.Error(err)
	}
}

func TestUploadFailure(t *testing.T) {
	t.Parallel()
	root, b := nestedTree(t, 50, true), newBucket()
	b.refuse["Put"] = errors.New("slow down")
	plan := planOf(t, root)
	_, err := publish.Upload(t.Context(), b, plan, publish.UploadOptions{Entrypoint: true, Parallel: 1})
	want := fmt.Sprintf(`publish %q to bucket "bucket": slow down`, plan.Objects[0].Path)
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if b.calls["Put"] != 1 {
		t.Errorf("%d puts after the first failed", b.calls["Put"])
	}
}

func TestUploadCancelled(t *testing.T) {
	t.Parallel()
	root, b := nestedTree(t, 50, true), newBucket()
	ctx, cancel := context.WithCancel(t.Context())
	b.onPut = func(string) error { cancel(); return nil }
	_, err := publish.Upload(ctx, b, planOf(t, root), publish.UploadOptions{Entrypoint: true, Parallel: 2})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := len(b.order); n > 3 || slices.ContainsFunc(b.order, func(key string) bool { return strings.HasPrefix(key, "site.yaml/") }) {
		t.Errorf("%d objects were sent after the end: %v", n, b.order)
	}
}

// TestUploadOfChangedFile: a file that changes between Load and Upload is not
// stored under the old hash.
func TestUploadOfChangedFile(t *testing.T) {
	t.Parallel()
	root, b := t.TempDir(), newBucket()
	write(t, root, "site.yaml", "Resources:\n  A: {Type: T::T::T, Properties: {Code: file://code.zip}}\n")
	write(t, root, "code.zip", "one")
	plan := planOf(t, root)
	write(t, root, "code.zip", "two")
	if _, err := publish.Upload(t.Context(), b, plan, publish.UploadOptions{}); err == nil || len(b.objects) != 0 {
		t.Error("other bytes were stored", err)
	}
}
