package ci

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"ouro/regex"
)

// Flavor is a directory that is built as one part of a batch.
type Flavor struct {
	Name string
	Root string // the directory that it lies in, with slashes, from the repository's
}

// maxIdentifier bounds identifiers of a batch's parts, as AWS does: they
// "must contain only alphanumeric characters and underscores and be less than
// 128 characters in length".
const maxIdentifier = 127

var notInIdentifier = regex.New(`[^A-Za-z0-9_]`)

// Identifier is what the flavor's part of the batch is called.
func (f Flavor) Identifier() string {
	return "build_" + notInIdentifier().ReplaceAllString(f.Name, "_")
}

// FindFlavors are the directories in the roots of the repository in dir,
// sorted. Hidden ones are no flavors. Two that would have one identifier, or one
// without a name that can be written, are an error.
func FindFlavors(dir string, roots []string) ([]Flavor, error) {
	if len(roots) == 0 {
		return nil, errors.New("no roots: name the directories whose subdirectories are built with --root, or as build.roots in " + ConfigFile)
	}
	var all []Flavor
	for _, root := range roots {
		root = path.Clean(filepath.ToSlash(root))
		if !filepath.IsLocal(filepath.FromSlash(root)) {
			return nil, fmt.Errorf("the root %q is not inside the repository", root)
		}
		entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(root)))
		if err != nil {
			return nil, fmt.Errorf("looking for directories to build: %w", err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") || !isDir(filepath.Join(dir, filepath.FromSlash(root)), e) {
				continue
			}
			all = append(all, Flavor{Name: e.Name(), Root: root})
		}
	}
	slices.SortFunc(all, func(a, b Flavor) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Root, b.Root)) })
	all = slices.Compact(all) // a root may be named twice
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no directory to build in %s", strings.Join(roots, ", "))
	}
	return all, checkIdentifiers(all)
}

func isDir(root string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(root, e.Name()))
	return err == nil && info.IsDir()
}

func checkIdentifiers(flavors []Flavor) error {
	taken := make(map[string]Flavor, len(flavors))
	for _, f := range flavors {
		id := f.Identifier()
		other, twice := taken[id]
		switch {
		case strings.ContainsFunc(f.Name, unicode.IsControl):
			return fmt.Errorf("the directory %q has control characters in its name", path.Join(f.Root, f.Name))
		case len(id) > maxIdentifier:
			return fmt.Errorf("the directory %q would be part %s of the batch, and CodeBuild takes at most %d characters", path.Join(f.Root, f.Name), id, maxIdentifier)
		case twice:
			return fmt.Errorf("the directories %q and %q would both be part %s of the batch: rename one, CodeBuild takes only letters, digits and underscores",
				path.Join(other.Root, other.Name), path.Join(f.Root, f.Name), id)
		}
		taken[id] = f
	}
	return nil
}
