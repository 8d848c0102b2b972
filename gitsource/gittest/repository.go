package gittest

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Repository is one of a server's, and a folder in which commits are made.
type Repository struct {
	Name string // OWNER/NAME
	Work string
	s    *Server
}

func (s *Server) dir(name string) string {
	return filepath.Join(s.root, filepath.FromSlash(name)+".git")
}

// Repository makes an empty repository. Its server gives commits by their hashes
// as GitHub's, GitLab's and Gitea's do.
func (s *Server) Repository(name string) *Repository {
	s.t.Helper()
	r := &Repository{Name: name, Work: s.t.TempDir(), s: s}
	r.git("", "init", "-q", "--bare", "-b", "main", s.dir(name))
	r.Configure("uploadpack.allowReachableSHA1InWant", "true")
	r.Git("init", "-q", "-b", "main")
	r.Git("remote", "add", "origin", s.dir(name))
	return r
}

// Configure sets one of git's settings on the server.
func (r *Repository) Configure(name, value string) {
	r.s.t.Helper()
	r.git(r.s.dir(r.Name), "config", name, value)
}

// Git runs git in the folder, and gives what it says.
func (r *Repository) Git(args ...string) string {
	r.s.t.Helper()
	return r.git(r.Work, args...)
}

func (r *Repository) git(dir string, args ...string) string {
	r.s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_ALLOW_PROTOCOL=file")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.s.t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Write writes a file of the folder.
func (r *Repository) Write(name, body string) {
	r.s.t.Helper()
	at := filepath.Join(r.Work, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		r.s.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(body), 0o644); err != nil {
		r.s.t.Fatal(err)
	}
}

// Push commits all that is in the folder to the branch, pushes it, and gives the
// commit.
func (r *Repository) Push(branch string) string {
	r.s.t.Helper()
	r.Git("add", "-A")
	r.Git("commit", "-q", "--allow-empty", "-m", "a change")
	r.Git("push", "-q", "-f", "origin", "HEAD:refs/heads/"+branch)
	return r.Git("rev-parse", "HEAD")
}

// Hash puts an object into the repository as it is, whatever git thinks of it,
// and gives its hash.
func (r *Repository) Hash(kind string, body []byte) string {
	r.s.t.Helper()
	whole := append(fmt.Appendf(nil, "%s %d\x00", kind, len(body)), body...)
	sum := sha1.Sum(whole)
	hash := hex.EncodeToString(sum[:])
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, err := z.Write(whole)
	file := filepath.Join(r.s.dir(r.Name), "objects", hash[:2], hash[2:])
	if err = errors.Join(err, z.Close(), os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, b.Bytes(), 0o600)); err != nil {
		r.s.t.Fatal(err)
	}
	return hash
}

// Serve makes the branch one of that commit.
func (r *Repository) Serve(branch, commit string) {
	r.s.t.Helper()
	if err := os.WriteFile(filepath.Join(r.s.dir(r.Name), "refs", "heads", branch), []byte(commit+"\n"), 0o600); err != nil {
		r.s.t.Fatal(err)
	}
}

// Raw are the bytes of a hash.
func Raw(hash string) []byte {
	b, err := hex.DecodeString(hash)
	if err != nil {
		panic(err)
	}
	return b
}

// Folder makes an empty folder, as a submodule has.
func (r *Repository) Folder(name string) {
	r.s.t.Helper()
	if err := os.MkdirAll(filepath.Join(r.Work, filepath.FromSlash(name)), 0o755); err != nil {
		r.s.t.Fatal(err)
	}
}
