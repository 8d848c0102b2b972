package layer

import (
	"archive/zip"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// MaxSize is how much a function and its layers may hold, unzipped, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxSize = 250 << 20

// maxFiles bounds the files of one layer.
const maxFiles = 200_000

// tree is the content of a layer: files below a directory, by their names in
// the layer.
type tree struct {
	root  string
	files []file
	size  int64 // of the files' content
}

type file struct {
	name string // with slashes
	mode fs.FileMode
	size int64
}

// readTree finds the files below root.
func readTree(root string) (*tree, error) {
	t := &tree{root: root}
	err := filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		f := file{name: filepath.ToSlash(name)}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			f.mode = fs.ModeSymlink | 0o777
			err = inside(root, at)
		case !info.Mode().IsRegular():
			err = errors.New("is neither a file nor a directory")
		default:
			// Of the modes only this one tells something; the others depend on
			// who made the file.
			f.mode, f.size = 0o644, info.Size()
			if info.Mode()&0o100 != 0 {
				f.mode = 0o755
			}
		}
		if err != nil {
			return fmt.Errorf("%q %w", f.name, err)
		}
		t.files, t.size = append(t.files, f), t.size+f.size
		return t.fits()
	})
	slices.SortFunc(t.files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return t, err
}

func (t *tree) fits() error {
	if t.size > MaxSize {
		return fmt.Errorf("holds more than 250 MB, which is all that a function and its layers may hold, unzipped")
	}
	if len(t.files) > maxFiles {
		return fmt.Errorf("holds more than %d files", maxFiles)
	}
	return nil
}

// inside tells why a link has no place in a layer: it leads to nothing, or out
// of it.
func inside(root, link string) error {
	target, err := os.Readlink(link)
	if err != nil {
		return err
	}
	// A link may lead over other links, so where it says it leads is not enough.
	to, err := filepath.EvalSymlinks(link)
	if err != nil {
		return fmt.Errorf("is a link to %q, which is not there", target)
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return err
	}
	if rel, err := filepath.Rel(root, to); filepath.IsAbs(target) || err != nil || !filepath.IsLocal(rel) {
		return fmt.Errorf("is a link to %q, which is not in the layer", target)
	}
	return nil
}

// open gives the content of a file, which for a link is where it leads.
func (t *tree) open(f file) (io.ReadCloser, error) {
	at := filepath.Join(t.root, filepath.FromSlash(f.name))
	if f.mode&fs.ModeSymlink == 0 {
		return os.Open(at)
	}
	target, err := os.Readlink(at)
	return io.NopCloser(strings.NewReader(filepath.ToSlash(target))), err
}

// hash is the SHA-256 over a line for each file in order: its mode, the SHA-256
// of its content, and its quoted name. It stays when zips are written in
// another way.
func (t *tree) hash() (string, error) {
	sum := sha256.New()
	for _, f := range t.files {
		in, err := t.open(f)
		if err != nil {
			return "", err
		}
		one := sha256.New()
		_, err = io.Copy(one, in)
		if err = errors.Join(err, in.Close()); err != nil {
			return "", fmt.Errorf("reading %q: %w", f.name, err)
		}
		fmt.Fprintf(sum, "%o %x %q\n", f.mode, one.Sum(nil), f.name)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// stamped is the time that every file in a zip has: the first that zips know.
var stamped = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// zip writes the files as a zip, which has the same bytes for the same files.
func (t *tree) zip(out io.Writer) error {
	w := zip.NewWriter(out)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	for _, f := range t.files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: stamped}
		h.SetMode(f.mode)
		to, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		in, err := t.open(f)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, in)
		if err = errors.Join(err, in.Close()); err != nil {
			return fmt.Errorf("zipping %q: %w", f.name, err)
		}
	}
	return w.Close()
}

// outside are the names of files that lie in none of the folders that some
// runtime looks into.
func (t *tree) outside() []string {
	var names []string
	for _, f := range t.files {
		top, _, below := strings.Cut(f.name, "/")
		if !below || !slices.Contains(folders, top) {
			names = append(names, path.Clean(f.name))
		}
	}
	return names
}
