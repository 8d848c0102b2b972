package git_test

import (
	"context"
	"io"
	"log/slog"
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

	"ouro/cloud/door"
	"ouro/cloud/git"
	"ouro/cloud/store"
)

// host is what a Server lives on here: a store, and goroutines that the test
// waits for.
type host struct {
	store *store.Store
	ctx   context.Context
	work  sync.WaitGroup
}

func (h *host) Store() *store.Store                                   { return h.store }
func (h *host) Endpoint() string                                      { return "http://127.0.0.1" }
func (h *host) Now() time.Time                                        { return time.Now().UTC() }
func (h *host) NewID() string                                         { return "00000000-0000-4000-8000-000000000000" }
func (h *host) Log() *slog.Logger                                     { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
func (h *host) As(door.Caller) aws.Config                             { return aws.Config{} }
func (h *host) Assume(door.Caller, string, string) aws.Config         { return aws.Config{} }
func (h *host) Through(aws.Config, string, string, string) aws.Config { return aws.Config{} }
func (h *host) Go(_ string, f func(context.Context)) {
	h.work.Go(func() { f(h.ctx) })
}

var here = store.Scope{Account: "000000000000", Region: "us-east-1"}

// newHost opens the store in dir; closing it ends the host's work first.
func newHost(t testing.TB, dir string) (*host, func()) {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := &host{store: st, ctx: ctx}
	return h, sync.OnceFunc(func() {
		cancel()
		h.work.Wait()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
}

// recorder takes what a Server announces.
type recorder struct {
	changes chan git.RefChange
}

func newRecorder() *recorder { return &recorder{changes: make(chan git.RefChange, 1000)} }

func (r *recorder) announce(_ context.Context, _ store.Scope, _ string, changes []git.RefChange) error {
	for _, c := range changes {
		r.changes <- c
	}
	return nil
}

// next waits for the next announced change.
func (r *recorder) next(t testing.TB) git.RefChange {
	t.Helper()
	select {
	case c := <-r.changes:
		return c
	case <-time.After(time.Minute):
		t.Fatal("no change was announced within 30 seconds")
		return git.RefChange{}
	}
}

// site is a served repository with one that was cloned from it.
type site struct {
	*recorder
	server *git.Server
	repo   *git.Repository
	state  string // the state directory
	url    string
	dir    string // of the clone
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{recorder: newRecorder(), state: t.TempDir()}
	h, closeHost := newHost(t, s.state)
	t.Cleanup(closeHost)
	s.server = git.New(h, "codecommit", s.announce)
	repo, err := s.server.Create(t.Context(), here, "site", "main")
	if err != nil {
		t.Fatal(err)
	}
	s.repo = repo
	s.url = serve(t, repo)
	s.dir = clone(t, s.url)
	return s
}

// serve serves the repository at the returned URL.
func serve(t testing.TB, repo *git.Repository) string {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, rest, ok := git.SplitURL(r.URL.Path)
		if !ok {
			http.NotFound(w, r)
			return
		}
		repo.ServeHTTP(w, r, rest, "arn:aws:iam::000000000000:root")
	}))
	t.Cleanup(web.Close)
	return web.URL + "/site"
}

func clone(t testing.TB, url string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	gitIn(t, "", "clone", "--quiet", url, dir)
	gitIn(t, dir, "checkout", "--quiet", "-B", "main")
	return dir
}

// gitIn runs the user's git in dir and returns what it prints.
func gitIn(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func tryGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com",
		"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// commit writes a file, commits it and returns the commit's id.
func commit(t testing.TB, dir, name, content string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	gitIn(t, dir, "add", "--all")
	gitIn(t, dir, "commit", "--quiet", "-m", "change "+name)
	return gitIn(t, dir, "rev-parse", "HEAD")
}
