package layer_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ouro/cloud/cloudtest/tool"
	"ouro/layer"
)

// tree writes files below a directory of its own.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// build builds a layer, and gives its files.
func build(t *testing.T, from string, runtimes ...string) (layer.Manifest, map[string]string, error) {
	t.Helper()
	out := t.TempDir()
	m, err := layer.Build(t.Context(), layer.Work{Manifest: layer.Manifest{Layer: "l", Runtimes: runtimes}, From: from, Out: out})
	if err != nil {
		return m, nil, err
	}
	body, err := os.ReadFile(filepath.Join(out, layer.ZipFile))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	if err := layer.CheckZip(z, m); err != nil {
		t.Error(err)
	}
	files := map[string]string{"": fmt.Sprintf("%x", sha256.Sum256(body))}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(b)
	}
	return m, files, nil
}

func names(files map[string]string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(files)), func(name string) bool { return name == "" })
}

func TestPlainFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files   map[string]string
		runtime string
		want    []string
	}{
		"laid out":         {map[string]string{"python/a.py": "", "lib/b.so": "", "README.md": "", "python/.hidden": "", "python/__pycache__/a.pyc": ""}, "", []string{"lib/b.so", "python/a.py"}},
		"for python":       {map[string]string{"a.py": "", "p/__init__.py": "", ".git/HEAD": ""}, "python3.13", []string{"python/a.py", "python/p/__init__.py"}},
		"for node":         {map[string]string{"m/index.js": ""}, "nodejs22.x", []string{"nodejs/node_modules/m/index.js"}},
		"for any":          {map[string]string{"tool": ""}, "provided.al2023", []string{"bin/tool"}},
		"an extension too": {map[string]string{"extensions/e": "", "bin/x": ""}, "", []string{"bin/x", "extensions/e"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var runtimes []string
			if c.runtime != "" {
				runtimes = []string{c.runtime}
			}
			_, files, err := build(t, tree(t, c.files), runtimes...)
			if err != nil || !slices.Equal(names(files), c.want) {
				t.Errorf("it holds %v: %v", names(files), err)
			}
		})
	}
}

// TestSameContent: neither the time nor the place counts, the content does.
func TestSameContent(t *testing.T) {
	t.Parallel()
	files := map[string]string{"python/b.py": "2", "python/a.py": "1"}
	first, one, err := build(t, tree(t, files))
	if err != nil {
		t.Fatal(err)
	}
	again, two, err := build(t, tree(t, files))
	if err != nil || again.Content != first.Content || one[""] != two[""] {
		t.Errorf("the same files made %s and %s, %s and %s: %v", first.Content, again.Content, one[""], two[""], err)
	}
	executable := tree(t, files)
	if err := os.Chmod(filepath.Join(executable, "python/a.py"), 0o755); err != nil {
		t.Fatal(err)
	}
	other, _, err := build(t, executable)
	if err != nil || other.Content == first.Content {
		t.Errorf("an executable file makes no difference: %v", err)
	}
}

// TestBuiltAgain: what was built before is no part of the layer, where its
// directory lies in the source.
func TestBuiltAgain(t *testing.T) {
	t.Parallel()
	from := tree(t, map[string]string{"a.py": "", "out.py": ""})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(from, link); err != nil {
		t.Fatal(err)
	}
	var contents []string
	for _, dir := range []string{from, from, link} {
		m, err := layer.Build(t.Context(), layer.Work{Manifest: layer.Manifest{Layer: "l", Runtimes: []string{"python3.13"}}, From: dir, Out: filepath.Join(from, "out")})
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, m.Content)
	}
	if len(slices.Compact(contents)) != 1 {
		t.Errorf("the same source made %v", contents)
	}
}

