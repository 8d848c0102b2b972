package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
)

// Record says what a publication was made of, and what it came to. As long as
// the files have the same bytes, publishing them again comes to the same; then
// nothing has to be parsed and checked for that.
//
// There are no records of trees with warnings, which are told again each time,
// with directories, in which files may appear, and with what CloudFormation is
// asked about.
type Record struct {
	Path     string // of the entrypoint, from the root, with slashes
	Location Location
	body     []byte // the finished entrypoint
	keys     []string

	root  string
	files []recorded // sorted by path
}

// recorded is a file that was read.
type recorded struct {
	path string
	size int64
	sum  [sha256.Size]byte
}

// Body is the finished entrypoint.
func (r *Record) Body() []byte { return r.body }

// Objects is how many objects the entrypoint needs.
func (r *Record) Objects() int { return len(r.keys) }

// Holds tells whether all files are as they were and the bucket has all
// objects.
func (r *Record) Holds(ctx context.Context, api API) (bool, error) {
	same := make(chan bool, 1)
	go func() { same <- r.unchanged() }()
	u := &uploader{api: api, plan: &Plan{Location: r.Location}, parallel: defaultParallel}
	known, err := u.survey(ctx, r.keys)
	holds := <-same
	if err != nil {
		return false, fmt.Errorf("list bucket %q: %w", r.Location.Bucket, err)
	}
	return holds && !slices.ContainsFunc(r.keys, func(key string) bool { return !known.there[key] }), nil
}

// together is how many files of a folder are read one after the other, so that
// the folder is opened once for them.
const together = 32

func (r *Record) unchanged() bool {
	root, err := os.OpenRoot(r.root)
	if err != nil {
		return false
	}
	defer root.Close()
	var parts [][]recorded
	for from, at := 0, 1; at <= len(r.files); at++ {
		if at == len(r.files) || at-from == together || path.Dir(r.files[at].path) != path.Dir(r.files[from].path) {
			parts = append(parts, r.files[from:at])
			from = at
		}
	}
	var differs atomic.Bool
	parallel(len(parts), runtime.GOMAXPROCS(0), func(i int) {
		if !differs.Load() && !sameFiles(root, parts[i]) {
			differs.Store(true)
		}
	})
	return !differs.Load()
}

// sameFiles tells whether files of one folder have the bytes that they had.
func sameFiles(root *os.Root, files []recorded) bool {
	folder, err := root.OpenRoot(path.Dir(files[0].path))
	if err != nil {
		return false
	}
	defer folder.Close()
	sum := sha256.New()
	buffer := make([]byte, 32<<10)
	return !slices.ContainsFunc(files, func(was recorded) bool {
		in, err := folder.OpenFile(path.Base(was.path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return true
		}
		defer in.Close()
		sum.Reset()
		n, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{io.LimitReader(in, was.size+1)}, buffer)
		return err != nil || n != was.size || [sha256.Size]byte(sum.Sum(nil)) != was.sum
	})
}

// record is the tree's record for a plan of it, nil when there is to be none.
func (t *Tree) record(p *Plan) (*Record, error) {
	if len(t.Warnings) > 0 || p.Entrypoint.remote || slices.ContainsFunc(p.Objects, func(o Object) bool { return o.remote }) {
		return nil, nil
	}
	root, err := filepath.Abs(t.Root)
	if err != nil {
		return nil, err
	}
	r := &Record{Path: t.Path, Location: p.Location, body: p.Body(), root: root}
	for _, o := range distinct(p.Objects) {
		r.keys = append(r.keys, o.Key)
	}
	for _, f := range t.files {
		if f.members != nil {
			return nil, nil
		}
		if f.source.library {
			continue // it is the program's
		}
		was := recorded{path: f.path, size: f.size, sum: f.sum}
		if !f.isTemplate {
			sum, err := hex.DecodeString(f.hash)
			if f.members != nil || err != nil || len(sum) != len(was.sum) {
				return nil, err
			}
			was.sum = [sha256.Size]byte(sum)
		}
		r.files = append(r.files, was)
	}
	slices.SortFunc(r.files, func(a, b recorded) int { return strings.Compare(a.path, b.path) })
	return r, nil
}
