package git_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ouro/cloud/git"
	"ouro/cloud/store"
)

func TestPushIsAnnouncedInOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	by := "arn:aws:iam::000000000000:root"
	one := commit(t, s.dir, "a.txt", "1")
	gitIn(t, s.dir, "push", "--quiet", "origin", "main")
	two := commit(t, s.dir, "a.txt", "2")
	gitIn(t, s.dir, "push", "--quiet", "origin", "main", "main:refs/heads/side", "main:refs/tags/v1")
	gitIn(t, s.dir, "push", "--quiet", "--force", "origin", one+":main", ":side")
	want := []git.RefChange{
		{Ref: "refs/heads/main", New: one, By: by},
		{Ref: "refs/heads/main", Old: one, New: two, By: by},
		{Ref: "refs/heads/side", New: two, By: by},
		{Ref: "refs/tags/v1", New: two, By: by},
		{Ref: "refs/heads/main", Old: two, New: one, By: by},
		{Ref: "refs/heads/side", Old: two, By: by},
	}
	for i, w := range want {
		if got := s.next(t); got != w {
			t.Errorf("change %d: got %+v, want %+v", i, got, w)
		}
	}
	if out, err := tryGit(s.dir, "push", "origin", ":main"); err == nil {
		t.Errorf("the default branch could be deleted: %s", out)
	}
}

func TestFirstBranchBecomesTheDefault(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if name, err := s.repo.DefaultBranch(); name != "" || err != nil {
		t.Fatalf("empty repository: default branch %q, %v", name, err)
	}
	id := commit(t, s.dir, "a.txt", "1")
	gitIn(t, s.dir, "push", "--quiet", "origin", "main:trunk")
	s.next(t)
	if name, err := s.repo.DefaultBranch(); name != "trunk" || err != nil {
		t.Errorf("default branch %q, %v; want trunk", name, err)
	}
	if got := gitIn(t, clone(t, s.url), "rev-parse", "origin/HEAD"); got != id {
		t.Errorf("a clone's origin/HEAD is %s, want %s", got, id)
	}
}

// TestConcurrentPushes pushes to two repositories of one server at the same
// time, from several clones each.
func TestConcurrentPushes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other, err := s.server.Create(t.Context(), here, "other", "main")
	if err != nil {
		t.Fatal(err)
	}
	repos := []*git.Repository{s.repo, other}
	urls := []string{s.url, serve(t, other)}
	want := map[string]string{}
	var mu sync.Mutex
	t.Run("pushers", func(t *testing.T) {
		for i := range 6 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				dir := clone(t, urls[i%2])
				for j := range 2 {
					name := fmt.Sprintf("%d/%d-%d", i%2, i, j)
					id := commit(t, dir, name, name)
					gitIn(t, dir, "push", "--quiet", "origin", "HEAD:refs/heads/"+name)
					mu.Lock()
					want["refs/heads/"+name] = id
					mu.Unlock()
				}
			})
		}
	})
	got := map[string]string{}
	for range want {
		c := s.next(t)
		if c.Old != "" || got[c.Ref] != "" {
			t.Errorf("%s announced as %+v, before as %q", c.Ref, c, got[c.Ref])
		}
		got[c.Ref] = c.New
	}
	if !maps.Equal(got, want) {
		t.Errorf("announced %v\nwant %v", got, want)
	}
	for i, repo := range repos {
		refs, err := repo.Refs()
		if err != nil || len(refs) != len(want)/2 {
			t.Errorf("repository %d has %v, %v", i, refs, err)
		}
		for ref := range refs {
			if !strings.HasPrefix(ref, fmt.Sprintf("refs/heads/%d/", i)) {
				t.Errorf("repository %d has %s", i, ref)
			}
		}
	}
}

func TestBigPushAndFetch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	big := make([]byte, 20<<20)
	rand.Read(big)
	gitIn(t, s.dir, "config", "core.compression", "0") // it would be most of the time
	commit(t, s.dir, "big.bin", string(big))
	gitIn(t, s.dir, "push", "--quiet", "origin", "main")
	s.next(t)
	got, err := os.ReadFile(filepath.Join(clone(t, s.url), "big.bin"))
	if err != nil || !bytes.Equal(got, big) {
		t.Errorf("the clone has another big.bin (%d bytes, %v)", len(got), err)
	}
	if _, ok, err := s.repo.Blob(t.Context(), git.BlobID(big), 1<<20); ok || err != nil {
		t.Errorf("blob above the limit: %v, %v", ok, err)
	}
}

func TestArchiveHoldsTheCommit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	files := map[string]string{
		".gitattributes": "* export-ignore\n*.txt text eol=crlf export-subst\n",
		"a.txt":          "one\n$Format:%H$\n",
		"dir/b.sh":       "#!/bin/sh\n",
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		commit(t, s.dir, name, files[name])
	}
	gitIn(t, s.dir, "push", "--quiet", "origin", "main")
	id := s.next(t).New
	var first, second bytes.Buffer
	for _, w := range []io.Writer{&first, &second} {
		if err := s.repo.Archive(t.Context(), id, w); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two archives of one commit differ")
	}
	z, err := zip.NewReader(bytes.NewReader(first.Bytes()), int64(first.Len()))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got[f.Name] = string(text)
	}
	if !maps.Equal(got, files) {
		t.Errorf("archive holds %q, want %q", got, files)
	}
}

func TestProposeReadsBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx := t.Context()
	who := git.Signature{Name: "Bob <x>", Email: "bob@example.com", When: time.Unix(1700000000, 0).In(time.FixedZone("", 3600))}
	odd := "dir/odd \"name\"\nä.txt"
	made, err := s.repo.Propose(ctx, git.Proposal{
		Branch: "main", Author: who, Committer: who, Message: "first\n\nbody",
		Edits: []git.Edit{
			{Path: odd, Mode: git.ModeFile, Content: []byte("hello")},
			{Path: "run", Mode: git.ModeExecutable, Content: []byte("#!/bin/sh\n")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.repo.Resolve(ctx, "main")
	if err != nil {
		t.Fatal(err)
	}
	if c.ID != made.Commit || c.Tree != made.Tree || c.Message != "first\n\nbody" ||
		c.Author.String() != "Bob x <bob@example.com> 1700000000 +0100" {
		t.Errorf("read back %+v of %+v", c, made)
	}
	e, ok, err := s.repo.Entry(ctx, c.Tree, odd)
	if err != nil || !ok || e.ID != git.BlobID([]byte("hello")) || e.Size != 5 {
		t.Errorf("entry %+v, %v, %v", e, ok, err)
	}
	_, inside, ok, err := s.repo.Folder(ctx, c.ID, "dir")
	if err != nil || !ok || len(inside) != 1 || inside[0].Path != odd {
		t.Errorf("folder %+v, %v, %v", inside, ok, err)
	}
	_, err = s.repo.Propose(ctx, git.Proposal{Branch: "main", Author: who, Committer: who, Message: "late"})
	if !errors.Is(err, git.ErrMoved) {
		t.Errorf("a commit without the parent: %v", err)
	}
	next, err := s.repo.Propose(ctx, git.Proposal{
		Branch: "main", Parent: made.Commit, Author: who, Committer: who, Message: "second",
		Edits: []git.Edit{{Path: odd}, {Path: "copy", Mode: git.ModeFile, Blob: e.ID}},
	})
	if err != nil {
		t.Fatal(err)
	}
	diff, err := s.repo.Differences(ctx, made.Commit, next.Commit)
	if err != nil || len(diff) != 2 || diff[0].After.Path != "copy" || diff[1].Before.Path != odd {
		t.Errorf("differences %+v, %v", diff, err)
	}
}

// TestChangesSurviveTheirProcess lets a process end after a push whose
// announcement never succeeded: the next one announces it.
func TestChangesSurviveTheirProcess(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	h, closeHost := newHost(t, state)
	asked := make(chan struct{}, 100)
	mute := git.New(h, "codecommit", func(context.Context, store.Scope, string, []git.RefChange) error {
		asked <- struct{}{}
		return errors.New("nobody listens")
	})
	repo, err := mute.Create(t.Context(), here, "site", "main")
	if err != nil {
		t.Fatal(err)
	}
	dir := clone(t, serve(t, repo))
	id := commit(t, dir, "a.txt", "1")
	gitIn(t, dir, "push", "--quiet", "origin", "main")
	<-asked
	closeHost()
	// A killed git leaves such a file, which would block the branch.
	lock := filepath.Join(state, "git", here.Account, here.Region, "codecommit", "site.git", "refs", "heads", "main.lock")
	if err := os.WriteFile(lock, nil, 0o644); err != nil {
		t.Fatal(err)
	}

	h, closeHost = newHost(t, state)
	t.Cleanup(closeHost)
	told := newRecorder()
	server := git.New(h, "codecommit", told.announce)
	if err := server.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := told.next(t); got != (git.RefChange{Ref: "refs/heads/main", New: id}) {
		t.Errorf("announced %+v", got)
	}
	if repo, err = server.Open(t.Context(), here, "site"); err != nil {
		t.Fatal(err)
	}
	gitIn(t, dir, "remote", "set-url", "origin", serve(t, repo))
	next := commit(t, dir, "a.txt", "2")
	gitIn(t, dir, "push", "--quiet", "origin", "main")
	if got := told.next(t); got.Old != id || got.New != next {
		t.Errorf("announced %+v after the restart", got)
	}
}

func TestRemovedRepositoryIsGone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	commit(t, s.dir, "a.txt", "1")
	if err := s.server.Remove(t.Context(), here, "site"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.server.Open(t.Context(), here, "site"); !errors.Is(err, git.ErrNoRepository) {
		t.Errorf("opening it: %v", err)
	}
	if _, err := s.server.Create(t.Context(), here, "site", "main"); err != nil {
		t.Errorf("making it again: %v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"main": true, "feature/x": true, "a..b": false, "../x": false, "x.lock": false, "a b": false,
		"/a": false, "a/": false, "-x": false, "a@{1}": false, "HEAD": false, "ä": true, ".a": false, "": false,
	} {
		if got := git.ValidBranch(name); got != want {
			t.Errorf("ValidBranch(%q) = %v", name, got)
		}
	}
	for path, want := range map[string]bool{
		"a": true, "a/b.txt": true, "/a": false, "a//b": false, "../a": false, "a/.git/x": false, "": false, ".GIT": false,
	} {
		if got := git.ValidPath(path); got != want {
			t.Errorf("ValidPath(%q) = %v", path, got)
		}
	}
}

// BenchmarkPush is the whole of git push of one small commit, until it is
// announced.
func BenchmarkPush(b *testing.B) {
	s := newSite(b)
	commit(b, s.dir, "a.txt", "0")
	gitIn(b, s.dir, "push", "--quiet", "origin", "main")
	s.next(b)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		commit(b, s.dir, "a.txt", fmt.Sprint("v", i))
		b.StartTimer()
		gitIn(b, s.dir, "push", "--quiet", "origin", "main")
		s.next(b)
	}
}
