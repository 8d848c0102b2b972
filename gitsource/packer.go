package gitsource

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits bound what a commit may unpack to.
type Limits struct {
	Total   int64 // bytes of all files
	Entries int
	Ratio   int64 // unpacked to packed, beyond the first 128 MiB
}

// DefaultLimits are of a function of 512 MB.
var DefaultLimits = Limits{Total: 8 << 30, Entries: 200_000, Ratio: 200}

const (
	maxLink      = 4 << 10   // bytes of a link
	alwaysPasses = 128 << 20 // bytes below which the ratio does not count
)

// PermanentError is one that another try would bring again.
type PermanentError struct{ Err error }

func (e *PermanentError) Error() string { return e.Err.Error() }
func (e *PermanentError) Unwrap() error { return e.Err }

func permanent(format string, args ...any) error { return &PermanentError{fmt.Errorf(format, args...)} }

// Packer writes the files of a commit as a zip, of which the same files in the
// same order are the same bytes. It refuses what would lead out of the folder
// that it is unpacked into.
type Packer struct {
	zip    *zip.Writer
	copied []byte // between a file and the zip
	limits Limits
	read   func() int64 // bytes that were read so far, packed; nil where it does not matter
	seed   maphash.Seed
	files  map[uint64]struct{} // hashes of names: an archive may have very many
	dirs   map[uint64]struct{}
	links  map[string]string
	total  int64
}

// NewPacker writes to w.
func NewPacker(w io.Writer, limits Limits) *Packer {
	z := zip.NewWriter(w)
	// One compressor is for all files, which come one after the other: it is large.
	var compressor *flate.Writer
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (_ io.WriteCloser, err error) {
		if compressor == nil {
			compressor, err = flate.NewWriter(w, flate.BestSpeed)
			return compressor, err
		}
		compressor.Reset(w)
		return compressor, nil
	})
	return &Packer{zip: z, copied: make([]byte, 32<<10), limits: limits, seed: maphash.MakeSeed(), files: map[uint64]struct{}{}, dirs: map[uint64]struct{}{}, links: map[string]string{}}
}

// epoch is the time of every file: git has none.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// File adds a file.
func (p *Packer) File(name string, executable bool, body io.Reader) error {
	mode := fs.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	if err := p.claim(name); err != nil {
		return err
	}
	return p.write(name, mode, body)
}

// Link adds a symbolic link.
func (p *Packer) Link(name, target string) error {
	if err := p.claim(name); err != nil {
		return err
	}
	if _, is := p.dirs[p.hash(name)]; is {
		return permanent("%q is a link and a folder", name)
	}
	if target == "" || len(target) > maxLink || path.IsAbs(target) || strings.ContainsAny(target, "\x00\\") {
		return permanent("the link %q leads out of the commit", name)
	}
	p.links[name] = target
	return p.write(name, fs.ModeSymlink|0o777, strings.NewReader(target))
}

// Close ends the zip. Only now all links are known, so that where each leads is.
func (p *Packer) Close() error {
	for name := range p.links {
		if err := p.follow(name); err != nil {
			return err
		}
	}
	return p.zip.Close()
}

func (p *Packer) write(name string, mode fs.FileMode, body io.Reader) error {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: epoch}
	h.SetMode(mode)
	w, err := p.zip.CreateHeader(h)
	if err == nil {
		_, err = io.CopyBuffer(w, &counted{body, p}, p.copied)
	}
	if err != nil {
		return fmt.Errorf("packing %q: %w", name, err)
	}
	return nil
}

// counted counts what is unpacked against the limits.
type counted struct {
	io.Reader
	p *Packer
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	p := c.p
	p.total += int64(n)
	switch {
	case p.total > p.limits.Total:
		return n, permanent("the commit has more than %d bytes", p.limits.Total)
	case p.read != nil && p.total > alwaysPasses && p.total/p.limits.Ratio > p.read():
		return n, permanent("the archive unpacks to more than %d times its size", p.limits.Ratio)
	}
	return n, err
}

func (p *Packer) hash(name string) uint64 { return maphash.String(p.seed, name) }

// claim takes a name, once.
func (p *Packer) claim(name string) error {
	if err := checkName(name); err != nil {
		return permanent("the name %q: %w", name, err)
	}
	if _, twice := p.files[p.hash(name)]; twice {
		return permanent("%q is there twice", name)
	}
	if len(p.files) == p.limits.Entries {
		return permanent("the commit has more than %d files", p.limits.Entries)
	}
	p.files[p.hash(name)] = struct{}{}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, is := p.links[dir]; is {
			return permanent("%q is below a link", name)
		}
		p.dirs[p.hash(dir)] = struct{}{}
	}
	return nil
}

// checkName refuses names that some system would take to be elsewhere, and
// those that git itself does not check out.
func checkName(name string) error {
	switch {
	case !fs.ValidPath(name) || name == ".":
		return errors.New("it leads out of the commit")
	case len(name) > maxPath:
		return errors.New("it is too long")
	case !utf8.ValidString(name):
		return errors.New("it is not UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }):
		return errors.New("it has a character that not every system allows")
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.EqualFold(part, ".git") {
			return errors.New("git has no such name")
		}
	}
	return nil
}

// maxSteps is how many steps a link is followed: one that takes more leads
// nowhere, on any system.
const maxSteps = 4096

// follow walks where a link leads, through other links as the system would, and
// refuses one that leaves the commit on the way.
func (p *Packer) follow(name string) error {
	at := []string{}
	rest := strings.Split(name, "/")
	for steps := 0; len(rest) > 0 && steps < maxSteps; steps++ {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				return permanent("the link %q leads out of the commit", name)
			}
			at = at[:len(at)-1]
			continue
		}
		at = append(at, part)
		if target, is := p.links[strings.Join(at, "/")]; is {
			at = at[:len(at)-1]
			rest = append(strings.Split(target, "/"), rest...)
		}
	}
	return nil
}
