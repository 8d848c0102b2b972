package function_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cli"
	"ouro/cloud/cloudtest"
	"ouro/function"
	"ouro/pipeline"
)

// TestMain is a function itself, where a runtime of a test starts it; and the
// web server that a test deploys, and the ouro that builds find.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "ouro" {
		os.Exit(cli.Main(context.Background(), os.Args[1:], cli.System()))
	}
	if dir := os.Getenv("SERVE_FOLDER"); dir != "" {
		serve(dir, os.Getenv("SERVE_ADDRESS"))
	}
	if function.Asked() {
		os.Exit(function.Main(context.Background(), os.Stderr))
	}
	os.Exit(m.Run())
}

// world is a cloud, and the place that custom resources answer at.
type world struct {
	*testing.T
	cloud   *cloudtest.Cloud
	buckets *s3.Client
	clients *pipeline.Clients
}

func newWorld(t *testing.T) *world {
	c := cloudtest.New(t)
	return &world{t, c, pipeline.NewBuckets(c.Config), pipeline.NewClients(c.Config)}
}

// answer is what a custom resource said.
type answer struct {
	Status, Reason, PhysicalResourceID string
	Data                               map[string]string
}

// event is a request for a custom resource; the rest is filled in.
type event struct {
	RequestType           string
	PhysicalResourceID    string `json:"PhysicalResourceId"`
	ResourceProperties    map[string]any
	OldResourceProperties map[string]any
	Logical               string `json:"LogicalResourceId"`
}

// ask asks a custom resource, and gives its answer.
func (w *world) ask(name string, e event) answer {
	w.Helper()
	return askWith(w.T, w.cloud.Config, w.Context(), name, e, nil)
}

// askWith asks with a server that first answers with these statuses.
func askWith(t *testing.T, cfg aws.Config, ctx context.Context, name string, e event, statuses []int) answer {
	t.Helper()
	var got []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut || r.Header.Get("Content-Type") != "" {
			t.Errorf("the answer is a %s of type %q", r.Method, r.Header.Get("Content-Type"))
		}
		if len(statuses) > 0 {
			w.WriteHeader(statuses[0])
			statuses = statuses[1:]
			return
		}
		if got, _ = io.ReadAll(r.Body); len(got) > 4096 {
			t.Errorf("the answer has %d bytes", len(got))
		}
	}))
	defer server.Close()
	body := map[string]any{}
	if err := json.Unmarshal(text(t, e), &body); err != nil {
		t.Fatal(err)
	}
	body["ResponseURL"], body["RequestId"], body["StackId"] = server.URL+"/?X-Amz-Signature=secret", "request-1", "arn:aws:cloudformation:us-east-1:000000000000:stack/s/1"
	if e.Logical == "" {
		body["LogicalResourceId"] = "It"
	}
	h, err := function.New(name, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h(ctx, text(t, body)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var a struct {
		answer
		PhysicalResourceID string `json:"PhysicalResourceId"`
		RequestID          string `json:"RequestId"`
	}
	if err := json.Unmarshal(got, &a); err != nil || a.RequestID != "request-1" {
		t.Fatalf("%s answered %q: %v", name, got, err)
	}
	a.answer.PhysicalResourceID = a.PhysicalResourceID
	return a.answer
}

func text(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (w *world) bucket(name string) {
	w.Helper()
	if _, err := w.buckets.CreateBucket(w.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) put(bucket, key string, body []byte) {
	w.Helper()
	if _, err := w.buckets.PutObject(w.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body)}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) get(bucket, key string) []byte {
	w.Helper()
	out, err := w.buckets.GetObject(w.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		w.Fatal(err)
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		w.Fatal(err)
	}
	return b
}

// zipped is a zip with these files.
func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, body := range files {
		f, err := z.Create(name)
		if err == nil {
			_, err = f.Write([]byte(body))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unzipped are the files of a zip.
func unzipped(t *testing.T, body []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(b)
	}
	return files
}

// soon is a context that ends after that.
func soon(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func newConfig() aws.Config {
	return aws.Config{Region: "us-east-1", Credentials: aws.AnonymousCredentials{}}
}
