package codebuild

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// file is one file of artifacts.
type file struct {
	name string // in the artifacts, with slashes
	path string // on disk
	link bool   // kept as a symbolic link
}

// baseDirectories are the directories that a base-directory means: itself, or
// those that it matches as a glob.
func baseDirectories(src, base string) ([]string, error) {
	if !filepath.IsAbs(base) {
		base = filepath.Join(src, base)
	}
	dirs := []string{base}
	if strings.ContainsAny(base, "*?[{") {
		var err error
		if dirs, err = doublestar.FilepathGlob(base); err != nil {
			return nil, fmt.Errorf("base-directory %s: %w", base, err)
		}
	}
	dirs = slices.DeleteFunc(dirs, func(dir string) bool {
		info, err := os.Stat(dir)
		return err != nil || !info.IsDir()
	})
	if len(dirs) == 0 {
		return nil, fmt.Errorf("no matching base directory path found for %s", base)
	}
	slices.Sort(dirs)
	return dirs, nil
}

// matcher finds files below a directory.
type matcher struct {
	dir     string
	exclude []string // patterns
	links   bool     // symbolic links are files of their own
}

// find gives the files that a pattern means. "*" stays within a directory and
// "**" does not; names that begin with a dot are like others.
func (m *matcher) find(ctx context.Context, pattern string) ([]file, error) {
	pattern = filepath.ToSlash(filepath.Clean(pattern))
	if !doublestar.ValidatePattern(pattern) {
		return nil, doublestar.ErrBadPattern
	}
	base, rest := doublestar.SplitPattern(pattern)
	if rest == "" {
		base, rest = path.Dir(pattern), path.Base(pattern)
	}
	root := filepath.FromSlash(base)
	if !filepath.IsAbs(root) {
		root = filepath.Join(m.dir, root)
	}
	depth := -1 // levels that can match; -1: all
	if !strings.Contains(rest, "**") {
		depth = strings.Count(rest, "/")
	}
	var out []file
	err := filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			if at == root && os.IsNotExist(err) {
				return nil
			}
			return err
		}
		inside, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		inside = filepath.ToSlash(inside)
		if d.IsDir() {
			if depth >= 0 && inside != "." && strings.Count(inside, "/") >= depth {
				return fs.SkipDir
			}
			return nil
		}
		if !doublestar.MatchUnvalidated(rest, inside) {
			return nil
		}
		f, ok := m.file(at, d)
		if ok {
			out = append(out, f)
		}
		return nil
	})
	return out, err
}

// file is the artifact's file for what lies at path, if it is one.
func (m *matcher) file(at string, d fs.DirEntry) (file, bool) {
	name, err := filepath.Rel(m.dir, at)
	if name = filepath.ToSlash(name); err != nil || !fs.ValidPath(name) {
		name = path.Base(filepath.ToSlash(at)) // from outside of the base directory
	}
	for _, pattern := range m.exclude {
		if doublestar.MatchUnvalidated(pattern, name) {
			return file{}, false
		}
	}
	f := file{name: name, path: at}
	if d.Type()&fs.ModeSymlink != 0 {
		if m.links {
			f.link = true
			return f, true
		}
		info, err := os.Stat(at)
		return f, err == nil && info.Mode().IsRegular()
	}
	return f, d.Type().IsRegular()
}
