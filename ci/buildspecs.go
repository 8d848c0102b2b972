package ci

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"

	"ouro/buildspec"
)

//go:embed entry_ci.yml
var ciEntry string

//go:embed entry_release.yml
var releaseEntry string

// The files of a purpose's buildspecs, in its output directory.
const (
	batchFile    = "buildspec.yml"      // which parts the batch has
	entryFile    = "build.yml"          // what each of them does
	templateFile = "build.template.yml" // which entryFile is written from, if the user wants it changed
)

// Kinds are the ways to write a batch.
var Kinds = []string{"graph", "list", "matrix"}

// StandardCompute is the size of the machine of each part, unless the
// configuration says another.
const StandardCompute = "BUILD_GENERAL1_MEDIUM"

// Buildspecs says which buildspecs to write.
type Buildspecs struct {
	Purpose Purpose
	Dir     string   // of the repository
	Output  string   // directory in it; empty: the purpose's
	Roots   []string // empty: the configuration's
	Kind    string   // one of Kinds; empty: the configuration's, or graph
	Config  *Config
}

// File is a file of the repository.
type File struct {
	Path string // with slashes, from the repository's directory
	Body []byte
}

// output is the directory of the buildspecs, with slashes.
func (b Buildspecs) output() (string, error) {
	out := path.Clean(filepath.ToSlash(cmp.Or(b.Output, b.Purpose.Output)))
	if !filepath.IsLocal(filepath.FromSlash(out)) {
		return "", fmt.Errorf("the output path %q is not inside the repository", out)
	}
	return out, nil
}

// Template is the file that the user changes, as ouro has it.
func (b Buildspecs) Template() (File, error) {
	out, err := b.output()
	return File{Path: path.Join(out, templateFile), Body: []byte(b.Purpose.entry)}, err
}

// Files are the buildspecs, as they should be now. The same directories and
// configuration give the same bytes on every machine.
func (b Buildspecs) Files() ([]File, error) {
	out, err := b.output()
	if err != nil {
		return nil, err
	}
	flavors, err := b.Flavors()
	if err != nil {
		return nil, err
	}
	batch, err := b.batch(path.Join(out, entryFile), flavors)
	if err != nil {
		return nil, err
	}
	entry, err := b.entry(out)
	if err != nil {
		return nil, err
	}
	// What comes of somebody's template may be anything; of the batch, only
	// the size is not in our hands.
	if _, err := buildspec.Parse(path.Join(out, entryFile), entry); err != nil {
		return nil, fmt.Errorf("what would be written is no buildspec: %w", err)
	}
	if len(batch) > buildspec.MaxSize {
		return nil, fmt.Errorf("the buildspec of %d directories would have %d bytes, and at most %d are read", len(flavors), len(batch), buildspec.MaxSize)
	}
	return []File{{path.Join(out, entryFile), entry}, {path.Join(out, batchFile), batch}}, nil
}

// Flavors are the directories that the batch has parts for.
func (b Buildspecs) Flavors() ([]Flavor, error) {
	roots := b.Roots
	if len(roots) == 0 {
		roots = b.Config.Build.Roots
	}
	return FindFlavors(b.Dir, roots)
}

// batch is the buildspec with the parts.
func (b Buildspecs) batch(entry string, flavors []Flavor) ([]byte, error) {
	c := b.Config.Build
	var w bytes.Buffer
	fmt.Fprintf(&w, "# Written by %s buildspec, again whenever a directory comes or goes.\nversion: 0.2\n\nbatch:\n  fast-fail: %t\n", b.Purpose.Command, c.FastFail)
	compute := cmp.Or(c.ComputeType, StandardCompute)
	privileged := c.Privileged == nil || *c.Privileged
	switch kind := cmp.Or(b.Kind, c.Kind, Kinds[0]); kind {
	case "graph", "list":
		fmt.Fprintf(&w, "  build-%s:\n", kind)
		for _, f := range flavors {
			fmt.Fprintf(&w, `    - identifier: %s
      buildspec: %s
      env:
        compute-type: %s
        privileged-mode: %t
        variables:
          FLAVOR: %s
          FLAVOR_ROOT: %s
`, f.Identifier(), quote(entry), compute, privileged, quote(f.Name), quote(f.Root))
		}
	case "matrix":
		root := flavors[0].Root
		fmt.Fprintf(&w, `  build-matrix:
    static:
      env:
        privileged-mode: %t
    dynamic:
      buildspec:
        - %s
      env:
        compute-type:
          - %s
        variables:
          FLAVOR_ROOT:
            - %s
          FLAVOR:
`, privileged, quote(entry), compute, quote(root))
		for _, f := range flavors {
			if f.Root != root {
				return nil, errors.New("a matrix builds every directory for every root: with several roots write a graph or a list")
			}
			fmt.Fprintf(&w, "            - %s\n", quote(f.Name))
		}
	default:
		return nil, fmt.Errorf("there is no kind %q of batch; there are %s", kind, strings.Join(Kinds, ", "))
	}
	return w.Bytes(), nil
}

