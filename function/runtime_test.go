package function_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ouro/function"
)

// TestByTheRuntime: a runtime that starts this program gets the answers of the
// function that it names.
func TestByTheRuntime(t *testing.T) {
	t.Parallel()
	answers := make(chan string, 1)
	cloud := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answers <- string(body)
	}))
	defer cloud.Close()
	events := make(chan string, 1)
	events <- `{"RequestType": "Create", "RequestId": "1", "LogicalResourceId": "It", "StackId": "s", "ResponseURL": "` + cloud.URL + `", "ResourceProperties": {"BucketName": "b"}}`
	said := make(chan string, 4)
	runtime := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			select {
			case e := <-events:
				w.Header().Set("Lambda-Runtime-Aws-Request-Id", "one")
				w.Header().Set("Lambda-Runtime-Deadline-Ms", "99999999999999")
				io.WriteString(w, e) //nolint:errcheck // a test
			case <-r.Context().Done():
			}
			return
		}
		body, _ := io.ReadAll(r.Body)
		said <- strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/invocation/") + " " + string(body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer runtime.Close()
	c := exec.CommandContext(t.Context(), os.Args[0])
	var stderr bytes.Buffer
	c.Stderr, c.WaitDelay = &stderr, time.Second
	c.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(runtime.URL, "http://"), "_HANDLER=bucket.empty", "AWS_REGION=us-east-1"}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	defer func() {
		c.Process.Kill() //nolint:errcheck // it may have ended
		<-ended
	}()
	select {
	case a := <-answers:
		if !strings.Contains(a, `"Status":"SUCCESS"`) || !strings.Contains(a, `"PhysicalResourceId":"b"`) {
			t.Errorf("the answer is %s", a)
		}
	case <-time.After(time.Minute):
		t.Fatalf("there is no answer: %s", &stderr)
	}
	if text := <-said; text != "one/response null" {
		t.Errorf("the runtime was told %q", text)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	if _, err := function.New("nothing.at.all", newConfig()); err == nil || !strings.Contains(err.Error(), "stack.export") {
		t.Errorf("%v", err)
	}
	for _, name := range function.Names() {
		if h, err := function.New(name, newConfig()); err != nil {
			t.Error(err)
		} else if _, err := h(t.Context(), []byte(`{"hello": 1}`)); err == nil {
			t.Errorf("%s took what is none of its events", name)
		}
	}
}

func write(t *testing.T, dir, name, body string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
