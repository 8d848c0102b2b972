package pull_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"ouro/gitsource/gittest"
	"ouro/gitsource/pull"
)

// TestSubmodules: repositories in repositories, by every way of saying where they
// are, and not where others are.
func TestSubmodules(t *testing.T) {
	t.Parallel()
	s := gittest.New(t)
	inner, middle, outer := s.Repository("acme/tools/inner"), s.Repository("acme/middle"), s.Repository("acme/app")
	host, _, _ := strings.Cut(s.HTTPS, ":")
	within := func(r *gittest.Repository, at, address, commit string) {
		r.Git("update-index", "--add", "--cacheinfo", "160000,"+commit+","+at)
		r.Folder(at) // without one, it counts as deleted
		r.Write(".gitmodules", fmt.Sprintf("%s[submodule %q]\n\tpath = %s\n\turl = %s\n", read(r, ".gitmodules"), at, at, address))
	}
	inner.Write("inner.txt", "1")
	old := inner.Push("main")
	inner.Write("inner.txt", "2")
	inner.Push("main") // the submodule stays behind it
	within(middle, "deep", "git@"+host+":acme/tools/inner.git", old)
	middle.Write("middle.txt", "x")
	mid := middle.Push("main")
	within(outer, "lib/a", "../middle.git", mid)
	within(outer, "lib/b", "https://"+s.HTTPS+"/acme/tools/inner", old)
	within(outer, "lib/c", "ssh://git@"+host+"/acme/tools/inner.git", old)
	commit := outer.Push("main")
	for name, p := range map[string]*pull.Puller{"ssh": puller(t, s), "https": overHTTPS(t, s)} {
		p.Submodules = pull.Fetch
		body, err := fetch(p, pushed(outer, "main", commit))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := listing(t, body)
		for _, want := range []string{`lib/a/deep/inner.txt "1"`, `lib/a/middle.txt "x"`, `lib/b/inner.txt "1"`, `lib/c/inner.txt "1"`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the zip has no %s:\n%s", name, want, got)
			}
		}
	}
	left := puller(t, s)
	left.Submodules = pull.Leave
	if body, err := fetch(left, pushed(outer, "main", commit)); err != nil || strings.Contains(listing(t, body), "inner.txt") {
		t.Errorf("left out, it got %v", err)
	}
	if _, err := fetch(puller(t, s), pushed(outer, "main", commit)); err == nil || !strings.Contains(err.Error(), `"lib/a" is a submodule: choose`) {
		t.Errorf("without a choice, it got %v", err)
	}
	shallow := puller(t, s)
	shallow.Submodules, shallow.Limits.Depth = pull.Fetch, 1
	if _, err := fetch(shallow, pushed(outer, "main", commit)); err == nil || !strings.Contains(err.Error(), "in more than 1 others") {
		t.Errorf("too deep, it got %v", err)
	}
	for address, why := range map[string]string{
		"https://evil.example/acme/app.git": "not at the provider's host", "git@evil.example:acme/app.git": "not at the provider's host",
		"/etc": "not at the provider's host", "../../../etc": "no OWNER/NAME", "ext::sh -c id": "not at the provider's host",
	} {
		r := s.Repository("acme/bad")
		within(r, "sub", address, old)
		p := puller(t, s)
		p.Submodules = pull.Fetch
		if _, err := fetch(p, pushed(r, "main", r.Push("main"))); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s got %v", address, err)
		}
	}
	broken := s.Repository("acme/broken")
	within(broken, "sub", "../app.git", old)
	broken.Write(".gitmodules", "[submodule \"sub\n")
	said := pushed(broken, "main", broken.Push("main"))
	left.Submodules = pull.Fetch
	if _, err := fetch(left, said); err == nil || !strings.Contains(err.Error(), "reading .gitmodules") {
		t.Errorf("a list that nobody can read got %v", err)
	}
	left.Submodules = pull.Leave
	if _, err := fetch(left, said); err != nil {
		t.Errorf("a list that nobody needs got %v", err)
	}
}

