// Package publish turns a tree of templates and artifacts into one
// content-addressed entrypoint. Load reads and checks the tree, Plan computes
// every object's key, bytes and URL, and Upload sends to S3 what is not there
// yet. Load and Plan are pure but for reading files; only Upload acts.
//
// Files refer to files by TemplateURL (a path relative to the file that holds
// it) and by any string value that begins with file:// (a path from the
// project's root). A template that is referred to is published with its own
// references replaced; any other file is published as it is. An object's key
// is PATH/SHA256 with the path from the root and the hash of the object's
// bytes, so that a key never changes its content: what is there already needs
// no sending, and a stack that is being updated never sees half a tree.
package publish

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"ouro/template"
)

// Options of Load.
type Options struct {
	// MaxFiles bounds the tree; 0 stands for 50,000 files.
	MaxFiles int
}

// Tree is an entrypoint with everything that it refers to, read and checked.
type Tree struct {
	Root string // directory that references must not leave
	Path string // of the entrypoint, from Root, with slashes
	// Entrypoint is the entrypoint's template as it is in the source.
	Entrypoint *template.Template
	// Warnings are problems that do not stop a deployment.
	Warnings []Problem

	files []*file // what is referred to comes before what refers to it
}

// File is a file of a tree.
type File struct {
	Path     string // from the root, with slashes
	Template bool   // processed; otherwise published as it is
	Size     int64  // bytes in the source
}

// Files are all files of the tree, each once; a file comes after those that it
// refers to, the entrypoint last.
func (t *Tree) Files() []File {
	out := make([]File, len(t.files))
	for i, f := range t.files {
		out[i] = File{Path: f.path, Template: f.isTemplate, Size: f.size}
	}
	return out
}

// Load reads the entrypoint and follows its references. root is the project's
// directory; entrypoint is a path from there, or an absolute path below it.
// All problems of all files come together in an *Error.
func Load(root, entrypoint string, options Options) (*Tree, error) {
	entry, err := fromRoot(root, entrypoint)
	if err != nil {
		return nil, err
	}
	if options.MaxFiles == 0 {
		options.MaxFiles = 50_000
	}
	l, err := newLoader(root, options.MaxFiles)
	if err != nil {
		return nil, err
	}
	defer l.root.Close()
	if err := l.load(entry); err != nil {
		return nil, err
	}
	w := walker{files: l.files, state: map[*file]visit{}}
	w.enter(l.files[entry])
	w.checkNested()
	tree := &Tree{Root: root, Path: entry, Entrypoint: l.files[entry].entrypoint, files: w.order}
	var refused []Problem
	for _, p := range w.problems {
		if p.Severity == template.SeverityError {
			refused = append(refused, p)
		} else {
			tree.Warnings = append(tree.Warnings, p)
		}
	}
	if len(refused) > 0 {
		return nil, &Error{Problems: refused}
	}
	return tree, nil
}

// fromRoot makes name a slash path from root.
func fromRoot(root, name string) (string, error) {
	if filepath.IsAbs(name) {
		base, err := filepath.Abs(root)
		if err != nil {
			return "", fmt.Errorf("find project root %q: %w", root, err)
		}
		relative, err := filepath.Rel(base, name)
		if err != nil {
			return "", fmt.Errorf("entrypoint %q is not below the project root %q", name, root)
		}
		name = relative
	}
	name = path.Clean(filepath.ToSlash(name))
	if outside(name) {
		return "", fmt.Errorf("entrypoint %q is not below the project root %q", name, root)
	}
	return name, nil
}

// outside tells whether a cleaned slash path leaves the directory it starts from.
func outside(name string) bool {
	return name == ".." || strings.HasPrefix(name, "../") || path.IsAbs(name)
}
