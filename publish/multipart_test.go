package publish_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/publish"
	"ouro/template"
)

const oneBundle = "Resources:\n  F: {Type: AWS::ElasticBeanstalk::ApplicationVersion, Properties: {SourceBundle: big}}\n"

// bigProject is a project whose artifact is sent in parts.
func bigProject(t *testing.T, size int) (root string, body []byte) {
	t.Helper()
	body = make([]byte, size)
	random := rand.NewChaCha8([32]byte{})
	if _, err := random.Read(body); err != nil {
		t.Fatal(err)
	}
	root = t.TempDir()
	write(t, root, "site.yaml", oneBundle)
	write(t, root, "big", string(body))
	return root, body
}

func TestUploadInParts(t *testing.T) {
	t.Parallel()
	root, body := bigProject(t, 20<<20)
	plan, b := planOf(t, root), newBucket()
	if got, want := upload(t, b, plan, publish.UploadOptions{}), (publish.Result{Objects: 1, Uploaded: 1}); got != want {
		t.Errorf("%+v", got)
	}
	if key := plan.Objects[0].Key; !bytes.Equal(b.objects[key], body) || key != "big/"+template.Hash(body) {
		t.Errorf("%s holds %d other bytes", key, len(b.objects[key]))
	}
	if b.calls["Part"] != 3 || b.calls["Put"] != 0 || len(b.parts) != 0 {
		t.Errorf("took %v", b.calls)
	}
}

// TestUploadInPartsFails: whatever goes wrong, nothing of the object is left.
func TestUploadInPartsFails(t *testing.T) {
	t.Parallel()
	root, _ := bigProject(t, 20<<20)
	for name, c := range map[string]struct {
		prepare func(b *bucket, cancel context.CancelFunc)
		want    string
	}{
		"create":   {func(b *bucket, _ context.CancelFunc) { b.refuse["Create"] = errors.New("no") }, "no"},
		"part":     {func(b *bucket, _ context.CancelFunc) { b.refuse["Part"] = errors.New("no") }, ": no"},
		"complete": {func(b *bucket, _ context.CancelFunc) { b.refuse["Complete"] = errors.New("no") }, "no"},
		"cancelled": {func(b *bucket, cancel context.CancelFunc) {
			b.onPut = func(string) error { cancel(); return nil }
		}, "context canceled"},
	} {
		plan, b := planOf(t, root), newBucket()
		ctx, cancel := context.WithCancel(t.Context())
		c.prepare(b, cancel)
		_, err := publish.Upload(ctx, b, plan, publish.UploadOptions{})
		cancel()
		if err == nil || !strings.HasSuffix(err.Error(), c.want) || !strings.HasPrefix(err.Error(), `publish "big" to bucket "bucket": `) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if len(b.objects) != 0 || name != "create" && len(b.parts) != 0 {
			t.Errorf("%s: %d objects and %d uploads are left", name, len(b.objects), len(b.parts))
		}
	}
	plan, b := planOf(t, root), newBucket()
	if err := os.WriteFile(filepath.Join(root, "big"), make([]byte, 20<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := publish.Upload(t.Context(), b, plan, publish.UploadOptions{})
	if want := "the file changed since it was read"; err == nil || !strings.HasSuffix(err.Error(), want) || len(b.objects)+len(b.parts) != 0 {
		t.Errorf("%v, want %s", err, want)
	}
	b.refuse["Part"], b.refuse["Abort"] = errors.New("no"), errors.New("neither")
	_, err = publish.Upload(t.Context(), b, plan, publish.UploadOptions{})
	if want := "no (and the parts sent so far could not be taken back: neither)"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestPartsAgainstLocalS3: S3 takes the checksums, and the object has them.
func TestPartsAgainstLocalS3(t *testing.T) {
	t.Parallel()
	root, body := bigProject(t, 17<<20)
	client := localS3(t)
	plan, result := publishTo(t, client, root)
	if result.Uploaded != 2 || result.Bytes < int64(len(body)) {
		t.Errorf("%+v", result)
	}
	out, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{
		Bucket: aws.String("bucket"), Key: aws.String(plan.Objects[0].Key), ChecksumMode: "ENABLED",
	})
	if err != nil || *out.ContentLength != int64(len(body)) || !strings.HasSuffix(aws.ToString(out.ChecksumSHA256), "-3") {
		t.Errorf("the object is %+v, %v", out, err)
	}
	if _, result = publishTo(t, client, root); result.Kept != 2 {
		t.Errorf("again: %+v", result)
	}
}

func TestUploadEncrypted(t *testing.T) {
	t.Parallel()
	root, b := project(t, map[string]string{"fn/a.py": "a"}), newBucket()
	big, _ := bigProject(t, 17<<20)
	for _, dir := range []string{root, big} {
		upload(t, b, planOf(t, dir), publish.UploadOptions{Entrypoint: true, KMSKeyID: "alias/k"})
	}
	for key := range b.objects {
		if !b.kms[key] {
			t.Errorf("%s is not encrypted with the key", key)
		}
	}
	b = newBucket()
	upload(t, b, planOf(t, root), publish.UploadOptions{})
	if b.kms[planOf(t, root).Objects[0].Key] {
		t.Error("a key was used that nobody gave")
	}
}

// discard takes objects and keeps nothing of them.
type discard struct{ *bucket }

func (d discard) UploadPart(_ context.Context, in *s3.UploadPartInput, _ ...func(*s3.Options)) (*s3.UploadPartOutput, error) {
	return &s3.UploadPartOutput{ETag: in.ChecksumSHA256}, nil
}

func (d discard) CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	return &s3.CompleteMultipartUploadOutput{}, nil
}

// TestMemory: an artifact of 500 MB and a directory of 100 MB go through memory
// in parts.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a gigabyte")
	}
	root := t.TempDir()
	write(t, root, "site.yaml", oneBundle+"  G: {Type: AWS::Lambda::Function, Properties: {Code: dir}}\n")
	write(t, root, "dir/a", "")
	for name, size := range map[string]int64{"big": 500 << 20, "dir/a": 100 << 20} {
		f, err := os.Create(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	plan := planOf(t, root)
	if _, err := publish.Upload(t.Context(), discard{newBucket()}, plan, publish.UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	// The race detector makes pools forget some of what they are given.
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 250<<20 {
		t.Errorf("publishing took %d MB", taken>>20)
	}
}
