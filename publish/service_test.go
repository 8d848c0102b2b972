package publish_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/door"
	service "ouro/cloud/s3"
	"ouro/cloud/store"
	"ouro/publish"
)

// localS3 is a client, over HTTP, of the local cloud's S3 with one bucket.
func localS3(tb testing.TB) *s3.Client {
	tb.Helper()
	st, err := store.Open(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	d := door.New(door.Options{Store: st})
	if err := d.Register("s3", service.New(d)); err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(d)
	tb.Cleanup(func() {
		server.Close()
		d.Close()
		if err := st.Close(); err != nil {
			tb.Error(err)
		}
	})
	client := s3.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(tb.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")}); err != nil {
		tb.Fatal(err)
	}
	return client
}

// busy is an S3 that has too much to do for each of the first requests of a kind.
type busy struct {
	http.RoundTripper
	most  int64
	asked sync.Map // of *atomic.Int64, by method
}

func (b *busy) RoundTrip(r *http.Request) (*http.Response, error) {
	n, _ := b.asked.LoadOrStore(r.Method, &atomic.Int64{})
	if n.(*atomic.Int64).Add(1) > b.most {
		return b.RoundTripper.RoundTrip(r)
	}
	const slowDown = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: io.NopCloser(strings.NewReader(slowDown)), Request: r}, nil
}

// TestBusyS3: what S3 has no time for is asked again, and more than the three
// times that the SDK would.
func TestBusyS3(t *testing.T) {
	t.Parallel()
	local := localS3(t)
	options := local.Options()
	options.HTTPClient = &http.Client{Transport: &busy{RoundTripper: http.DefaultTransport, most: 5}}
	options.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
	root := t.TempDir()
	write(t, root, "site.yaml", "Resources: {R: {Type: T::T::T, Properties: {A: file://a.zip}}}")
	write(t, root, "a.zip", "zip")
	if _, result := publishTo(t, s3.New(options), root); result.Uploaded != 2 {
		t.Errorf("%+v", result)
	}
}

func publishTo(tb testing.TB, client *s3.Client, root string) (*publish.Plan, publish.Result) {
	tb.Helper()
	tree, err := publish.Load(tb.Context(), root, "site.yaml", publish.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	plan, err := tree.Plan(publish.LocationOf(client.Options(), "bucket"))
	if err != nil {
		tb.Fatal(err)
	}
	result, err := publish.Upload(tb.Context(), client, plan, publish.UploadOptions{Entrypoint: true})
	if err != nil {
		tb.Fatal(err)
	}
	return plan, result
}

func TestAgainstLocalS3(t *testing.T) {
	t.Parallel()
	client, root := localS3(t), nestedTree(t, 60, false)
	write(t, root, "code/a.zip", "zip")
	write(t, root, "templates/t0003.yaml", "Resources: {R: {Type: T::T::T, Properties: {Code: [file://code/a.zip]}}}")
	plan, result := publishTo(t, client, root)
	if result.Uploaded != 62 || result.Kept != 0 {
		t.Errorf("first: %+v", result)
	}
	for _, o := range append(plan.Objects, plan.Entrypoint) {
		out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String(o.Key)})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(out.Body)
		if err != nil || int64(len(body)) != o.Size {
			t.Fatal(o.Key, len(body), err)
		}
		if out.Body.Close(); !strings.HasPrefix(o.URL, *client.Options().BaseEndpoint+"/bucket/") {
			t.Errorf("URL is %s", o.URL)
		}
	}
	if _, result = publishTo(t, client, root); result.Uploaded != 0 || result.Kept != 62 {
		t.Errorf("again: %+v", result)
	}
}

// BenchmarkPublish200 is a first publication of 200 nested templates,
// BenchmarkPublish2000Again one of an unchanged tree of 2,000.
func BenchmarkPublish200(b *testing.B) {
	root := nestedTree(b, 200, true)
	for b.Loop() {
		b.StopTimer()
		client := localS3(b)
		b.StartTimer()
		publishTo(b, client, root)
	}
}

func BenchmarkPublish2000Again(b *testing.B) {
	for name, asJSON := range map[string]bool{"json": true, "yaml": false} {
		b.Run(name, func(b *testing.B) {
			client, root := localS3(b), nestedTree(b, 2000, asJSON)
			publishTo(b, client, root)
			for b.Loop() {
				publishTo(b, client, root)
			}
		})
	}
}