// quote is a text in double quotes as YAML reads them: all escapes of Go's are
// YAML's too.
func quote(s string) string { return strconv.Quote(s) }

// shellWord is a text as one word of a shell.
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// entryValues are what a template of the entry buildspec can use.
type entryValues struct {
	ConfigFile     string   // empty if there is none
	BaseBranch     string   // empty if the configuration says none
	IgnoredPaths   []string // of the configuration
	RegistrySecret string   // name of the secret, empty for none
}

// entry is the buildspec of each part: the template in the output directory, or
// else ouro's own, with its values.
func (b Buildspecs) entry(out string) ([]byte, error) {
	name := path.Join(out, templateFile)
	text, from := b.Purpose.entry, "the template in ouro, which "+b.Purpose.Command+" buildspec --init writes"
	own, err := readBounded(filepath.Join(b.Dir, filepath.FromSlash(name)), buildspec.MaxSize)
	switch {
	case err == nil:
		text, from = string(own), templateFile
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading the template of the builds: %w", err)
	}
	t, err := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{"quote": quote, "shell": shellWord}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading the template of the builds: %w", err)
	}
	c := b.Config
	var w bytes.Buffer
	fmt.Fprintf(&w, "# Written by %s buildspec from\n# %s: change that.\n", b.Purpose.Command, from)
	err = t.Execute(&w, entryValues{c.File, c.Build.BaseBranch, c.Build.Ignore.Paths, c.Build.RegistrySecret})
	if err != nil {
		return nil, fmt.Errorf("filling the template of the builds: %w", err)
	}
	return w.Bytes(), nil
}

// Stale are the paths of the files that are not in the repository in dir as
// they should be.
func Stale(dir string, files []File) ([]string, error) {
	var stale []string
	for _, f := range files {
		body, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("comparing with what is there: %w", err)
		}
		// git may have made line ends the system's own.
		if err != nil || !bytes.Equal(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), f.Body) {
			stale = append(stale, f.Path)
		}
	}
	return stale, nil
}

// Write writes the files that differ into the repository in dir, each whole or
// not at all, and tells which.
func Write(dir string, files []File) ([]string, error) {
	stale, err := Stale(dir, files)
	if err != nil {
		return nil, err
	}
	var written []string
	for _, f := range files {
		if len(stale) == 0 || stale[0] != f.Path {
			continue
		}
		stale = stale[1:]
		if err := writeWhole(filepath.Join(dir, filepath.FromSlash(f.Path)), f.Body); err != nil {
			return written, fmt.Errorf("writing %s: %w", f.Path, err)
		}
		written = append(written, f.Path)
	}
	return written, nil
}

// Begin writes the template for the user to change. One that is there already
// and differs is an error.
func (b Buildspecs) Begin() (File, error) {
	f, err := b.Template()
	if err != nil {
		return f, err
	}
	file := filepath.Join(b.Dir, filepath.FromSlash(f.Path))
	there, err := os.ReadFile(file)
	switch {
	case err == nil && !bytes.Equal(there, f.Body):
		return f, fmt.Errorf("%s is there already, and was changed", f.Path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return f, err
	}
	return f, writeWhole(file, f.Body)
}

// writeWhole makes a file anew, so that nobody ever sees half of it.
func writeWhole(file string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	temporary := file + ".new"
	if err := os.WriteFile(temporary, body, 0o644); err != nil {
		return err
	}
	if err := os.Rename(temporary, file); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}
