package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"ouro/template"
)

// file is what is known of a file after reading it. Of a template only the
// canonical bytes and what other files must know of it are kept.
type file struct {
	source     source
	path       string // as it is shown
	size       int64
	parse      bool  // it was asked whether this is a template
	isTemplate bool  // it is
	remote     bool  // only CloudFormation can judge it
	notOne     error // why it is none
	failure    error // why it could not be read

	hash     string            // of what is no template
	sum      [sha256.Size]byte // of a template as it is in the source
	members  []member          // of an archive
	body     []byte            // canonical bytes of a template, without its references
	holes    []hole            // where the references belong in body
	refs     []reference
	from     []template.Pos // the places that refer to it, sorted once all are known
	chain    []template.Pos // references that lead to it from the entrypoint
	problems []template.Problem
	facts    facts

	number int   // in the tree
	same   *file // the one of the same bytes that is in the tree instead

	entry      bool               // this is the entrypoint,
	entrypoint *template.Template // which alone is kept whole
}

// hole is a reference's place in canonical bytes.
type hole struct {
	at     int
	target source
	file   *file // at target
	shape  shape
}

const (
	// maxTemplates bounds the bytes of a tree's templates, which are kept; links
	// can make many of one.
	maxTemplates = 1 << 30
	// maxDepth bounds how deep templates refer to templates, and folders lie in
	// each other.
	maxDepth = 128
)

// loader reads the files of a tree, wave by wave: all files that the last
// wave's files refer to are the next wave.
type loader struct {
	root    *os.Root
	files   map[source]*file
	most    int
	exclude []rule
	room    atomic.Int64 // for bytes of templates
	entries atomic.Int64 // that archives may have yet
	workers int
	desks   sync.Pool // of *desk
	program func(context.Context) (string, error)
	check   func(t *template.Template, body []byte) []template.Problem
}

// desk is the memory in which one file after the other is read and parsed.
type desk struct {
	reader template.Reader
	body   []byte
	out    []byte
}

func newLoader(root string, options Options) (*loader, error) {
	exclude, err := excludeRules(options.Exclude)
	if err != nil {
		return nil, err
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("open project root %q: %w", root, err)
	}
	l := &loader{root: dir, files: map[source]*file{}, most: options.MaxFiles, exclude: exclude, workers: runtime.GOMAXPROCS(0)}
	l.program = options.Program
	l.room.Store(maxTemplates)
	l.entries.Store(perFile * int64(options.MaxFiles))
	l.desks.New = func() any { return &desk{} }
	return l, nil
}

func (l *loader) load(ctx context.Context, entry string) error {
	first := &file{source: source{path: entry}, path: entry, parse: true, entry: true}
	l.files[first.source] = first
	wave := []*file{first}
	for depth := 0; len(wave) > 0 && depth <= maxDepth; depth++ { // the walker refuses what is deeper
		if len(l.files) > l.most {
			return fmt.Errorf("the tree of %q has more than %d files", entry, l.most)
		}
		parallel(len(wave), l.workers, func(i int) {
			if ctx.Err() == nil {
				l.read(ctx, wave[i])
			}
		})
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("reading the tree of %q: %w", entry, err)
		}
		if l.room.Load() < 0 {
			return fmt.Errorf("the templates in the tree of %q have more than %d bytes", entry, maxTemplates)
		}
		wave = l.next(wave)
	}
	return nil
}

// next are the files that wave refers to and that are not read yet, or were
// not looked at as templates.
func (l *loader) next(wave []*file) []*file {
	var out []*file
	for _, from := range wave {
		for _, r := range from.refs {
			if r.target.none() {
				continue
			}
			f, ok := l.files[r.target]
			if ok && (f.parse || !r.template) {
				continue
			}
			f = &file{source: r.target, path: r.target.shown()}
			f.parse = r.template || r.target.form == whole && templateName(f.path)
			l.files[r.target] = f
			out = append(out, f)
		}
	}
	return out
}

// parallel calls f for 0 … n-1 on the given number of goroutines and waits.
func parallel(n, workers int, f func(i int)) {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wait.Wait()
}

