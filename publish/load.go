package publish

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
	path       string
	size       int64
	parse      bool  // it was asked whether this is a template
	isTemplate bool  // it is
	notOne     error // why it is none
	failure    error // why it could not be read

	hash     string // of a file that is published as it is
	body     []byte // canonical bytes of a template, without its references
	holes    []hole // where the references belong in body
	refs     []reference
	problems []template.Problem
	facts    facts

	entry      bool               // this is the entrypoint,
	entrypoint *template.Template // which alone is kept whole
}

// hole is a reference's place in canonical bytes.
type hole struct {
	at     int
	target string
}

// loader reads the files of a tree, wave by wave: all files that the last
// wave's files refer to are the next wave.
type loader struct {
	root    *os.Root
	files   map[string]*file
	most    int
	workers int
	desks   sync.Pool // of *desk
}

// desk is the memory in which one file after the other is read and parsed.
type desk struct {
	reader template.Reader
	body   []byte
	out    []byte
}

func newLoader(root string, most int) (*loader, error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("open project root %q: %w", root, err)
	}
	l := &loader{root: dir, files: map[string]*file{}, most: most, workers: runtime.GOMAXPROCS(0)}
	l.desks.New = func() any { return &desk{} }
	return l, nil
}

func (l *loader) load(entry string) error {
	first := &file{path: entry, parse: true, entry: true}
	l.files[entry] = first
	for wave := []*file{first}; len(wave) > 0; wave = l.next(wave) {
		if len(l.files) > l.most {
			return fmt.Errorf("the tree of %q has more than %d files", entry, l.most)
		}
		parallel(len(wave), l.workers, func(i int) { l.read(wave[i]) })
	}
	return nil
}

// next are the files that wave refers to and that are not read yet, or were
// not looked at as templates.
func (l *loader) next(wave []*file) []*file {
	var out []*file
	for _, from := range wave {
		for _, r := range from.refs {
			if r.target == "" {
				continue
			}
			f, ok := l.files[r.target]
			if ok && (f.parse || !r.template) {
				continue
			}
			f = &file{path: r.target, parse: r.template || templateName(r.target)}
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
func (l *loader) read(f *file) {
	// Without O_NONBLOCK a named pipe would hold us until somebody writes.
	in, err := l.root.OpenFile(f.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		f.failure = readFailure(err)
		return
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		f.failure = readFailure(err)
		return
	}
	if f.size = info.Size(); !info.Mode().IsRegular() {
		f.failure = errors.New("is no regular file")
		if info.IsDir() {
			f.failure = errors.New("is a directory; a reference names a file")
		}
		return
	}
	if f.parse && f.size <= template.MaxSize {
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
	f.keep(t, d)
}

// keep takes out of t what is needed later.
func (f *file) keep(t *template.Template, d *desk) {
	f.isTemplate = true
	if f.entry {
		f.entrypoint = t
	}
	f.problems = t.Check()
	refs, targets := references(f.path, t)
	f.refs, f.facts = refs, factsOf(t, targets)
	var leave func(*template.Node) bool
	if len(targets) > 0 {
		leave = func(n *template.Node) bool {
			_, ok := targets[n]
			return ok
		}
	}
	out, left := template.AppendCanonical(d.out[:0], t.Root, leave)
	d.out = out
	f.body = bytes.Clone(out)
	for _, h := range left {
		f.holes = append(f.holes, hole{at: h.At, target: targets[h.Node]})
	}
}
