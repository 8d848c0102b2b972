package image

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// tree is the directory whose files an image takes, without those that its
// .dockerignore names. No way leads out of it.
type tree struct {
	root    *os.Root
	ignored []string // patterns; those that begin with ! take back
}

// state is where a local cloud keeps its state, which is in no image unless
// .dockerignore says !.ouro.
const state = ".ouro"

func openTree(dir string) (*tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the directory of the image: %w", err)
	}
	t := &tree{root: root, ignored: []string{state}}
	f, err := root.Open(".dockerignore")
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading .dockerignore: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		pattern, keeps := strings.CutPrefix(line, "!")
		pattern = strings.TrimPrefix(path.Clean("/"+strings.TrimSpace(pattern)), "/")
		if !doublestar.ValidatePattern(pattern) {
			return nil, fmt.Errorf("the pattern %q in .dockerignore is not understood", line)
		}
		if keeps {
			pattern = "!" + pattern
		}
		t.ignored = append(t.ignored, pattern)
	}
	return t, lines.Err()
}

// ignores tells whether .dockerignore leaves a file out: the last pattern that
// names it, or a directory that it is in, decides.
func (t *tree) ignores(name string) bool {
	out := false
	for _, line := range t.ignored {
		pattern, keeps := strings.CutPrefix(line, "!")
		for at := name; at != "."; at = path.Dir(at) {
			if ok, _ := doublestar.Match(pattern, at); ok { // the pattern was checked
				out = !keeps
				break
			}
		}
	}
	return out
}

// match finds what a source of COPY names.
func (t *tree) match(source string) ([]string, error) {
	if name := path.Clean(strings.TrimPrefix(source, "/")); name == ".." || strings.HasPrefix(name, "../") {
		return nil, fmt.Errorf("%q is outside of the directory", source)
	}
	pattern := strings.TrimPrefix(path.Clean("/"+source), "/")
	if pattern == "" {
		return []string{"."}, nil
	}
	names, err := doublestar.Glob(t.root.FS(), pattern, doublestar.WithFailOnIOErrors(), doublestar.WithNoFollow())
	if err != nil {
		return nil, fmt.Errorf("looking for %q: %w", source, err)
	}
	var out []string
	for _, name := range names {
		if t.ignores(name) {
			if kept, err := t.below(name); err != nil {
				return nil, err
			} else if len(kept) == 0 {
				continue
			}
		}
		out = append(out, name)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there is no %q", source)
	}
	return out, nil
}

// keepsBelow tells whether files may be kept in a directory that is left out.
func (t *tree) keepsBelow() bool {
	for _, line := range t.ignored {
		if strings.HasPrefix(line, "!") {
			return true
		}
	}
	return false
}

// stat tells what a source is. A source that is a link is what it leads to, as
// long as that is in the directory.
func (t *tree) stat(name string) (fs.FileInfo, error) {
	info, err := t.root.Stat(name)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		err = fmt.Errorf("%q is neither a file nor a directory", name)
	}
	return info, err
}

// below are the files in a directory, by their paths from there. Links stay
// links.
func (t *tree) below(dir string) ([]entry, error) {
	var out []entry
	err := fs.WalkDir(t.root.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		if t.ignores(name) {
			if d.IsDir() && !t.keepsBelow() {
				return fs.SkipDir
			}
			return nil
		}
		kind := d.Type()
		if kind != 0 && kind != fs.ModeDir && kind != fs.ModeSymlink {
			return fmt.Errorf("%q is neither a file nor a directory nor a link", name)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		to := name
		if dir != "." {
			to = strings.TrimPrefix(name, dir+"/")
		}
		out = append(out, entry{name, to, info.Mode()})
		return nil
	})
	return out, err
}