func TestWhatCannotBeBuilt(t *testing.T) {
	t.Parallel()
	linked := tree(t, map[string]string{"python/a.py": ""})
	if err := os.Symlink("/etc/passwd", filepath.Join(linked, "python/b")); err != nil {
		t.Fatal(err)
	}
	piped := tree(t, map[string]string{"python/a.py": ""})
	if err := syscall.Mkfifo(filepath.Join(piped, "python/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	around := tree(t, map[string]string{"python/deep/er/a.py": ""})
	for link, to := range map[string]string{"python/deep/top": "..", "python/deep/around": "top/../../" + filepath.Base(t.TempDir())} {
		if err := os.Symlink(to, filepath.Join(around, link)); err != nil {
			t.Fatal(err)
		}
	}
	huge := tree(t, map[string]string{"python/a.py": ""})
	if err := os.Truncate(filepath.Join(huge, "python/a.py"), layer.MaxSize+1); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ from, runtime, want string }{
		"nothing":         {t.TempDir(), "python3.13", "gives no files"},
		"no runtime":      {tree(t, map[string]string{"x": ""}), "", "with a runtime, its files would go where that looks"},
		"a link out":      {linked, "", "is a link to \"/etc/passwd\", which is not in the layer"},
		"a way around":    {around, "", "which is not"},
		"a pipe":          {piped, "", "is neither a file nor a directory"},
		"too large":       {huge, "", "holds more than 250 MB"},
		"two manifests":   {tree(t, map[string]string{"requirements.txt": "", "go.mod": ""}), "", "name the one"},
		"another file":    {filepath.Join(tree(t, map[string]string{"setup.py": ""}), "setup.py"), "", "is none of requirements.txt, package.json, go.mod"},
		"not there":       {"/nowhere", "", "no such file"},
		"no such runtime": {tree(t, map[string]string{"x": ""}), "cobol7", `"cobol7" is no runtime`},
	} {
		var runtimes []string
		if c.runtime != "" {
			runtimes = []string{c.runtime}
		}
		if _, _, err := build(t, c.from, runtimes...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// wheel writes a wheel of a pure Python package, with what it needs.
func wheel(t *testing.T, dir, name, version, code string, needs ...string) {
	t.Helper()
	wheelFor(t, dir, "any", name, version, code, needs...)
}

// wheelFor writes a wheel for a platform.
func wheelFor(t *testing.T, dir, platform, name, version, code string, needs ...string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name+"-"+version+"-py3-none-"+platform+".whl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	info := name + "-" + version + ".dist-info/"
	metadata := "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"
	for _, n := range needs {
		metadata += "Requires-Dist: " + n + "\n"
	}
	record := ""
	for _, file := range [][2]string{
		{name + "/__init__.py", code}, {info + "METADATA", metadata}, {info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-" + platform + "\n"},
	} {
		sum := sha256.Sum256([]byte(file[1]))
		record += fmt.Sprintf("%s,sha256=%s,%d\n", file[0], base64.RawURLEncoding.EncodeToString(sum[:]), len(file[1]))
		w, err := z.Create(file[0])
		if err == nil {
			_, err = io.WriteString(w, file[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w, err := z.Create(info + "RECORD")
	if err == nil {
		_, err = io.WriteString(w, record+info+"RECORD,,\n")
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestRequirements(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	var contents []string
	for range 2 {
		dir := tree(t, map[string]string{"requirements.txt": "--no-index\n--find-links wheels\ngreeter\n", "python/own.py": "import greeter\n", "wheels/.keep": ""})
		wheel(t, filepath.Join(dir, "wheels"), "words", "1.0", "hello = 'hello'\n")
		wheel(t, filepath.Join(dir, "wheels"), "greeter", "2.1", "from words import hello\n", "words>=1")
		m, files, err := build(t, filepath.Join(dir, "requirements.txt"), "python3.11", "python3.12")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"python/greeter/__init__.py", "python/words/__init__.py", "python/own.py", "python/words-1.0.dist-info/METADATA"} {
			if _, ok := files[want]; !ok {
				t.Errorf("there is no %s among %v", want, names(files))
			}
		}
		for name, body := range files {
			if strings.Contains(body, dir) || strings.HasSuffix(name, ".pyc") {
				t.Errorf("%s tells of this machine", name)
			}
		}
		contents = append(contents, m.Content)
	}
	if contents[0] != contents[1] {
		t.Error("the same requirements made two contents")
	}
}

// TestForeignWheels: for another processor, the newest wheels are taken that the
// runtime's system can load.
func TestForeignWheels(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	foreign := map[string][2]string{"amd64": {"arm64", "aarch64"}, "arm64": {"x86_64", "x86_64"}}[runtime.GOARCH]
	dir := tree(t, map[string]string{"requirements.txt": "--no-index\n--find-links wheels\nfast\n", "wheels/.keep": ""})
	for version, glibc := range map[string]string{"1.0": "2_17", "2.0": "2_28", "3.0": "2_39"} {
		wheelFor(t, filepath.Join(dir, "wheels"), "manylinux_"+glibc+"_"+foreign[1], "fast", version, "version = '"+version+"'\n")
	}
	m := layer.Manifest{Layer: "l", Runtimes: []string{"python3.13"}, Architectures: []string{foreign[0]}}
	out := t.TempDir()
	if _, err := layer.Build(t.Context(), layer.Work{Manifest: m, From: dir, Out: out}); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(filepath.Join(out, layer.ZipFile))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if _, err := z.Open("python/fast-2.0.dist-info/METADATA"); err != nil {
		t.Errorf("2.0 was not taken: %v", err)
	}
}

func TestPackageJSON(t *testing.T) {
	t.Parallel()
	tool.Find(t, "npm")
	dir := tree(t, map[string]string{
		"package.json":              `{"name": "l", "version": "1.0.0", "dependencies": {"greeter": "file:pkgs/greeter"}}`,
		"pkgs/greeter/package.json": `{"name": "greeter", "version": "1.0.0", "main": "index.js"}`,
		"pkgs/greeter/index.js":     "module.exports = () => 'hello'\n",
	})
	_, files, err := build(t, dir, "nodejs22.x")
	if err != nil {
		t.Fatal(err)
	}
	if files["nodejs/node_modules/greeter/index.js"] == "" {
		t.Errorf("it holds %v", names(files))
	}
}

func TestGoModule(t *testing.T) {
	t.Parallel()
	tool.Find(t, "go")
	dir := tree(t, map[string]string{"go.mod": "module example.com/tool\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"})
	m, files, err := build(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(files["bin/tool"], "\x7fELF") || m.Size < 1000 {
		t.Errorf("it holds %v", names(files))
	}
}
