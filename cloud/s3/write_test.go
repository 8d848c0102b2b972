package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"
)

func TestConditionalWritesAreAtomic(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	const writers = 20
	race := func(in s3.PutObjectInput) (winners int32) {
		var won atomic.Int32
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				in := in
				in.Body = strings.NewReader(fmt.Sprint("writer ", i))
				_, err := c.PutObject(t.Context(), &in)
				var api smithy.APIError
				switch {
				case err == nil:
					won.Add(1)
				case !errors.As(err, &api) || api.ErrorCode() != "PreconditionFailed":
					t.Error(err)
				}
			})
		}
		all.Wait()
		return won.Load()
	}
	if n := race(s3.PutObjectInput{Bucket: str("bucket"), Key: str("key"), IfNoneMatch: str("*")}); n != 1 {
		t.Errorf("%d writers made an object that only one may make", n)
	}
	etag := c.put(t, "key", "start").ETag
	if n := race(s3.PutObjectInput{Bucket: str("bucket"), Key: str("key"), IfMatch: etag}); n != 1 {
		t.Errorf("%d writers replaced the same version", n)
	}
}

// outside is a client as users have them: over HTTP, with the SDK's defaults,
// checksums in trailers included.
func (c *cloud) outside() *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(c.url), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

func TestChecksumsInTrailers(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	client := c.outside()
	for _, algorithm := range []types.ChecksumAlgorithm{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"} {
		for _, size := range []int{0, 100, 16 << 10, 200_000} {
			body := bytes.Repeat([]byte("x"), size)
			// Without a known length the SDK streams in chunks with a trailer.
			put, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: str("bucket"), Key: str("key"), Body: bytes.NewReader(body), ChecksumAlgorithm: algorithm})
			if err != nil {
				t.Fatalf("%s: %v", algorithm, err)
			}
			out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: str("bucket"), Key: str("key"), ChecksumMode: types.ChecksumModeEnabled})
			if err != nil {
				t.Fatalf("%s: %v", algorithm, err)
			}
			got, err := io.ReadAll(out.Body) // the SDK compares the checksum
			out.Body.Close()
			if err != nil || !bytes.Equal(got, body) || put.ChecksumType != types.ChecksumTypeFullObject {
				t.Errorf("%s of %d bytes: %d came back, %v", algorithm, size, len(got), err)
			}
		}
	}
	// A trailer that lies.
	chunk := "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
	r, _ := http.NewRequestWithContext(t.Context(), "PUT", c.url+"/bucket/lie", strings.NewReader(chunk))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261121/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
	r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
	r.Header.Set("X-Amz-Decoded-Content-Length", "5")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 400 || !strings.Contains(string(b), "<Code>BadDigest</Code>") {
		t.Errorf("a wrong trailer: %d %s", resp.StatusCode, b)
	}
}

// blobs counts the blobs on the disk.
func (c *cloud) blobs(t *testing.T) (n int) {
	t.Helper()
	err := filepath.WalkDir(c.store.Dir("blobs"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBlobsGoWithTheirLastObject(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	big := strings.Repeat("same bytes ", 10_000)
	var all sync.WaitGroup
	for i := range 8 { // the same bytes come and go at once
		all.Go(func() {
			for range 20 {
				key := fmt.Sprint("key", i)
				c.put(t, key, big)
				if got := c.get(t, &s3.GetObjectInput{Key: &key}); got != big {
					t.Errorf("%d bytes came back", len(got))
				}
				c.remove(t, key, nil)
			}
		})
	}
	all.Wait()
	c.put(t, "kept", big)
	c.put(t, "overwritten", strings.Repeat("other", 10_000))
	c.put(t, "overwritten", "small")
	waitFor(t, "only the blob in use to stay", func() bool { return c.blobs(t) == 1 })
	if got := c.get(t, &s3.GetObjectInput{Key: str("kept")}); got != big {
		t.Errorf("%d bytes came back", len(got))
	}
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); !done(); <-tick.C {
		if ctx.Err() != nil {
			t.Fatalf("waited for %s", what)
		}
	}
}

// bus is an EventBridge that keeps what it is sent.
type bus struct {
	mu     sync.Mutex
	events []ebtypes.PutEventsRequestEntry
}

func (b *bus) PutEvents(_ context.Context, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, in.Entries...)
	return &eventbridge.PutEventsOutput{}, nil
}

func TestEventsGoToEventBridge(t *testing.T) {
	t.Parallel()
	c, b := newCloud(t), &bus{}
	if err := c.door.Register("events", b); err != nil {
		t.Fatal(err)
	}
	c.put(t, "before", "x")
	_, err := c.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: str("bucket"),
		NotificationConfiguration: &types.NotificationConfiguration{EventBridgeConfiguration: &types.EventBridgeConfiguration{}}})
	if err != nil {
		t.Fatal(err)
	}
	c.put(t, "key", "hello")
	c.remove(t, "key", nil)
	waitFor(t, "two events", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.events) == 2
	})
	for i, want := range []struct{ kind, part string }{
		{"Object Created", `"object":{"key":"key","size":5,"etag":"5d41402abc4b2a76b9719d911017c592","sequencer"`},
		{"Object Deleted", `"deletion-type":"Permanently Deleted"`},
	} {
		e := b.events[i]
		if *e.DetailType != want.kind || *e.Source != "aws.s3" || !strings.Contains(*e.Detail, want.part) || e.Resources[0] != "arn:aws:s3:::bucket" {
			t.Errorf("event %d: %s %s", i, *e.DetailType, *e.Detail)
		}
	}
}
