package git_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"ouro/cloud/git"
)

// TestGzippedRequest fetches as git does when a request is long: with a
// compressed body.
func TestGzippedRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := commit(t, s.dir, "a.txt", "1")
	gitIn(t, s.dir, "push", "--quiet", "origin", "main")
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	fmt.Fprint(z, "0014command=ls-refs\n0000")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, s.url+"/git-upload-pack", &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("Git-Protocol", "version=2")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(answer), id+" refs/heads/main") {
		t.Errorf("status %d: %q, %v", res.StatusCode, answer, err)
	}
}

// TestBrokenPushes are pushes that make no sense or end in the middle. None
// changes anything, and none keeps the next one from coming in.
func TestBrokenPushes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := commit(t, s.dir, "a.txt", "1")
	gitIn(t, s.dir, "push", "--quiet", "origin", "main")
	s.next(t)
	command := fmt.Sprintf("%s %s refs/heads/main\x00report-status\n", one, strings.Repeat("b", 40))
	line := fmt.Sprintf("%04x%s0000PACK", len(command)+4, command)
	for _, body := range []string{"", "garbage", "0000", line, line + strings.Repeat("x", 300<<10)} {
		res, err := http.Post(s.url+"/git-receive-pack", "application/x-git-receive-pack-request", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Error(err)
		}
		res.Body.Close()
	}
	at, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", at.Host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %s/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"+
		"Content-Type: application/x-git-receive-pack-request\r\n\r\n%s", at.Path, line)
	conn.Close()
	two := commit(t, s.dir, "a.txt", "2")
	gitIn(t, s.dir, "push", "--quiet", "origin", "main")
	if got := s.next(t); got.Old != one || got.New != two {
		t.Errorf("announced %+v, want %s after %s", got, two, one)
	}
}

// TestOtherRequestsAreRefused asks for what the smart protocol does not have.
func TestOtherRequestsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for path, want := range map[string]int{
		"/HEAD":                              http.StatusNotFound,
		"/info/refs":                         http.StatusForbidden, // of the dumb protocol
		"/info/refs?service=git-archive":     http.StatusForbidden,
		"/git-receive-pack":                  http.StatusMethodNotAllowed,
		"/info/refs?service=git-upload-pack": http.StatusOK,
	} {
		res, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("GET %s: status %d, want %d", path, res.StatusCode, want)
		}
	}
}

// TestPackedReferences changes and deletes references after git has packed
// them.
func TestPackedReferences(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := commit(t, s.dir, "a.txt", "1")
	gitIn(t, s.dir, "push", "--quiet", "origin", "main", "main:refs/heads/a/b", "main:refs/heads/c")
	for range 3 {
		s.next(t)
	}
	bare := filepath.Join(s.state, "git", here.Account, here.Region, "codecommit", "site.git")
	gitIn(t, "", "--git-dir="+bare, "pack-refs", "--all")
	gitIn(t, "", "--git-dir="+bare, "gc", "--quiet")
	two := commit(t, s.dir, "a.txt", "2")
	gitIn(t, s.dir, "push", "--quiet", "origin", "main", ":a/b")
	if got := s.next(t); got.Ref != "refs/heads/a/b" || got.Old != one || got.New != "" {
		t.Errorf("announced %+v", got)
	}
	if got := s.next(t); got.Ref != "refs/heads/main" || got.Old != one || got.New != two {
		t.Errorf("announced %+v", got)
	}
	for ref, want := range map[string]string{"refs/heads/c": one, "refs/heads/main": two, "refs/heads/a/b": "", "refs/heads/a": "", "refs/heads/c/d": ""} {
		id, err := s.repo.Ref(ref)
		if id != want || want == "" && !errors.Is(err, git.ErrNoRef) {
			t.Errorf("%s is %q, %v; want %q", ref, id, err, want)
		}
	}
	if c, err := s.repo.Commit(t.Context(), one); err != nil || c.Author.Name != "Ann" {
		t.Errorf("packed commit %+v, %v", c, err)
	}
}
