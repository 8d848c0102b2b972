package codecommit_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/codecommit"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// events stands in for EventBridge: it takes down what it is sent.
type events struct {
	got  chan types.PutEventsRequestEntry
	deaf bool // refuses everything
}

func (e *events) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	if e.deaf {
		return nil, errors.New("nobody listens")
	}
	if caller := door.CallerFrom(ctx); caller.Service != "codecommit.amazonaws.com" {
		return nil, errors.New("events sent by " + caller.ARN)
	}
	out := &eventbridge.PutEventsOutput{}
	for _, entry := range in.Entries {
		e.got <- entry
		out.Entries = append(out.Entries, types.PutEventsResultEntry{EventId: aws.String("1")})
	}
	return out, nil
}

// bucket stands in for S3: it keeps what is put.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
	callers map[string]string
}

func (b *bucket) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	name := *in.Bucket + "/" + *in.Key
	b.objects[name], b.callers[name] = body, door.CallerFrom(ctx).ARN
	return &s3.PutObjectOutput{ETag: aws.String(`"1"`), VersionId: aws.String("v1")}, nil
}

// cloud is CodeCommit behind a door that listens.
type cloud struct {
	door   *door.Door
	url    string
	events *events
	bucket *bucket
	close  func()
}

var root = door.Caller{Account: "000000000000", Region: "us-east-1"}

func newCloud(t testing.TB, state string, ev *events) *cloud {
	t.Helper()
	st, err := store.Open(state)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(nil)
	c := &cloud{
		url: "http://" + web.Listener.Addr().String(), events: ev,
		bucket: &bucket{objects: map[string][]byte{}, callers: map[string]string{}},
	}
	c.door = door.New(door.Options{Store: st, Endpoint: c.url})
	service := codecommit.New(c.door.Host("codecommit"))
	for name, impl := range map[string]any{"codecommit": service, "events": c.events, "s3": c.bucket} {
		if err := c.door.Register(name, impl); err != nil {
			t.Fatal(err)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/", c.door)
	for _, path := range service.Paths() {
		mux.Handle(path, service)
	}
	web.Config.Handler = mux
	web.Start()
	c.close = sync.OnceFunc(func() {
		web.Close()
		c.door.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(c.close)
	if err := service.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func newEvents() *events { return &events{got: make(chan types.PutEventsRequestEntry, 100)} }

func (c *cloud) client() *sdk.Client { return sdk.NewFromConfig(c.door.As(root)) }

// next waits for the next event and gives its detail.
func (c *cloud) next(t testing.TB) map[string]string {
	t.Helper()
	select {
	case e := <-c.events.got:
		detail := map[string]string{}
		if err := json.Unmarshal([]byte(*e.Detail), &detail); err != nil {
			t.Fatal(err)
		}
		if *e.Source != "aws.codecommit" || *e.DetailType != "CodeCommit Repository State Change" {
			t.Errorf("event of %s: %s", *e.Source, *e.DetailType)
		}
		return detail
	case <-time.After(time.Minute):
		t.Fatal("no event came within 30 seconds")
		return nil
	}
}

// create makes a repository and gives its clone URL.
func (c *cloud) create(t testing.TB, name string) string {
	t.Helper()
	out, err := c.client().CreateRepository(t.Context(), &sdk.CreateRepositoryInput{RepositoryName: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	return *out.RepositoryMetadata.CloneUrlHttp
}

func gitIn(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com",
		"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func clone(t testing.TB, url string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	gitIn(t, "", "clone", "--quiet", url, dir)
	gitIn(t, dir, "checkout", "--quiet", "-B", "main")
	return dir
}

func push(t testing.TB, dir, name, content string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	gitIn(t, dir, "add", "--all")
	gitIn(t, dir, "commit", "--quiet", "-m", "change "+name)
	gitIn(t, dir, "push", "--quiet", "origin", "main")
	return gitIn(t, dir, "rev-parse", "HEAD")
}
