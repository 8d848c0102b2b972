package publish

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
)

// maxRecord is how large the file of a record may be: 50,000 files take a third
// of it.
const maxRecord = 64 << 20

// Remember keeps a record of the tree, published as planned, in a file below
// dir. Projects share some 256 files; what is lost costs time and nothing else.
func (t *Tree) Remember(dir string, p *Plan) error {
	r, err := t.record(p)
	if r == nil || err != nil {
		return err
	}
	name, identity := recordFile(dir, r.root, t.Path, p.Location.Bucket)
	var b encoder
	b.texts(identity, r.Location.Bucket, r.Location.Region, r.Location.Endpoint, r.Location.Prefix, string(r.Location.KeyStyle), string(r.body))
	b.number(len(r.keys))
	b.texts(r.keys...)
	b.number(len(r.files))
	for _, f := range r.files {
		b.texts(f.path, string(f.sum[:]))
		b.number(int(f.size))
	}
	sum := sha256.Sum256(b)
	if err := writeCache(name, append(sum[:], b...)); err != nil {
		return fmt.Errorf("remembering what was published: %w", err)
	}
	return nil
}

// Recall is the record of an earlier publication by this build of the program,
// nil when there is none.
func Recall(dir, root, entrypoint, bucket string) *Record {
	entry, err := fromRoot(root, entrypoint)
	if err != nil {
		return nil
	}
	if root, err = filepath.Abs(root); err != nil {
		return nil
	}
	name, identity := recordFile(dir, root, entry, bucket)
	body, err := readAtMost(name, maxRecord)
	if err != nil || len(body) < sha256.Size || sha256.Sum256(body[sha256.Size:]) != [sha256.Size]byte(body) {
		return nil
	}
	b := decoder{rest: string(body[sha256.Size:])}
	if b.text() != identity {
		return nil
	}
	r := &Record{Path: entry, root: root}
	r.Location = Location{Bucket: b.text(), Region: b.text(), Endpoint: b.text(), Prefix: b.text(), KeyStyle: KeyStyle(b.text())}
	r.body = []byte(b.text())
	for n := b.number(); n > 0 && !b.short; n-- {
		r.keys = append(r.keys, b.text())
	}
	for n := b.number(); n > 0 && !b.short; n-- {
		f := recorded{path: b.text()}
		copy(f.sum[:], b.text())
		f.size = int64(b.number())
		r.files = append(r.files, f)
	}
	if b.short {
		return nil
	}
	return r
}

// recordFile names the file of a record, and what the record has to be of.
func recordFile(dir, root, entry, bucket string) (name, identity string) {
	place := strings.Join([]string{root, entry, bucket}, "\x00")
	sum := sha256.Sum256([]byte(place))
	return filepath.Join(dir, "published", hex.EncodeToString(sum[:1])), program() + "\x00" + place
}

// encoder writes numbers, and texts after their lengths.
type encoder []byte

func (b *encoder) number(n int) { *b = binary.AppendUvarint(*b, uint64(n)) }

func (b *encoder) texts(all ...string) {
	for _, s := range all {
		b.number(len(s))
		*b = append(*b, s...)
	}
}

// decoder reads what a encoder wrote.
type decoder struct {
	rest  string
	short bool // there was less than that
}

func (b *decoder) number() int {
	n, size := binary.Uvarint([]byte(b.rest[:min(len(b.rest), binary.MaxVarintLen64)]))
	if size <= 0 || n > maxObject {
		b.rest, b.short = "", true
		return 0
	}
	b.rest = b.rest[size:]
	return int(n)
}

func (b *decoder) text() string {
	n := b.number()
	if n > len(b.rest) {
		b.rest, b.short = "", true
		return ""
	}
	text := b.rest[:n]
	b.rest = b.rest[n:]
	return text
}
