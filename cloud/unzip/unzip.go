// Package unzip unpacks zip archives that come from outside into folders, and
// keeps them from writing anywhere else or filling the disk.
package unzip

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// Bounds on what an archive may become, so that a small file cannot fill the
// disk.
const (
	maxEntries   = 1_000_000
	maxRatio     = 1100      // unpacked to packed; deflate itself ends at 1032
	maxLink      = 4 << 10   // bytes of a symbolic link
	alwaysPasses = 256 << 20 // bytes in all below which the ratio does not count
)

// TooLargeError is an archive that unpacks to more bytes than it may.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the archive unpacks to more than %d bytes", e.Limit)
}

// Into unpacks the archive into dir, which is empty; it may unpack to limit
// bytes. Nothing is written outside dir: names that lead out are refused, and
// so are links that point out of it; links are made last, so that nothing is
// written through them. It gives how many bytes the files have.
func Into(ctx context.Context, archive io.ReaderAt, size int64, dir string, limit int64) (int64, error) {
	z, err := zip.NewReader(archive, size)
	if err != nil {
		return 0, fmt.Errorf("it is no zip archive: %w", err)
	}
	unpacked, err := check(z, size, limit)
	if err != nil {
		return 0, err
	}
	return unpacked, all(ctx, z, dir)
}

// Size is how many bytes an archive unpacks to, if Into would take it.
func Size(archive io.ReaderAt, size, limit int64) (int64, error) {
	z, err := zip.NewReader(archive, size)
	if err != nil {
		return 0, fmt.Errorf("it is no zip archive: %w", err)
	}
	return check(z, size, limit)
}

func all(ctx context.Context, z *zip.Reader, dir string) error {
	into, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer into.Close()
	links := map[string]string{}
	var order []string
	made := map[string]bool{".": true}
	for _, f := range z.File {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		name := path.Clean(strings.TrimSuffix(f.Name, "/"))
		switch mode := f.Mode(); {
		case mode.IsDir():
			err = into.MkdirAll(filepath.FromSlash(name), 0o755)
		case mode&fs.ModeSymlink != 0:
			links[name], err = linkTarget(f, name)
			order = append(order, name)
		case mode.IsRegular():
			err = unpack(into, f, name, made)
		default:
			err = errors.New("it is neither file, directory nor symbolic link")
		}
		if err != nil {
			return fmt.Errorf("unpacking %q: %w", f.Name, err)
		}
	}
	return makeLinks(into, order, links)
}

// makeLinks makes the symbolic links, in directories that are none themselves.
// One that stays inside by its words can still lead out by way of another.
func makeLinks(into *os.Root, names []string, links map[string]string) error {
	for _, step := range []func(name string) error{
		func(name string) error { return into.MkdirAll(filepath.Dir(filepath.FromSlash(name)), 0o755) },
		func(name string) error { return into.Symlink(links[name], filepath.FromSlash(name)) },
		func(name string) error {
			_, err := into.Stat(filepath.FromSlash(name))
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP) {
				return nil // it leads nowhere
			}
			return err
		},
	} {
		for _, name := range names {
			if err := step(name); err != nil {
				return fmt.Errorf("unpacking %q: %w", name, err)
			}
		}
	}
	return nil
}

// check gives how many bytes the archive claims to unpack to.
func check(z *zip.Reader, size, limit int64) (int64, error) {
	if len(z.File) > maxEntries {
		return 0, fmt.Errorf("the archive has %d entries, more than %d", len(z.File), maxEntries)
	}
	var unpacked uint64
	for _, f := range z.File {
		name := strings.TrimSuffix(f.Name, "/")
		if name != "" && (!fs.ValidPath(path.Clean(name)) || strings.HasPrefix(name, "/") || strings.ContainsRune(name, 0)) {
			return 0, fmt.Errorf("the archive has an entry outside of its folder: %q", f.Name)
		}
		if unpacked += f.UncompressedSize64; f.UncompressedSize64 > uint64(limit) || unpacked > uint64(limit) {
			return 0, &TooLargeError{limit}
		}
	}
	if unpacked > alwaysPasses && unpacked/maxRatio > uint64(size) {
		return 0, fmt.Errorf("the archive of %d bytes claims to unpack to %d", size, unpacked)
	}
	return int64(unpacked), nil
}

// unpack writes a file. made are the directories that exist.
func unpack(into *os.Root, f *zip.File, name string, made map[string]bool) error {
	if parent := path.Dir(name); !made[parent] {
		if err := into.MkdirAll(filepath.FromSlash(parent), 0o755); err != nil {
			return err
		}
		made[parent] = true
	}
	mode := f.Mode().Perm() | 0o600
	if f.CreatorVersion>>8 != 3 && f.CreatorVersion>>8 != 19 { // not from a Unix: no modes
		mode = 0o644
	}
	body, err := f.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	file, err := into.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	// The size that the archive claims is checked by the reader itself.
	if _, err := io.Copy(file, body); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// linkTarget reads a symbolic link and refuses one that leads out.
func linkTarget(f *zip.File, name string) (string, error) {
	if f.UncompressedSize64 > maxLink {
		return "", errors.New("the symbolic link is too long")
	}
	body, err := f.Open()
	if err != nil {
		return "", err
	}
	defer body.Close()
	var target bytes.Buffer
	if _, err := io.Copy(&target, io.LimitReader(body, maxLink)); err != nil {
		return "", err
	}
	to := target.String()
	if path.IsAbs(to) || !fs.ValidPath(path.Join(path.Dir(name), to)) {
		return "", fmt.Errorf("the symbolic link leads out of the archive, to %q", to)
	}
	return to, nil
}
