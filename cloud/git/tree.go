package git

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Modes of the entries of a tree.
const (
	ModeFile       = "100644"
	ModeExecutable = "100755"
	ModeSymlink    = "120000"
	ModeSubmodule  = "160000"
	ModeFolder     = "040000"
)

// Entry is one file, folder, symbolic link or submodule of a tree.
type Entry struct {
	Mode string
	ID   string
	Size int64  // in bytes; 0 for what has none
	Path string // from the root of the tree
}

// Files returns every file, symbolic link and submodule of a tree or commit.
func (r *Repository) Files(ctx context.Context, tree string) ([]Entry, error) {
	return r.listTree(ctx, tree, "-r", "")
}

// Entry returns what lies at path in a tree or commit. ok is false if nothing
// does.
func (r *Repository) Entry(ctx context.Context, tree, path string) (e Entry, ok bool, err error) {
	entries, err := r.listTree(ctx, tree, "", path)
	if err != nil || len(entries) == 0 {
		return Entry{}, false, err
	}
	return entries[0], true, nil
}

// Folder returns what lies directly in a folder of a tree or commit, and the
// id of the folder's own tree. ok is false if it is no folder. The root is
// the empty path; its own id is not told.
func (r *Repository) Folder(ctx context.Context, tree, path string) (id string, inside []Entry, ok bool, err error) {
	if path == "" {
		inside, err = r.listTree(ctx, tree, "", "")
		return "", inside, true, err
	}
	entries, err := r.listTree(ctx, tree, "-t", path+"/")
	if err != nil {
		return "", nil, false, err
	}
	for _, e := range entries {
		switch {
		case e.Path == path:
			id = e.ID
		case strings.HasPrefix(e.Path, path+"/"):
			inside = append(inside, e)
		}
	}
	return id, inside, id != "", nil
}

// listTree runs git ls-tree with an option, if one is given, for a path or
// for everything.
func (r *Repository) listTree(ctx context.Context, tree, option, path string) ([]Entry, error) {
	if !ValidID(tree) {
		return nil, fmt.Errorf("tree %q of repository %q: %w", tree, r.id, ErrNoObject)
	}
	args := []string{"ls-tree", "-z", "-l", "--full-tree"}
	if option != "" {
		args = append(args, option)
	}
	args = append(args, tree)
	if path != "" {
		args = append(args, "--", path)
	}
	var out bytes.Buffer
	if err := r.run(ctx, call{stdout: &out}, args...); err != nil {
		return nil, fmt.Errorf("listing tree %q of repository %q: %w", tree, r.id, err)
	}
	return parseEntries(out.String())
}

// parseEntries reads MODE SP KIND SP ID SP SIZE TAB PATH NUL …
func parseEntries(out string) ([]Entry, error) {
	var entries []Entry
	for line := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		if line == "" {
			continue
		}
		head, path, _ := strings.Cut(line, "\t")
		f := strings.Fields(head)
		if len(f) != 4 {
			return nil, fmt.Errorf("git ls-tree said %q", line)
		}
		size, _ := strconv.ParseInt(f[3], 10, 64) // "-" for folders
		entries = append(entries, Entry{Mode: f[0], ID: f[2], Size: size, Path: path})
	}
	return entries, nil
}

// Difference is a file that differs between two trees. Before or After is the
// zero Entry if the file is not there.
type Difference struct{ Before, After Entry }

// Differences compares two commits or trees. An empty before stands for the
// tree without files.
func (r *Repository) Differences(ctx context.Context, before, after string) ([]Difference, error) {
	return r.diff(ctx, before, after)
}

// DifferencesSinceFork compares a commit with the last one that it has in
// common with base.
func (r *Repository) DifferencesSinceFork(ctx context.Context, base, after string) ([]Difference, error) {
	return r.diff(ctx, base, after, "--merge-base")
}

// emptyTree is the id of the tree without files, which git knows without
// having it.
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

func (r *Repository) diff(ctx context.Context, before, after string, options ...string) ([]Difference, error) {
	if before == "" {
		before = emptyTree
	}
	if !ValidID(before) || !ValidID(after) {
		return nil, fmt.Errorf("comparing %q with %q in repository %q: %w", before, after, r.id, ErrNoObject)
	}
	var out bytes.Buffer
	args := append([]string{"diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev"}, options...)
	if err := r.run(ctx, call{stdout: &out}, append(args, before, after)...); err != nil {
		return nil, fmt.Errorf("comparing %q with %q in repository %q: %w", before, after, r.id, err)
	}
	return parseDifferences(out.String())
}

// parseDifferences reads :MODE SP MODE SP ID SP ID SP STATUS NUL PATH NUL …
func parseDifferences(out string) ([]Difference, error) {
	var all []Difference
	fields := strings.Split(out, "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		f := strings.Fields(strings.TrimPrefix(fields[i], ":"))
		if len(f) != 5 {
			return nil, fmt.Errorf("git diff-tree said %q", fields[i])
		}
		var d Difference
		if f[4] != "A" {
			d.Before = Entry{Mode: f[0], ID: f[2], Path: fields[i+1]}
		}
		if f[4] != "D" {
			d.After = Entry{Mode: f[1], ID: f[3], Path: fields[i+1]}
		}
		all = append(all, d)
	}
	return all, nil
}
