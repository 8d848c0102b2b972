package publish_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ouro/publish"
)

const oneFunction = "Resources:\n  F: {Type: AWS::Lambda::Function, Properties: {Code: fn}}\n"

// project writes a project of one function whose code is in fn.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "site.yaml", oneFunction)
	for name, body := range files {
		write(t, root, name, body)
	}
	return root
}

// archives gives what was published as archives of a project, by path.
func archives(t *testing.T, root string, options publish.Options) map[string]*zip.Reader {
	t.Helper()
	tree, err := publish.Load(t.Context(), root, "site.yaml", options)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := tree.Plan(publish.Location{Bucket: "bucket", Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	b := newBucket()
	upload(t, b, plan, publish.UploadOptions{})
	out := map[string]*zip.Reader{}
	for _, o := range plan.Objects {
		if o.Kind != publish.KindArchive {
			continue
		}
		body := b.objects[o.Key]
		if out[o.Path], err = zip.NewReader(bytes.NewReader(body), int64(len(body))); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func names(z *zip.Reader) (out []string) {
	for _, f := range z.File {
		out = append(out, f.Name)
	}
	return out
}

func TestArchive(t *testing.T) {
	t.Parallel()
	root := project(t, map[string]string{"fn/b.py": "bee", "fn/a/z.py": "zed", "fn/a.py": "ay", "fn/run": "#!/bin/sh\n", "lib/l.py": "ell"})
	for name, mode := range map[string]os.FileMode{"fn/b.py": 0o600, "fn/run": 0o700} {
		if err := os.Chmod(filepath.Join(root, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	link(t, root, "fn/link.py", "../lib/l.py")
	link(t, root, "fn/links", "../lib")
	got := archives(t, root, publish.Options{})["fn"]
	want := []string{"a.py", "a/z.py", "b.py", "link.py", "links/l.py", "run"}
	if !slices.Equal(names(got), want) {
		t.Fatalf("the archive holds %v", names(got))
	}
	for i, body := range []string{"ay", "zed", "bee", "ell", "ell", "#!/bin/sh\n"} {
		f := got.File[i]
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(in); err != nil || string(text) != body {
			t.Errorf("%s holds %q, %v", f.Name, text, err)
		}
		mode := os.FileMode(0o644)
		if f.Name == "run" {
			mode = 0o755
		}
		if f.Mode() != mode || !f.Modified.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) || f.Method != zip.Deflate {
			t.Errorf("%s has mode %v, time %v, method %d", f.Name, f.Mode(), f.Modified, f.Method)
		}
	}
}

func link(t *testing.T, root, name, target string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
		t.Fatal(err)
	}
}

// TestArchiveKey: the key is the same wherever and whenever the same files
// were written, and another when any of them changes.
func TestArchiveKey(t *testing.T) {
	t.Parallel()
	files := map[string]string{"fn/a.py": "a", "fn/b/c.py": "c"}
	key := func(change func(root string) error) string {
		root := project(t, files)
		if err := change(root); err != nil {
			t.Fatal(err)
		}
		return planOf(t, root).Objects[0].Key
	}
	file := func(root string) string { return filepath.Join(root, "fn/a.py") }
	const want = "fn/31106855cc0b904ca5d1880363d8a3038c1ef4b7113d92fc200d50f7ccb557ed"
	if got := key(func(string) error { return nil }); got != want {
		t.Errorf("the key is %s", got)
	}
	for name, change := range map[string]func(root string) error{
		"time":  func(root string) error { return os.Chtimes(file(root), time.Time{}, time.Unix(1, 0)) },
		"umask": func(root string) error { return os.Chmod(file(root), 0o600) },
		"git":   func(root string) error { return os.Mkdir(filepath.Join(root, "fn/.git"), 0o755) },
		"state": func(root string) error { return os.Mkdir(filepath.Join(root, "fn/.ouro"), 0o755) },
		"empty": func(root string) error { return os.Mkdir(filepath.Join(root, "fn/empty"), 0o755) },
		"rewritten": func(root string) error {
			return errors.Join(os.Remove(file(root)), os.WriteFile(file(root), []byte("a"), 0o644))
		},
		"other file": func(root string) error { return os.WriteFile(filepath.Join(root, "a.py"), nil, 0o644) },
	} {
		if got := key(change); got != want {
			t.Errorf("%s: the key is %s", name, got)
		}
	}
	for name, change := range map[string]func(root string) error{
		"content":    func(root string) error { return os.WriteFile(file(root), []byte("b"), 0o644) },
		"name":       func(root string) error { return os.Rename(file(root), file(root)+"c") },
		"executable": func(root string) error { return os.Chmod(file(root), 0o755) },
		"more":       func(root string) error { return os.WriteFile(file(root)+"x", nil, 0o644) },
	} {
		if got := key(change); got == want || !strings.HasPrefix(got, "fn/") {
			t.Errorf("%s: the key is %s", name, got)
		}
	}
}

// TestLambdaFile: one file of code is zipped, unless it is a zip.
func TestLambdaFile(t *testing.T) {
	t.Parallel()
	var ready bytes.Buffer
	out := zip.NewWriter(&ready)
	if err := errors.Join(out.SetComment("a comment"), out.Close()); err != nil {
		t.Fatal(err)
	}
	for body, kind := range map[string]publish.Kind{
		"code": publish.KindArchive, "": publish.KindArchive, "PK\x05\x06": publish.KindArchive, ready.String(): publish.KindFile,
	} {
		root := t.TempDir()
		write(t, root, "site.yaml", oneFunction)
		write(t, root, "fn", body)
		if got := planOf(t, root).Objects[0].Kind; got != kind {
			t.Errorf("%q is published as %s", body, got)
		}
	}
	root := t.TempDir()
	write(t, root, "site.yaml", oneFunction)
	write(t, root, "fn", "code")
	if got := names(archives(t, root, publish.Options{})["fn"]); !slices.Equal(got, []string{"fn"}) {
		t.Errorf("the archive holds %v", got)
	}
}

func TestArchiveRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lay  func(t *testing.T, root string)
		want string
	}{
		"empty":    {func(t *testing.T, root string) { write(t, root, "fn/.git/x", "") }, `"fn" has no files for an archive`},
		"outside":  {func(t *testing.T, root string) { link(t, root, "fn/x", "../..") }, `"fn" cannot be zipped: "fn/x" leads out of the project's directory`},
		"absolute": {func(t *testing.T, root string) { link(t, root, "fn/x", "/etc/passwd") }, `"fn" cannot be zipped: "fn/x" leads out of the project's directory`},
		"dangling": {func(t *testing.T, root string) { link(t, root, "fn/x", "nowhere") }, `"fn" cannot be zipped: "fn/x" does not exist`},
		"circle":   {func(t *testing.T, root string) { link(t, root, "fn/x", "../fn") }, `"fn" cannot be zipped: "fn/x" leads round in a circle`},
		"pipe": {func(t *testing.T, root string) {
			if err := syscall.Mkfifo(filepath.Join(root, "fn/x"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, `"fn" cannot be zipped: "fn/x" is no regular file`},
	} {
		t.Run(name, func(t *testing.T) {
			root := project(t, map[string]string{"fn/.ouro/x": ""})
			c.lay(t, root)
			_, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{})
			if want := "site.yaml:2:55: " + c.want; err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

// TestChangedArchive: what changes between Load and Upload is not stored.
func TestChangedArchive(t *testing.T) {
	t.Parallel()
	root, b := project(t, map[string]string{"fn/a.py": "one"}), newBucket()
	plan := planOf(t, root)
	write(t, root, "fn/a.py", "two")
	_, err := publish.Upload(t.Context(), b, plan, publish.UploadOptions{})
	want := `publish "fn" to bucket "bucket": zip it: "fn/a.py" changed while it was published`
	if err == nil || err.Error() != want || len(b.objects) != 0 {
		t.Errorf("%v, want %s", err, want)
	}
}
