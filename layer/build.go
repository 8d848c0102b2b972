package layer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Manifest tells what a build made. It lies beside the zip in the artifact.
type Manifest struct {
	Layer         string   `json:"layer"`
	Description   string   `json:"description,omitempty"`
	License       string   `json:"license,omitempty"`
	Runtimes      []string `json:"runtimes,omitempty"`
	Architectures []string `json:"architectures,omitempty"`
	Content       string   `json:"content"` // SHA-256 of the content
	Size          int64    `json:"size"`    // unzipped
	Zipped        int64    `json:"zipped"`
}

// The files of a build.
const (
	ZipFile      = "layer.zip"
	ManifestFile = "layer.json"
)

// Work is a layer to build.
type Work struct {
	Manifest           // but for what the build finds out
	From     string    // a directory, or a file that names dependencies
	Out      string    // the directory for what is made
	Said     io.Writer // where the programs that are run say what they do
}

// the longest texts that Lambda takes.
const (
	maxDescription = 256
	maxLicense     = 512
)

func (m *Manifest) check() error {
	if err := CheckName(m.Layer); err != nil {
		return err
	}
	if len(m.Description) > maxDescription {
		return fmt.Errorf("the description has %d characters, and may have %d", len(m.Description), maxDescription)
	}
	if len(m.License) > maxLicense {
		return fmt.Errorf("the licence has %d characters, and may have %d", len(m.License), maxLicense)
	}
	return checkCompatible(m.Runtimes, m.Architectures)
}

// Build lays the content of a layer out, checks that it fits, and writes its
// zip and its manifest.
func Build(ctx context.Context, w Work) (Manifest, error) {
	m, err := build(ctx, w)
	if err != nil {
		return m, fmt.Errorf("building layer %q: %w", w.Layer, err)
	}
	return m, nil
}

func build(ctx context.Context, w Work) (m Manifest, err error) {
	m = w.Manifest
	m.Runtimes, m.Architectures = slices.Clone(m.Runtimes), slices.Clone(m.Architectures)
	slices.Sort(m.Runtimes)
	slices.Sort(m.Architectures)
	m.Runtimes, m.Architectures = slices.Compact(m.Runtimes), slices.Compact(m.Architectures)
	if err := m.check(); err != nil {
		return m, err
	}
	source, err := sourceOf(w.From)
	if err != nil {
		return m, err
	}
	root, err := os.MkdirTemp("", "ouro-layer-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	if err := source.lay(ctx, w, root); err != nil {
		return m, err
	}
	t, err := readTree(root)
	if err != nil {
		return m, err
	}
	if err := complete(t, source); err != nil {
		return m, err
	}
	return m, m.write(t, w.Out)
}

// complete tells what is wrong with the content as a whole.
func complete(t *tree, s *source) error {
	if len(t.files) == 0 {
		return fmt.Errorf("%q gives no files", s.dir)
	}
	if lost := t.outside(); len(lost) > 0 {
		return fmt.Errorf("no runtime would find %q: a layer's files lie in %s", lost[0], strings.Join(folders, ", "))
	}
	return nil
}

// write writes the zip, and then the manifest, which tells that the zip is whole.
// The one of an earlier build goes first.
func (m *Manifest) write(t *tree, out string) (err error) {
	if m.Content, err = t.hash(); err != nil {
		return err
	}
	m.Size = t.size
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(out, ManifestFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.Create(filepath.Join(out, ZipFile))
	if err != nil {
		return err
	}
	err = t.zip(f)
	if info, statErr := f.Stat(); statErr == nil {
		m.Zipped = info.Size()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, ManifestFile), append(text, '\n'), 0o644)
}

// source is where a layer's content comes from: a directory, and the language
// whose file in it names dependencies, if there is one.
type source struct {
	dir      string
	language *language
}

// sourceOf finds out what is meant by a directory or a file.
func sourceOf(from string) (*source, error) {
	info, err := os.Stat(from)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		i := slices.IndexFunc(languages, func(l language) bool { return l.manifest == filepath.Base(from) })
		if i < 0 {
			return nil, fmt.Errorf("%q is none of %s, nor a directory", from, strings.Join(Manifests(), ", "))
		}
		return &source{filepath.Dir(from), &languages[i]}, nil
	}
	// A link to the directory is as good as the directory.
	if from, err = filepath.EvalSymlinks(from); err != nil {
		return nil, err
	}
	s := &source{dir: from}
	for i, l := range languages {
		_, err := os.Stat(filepath.Join(from, l.manifest))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case s.language != nil:
			return nil, fmt.Errorf("%q holds %s and %s: name the one that the layer is built from", from, s.language.manifest, l.manifest)
		default:
			s.language = &languages[i]
		}
	}
	return s, nil
}

// lay puts the content below root as it will be below /opt: dependencies, and
// what the source has in folders that are called as those of a layer.
func (s *source) lay(ctx context.Context, w Work, root string) error {
	if s.language != nil {
		if err := installers[s.language.prefix](ctx, installation{w, s.dir, root}); err != nil {
			return err
		}
	}
	skip := w.unwanted()
	found := false
	for _, name := range folders {
		from := filepath.Join(s.dir, name)
		if info, err := os.Stat(from); err != nil || !info.IsDir() || s.language != nil && s.language.prefix == "provided" {
			continue // the folders of a Go module hold its source
		}
		found = true
		if err := copyDir(from, filepath.Join(root, name), skip); err != nil {
			return err
		}
	}
	if found || s.language != nil {
		return nil
	}
	l, err := languageOf(w.Runtimes)
	if err != nil {
		return err
	}
	if l == nil {
		return fmt.Errorf("%q holds none of the folders %s, and none of %s: with a runtime, its files would go where that looks",
			s.dir, strings.Join(folders, ", "), strings.Join(Manifests(), ", "))
	}
	return copyDir(s.dir, filepath.Join(root, filepath.FromSlash(l.folder)), skip)
}

// unwanted tells what of a source has no place in a layer: what is hidden, what
// Python compiled, and what an earlier build made.
func (w Work) unwanted() func(at string) bool {
	var made []os.FileInfo
	for _, name := range []string{ZipFile, ManifestFile} {
		if info, err := os.Stat(filepath.Join(w.Out, name)); err == nil {
			made = append(made, info)
		}
	}
	return func(at string) bool {
		name := filepath.Base(at)
		if strings.HasPrefix(name, ".") || name == "__pycache__" {
			return true
		}
		if name != ZipFile && name != ManifestFile {
			return false
		}
		info, err := os.Lstat(at)
		return err == nil && slices.ContainsFunc(made, func(m os.FileInfo) bool { return os.SameFile(m, info) })
	}
}

// copyDir copies what is in a directory to another, but for the paths to skip.
// What is there already is not overwritten.
func copyDir(from, to string, skip func(at string) bool) error {
	return filepath.WalkDir(from, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, at)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		skipped := rel != "." && skip(at)
		switch {
		case d.IsDir() && skipped:
			return fs.SkipDir
		case skipped:
			return nil
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(at)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		}
		return copyFile(at, target)
	})
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // and opening it might wait for ever
		return fmt.Errorf("%q is neither a file nor a directory", from)
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read from
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode()&0o777|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
