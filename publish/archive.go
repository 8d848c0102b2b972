package publish

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"ouro/template"
)

// maxMembers bounds the files and directories that go into one archive.
const maxMembers = 200_000

// member is one file of an archive.
type member struct {
	name       string // in the archive
	path       string // from the project's root
	executable bool
	program    bool // path is this program's, on the machine
	size       int64
	sum        [sha256.Size]byte
}

// archive makes f an archive of the directory at its path.
func (l *loader) archive(f *file) {
	rules, err := l.rulesAbove(f.path)
	p := packer{root: l.root, top: f.path, exclude: l.exclude, room: &l.entries}
	if err == nil {
		err = p.directory(f.path, rules)
	}
	switch {
	case err != nil:
		f.failure = err
		return
	case len(p.members) == 0:
		f.failure = errors.New("has no files for an archive")
		return
	}
	for _, name := range p.missed {
		f.problems = append(f.problems, template.Problem{
			Pos: template.Pos{File: f.path}, ID: "ignored-dependencies", Severity: template.SeverityWarning,
			Message: "the archive is without " + quoted(name) + ", as a .gitignore says; a line !" + path.Base(name) + " in " + quoted(path.Join(f.path, ".gitignore")) + " puts it in",
		})
	}
	l.archiveOf(f, p.members)
}

// archiveOf reads members, which are to be the archive f. Its hash is that of
// what it holds, not of the zip, so that it stays when zips are written in
// another way: SHA-256 over a line for each file in order, with the mode, the
// SHA-256 of the content and the quoted name. Its size is that of the content.
func (l *loader) archiveOf(f *file, members []member) {
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.name, b.name) })
	faults := make([]error, len(members))
	parallel(len(members), l.workers, func(i int) { faults[i] = members[i].read(l.root, io.Discard) })
	for i, err := range faults {
		if err != nil {
			f.failure = notZipped(members[i].path, err)
			return
		}
	}
	f.members, f.size = members, 0
	sum := sha256.New()
	for _, m := range members {
		f.size += m.size
		fmt.Fprintf(sum, "%o %x %q\n", m.mode(), m.sum, m.name)
	}
	f.hash = hex.EncodeToString(sum.Sum(nil))
}

// mode is one of two, since all others depend on who made the file.
func (m *member) mode() fs.FileMode {
	if m.executable {
		return 0o755
	}
	return 0o644
}

// read fills m from disk, but for the size that it had, and writes its content
// to w.
func (m *member) read(root *os.Root, w io.Writer) error {
	sum := sha256.New()
	n, err := m.copy(root, io.MultiWriter(sum, w))
	switch {
	case err != nil:
		return err
	case n != m.size:
		return errors.New("changed while it was read")
	}
	sum.Sum(m.sum[:0])
	return nil
}

// copy writes the content to w, no more than a byte above its size, and notes
// whether it is executable.
func (m *member) copy(root *os.Root, w io.Writer) (int64, error) {
	if m.program {
		m.executable = true
		return m.copyProgram(w)
	}
	in, info, err := openIn(root, m.path)
	if err != nil {
		return 0, err
	}
	defer in.Close() //nolint:errcheck // only read from
	if !info.Mode().IsRegular() {
		return 0, errNotRegular
	}
	m.executable = info.Mode()&0o100 != 0
	n, err := io.Copy(w, io.LimitReader(in, m.size+1))
	if err != nil {
		err = readFailure(err)
	}
	return n, err
}

// packer finds what belongs into the archive of a directory. Links are
// followed as far as they stay in the project.
type packer struct {
	root    *os.Root
	top     string
	exclude []rule
	members []member
	missed  []string      // directories of dependencies that a .gitignore leaves out
	room    *atomic.Int64 // for entries of all archives: links can make many of one
	seen    int
	tried   int           // see maxTried
	size    int64         // of all members
	chain   []fs.FileInfo // the directories that we are in
}

func (p *packer) directory(dir string, rules []rule) error {
	in, info, err := openIn(p.root, dir)
	if err != nil {
		return p.failure(dir, err)
	}
	entries, err := in.ReadDir(maxMembers + 1)
	if err = errors.Join(ignoreEOF(err), in.Close()); err != nil {
		return p.failure(dir, readFailure(err))
	}
	if len(p.chain) > maxDepth {
		return fmt.Errorf("has more than %d folders in each other", maxDepth)
	}
	if slices.ContainsFunc(p.chain, func(above fs.FileInfo) bool { return os.SameFile(above, info) }) {
		return p.failure(dir, errors.New("leads round in a circle"))
	}
	if p.seen += len(entries); p.seen > maxMembers {
		return fmt.Errorf("holds more than %d files and directories", maxMembers)
	}
	if p.room.Add(-int64(len(entries))) < 0 {
		return errors.New("is too much: all archives together hold too many files and directories")
	}
	more, err := readRules(p.root, dir)
	if err != nil {
		return err
	}
	rules = append(slices.Clip(rules), more...)
	if p.tried += effort(rules, dir, entries); p.tried > maxTried {
		return errors.New("has too many patterns in .gitignore files for so many files")
	}
	p.chain = append(p.chain, info)
	for _, e := range entries {
		if err := p.entry(path.Join(dir, e.Name()), e, rules); err != nil {
			return err
		}
	}
	p.chain = p.chain[:len(p.chain)-1]
	return nil
}

func (p *packer) entry(name string, e fs.DirEntry, rules []rule) error {
	switch {
	case e.Name() == ".git" || e.Name() == ".ouro" || decide(p.exclude, name, e.IsDir()):
		return nil
	case decide(rules, name, e.IsDir()):
		if e.Name() == "node_modules" || e.Name() == "vendor" {
			p.missed = append(p.missed, name)
		}
		return nil
	}
	if e.IsDir() {
		return p.directory(name, rules)
	}
	info, err := e.Info()
	if err == nil && e.Type()&fs.ModeSymlink != 0 {
		info, err = p.root.Stat(name)
	}
	switch {
	case err != nil:
		return p.failure(name, readFailure(err))
	case info.IsDir():
		return p.directory(name, rules)
	case !info.Mode().IsRegular():
		return p.failure(name, errNotRegular)
	case info.Size() > maxObject-p.size:
		return fmt.Errorf("cannot be zipped: it holds more than %d bytes", int64(maxObject))
	}
	p.size += info.Size()
	p.members = append(p.members, member{name: strings.TrimPrefix(name, p.top+"/"), path: name, size: info.Size()})
	return nil
}

func (p *packer) failure(name string, err error) error {
	if name == p.top {
		return err
	}
	return notZipped(name, err)
}

// notZipped tells which file keeps an archive from being made.
func notZipped(name string, err error) error {
	return fmt.Errorf("cannot be zipped: %s %w", quoted(name), err)
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// isZip tells whether a file ends as zips end: with the record that closes the
// directory, and a comment of up to 64 KB behind it.
func isZip(in io.ReaderAt, size int64) bool {
	const record, comment = 22, 1<<16 - 1
	tail := make([]byte, min(size, record+comment))
	n, err := in.ReadAt(tail, size-int64(len(tail)))
	if ignoreEOF(err) != nil || n < record {
		return false
	}
	return bytes.Contains(tail[:n-record+4], []byte("PK\x05\x06"))
}
