// Package publish turns a tree of templates and artifacts into one
// content-addressed entrypoint. Load reads and checks the tree, Plan computes
// every object's key, bytes and URL, and Upload sends to S3 what is not there
// yet. Load and Plan are pure but for reading files; only Upload acts.
//
// Files refer to files by TemplateURL and the other properties that "aws
// cloudformation package" knows (a path relative to the file that holds it, or
// ouro:// and the name of a template of the library), and by any string value
// that begins with file:// (a path from the project's root). A template that is
// referred to is published with its own references replaced; a directory, or a
// file of code for Lambda, is zipped; any other file is published as it is.
//
// An object's key is PATH/SHA256 with the path from the root and the hash of
// the object's bytes, or for an archive of what it holds, so that a key never
// changes its content: what is there already needs no sending, and a stack that
// is being updated never sees half a tree.
//
// Archives are the same on every machine: sorted names, one time, modes 0644
// and 0755. They are without .git and .ouro, what Options.Exclude says, and what
// the project's .gitignore files leave out; those above a directory that is
// itself left out have no say in it, as a build made it to be published.
package publish

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ouro/template"
)

// Options of Load.
type Options struct {
	// MaxFiles bounds the tree; 0 stands for 50,000 files. Its archives together
	// may hold forty files and directories for each.
	MaxFiles int
	// Check finds the problems of one template; nil stands for the template's
	// own Check. It is called from several goroutines.
	Check func(*template.Template) []template.Problem
	// Known spares Check the templates in which it found nothing before; may be
	// nil.
	Known *Known
	// Program gives the file that is the code of functions which are this program,
	// when a template asks for that; nil for a tree that is only looked at.
	Program func(context.Context) (string, error)
	// Exclude are patterns, in the form of .gitignore at the root, of what no
	// archive is to hold.
	Exclude []string
}

// perFile is how many entries archives may have for each file of MaxFiles.
const perFile = 40

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
	Path     string // from the root, with slashes; ouro/NAME for the library's
	Template bool   // processed; otherwise published as it is, or zipped
	Library  bool   // it comes with the program, and there is no such file on disk
	Size     int64  // bytes in the source
}

// Files are all files of the tree, each once; a file comes after those that it
// refers to, the entrypoint last.
func (t *Tree) Files() []File {
	out := make([]File, len(t.files))
	for i, f := range t.files {
		out[i] = File{Path: f.path, Template: f.isTemplate, Library: f.source.library, Size: f.size}
	}
	return out
}

// Load reads the entrypoint and follows its references. root is the project's
// directory; entrypoint is a path from there, or an absolute path below it.
// All problems of all files come together in an *Error.
func Load(ctx context.Context, root, entrypoint string, options Options) (*Tree, error) {
	entry, err := fromRoot(root, entrypoint)
	if err != nil {
		return nil, err
	}
	if options.MaxFiles == 0 {
		options.MaxFiles = 50_000
	}
	l, err := newLoader(root, options)
	if err != nil {
		return nil, err
	}
	defer l.root.Close()
	l.check = options.checker()
	if err := l.load(ctx, entry); err != nil {
		return nil, err
	}
	w := walker{files: l.files, state: map[*file]visit{}}
	first := l.files[source{path: entry}]
	w.enter(first)
	w.checkNested()
	tree := &Tree{Root: root, Path: entry, Entrypoint: first.entrypoint, files: unite(w.order)}
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
	tree.settle(w.files)
	return tree, nil
}

// unite takes those files together that are the same bytes of the same path,
// in whatever forms they were referred to.
func unite(files []*file) []*file {
	type what struct {
		path, hash string
		library    bool
	}
	first := map[what]*file{}
	return slices.DeleteFunc(files, func(f *file) bool {
		if f.isTemplate {
			return false
		}
		same := what{f.path, f.hash, f.source.library}
		if one := first[same]; one != nil {
			one.from = append(one.from, f.from...)
			f.same = one
			return true
		}
		first[same] = f
		return false
	})
}

// settle numbers the files and leads each hole to the one that fills it.
func (t *Tree) settle(files map[source]*file) {
	for i, f := range t.files {
		f.number = i
		slices.SortFunc(f.from, byPlace)
		for j := range f.holes {
			to := files[f.holes[j].target]
			if to.same != nil {
				to = to.same
			}
			f.holes[j].file = to
		}
	}
}

// byPlace sorts by file, then from top to bottom.
func byPlace(a, b template.Pos) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
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
	if unprintable(name) {
		return "", fmt.Errorf("entrypoint %q holds control characters", name)
	}
	if outside(name) {
		return "", fmt.Errorf("entrypoint %q is not below the project root %q", name, root)
	}
	return name, nil
}

// unprintable tells whether a path would speak to the terminal that it is shown
// on. S3's listings, which are XML, cannot tell most of such keys either.
func unprintable(name string) bool {
	return !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl)
}

// outside tells whether a cleaned slash path leaves the directory it starts from.
func outside(name string) bool {
	return name == ".." || strings.HasPrefix(name, "../") || path.IsAbs(name)
}
