package pipeline_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ouro/pipeline"
)

// git runs git as a user would, with a name and without the machine's settings.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, body := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// files are the names in the tree of the branch main of a bare repository.
func files(t *testing.T, repo string) []string {
	t.Helper()
	return strings.Fields(git(t, repo, "ls-tree", "-r", "--name-only", "main"))
}

func TestPush(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, top string) (dir string) // makes the project
		want    []string
		isHead  bool // the user's own commit is what gets pushed
	}{
		{
			name: "a directory that is no repository",
			prepare: func(t *testing.T, top string) string {
				write(t, top, map[string]string{"a": "1", "b/c": "2", ".gitignore": "*.tmp\n", "x.tmp": "", ".ouro/state.db": ""})
				return top
			},
			want: []string{".gitignore", "a", "b/c"},
		},
		{
			name: "a part of a larger repository, whose rules hold",
			prepare: func(t *testing.T, top string) string {
				git(t, top, "init", "-q")
				write(t, top, map[string]string{".gitignore": "*.tmp\n", "other": "", "p/a": "1", "p/x.tmp": "", "p/gone": "", "p/.ouro/y": ""})
				git(t, top, "add", "p/a", "p/gone", "other")
				git(t, top, "commit", "-qm", "m")
				if err := os.Remove(filepath.Join(top, "p/gone")); err != nil {
					t.Fatal(err)
				}
				write(t, top, map[string]string{"p/new": "3"})
				return filepath.Join(top, "p")
			},
			want: []string{"a", "new"},
		},
		{
			name: "a clean repository of its own",
			prepare: func(t *testing.T, top string) string {
				git(t, top, "init", "-q")
				write(t, top, map[string]string{"a": "1"})
				git(t, top, "add", "a")
				git(t, top, "commit", "-qm", "m")
				return top
			},
			want: []string{"a"}, isHead: true,
		},
		{
			name: "a repository of its own with changes",
			prepare: func(t *testing.T, top string) string {
				git(t, top, "init", "-q")
				write(t, top, map[string]string{"a": "1"})
				git(t, top, "add", "a")
				git(t, top, "commit", "-qm", "m")
				write(t, top, map[string]string{"b": "1"})
				return top
			},
			want: []string{"a", "b"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			remote := filepath.Join(t.TempDir(), "remote.git")
			git(t, ".", "init", "-q", "--bare", remote)
			dir := c.prepare(t, t.TempDir())
			state := t.TempDir()

			pushed, err := pipeline.Push(t.Context(), dir, state, pipeline.Remote{URL: remote}, "main")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, files(t, remote)); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
			if tip := git(t, remote, "rev-parse", "main"); !pushed.Changed || pushed.Commit != tip {
				t.Errorf("pushed = %+v, the tip is %s", pushed, tip)
			}
			if c.isHead && pushed.Commit != git(t, dir, "rev-parse", "HEAD") {
				t.Error("HEAD was clean, and another commit was pushed")
			}

			if news, err := pipeline.HasNews(t.Context(), dir, state, pipeline.Remote{URL: remote}, "main"); news || err != nil {
				t.Errorf("after the push there is news: %v, %v", news, err)
			}
			again, err := pipeline.Push(t.Context(), dir, state, pipeline.Remote{URL: remote}, "main")
			if err != nil || again.Changed || again.Commit != pushed.Commit {
				t.Errorf("an unchanged tree again: %+v, %v", again, err)
			}
			write(t, dir, map[string]string{"later": "x"})
			if news, err := pipeline.HasNews(t.Context(), dir, state, pipeline.Remote{URL: remote}, "main"); !news || err != nil {
				t.Errorf("after a change there is no news: %v, %v", news, err)
			}
			later, err := pipeline.Push(t.Context(), dir, state, pipeline.Remote{URL: remote}, "main")
			if err != nil || !later.Changed {
				t.Fatalf("a changed tree: %+v, %v", later, err)
			}
			if parent := git(t, remote, "rev-parse", "main^"); parent != pushed.Commit {
				t.Errorf("the parent is %s, want the former tip %s", parent, pushed.Commit)
			}
		})
	}
}

func TestPushToNowhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a": "1"})
	_, err := pipeline.Push(t.Context(), dir, t.TempDir(), pipeline.Remote{URL: filepath.Join(dir, "missing.git")}, "main")
	if err == nil || !strings.Contains(err.Error(), `to branch "main"`) {
		t.Errorf("error = %v", err)
	}
}