// TestLFS: files that are kept elsewhere are fetched, if they are what they are
// meant to be.
func TestLFS(t *testing.T) {
	t.Parallel()
	s := gittest.New(t)
	r := s.Repository("acme/app")
	bodies := map[string]string{}
	for i := range 120 { // more than one batch
		body := noise(uint64(i), 3000)
		oid := sum(body)
		bodies[oid] = body
		r.Write(fmt.Sprintf("data/%03d", i), fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", oid, len(body)))
	}
	r.Write("notes", "version https://git-lfs.github.com/spec/v1\nis what a pointer begins with")
	commit := r.Push("main")
	var batches int
	var proof string
	spoil := func(body string) string { return body }
	s.Handle(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if oid, ok := strings.CutPrefix(q.URL.Path, "/objects/"); ok {
			if q.Header.Get("X-Object") != oid {
				w.WriteHeader(http.StatusForbidden)
			}
			fmt.Fprint(w, spoil(bodies[oid]))
			return
		}
		_, token, _ := q.BasicAuth()
		if q.URL.Path != "/acme/app.git/info/lfs/objects/batch" || q.Header.Get("Authorization") != proof && token != proof {
			t.Errorf("it was asked for %s as %q", q.URL, q.Header.Get("Authorization"))
		}
		batches++
		var in struct{ Objects []map[string]any }
		if err := json.NewDecoder(q.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		for _, o := range in.Objects {
			oid := o["oid"].(string)
			if bodies[oid] == "" {
				o["error"] = map[string]any{"code": 404, "message": "no such object"}
				continue
			}
			o["actions"] = map[string]any{"download": map[string]any{"href": "https://" + s.HTTPS + "/objects/" + oid, "header": map[string]string{"X-Object": oid}}}
		}
		json.NewEncoder(w).Encode(map[string]any{"transfer": "basic", "objects": in.Objects}) //nolint:errcheck // a test
	}))
	for name, p := range map[string]*pull.Puller{"RemoteAuth over-ssh": puller(t, s), s.Token: overHTTPS(t, s)} {
		proof, batches, p.LFS = name, 0, pull.Fetch
		body, err := fetch(p, pushed(r, "main", commit))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := listing(t, body)
		for i := range 120 {
			if !strings.Contains(got, fmt.Sprintf("data/%03d %q\n", i, noise(uint64(i), 3000))) {
				t.Errorf("%s: data/%03d is not what it was", name, i)
			}
		}
		if batches != 2 || !strings.Contains(got, "is what a pointer begins with") {
			t.Errorf("%s: there were %d batches", name, batches)
		}
	}
	p := overHTTPS(t, s)
	proof, p.LFS = s.Token, pull.Fetch
	for why, f := range map[string]func(string) string{
		"is another file":     func(body string) string { return strings.ToUpper(body) },
		"gives is another":    func(body string) string { return body[:10] },
		"is another file\x00": func(body string) string { return body + "x" },
	} {
		spoil = f
		if _, err := fetch(p, pushed(r, "main", commit)); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(why, "\x00")) {
			t.Errorf("another file got %v", err)
		}
	}
	clear(bodies)
	if _, err := fetch(p, pushed(r, "main", commit)); err == nil || !strings.Contains(err.Error(), `404 "no such object"`) {
		t.Errorf("no file got %v", err)
	}
	if _, err := fetch(puller(t, s), pushed(r, "main", commit)); err == nil || !strings.Contains(err.Error(), `"data/000" is kept in Git LFS: choose`) {
		t.Errorf("without a choice, it got %v", err)
	}
	left := puller(t, s)
	left.LFS = pull.Leave
	if body, err := fetch(left, pushed(r, "main", commit)); err != nil || !strings.Contains(listing(t, body), `data/000 "version https://git-lfs`) {
		t.Errorf("left as pointers, it got %v", err)
	}
}

func sum(body string) string {
	h := sha256.Sum256([]byte(body))
	return hex.EncodeToString(h[:])
}
