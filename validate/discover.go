package validate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFiles bounds a walk: somebody who validates / should learn of it soon.
const maxFiles = 200_000

var errTooManyFiles = fmt.Errorf("more than %d files could be templates: give the folders that hold them", maxFiles)

// generated are folders whose templates some tool writes again and again.
var generated = []string{"node_modules", "cdk.out"}

// discover finds the files that may be templates or configurations, sorted. A
// file that paths name is taken whatever it is called.
func discover(paths []string) ([]*file, error) {
	var files []*file
	for _, root := range paths {
		info, err := os.Stat(root)
		if err != nil {
			return nil, fmt.Errorf("validating %q: %w", root, reason(err))
		}
		if !info.IsDir() {
			files = append(files, &file{path: filepath.Clean(root), named: true})
			continue
		}
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return fmt.Errorf("validating %q: %w", path, reason(err))
			case d.IsDir():
				if path != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains(generated, d.Name())) {
					return filepath.SkipDir
				}
			case d.Type().IsRegular() && templateName(path):
				if files = append(files, &file{path: filepath.Clean(path)}); len(files) > maxFiles {
					return fmt.Errorf("validating %q: %w", root, errTooManyFiles)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(files, func(a, b *file) int { return strings.Compare(a.path, b.path) })
	return slices.CompactFunc(files, func(a, b *file) bool {
		b.named = b.named || a.named && a.path == b.path
		a.named = a.named || b.named && a.path == b.path
		return a.path == b.path
	}), nil
}

// templateName tells whether a file of that name may be a template.
func templateName(path string) bool {
	switch filepath.Ext(path) {
	case ".json", ".yaml", ".yml", ".template":
		return true
	}
	return false
}

// reason is an error of the file system without the path, which was said.
func reason(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
