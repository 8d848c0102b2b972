package pull_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"ouro/gitsource"
	"ouro/gitsource/gittest"
	"ouro/gitsource/pull"
)

// TestRefusals: what is not right is refused, with what to do, and nothing of it
// is in the way of what is right.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := gittest.New(t)
	r := s.Repository("acme/app")
	r.Write("a", "a")
	r.Write("b", strings.Repeat("b", 2000))
	commit := r.Push("main")
	_, other := s.NewKey()
	keys := func(text string) pull.HostKeys {
		k, err := pull.ReadHostKeys(text)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	unknown, _ := s.NewKey()
	table := map[string]struct {
		change    func(*pull.Puller, *gitsource.Event)
		why       string
		permanent bool
	}{
		"another host key": {func(p *pull.Puller, _ *gitsource.Event) { p.HostKeys = keys(other) }, "which is none of its known ones: somebody is in between", true},
		"a host key of a kind": {func(p *pull.Puller, _ *gitsource.Event) {
			p.HostKeys = keys("ssh-rsa SHA256:" + strings.Repeat("A", 43))
		}, "no key of the kinds that are known", true},
		"no host key":             {func(p *pull.Puller, _ *gitsource.Event) { p.HostKeys = nil }, "nothing is known of the SSH host 127.0.0.1", true},
		"a host key of GitHub's":  {func(p *pull.Puller, _ *gitsource.Event) { p.SSHHost, p.HostKeys = "github.com.invalid", nil }, "nothing is known of the SSH host", true},
		"a key that nobody knows": {func(p *pull.Puller, _ *gitsource.Event) { p.Key = given([]byte(unknown)) }, "register the public half as a deploy key", true},
		"no key":                  {func(p *pull.Puller, _ *gitsource.Event) { p.Key = given([]byte("-----BEGIN SECRET-----")) }, "holds none that SSH reads", true},
		"no server":               {func(p *pull.Puller, _ *gitsource.Event) { p.SSHHost = "127.0.0.1:1" }, "reaching the SSH host", false},
		"no repository":           {func(_ *pull.Puller, e *gitsource.Event) { e.Name = "none" }, `the server says "ERROR: Repository not found."`, false},
		"a name with a quote":     {func(_ *pull.Puller, e *gitsource.Event) { e.Name = "a'b" }, "no OWNER/NAME", true},
		"no commit":               {func(_ *pull.Puller, e *gitsource.Event) { e.Commit = strings.Repeat("1", 40) }, "the server does not have the commit", false},
		"a commit of SHA-256":     {func(_ *pull.Puller, e *gitsource.Event) { e.Commit = strings.Repeat("1", 64) }, "by git.zip", true},
		"a file too large":        {func(p *pull.Puller, _ *gitsource.Event) { p.Limits.Object = 1000 }, "keep it in Git LFS", true},
		"too many bytes":          {func(p *pull.Puller, _ *gitsource.Event) { p.Limits.Total = 2000 }, "more than 2000 bytes", true},
		"too many objects":        {func(p *pull.Puller, _ *gitsource.Event) { p.Limits.Objects = 3 }, "more than 3", true},
		"a pack too large":        {func(p *pull.Puller, _ *gitsource.Event) { p.Limits.Disk = 200 }, "too many bytes", true},
		"another token":           {func(p *pull.Puller, _ *gitsource.Event) { p.Key, p.Token = nil, given("another") }, "answers 401: give a token", true},
		"no token":                {func(p *pull.Puller, _ *gitsource.Event) { p.Key, p.Token = nil, nil }, "answers 401", true},
		"an authority of none":    {func(p *pull.Puller, _ *gitsource.Event) { p.Key = nil; p.Client, _ = gitsource.NewClient(nil) }, "certificate", false},
		"no such page":            {func(p *pull.Puller, e *gitsource.Event) { p.Key = nil; e.Name = "none" }, "404", false},
		"silence":                 {func(p *pull.Puller, e *gitsource.Event) { p.Stall = 100 * time.Millisecond; e.Name = "silent" }, "says nothing", false},
	}
	silent := s.Repository("acme/silent")
	silent.Write("a", "a")
	silent.Push("main")
	end := make(chan struct{})
	defer close(end)
	for name, c := range table {
		t.Run(name, func(t *testing.T) {
			if name == "silence" {
				s.Slow(func(int64) { <-end })
				t.Cleanup(func() { s.Slow(nil) })
			}
			p, e := puller(t, s), pushed(r, "main", commit)
			c.change(p, &e)
			_, err := fetch(p, e)
			final := (*gitsource.PermanentError)(nil)
			if err == nil || !strings.Contains(err.Error(), c.why) || errors.As(err, &final) != c.permanent {
				t.Fatalf("it got %v", err)
			}
			if strings.Contains(err.Error(), s.Token) || strings.Contains(err.Error(), "PRIVATE") || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("the error tells a secret: %v", err)
			}
			if name == "silence" {
				return
			}
			good := puller(t, s)
			good.Dir = p.Dir
			if _, err := fetch(good, pushed(r, "main", commit)); err != nil {
				t.Errorf("after it, what is right got %v", err)
			}
		})
	}
}

