package layer

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// ReadManifest reads what Build wrote about a layer.
func ReadManifest(text []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("reading %s: %w", ManifestFile, err)
	}
	return m, m.check()
}

// CheckZip tells why a zip is not the layer that its manifest tells of. Nothing
// that is larger than a layer is unpacked for that.
func CheckZip(z *zip.Reader, m Manifest) error {
	if len(z.File) > maxFiles {
		return fmt.Errorf("the zip of layer %q holds more than %d files", m.Layer, maxFiles)
	}
	files := slices.Clone(z.File)
	slices.SortFunc(files, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	sum, left := sha256.New(), int64(MaxSize)
	for _, f := range files {
		if !fs.ValidPath(f.Name) {
			return fmt.Errorf("the zip of layer %q names a file %q", m.Layer, f.Name)
		}
		one, size, err := sumOf(f, left)
		if err != nil {
			return fmt.Errorf("the zip of layer %q: %q: %w", m.Layer, f.Name, err)
		}
		left -= size
		fmt.Fprintf(sum, "%o %x %q\n", f.Mode(), one, f.Name)
	}
	if content := hex.EncodeToString(sum.Sum(nil)); content != m.Content {
		return fmt.Errorf("the zip of layer %q has content %s, and its manifest says %q", m.Layer, content, m.Content)
	}
	return nil
}

func sumOf(f *zip.File, most int64) (sum []byte, size int64, err error) {
	in, err := f.Open()
	if err != nil {
		return nil, 0, err
	}
	h := sha256.New()
	size, err = io.Copy(h, io.LimitReader(in, most+1))
	if err == nil && size > most {
		err = errors.New("a layer holds 250 MB at most")
	}
	return h.Sum(nil), size, errors.Join(err, in.Close())
}
