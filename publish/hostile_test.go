package publish_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ouro/publish"
)

// TestHostile: a project that is made to exhaust the machine, or to speak to
// the terminal, is refused before much is read.
func TestHostile(t *testing.T) {
	t.Parallel()
	sparse := func(t *testing.T, root, name string, size int64) {
		write(t, root, name, "")
		if err := os.Truncate(filepath.Join(root, name), size); err != nil {
			t.Skip("no sparse files here:", err)
		}
	}
	for _, c := range []struct {
		name string
		make func(t *testing.T, root string)
		want string
	}{
		{"a file larger than any object", func(t *testing.T, root string) {
			write(t, root, "site.yaml", "Resources:\n  A: {Type: A::B::C, Properties: {P: \"file://big\"}}\n")
			sparse(t, root, "big", 1<<43)
		}, `site.yaml:2:38: "big" has 8796093022208 bytes, at most 83886080000 can be published`},
		{"an archive larger than any object", func(t *testing.T, root string) {
			write(t, root, "site.yaml", oneFunction)
			sparse(t, root, "fn/big", 1<<43)
		}, `"fn" cannot be zipped: it holds more than 83886080000 bytes`},
		{"links that repeat one file", func(t *testing.T, root string) {
			write(t, root, "site.yaml", oneFunction)
			sparse(t, root, "l5/big", 1<<33)
			for i := range 5 {
				write(t, root, fmt.Sprintf("l%d/x", i), "")
				link(t, root, fmt.Sprintf("l%d/a", i), fmt.Sprintf("../l%d", i+1))
				link(t, root, fmt.Sprintf("l%d/b", i), fmt.Sprintf("../l%d", i+1))
			}
			link(t, root, "fn", "l0")
		}, `"fn" cannot be zipped: it holds more than 83886080000 bytes`},
		{"folders without end", func(t *testing.T, root string) {
			write(t, root, "site.yaml", oneFunction)
			write(t, root, "fn/"+strings.Repeat("d/", 200)+"a.py", "")
		}, `"fn" has more than 128 folders in each other`},
		{"links that repeat one folder", func(t *testing.T, root string) {
			write(t, root, "fn/.gitignore", "x*\n")
			for i := range 1000 {
				write(t, root, fmt.Sprintf("fn/x%d", i), "")
			}
			site := "Resources:\n"
			for i := range 15 {
				link(t, root, fmt.Sprintf("l%d", i), "fn")
				site += fmt.Sprintf("  F%d: {Type: AWS::Lambda::LayerVersion, Properties: {Content: l%d}}\n", i, i)
			}
			write(t, root, "site.yaml", site)
		}, `is too much: all archives together hold too many files and directories`},
		{"templates without end", func(t *testing.T, root string) {
			write(t, root, "site.yaml", "Resources:\n  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: t/0.yaml}}\n")
			for i := range 200 {
				write(t, root, fmt.Sprintf("t/%d.yaml", i), fmt.Sprintf("Resources:\n  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: %d.yaml}}\n", i+1))
			}
			write(t, root, "t/200.yaml", "Resources: {A: {Type: A::B::C}}\n")
		}, "t/127.yaml:2:67: templates refer to templates more than 128 deep (referred"},
		{"a name that speaks to the terminal", func(t *testing.T, root string) {
			write(t, root, "site.yaml", "Resources:\n  A: {Type: A::B::C, Properties: {P: \"file://a\\e]0;b\\a\"}}\n")
			write(t, root, "a\x1b]0;b\a", "")
		}, `site.yaml:2:38: a path to a file holds control characters: "file://a\x1b]0;b\a"`},
		{"a .gitignore that takes for ever", func(t *testing.T, root string) {
			write(t, root, "site.yaml", oneFunction)
			write(t, root, "fn/.gitignore", strings.Repeat("*a*a*a*a*a*b\n", 80_000))
			for i := range 2000 {
				write(t, root, fmt.Sprintf("fn/%s%d", strings.Repeat("a", 100), i), "")
			}
		}, `"fn" has too many patterns in .gitignore files for so many files`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			c.make(t, root)
			if _, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{MaxFiles: 300}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.300v, want %s", err, c.want)
			}
		})
	}
}

// TestOddEntrypoint: what is named on the command line, or in a build's
// environment, is held to the same.
func TestOddEntrypoint(t *testing.T) {
	t.Parallel()
	if _, err := publish.Load(t.Context(), t.TempDir(), "a\x1b]0;b\a.yaml", publish.Options{}); err == nil || err.Error() != `entrypoint "a\x1b]0;b\a.yaml" holds control characters` {
		t.Error(err)
	}
}

// TestPipeInPlaceOfFile: who exchanges a file for a pipe after it was read keeps
// nobody waiting.
func TestPipeInPlaceOfFile(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "site.yaml", "Resources:\n  A: {Type: A::B::C, Properties: {P: \"file://a.txt\"}}\n")
	write(t, root, "a.txt", "a")
	plan := planOf(t, root)
	name := filepath.Join(root, "a.txt")
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Upload(t.Context(), newBucket(), plan, publish.UploadOptions{}); err == nil || !strings.Contains(err.Error(), "is no regular file") {
		t.Error(err)
	}
}