// TestHostKeys: keys as ssh-keyscan prints them, and fingerprints.
func TestHostKeys(t *testing.T) {
	t.Parallel()
	const key, print = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
	for text, want := range map[string]string{
		"github.com ssh-ed25519 " + key:                                       print,
		"# github.com:22 SSH-2.0\n[github.com]:443 ssh-ed25519 " + key + "\n": print,
		"ssh-ed25519 " + print:                                                print,
		"ssh-ed25519 " + key + ", ecdsa-sha2-nistp256 " + print:               print,
		"":                               "",
		"ssh-ed25519":                    "error",
		"ssh-dss AAAA":                   "error",
		"ssh-ed25519 SHA256:x":           "error",
		"ssh-rsa " + key:                 "error",
		"ssh-ed25519 " + key[:20]:        "error",
		"github.com ssh-ed25519 nothing": "error",
	} {
		got, err := pull.ReadHostKeys(text)
		if (err != nil) != (want == "error") {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && strings.Join(got["ssh-ed25519"], " ") != want {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// TestHostileTrees: a tree that git would not make is not packed.
func TestHostileTrees(t *testing.T) {
	t.Parallel()
	s := gittest.New(t)
	r := s.Repository("acme/app")
	p := puller(t, s)
	blob := r.Hash("blob", []byte("x"))
	tree := func(entries ...string) string {
		var b bytes.Buffer
		for i := 0; i < len(entries); i += 2 {
			b.WriteString(entries[i] + "\x00")
			b.Write(gittest.Raw(entries[i+1]))
		}
		return r.Hash("tree", b.Bytes())
	}
	good := tree("100644 a", blob)
	bomb := good
	for range 20 {
		bomb = tree("40000 a", bomb, "40000 b", bomb, "40000 c", bomb)
	}
	hollow := tree()
	for range 20 {
		hollow = tree("40000 a", hollow, "40000 b", hollow, "40000 c", hollow)
	}
	deep := good
	for range 600 {
		deep = tree("40000 a", deep)
	}
	table := map[string]struct{ tree, why string }{
		"a climb":           {tree("40000 ..", good), "leads out"},
		"a slash":           {tree("100644 ../../x", blob), "slash"},
		"git's own":         {tree("40000 .GIT", good), "no such name"},
		"a name twice":      {tree("100644 a", blob, "100644 a", blob), "twice"},
		"a line break":      {tree("100644 a\nb", blob), "not every system"},
		"a link out":        {tree("120000 a", r.Hash("blob", []byte("../../etc"))), "leads out"},
		"a link of a book":  {tree("120000 a", r.Hash("blob", bytes.Repeat([]byte("a"), 100_000))), "leads out"},
		"a device":          {tree("20644 a", blob), "neither file"},
		"a tree as a file":  {tree("100644 a", good), "a tree in place of a file"},
		"a bomb":            {bomb, "more than 1000"},
		"a bomb of folders": {hollow, "more than 1000"},
		"a deep one":        {deep, "too long"},
	}
	p.Limits.Entries = 1000
	for name, c := range table {
		t.Run(name, func(t *testing.T) {
			commit := r.Hash("commit", []byte("tree "+c.tree+"\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nx\n"))
			r.Serve("main", commit)
			p.Dir = t.TempDir()
			if _, err := fetch(p, pushed(r, "main", commit)); err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("it got %v", err)
			}
		})
	}
}