// read fills f. It is the only place that touches the disk.
func (l *loader) read(ctx context.Context, f *file) {
	if f.source.library && f.source.path == programPath {
		l.readProgram(ctx, f)
		return
	}
	if f.source.library {
		l.readLibrary(f)
		return
	}
	in, info, err := openIn(l.root, f.path)
	if err != nil {
		f.failure = err
		return
	}
	defer in.Close()
	f.size = info.Size()
	switch form := f.source.form; {
	case info.IsDir() && (form == either || form == zipped):
		l.archive(f)
		return
	case info.IsDir():
		f.failure = errors.New("is a directory; a reference names a file")
		return
	case !info.Mode().IsRegular():
		f.failure = errNotRegular
		return
	case f.size > maxObject:
		f.failure = fmt.Errorf("has %d bytes, at most %d can be published", f.size, int64(maxObject))
		return
	case form == zipped && !isZip(in, f.size):
		l.archiveOf(f, []member{{name: path.Base(f.path), path: f.path, size: f.size}})
		return
	}
	if f.parse && f.size <= template.MaxSize {
		if l.room.Add(-f.size) < 0 {
			return
		}
		l.parse(f, in)
		return
	}
	if f.parse {
		f.notOne = fmt.Errorf("has %d bytes, a template has at most %d", f.size, template.MaxSize)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		f.failure = readFailure(err)
		return
	}
	f.hash = hex.EncodeToString(sum.Sum(nil))
}

// openIn opens what the path leads to, a directory too. Without O_NONBLOCK a
// named pipe would hold us until somebody writes.
func openIn(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	in, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, readFailure(err)
	}
	info, err := in.Stat()
	if err != nil {
		return nil, nil, readFailure(errors.Join(err, in.Close()))
	}
	return in, info, nil
}

var errNotRegular = errors.New("is no regular file")

// readFailure takes the path away, which the problem's text has already.
func readFailure(err error) error {
	var inPath *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("does not exist")
	case errors.As(err, &inPath):
		if inPath.Err.Error() == "path escapes from parent" {
			return errors.New("leads out of the project's directory")
		}
		return fmt.Errorf("cannot be read: %w", inPath.Err)
	}
	return fmt.Errorf("cannot be read: %w", err)
}

// parse reads in as a template if it is one.
func (l *loader) parse(f *file, in io.Reader) {
	d := l.desks.Get().(*desk)
	defer l.desks.Put(d)
	d.body = slices.Grow(d.body[:0], int(f.size))[:f.size]
	if _, err := io.ReadFull(in, d.body); err != nil {
		f.failure = fmt.Errorf("changed while it was read: %w", err)
		return
	}
	parse := d.reader.Parse
	if f.entry {
		parse = template.Parse // it outlives the desk
	}
	t, err := parse(f.path, d.body)
	if err == nil && t.Root.Get("Resources") == nil && !f.entry {
		err = &template.Error{Pos: t.Root.Pos, Message: "not a template: there is no Resources section"}
	}
	if err != nil {
		f.notOne, f.hash = err, template.Hash(d.body)
		return
	}
	f.sum = sha256.Sum256(d.body)
	f.problems = l.check(t, d.body)
	f.keep(t, d)
}

// keep takes out of t what is needed later.
func (f *file) keep(t *template.Template, d *desk) {
	f.isTemplate = true
	if f.entry {
		f.entrypoint = t
	}
	found, root := references(f.source, t)
	f.remote = found.foreign
	f.refs, f.facts = found.found, factsOf(t, found.places)
	var leave func(*template.Node) bool
	if len(found.places) > 0 {
		leave = func(n *template.Node) bool {
			_, ok := found.places[n]
			return ok
		}
	}
	out, left := template.AppendCanonical(d.out[:0], root, leave)
	d.out = out
	f.body = bytes.Clone(out)
	for _, h := range left {
		place := found.places[h.Node]
		here := hole{at: h.At, target: place.target}
		if place.use != nil {
			here.shape = place.use.shape
		}
		f.holes = append(f.holes, here)
	}
}
