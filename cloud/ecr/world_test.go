package ecr_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
)

// world is a cloud whose clock the test turns and whose events it reads.
type world struct {
	*cloudtest.Cloud
	t      testing.TB
	api    *sdk.Client
	now    *clock
	events *events
}

type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// events stands in for EventBridge: it takes down the events of images.
type events struct {
	mu   sync.Mutex
	deaf atomic.Bool // never answers
	got  []map[string]string
}

func (e *events) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	if e.deaf.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	out := &eventbridge.PutEventsOutput{}
	for _, entry := range in.Entries {
		if *entry.Source == "aws.ecr" && *entry.DetailType == "ECR Image Action" {
			var detail map[string]string
			if err := json.Unmarshal([]byte(*entry.Detail), &detail); err != nil {
				return nil, err
			}
			e.got = append(e.got, detail)
		}
		out.Entries = append(out.Entries, ebtypes.PutEventsResultEntry{EventId: aws.String("1")})
	}
	return out, nil
}

// of are the actions of a repository so far, as "PUSH v1".
func (e *events) of(repository string) (said []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range e.got {
		if d["repository-name"] == repository {
			said = append(said, strings.TrimSpace(d["action-type"]+" "+d["image-tag"]))
		}
	}
	return said
}

func newWorld(t testing.TB) *world { return openWorld(t, t.TempDir()) }

func openWorld(t testing.TB, dir string) *world { return openAhead(t, dir, 0) }

// openAhead opens a world whose clock is ahead.
func openAhead(t testing.TB, dir string, ahead time.Duration) *world {
	t.Helper()
	w := &world{t: t, now: &clock{ahead: ahead}, events: &events{}}
	w.Cloud = cloudtest.StartWith(t, cloud.Options{Dir: dir, Now: w.now.Now, Services: map[string]any{"events": w.events}})
	w.api = sdk.NewFromConfig(w.Config)
	t.Cleanup(w.close)
	return w
}

func (w *world) close() {
	if w.Cloud == nil {
		return
	}
	if err := w.Close(); err != nil {
		w.t.Errorf("closing the cloud: %v", err)
	}
	w.Cloud = nil
}

// as is a client of another account.
func (w *world) as(account string) *sdk.Client {
	cfg := w.Config.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(account, "test", "")
	return sdk.NewFromConfig(cfg)
}

func (w *world) create(in *sdk.CreateRepositoryInput) string {
	w.t.Helper()
	out, err := w.api.CreateRepository(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.Repository.RepositoryUri
}

// login is what a client gets a password by.
func (w *world) login(api *sdk.Client) remote.Option {
	w.t.Helper()
	user, password := w.password(api)
	return remote.WithAuth(authn.FromConfig(authn.AuthConfig{Username: user, Password: password}))
}

func (w *world) password(api *sdk.Client) (user, password string) {
	w.t.Helper()
	out, err := api.GetAuthorizationToken(w.t.Context(), &sdk.GetAuthorizationTokenInput{})
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(*out.AuthorizationData[0].AuthorizationToken)
	if err != nil {
		w.t.Fatal(err)
	}
	user, password, _ = strings.Cut(string(text), ":")
	return user, password
}

func ref(t testing.TB, text string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// push pushes a new image and gives its digest.
func (w *world) push(to string, layers int64) (v1.Image, string) {
	w.t.Helper()
	img, err := random.Image(512, layers)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := remote.Write(ref(w.t, to), img, w.login(w.api)); err != nil {
		w.t.Fatal(err)
	}
	return img, digest(w.t, img)
}

func digest(t testing.TB, of interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	h, err := of.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

// refused fails the test if the error has not the code, or not the words.
func refused(t testing.TB, what string, err error, code, words string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), words) {
		t.Errorf("%s: %v, want %s with %q", what, err, code, words)
	}
}

// eventually waits until is is true.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s does not come about", what)
		}
	}
}

// call makes a request to the registry and gives status, headers and body.
func (w *world) call(method, url, body string, header ...string) (int, http.Header, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(text)
}
