package codedeploy

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

const maxEntries = 1_000_000

// untar unpacks a tar archive into dir, which is empty. Nothing is written
// outside of it; links that lead out are refused.
func untar(ctx context.Context, r io.Reader, packed bool, dir string) error {
	if packed {
		z, err := gzip.NewReader(r)
		if err != nil {
			return fmt.Errorf("it is no tgz archive: %w", err)
		}
		defer z.Close()
		r = z
	}
	into, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer into.Close()
	archive, left := tar.NewReader(r), int64(maxUnpacked)
	for n := 0; ; n++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("it is no tar archive: %w", err)
		}
		if left -= h.Size; left < 0 || h.Size < 0 || n >= maxEntries {
			return fmt.Errorf("it unpacks to more than %d bytes or has more than %d entries", maxUnpacked, maxEntries)
		}
		if err := unpackEntry(into, archive, h); err != nil {
			return fmt.Errorf("unpacking %q: %w", h.Name, err)
		}
	}
}

func unpackEntry(into *os.Root, r io.Reader, h *tar.Header) error {
	name := path.Clean(h.Name)
	if !fs.ValidPath(name) {
		return errors.New("it lies outside of the archive's folder")
	}
	name = filepath.FromSlash(name)
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	if h.Typeflag == tar.TypeDir {
		return into.MkdirAll(name, 0o755)
	}
	if err := into.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg:
		file, err := into.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, h.FileInfo().Mode().Perm()|0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, r)
		return errors.Join(err, file.Close())
	case tar.TypeSymlink:
		if path.IsAbs(h.Linkname) || !fs.ValidPath(path.Join(path.Dir(path.Clean(h.Name)), h.Linkname)) {
			return fmt.Errorf("the symbolic link leads out of the archive, to %q", h.Linkname)
		}
		return into.Symlink(h.Linkname, name)
	case tar.TypeLink:
		if !fs.ValidPath(path.Clean(h.Linkname)) {
			return fmt.Errorf("the link leads out of the archive, to %q", h.Linkname)
		}
		return into.Link(filepath.FromSlash(path.Clean(h.Linkname)), name)
	}
	return errors.New("it is neither file, directory nor link")
}
