package git

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Prefixes of the full names of references.
const (
	Branches = "refs/heads/"
	Tags     = "refs/tags/"
)

// RefChange is one change of one reference.
type RefChange struct {
	Ref string // the full name, such as refs/heads/main
	Old string // the object that it named before; empty if it was created
	New string // the object that it names now; empty if it was deleted
	By  string // the ARN of who changed it; empty if that is not known
}

// changesBetween lists what makes after out of before, sorted by name.
func changesBetween(before, after map[string]string) []RefChange {
	var changes []RefChange
	for ref, old := range before {
		if now := after[ref]; now != old {
			changes = append(changes, RefChange{Ref: ref, Old: old, New: now})
		}
	}
	for ref, now := range after {
		if _, was := before[ref]; !was {
			changes = append(changes, RefChange{Ref: ref, New: now})
		}
	}
	slices.SortFunc(changes, func(a, b RefChange) int { return strings.Compare(a.Ref, b.Ref) })
	return changes
}

// Refs returns every reference of the repository and the object that it names.
func (r *Repository) Refs() (map[string]string, error) {
	refs, err := readRefs(r.dir)
	if err != nil {
		return nil, fmt.Errorf("reading the references of repository %q: %w", r.id, err)
	}
	return refs, nil
}

// BranchNames returns the names of the branches, sorted.
func (r *Repository) BranchNames() ([]string, error) {
	refs, err := r.Refs()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, ref := range slices.Sorted(maps.Keys(refs)) {
		if name, ok := strings.CutPrefix(ref, Branches); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

// Ref returns the object that a reference, given by its full name, names now,
// or ErrNoRef.
func (r *Repository) Ref(ref string) (string, error) {
	if !ValidRef(ref) {
		return "", fmt.Errorf("reference %q of repository %q: %w", ref, r.id, ErrNoRef)
	}
	// As git does: the loose file wins over the packed one, and is read first,
	// because packing writes the packed one before it removes the loose one.
	id, err := readLooseRef(filepath.Join(r.dir, filepath.FromSlash(ref)))
	if err != nil {
		return "", fmt.Errorf("reading reference %q of repository %q: %w", ref, r.id, err)
	}
	if id == "" {
		packed, err := readPackedRefs(r.dir)
		if err != nil {
			return "", fmt.Errorf("reading reference %q of repository %q: %w", ref, r.id, err)
		}
		id = packed[ref]
	}
	if id == "" {
		return "", fmt.Errorf("reference %q of repository %q: %w", ref, r.id, ErrNoRef)
	}
	return id, nil
}

// readRefs reads all references of the repository in dir.
func readRefs(dir string) (map[string]string, error) {
	loose := map[string]string{}
	err := filepath.WalkDir(filepath.Join(dir, "refs"), func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed while we looked
		}
		if err != nil || e.IsDir() || strings.HasSuffix(path, ".lock") {
			return err
		}
		id, err := readLooseRef(path)
		if err != nil || id == "" {
			return err
		}
		name, err := filepath.Rel(dir, path)
		loose[filepath.ToSlash(name)] = id
		return err
	})
	if err != nil {
		return nil, err
	}
	refs, err := readPackedRefs(dir)
	if err != nil {
		return nil, err
	}
	maps.Copy(refs, loose)
	return refs, nil
}

// readLooseRef returns the object named by the file of a reference; empty if
// there is no such file, or if it names another reference.
func readLooseRef(file string) (string, error) {
	text, err := os.ReadFile(file)
	var wrong *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case errors.As(err, &wrong) && notAFile(file):
		return "", nil
	case err != nil:
		return "", err
	}
	id := strings.TrimSpace(string(text))
	if !ValidID(id) {
		return "", nil
	}
	return id, nil
}

// notAFile tells whether a name leads to a directory or through a file: refs
// such as heads/a, where only heads/a/b or only heads exists.
func notAFile(file string) bool {
	info, err := os.Stat(file)
	return err != nil || info.IsDir()
}

func readPackedRefs(dir string) (map[string]string, error) {
	refs := map[string]string{}
	f, err := os.Open(filepath.Join(dir, "packed-refs"))
	if errors.Is(err, fs.ErrNotExist) {
		return refs, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// Comments begin with #, what an annotated tag points to with ^.
		if id, ref, ok := strings.Cut(lines.Text(), " "); ok && ValidID(id) {
			refs[ref] = id
		}
	}
	return refs, lines.Err()
}

// removeStaleLocks removes the lock files of references that a killed process
// left in dir. Nobody else writes there: the state belongs to this process.
func removeStaleLocks(dir string) error {
	for _, name := range []string{"HEAD.lock", "packed-refs.lock"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return filepath.WalkDir(filepath.Join(dir, "refs"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".lock") {
			return err
		}
		return os.Remove(path)
	})
}
