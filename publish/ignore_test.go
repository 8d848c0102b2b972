package publish_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ouro/cloud/cloudtest/tool"
	"ouro/publish"
)

// ignoring are .gitignore files, by directory, and the files that they are
// held against.
var ignoring = []struct {
	name   string
	ignore map[string]string
	files  []string
}{
	{"names", map[string]string{"fn": "*.pyc\n__pycache__/\nTAGS\n"}, []string{"a.py", "a.pyc", "b/a.pyc", "__pycache__/x", "b/__pycache__/x", "TAGS", "b/TAGS/x"}},
	{"a file is no directory", map[string]string{"fn": "build/\n"}, []string{"build", "b/build/x"}},
	{"rooted", map[string]string{"fn": "/a\nb/c\n"}, []string{"a", "b/a", "b/c", "d/b/c", "c"}},
	{"stars", map[string]string{"fn": "**/x\ny/**\na/**/z\nf**g\n"}, []string{"x", "a/x", "y/1", "y/2/3", "a/z", "a/b/z", "a/b/c/z", "fog", "f/g"}},
	{"taken back", map[string]string{"fn": "*.log\n!keep.log\n"}, []string{"a.log", "keep.log", "b/keep.log"}},
	{"not below what is out", map[string]string{"fn": "out/\n!out/keep\n"}, []string{"out/keep", "out/x", "in"}},
	{"below what is in", map[string]string{"fn": "out/*\n!out/keep\n"}, []string{"out/keep", "out/x"}},
	{"below two stars", map[string]string{"fn": "out/**\n!out/keep\n"}, []string{"out/keep", "out/x", "out/a/b"}},
	{"deeper has the say", map[string]string{"": "*.txt\n", "fn": "!b.txt\n", "fn/c": "b.txt\n!/a.txt\n"}, []string{"a.txt", "b.txt", "c/a.txt", "c/b.txt", "c/d/a.txt"}},
	{"from above", map[string]string{"": "/fn/a\nfn/b\nc\n"}, []string{"a", "b", "c", "d/a", "d/b", "d/c"}},
	{"text", map[string]string{"fn": "# a\n\\#b\n\\!c\n\n   \nd \ne\\ \nf\r\n"}, []string{"# a", "#b", "!c", "d", "e ", "e", "f"}},
	{"classes", map[string]string{"fn": "[ab].x\n[!c-e].y\n?.z\n{a,b}\n\\{q\n"}, []string{"a.x", "c.x", "a.y", "d.y", "a.z", "aa.z", "a", "b", "{a,b}", "{q"}},
	{"wrong", map[string]string{"fn": "[\na\\\n/\n!\n"}, []string{"[", "a", "b"}},
	{"mark", map[string]string{"fn": "\uFEFFa\n"}, []string{"a", "b"}},
}

// TestIgnore holds what archives leave out against git itself.
func TestIgnore(t *testing.T) {
	t.Parallel()
	tool.Find(t, "git")
	for _, c := range ignoring {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := project(t, map[string]string{"fn/zz": ""})
			for dir, text := range c.ignore {
				write(t, root, filepath.Join(dir, ".gitignore"), text)
			}
			for _, name := range c.files {
				write(t, root, "fn/"+name, "")
			}
			git := exec.Command("git", "-c", "init.defaultBranch=main", "init", "-q")
			git.Dir = root
			if out, err := git.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			list := exec.Command("git", "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore", "fn")
			list.Dir, list.Env = root, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
			out, err := list.Output()
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Split(strings.TrimSuffix(strings.ReplaceAll("\x00"+string(bytes.TrimSuffix(out, []byte{0})), "\x00fn/", "\x00"), "\x00"), "\x00")[1:]
			slices.Sort(want)
			if got := names(archives(t, root, publish.Options{})["fn"]); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// TestIgnoredDirectory: what a build made and git leaves out is published
// whole, and dependencies that are left out are told.
func TestIgnoredDirectory(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{".gitignore": "/fn/\n*.js\n", "fn/a.js": "", "fn/b/c.js": ""})
	if got, want := names(archives(t, root, publish.Options{})["fn"]), []string{"a.js", "b/c.js"}; !slices.Equal(got, want) {
		t.Errorf("the archive holds %v", got)
	}
	root = project(t, map[string]string{".gitignore": "node_modules\n", "fn/a.js": "", "fn/node_modules/x.js": ""})
	tree, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := `fn: the archive is without "fn/node_modules", as a .gitignore says; a line !node_modules in "fn/.gitignore" puts it in (referred to by site.yaml:2:55)`
	if len(tree.Warnings) != 1 || tree.Warnings[0].String() != want {
		t.Errorf("warnings are %v", tree.Warnings)
	}
	write(t, root, "fn/.gitignore", "!node_modules\n")
	if got, want := names(archives(t, root, publish.Options{})["fn"]), []string{".gitignore", "a.js", "node_modules/x.js"}; !slices.Equal(got, want) {
		t.Errorf("the archive holds %v", got)
	}
}

func TestExclude(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{"fn/a.py": "", "fn/a_test.py": "", "fn/t/a.py": "", "fn/b/t/b.py": "", "fn/.gitignore": "!*_test.py\n"})
	got := names(archives(t, root, publish.Options{Exclude: []string{"*_test.py", "/fn/t", ".gitignore"}})["fn"])
	if want := []string{"a.py", "b/t/b.py"}; !slices.Equal(got, want) {
		t.Errorf("the archive holds %v", got)
	}
	for _, wrong := range []string{"", "#x", "["} {
		if _, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{Exclude: []string{wrong}}); err == nil {
			t.Errorf("%q was taken as a pattern", wrong)
		}
	}
}
