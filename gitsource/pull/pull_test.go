package pull_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ouro/gitsource"
	"ouro/gitsource/gittest"
	"ouro/gitsource/pull"
)

// puller pulls from the server over SSH.
func puller(t *testing.T, s *gittest.Server) *pull.Puller {
	t.Helper()
	p := overHTTPS(t, s)
	p.Key, p.SSHHost = given([]byte(s.Private)), s.SSH
	var err error
	if p.HostKeys, err = pull.ReadHostKeys(s.HostKey); err != nil {
		t.Fatal(err)
	}
	return p
}

func given[V any](v V) func(context.Context) (V, error) {
	return func(context.Context) (V, error) { return v, nil }
}

func overHTTPS(t *testing.T, s *gittest.Server) *pull.Puller {
	t.Helper()
	provider, err := gitsource.NewProvider("gitea", s.HTTPS)
	if err != nil {
		t.Fatal(err)
	}
	client, err := gitsource.NewClient([]byte(s.Authority))
	if err != nil {
		t.Fatal(err)
	}
	return &pull.Puller{
		Provider: provider, Token: given(s.Token), Client: client, Stall: time.Minute, Dir: t.TempDir(),
		Submodules: pull.Refuse, LFS: pull.Refuse, Limits: pull.DefaultLimits, Log: slog.New(slog.DiscardHandler),
	}
}

func pushed(r *gittest.Repository, branch, commit string) gitsource.Event {
	owner, name, _ := strings.Cut(r.Name, "/")
	return gitsource.Event{Provider: "gitea", Kind: gitsource.Push, Owner: owner, Name: name, Ref: branch, Commit: commit}
}

// fetch is the zip of a commit.
func fetch(p *pull.Puller, e gitsource.Event) ([]byte, error) {
	var b bytes.Buffer
	to := gitsource.NewPacker(&b, p.Limits.Limits)
	err := p.Fetch(context.Background(), e, to)
	if err == nil {
		err = to.Close()
	}
	return b.Bytes(), err
}

// listing is what is in a zip.
func listing(t *testing.T, body []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err = errors.Join(err, in.Close()); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s %q\n", f.Mode(), f.Name, text)
	}
	return b.String()
}

// noise does not get smaller, so that those who unpack it copy it.
func noise(seed uint64, n int) string {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	b := make([]byte, n)
	rand.NewChaCha8(key).Read(b) //nolint:errcheck // it never fails
	return string(b)
}

// mixed is a repository with files of all kinds.
func mixed(s *gittest.Server) *gittest.Repository {
	r := s.Repository("acme/app")
	r.Write("README.md", "hello")
	r.Write("bin/tool", "#!/bin/sh\n")
	r.Write("bin.txt", "sorts between bin and bin/")
	r.Write("bin-old", "and before it")
	r.Write("large", noise(1, 1<<20))
	for i := range 200 {
		r.Write(fmt.Sprintf("many/%03d", i), noise(uint64(i), 2000))
	}
	if err := errors.Join(os.Chmod(r.Work+"/bin/tool", 0o755), os.Symlink("../README.md", r.Work+"/bin/readme")); err != nil {
		panic(err)
	}
	return r
}

// TestPull: over SSH and HTTPS, from nothing and on top of what is there, the
// commit is the same bytes as its archive's.
func TestPull(t *testing.T) {
	t.Parallel()
	s := gittest.New(t)
	r := mixed(s)
	first := r.Push("main")
	ssh, https := puller(t, s), overHTTPS(t, s)
	for range 2 { // a history, which nobody needs
		r.Write("many/001", noise(rand.Uint64(), 2000))
		r.Push("main")
	}
	r.Write("many/000", noise(999, 2000))
	second := r.Push("main")
	want := map[string][]byte{}
	for _, commit := range []string{first, second} {
		want[commit] = archived(t, s, r, commit)
	}
	for name, p := range map[string]*pull.Puller{"ssh": ssh, "https": https} {
		for i, commit := range []string{first, second, second, first} {
			before, asked := s.Sent.Load(), s.Asked.Load()
			got, err := fetch(p, pushed(r, "main", commit))
			if err != nil {
				t.Fatalf("%s %d: %v", name, i, err)
			}
			if !bytes.Equal(got, want[commit]) {
				t.Errorf("%s %d: another zip than the archive's:\n%.500s", name, i, listing(t, got))
			}
			sent, asks := s.Sent.Load()-before, s.Asked.Load()-asked
			if name != "ssh" {
				continue
			}
			if i == 1 && (sent > 30_000 || asks != 1) || i > 1 && asks != 0 {
				t.Errorf("%d: the server sent %d bytes for %d questions", i, sent, asks)
			}
		}
	}
	if list := listing(t, want[second]); !strings.Contains(list, `-rwxr-xr-x bin/tool "#!/bin/sh\n"`) || !strings.Contains(list, `Lrwxrwxrwx bin/readme "../README.md"`) {
		t.Errorf("the zip has\n%.500s", list)
	}
}

// archived is the zip of the commit's archive, as git packs it.
func archived(t *testing.T, s *gittest.Server, r *gittest.Repository, commit string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.tar.gz")
	r.Git("archive", "--format=tar.gz", "--prefix=app/", "-o", file, commit)
	s.Handle(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { http.ServeFile(w, q, file) }))
	p := overHTTPS(t, s)
	a := &gitsource.Archives{Provider: p.Provider, Client: p.Client, Stall: p.Stall}
	var b bytes.Buffer
	to := gitsource.NewPacker(&b, p.Limits.Limits)
	if err := errors.Join(a.Fetch(t.Context(), pushed(r, "main", commit), to), to.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read is a file of the repository's folder; empty for none.
func read(r *gittest.Repository, name string) string {
	b, _ := os.ReadFile(filepath.Join(r.Work, name))
	return string(b)
}
