package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"ouro/regex"
)

// entry is a file of the directory and what it becomes in the image.
type entry struct {
	from string // in the directory
	to   string // in the image, without a slash before it
	mode fs.FileMode
}

// ownership is what a COPY makes of its files.
type ownership struct {
	uid, gid int
	mode     int64 // 0: what files have
}

var (
	numericOwner = regex.New(`^([0-9]+)(?::([0-9]+))?$`)
	octalMode    = regex.New(`^0?[0-7]{3,4}$`)
)

// option reads an option of COPY.
func (o *ownership) option(text string) (err error) {
	key, value, _ := strings.Cut(text, "=")
	switch key {
	case "--chown":
		m := numericOwner().FindStringSubmatch(value)
		if m == nil {
			return fmt.Errorf("refused: the owner %q is known to the image alone; write numbers, as 1000:1000", value)
		}
		if m[2] == "" {
			m[2] = m[1]
		}
		if o.uid, err = strconv.Atoi(m[1]); err == nil {
			o.gid, err = strconv.Atoi(m[2])
		}
	case "--chmod":
		if !octalMode().MatchString(value) {
			return fmt.Errorf("the mode %q is not octal, as 755", value)
		}
		o.mode, err = strconv.ParseInt(value, 8, 64)
	case "--link": // every COPY is a layer of its own
	default:
		return fmt.Errorf("refused: the option %s needs a container engine", key)
	}
	return err
}

// addFiles is COPY for files that ADD would not unpack or download.
func (b *builder) addFiles(s step) error {
	words, err := b.list(s.rest)
	if err != nil {
		return err
	}
	for _, w := range words[:len(words)-1] {
		for _, end := range []string{".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"} {
			if strings.Contains(w, "://") || strings.HasPrefix(w, "git@") || strings.HasSuffix(w, end) {
				return fmt.Errorf("refused: %q would be downloaded or unpacked; copy files", w)
			}
		}
	}
	return b.copy(s)
}

// copy puts files of the directory into a layer.
func (b *builder) copy(s step) error {
	var own ownership
	rest := s.rest
	for strings.HasPrefix(rest, "--") {
		option, after, _ := strings.Cut(rest, " ")
		if err := own.option(option); err != nil {
			return err
		}
		rest = strings.TrimSpace(after)
	}
	words, err := b.list(rest)
	if err != nil {
		return err
	}
	if len(words) < 2 {
		return fmt.Errorf("%q is not of the form SOURCE … DESTINATION", rest)
	}
	to := words[len(words)-1]
	entries, err := b.files.gather(words[:len(words)-1], b.absolute(to), strings.HasSuffix(to, "/") || to == "." || strings.HasSuffix(to, "/."))
	if err != nil {
		return err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return b.files.archive(entries, own), nil }, tarball.WithMediaType(b.layer))
	if err != nil {
		return fmt.Errorf("packing %q: %w", rest, err)
	}
	return b.add(layer)
}

// gather finds the files that the sources name, and where they go. inside
// tells that the destination is a directory.
func (t *tree) gather(sources []string, to string, inside bool) ([]entry, error) {
	byName := map[string]entry{}
	found := 0
	var all []string
	for _, source := range sources {
		names, err := t.match(source)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	for _, from := range all {
		info, err := t.stat(from)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			target := to
			if inside || len(all) > 1 {
				target = path.Join(to, path.Base(from))
			}
			if len(all) > 1 && !inside {
				return nil, errors.New("several files go into a directory: end its name with /")
			}
			byName[target] = entry{from, target, info.Mode()}
			found++
			continue
		}
		below, err := t.below(from)
		if err != nil {
			return nil, err
		}
		for _, e := range below {
			e.to = path.Join(to, e.to)
			byName[e.to] = e
		}
		found++
	}
	out := make([]entry, 0, len(byName))
	for _, e := range byName {
		e.to = strings.TrimPrefix(e.to, "/")
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b entry) int { return strings.Compare(a.to, b.to) })
	return out, nil
}

// archive gives the entries as a tar.
func (t *tree) archive(entries []entry, own ownership) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		tw := tar.NewWriter(w)
		var err error
		for _, e := range entries {
			if err = t.write(tw, e, own); err != nil {
				break
			}
		}
		if err == nil {
			err = tw.Close()
		}
		w.CloseWithError(err)
	}()
	return r
}

// write puts one entry into the tar.
func (t *tree) write(tw *tar.Writer, e entry, own ownership) error {
	h := &tar.Header{Name: e.to, Mode: 0o644, Uid: own.uid, Gid: own.gid, ModTime: epoch, Format: tar.FormatPAX}
	switch {
	case e.mode.IsDir():
		h.Typeflag, h.Mode, h.Name = tar.TypeDir, 0o755, e.to+"/"
	case e.mode&fs.ModeSymlink != 0:
		target, err := t.root.Readlink(e.from)
		if err != nil {
			return err
		}
		h.Typeflag, h.Mode, h.Linkname = tar.TypeSymlink, 0o777, target
		return tw.WriteHeader(h)
	case e.mode&0o111 != 0:
		h.Mode = 0o755
	}
	if own.mode != 0 {
		h.Mode = own.mode
	}
	if e.mode.IsDir() {
		return tw.WriteHeader(h)
	}
	f, err := t.root.Open(e.from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h.Typeflag, h.Size = tar.TypeReg, info.Size()
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	if _, err := io.Copy(tw, f); err != nil {
		return fmt.Errorf("packing %q: %w", e.from, err)
	}
	return nil
}
