package pull

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// bounded reads no more than that.
type bounded struct {
	io.Reader
	left int64
	what string
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, permanent("%s has too many bytes", b.what)
	}
	return n, err
}

// add adds a pack. From here to [clone.save], the clone is not to be believed.
func (c *clone) add(in io.Reader, l Limits) error {
	if err := os.Remove(filepath.Join(c.dir, stateFile)); err != nil && !os.IsNotExist(err) {
		return err
	}
	file, err := os.Create(filepath.Join(c.dir, "incoming.pack"))
	if err != nil {
		return err
	}
	limit := &bounded{in, l.Disk / 2, "the commit's pack"}
	name, err := receive(io.TeeReader(limit, file), l)
	size := l.Disk/2 - limit.left
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("receiving the commit: %w", err)
	}
	if len(c.state.Packs) == 0 {
		err = c.index(file.Name(), name)
	} else {
		err = c.resolve(file.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("unpacking the commit: %w", err)
	}
	p := received{name.String(), size}
	c.state.Packs, c.fresh = append(c.state.Packs, p), append(c.fresh, p)
	return c.load()
}

// receive reads a pack and holds it against the limits while it comes: nothing of
// it is made into objects before all of it is known to fit. Its name is its
// checksum.
func receive(in io.Reader, l Limits) (name plumbing.Hash, err error) {
	s := packfile.NewScanner(bufio.NewReader(in))
	_, count, err := s.Header()
	if err != nil {
		return name, err
	}
	if int64(count) > int64(l.Objects) {
		return name, permanent("the pack has %d objects, more than %d", count, l.Objects)
	}
	var total int64
	for range count {
		h, err := s.NextObjectHeader()
		if err != nil {
			return name, early(err)
		}
		head := &prefix{}
		n, _, err := s.NextObject(head)
		if err != nil {
			return name, early(err)
		}
		if n != h.Length {
			return name, errors.New("the pack is not what its headers say")
		}
		size := h.Length
		if h.Type.IsDelta() {
			size = max(size, head.target())
		}
		if size > l.Object {
			return name, permanent("the commit has a file of %d bytes, more than %d: keep it in Git LFS, or take the repository's archives, by git.zip", size, l.Object)
		}
		if total += size; total > l.Total {
			return name, permanent("the commit has more than %d bytes", l.Total)
		}
	}
	name, err = s.Checksum()
	return name, early(err)
}

func early(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// prefix is the beginning of what is written to it.
type prefix struct{ b []byte }

func (p *prefix) Write(b []byte) (int, error) {
	const most = 2 * binary.MaxVarintLen64
	p.b = append(p.b, b[:min(len(b), most-min(most, len(p.b)))]...)
	return len(b), nil
}

// target is how large what a delta makes is: it begins with the length of what it
// is made of, and then its own.
func (p *prefix) target() int64 {
	_, n := binary.Uvarint(p.b)
	if n <= 0 {
		return 0
	}
	size, _ := binary.Uvarint(p.b[n:])
	return int64(min(size, 1<<62))
}

// index takes a pack that is whole in itself as it is.
func (c *clone) index(file string, name plumbing.Hash) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read from
	w := &idxfile.Writer{}
	parser, err := packfile.NewParser(packfile.NewScanner(in), w)
	if err == nil {
		_, err = parser.Parse()
	}
	if err != nil {
		return err
	}
	index, err := w.Index()
	if err != nil {
		return err
	}
	base := filepath.Join(c.dir, "objects", "pack", "pack-"+name.String())
	out, err := os.Create(base + ".idx")
	if err != nil {
		return err
	}
	_, err = idxfile.NewEncoder(out).Encode(index)
	return errors.Join(err, out.Close(), os.Rename(file, base+".pack"))
}

// onlyObjects hides that a storage can have many objects open at once.
type onlyObjects struct{ storer.EncodedObjectStorer }

// resolve takes a pack whose deltas are of objects that are here: each of its
// objects gets a file.
func (c *clone) resolve(file string, name plumbing.Hash) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read from
	parser, err := packfile.NewParserWithStorage(packfile.NewScanner(in), onlyObjects{c.objects})
	if err == nil {
		_, err = parser.Parse()
	}
	if err != nil {
		return err
	}
	return os.Rename(file, c.pack(name.String()))
}

// pack is where a pack is, as the server sent it.
func (c *clone) pack(name string) string {
	whole := filepath.Join(c.dir, "objects", "pack", "pack-"+name+".pack")
	if _, err := os.Stat(whole); err == nil {
		return whole
	}
	return filepath.Join(c.dir, name+".pack")
}
