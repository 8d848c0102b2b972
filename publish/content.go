package publish

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// content is what is sent for an object.
type content struct {
	io.ReadSeekCloser
	size int64
	sum  []byte // SHA-256
}

// content opens what is sent for o.
func (p *Plan) content(ctx context.Context, o Object) (content, error) {
	if o.members != nil {
		return p.zip(ctx, o)
	}
	sum, err := hex.DecodeString(o.SHA256)
	c := content{size: o.Size, sum: sum}
	if err != nil {
		return c, err
	}
	if o.body != nil {
		c.ReadSeekCloser = inMemory{bytes.NewReader(o.body)}
		return c, nil
	}
	root, err := os.OpenRoot(p.root)
	if err != nil {
		return c, err
	}
	defer root.Close() //nolint:errcheck // only read from
	in, info, err := openIn(root, o.Path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.Join(errNotRegular, in.Close())
	}
	c.ReadSeekCloser = in
	return c, err
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// zip writes the archive o into a file that nobody else sees and that is gone
// when it is closed, however this process ends.
func (p *Plan) zip(ctx context.Context, o Object) (c content, err error) {
	root, err := os.OpenRoot(p.root)
	if err != nil {
		return c, err
	}
	defer root.Close() //nolint:errcheck // only read from
	out, err := os.CreateTemp("", "ouro-*.zip")
	if err != nil {
		return c, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("zip it: %w", err), out.Close())
		}
	}()
	if err := os.Remove(out.Name()); err != nil {
		return c, err
	}
	sum := sha256.New()
	if err := writeZip(ctx, io.MultiWriter(out, sum), root, o.members); err != nil {
		return c, err
	}
	if c.size, err = out.Seek(0, io.SeekCurrent); err != nil {
		return c, err
	}
	c.ReadSeekCloser, c.sum = out, sum.Sum(nil)
	_, err = out.Seek(0, io.SeekStart)
	return c, err
}

// wanted is a writer that stops when its context ends.
type wanted struct {
	ctx context.Context
	io.Writer
}

func (w wanted) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Writer.Write(b)
}

// epoch is the first moment that zips can tell, and the same for all files.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// writeZip zips members, which must be as they were when they were read first.
func writeZip(ctx context.Context, w io.Writer, root *os.Root, members []member) error {
	out := zip.NewWriter(w)
	if len(members) == 1 && members[0].program { // which is large, and hardly becomes smaller by more effort
		out.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	}
	for _, m := range members {
		header := &zip.FileHeader{Name: m.name, Method: zip.Deflate, Modified: epoch}
		header.SetMode(m.mode())
		entry, err := out.CreateHeader(header)
		if err != nil {
			return err
		}
		now := m
		if err := now.read(root, wanted{ctx, entry}); err != nil {
			return fmt.Errorf("%q %w", m.path, err)
		}
		if now != m {
			return fmt.Errorf("%q changed while it was published", m.path)
		}
	}
	return out.Close()
}
