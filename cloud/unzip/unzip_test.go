package unzip_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ouro/cloud/unzip"
)

// entry is what a test's archive holds under a name.
type entry struct {
	name, body string
	mode       fs.FileMode
}

func archive(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode)
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write([]byte(e.body))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestInto(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		entries []entry
		limit   int64
		want    string // in the error; empty: unpacked
	}{
		{"files, folders and a link", []entry{{"a/b.txt", "text", 0o644}, {"a/c", "b.txt", fs.ModeSymlink | 0o777}, {"d/", "", fs.ModeDir | 0o755}}, 100, ""},
		{"a step up", []entry{{"../b.txt", "text", 0o644}}, 100, "outside"},
		{"an absolute name", []entry{{"/b.txt", "text", 0o644}}, 100, "outside"},
		{"a link that leads out", []entry{{"a/c", "../../b", fs.ModeSymlink | 0o777}}, 100, "leads out"},
		{"one byte too many", []entry{{"a", "123", 0o644}, {"b", "45", 0o644}}, 4, "more than 4 bytes"},
		{"the same name twice", []entry{{"a", "1", 0o644}, {"a", "2", 0o644}}, 100, "exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, dir := archive(t, c.entries...), t.TempDir()
			n, err := unzip.Into(t.Context(), bytes.NewReader(b), int64(len(b)), dir, c.limit)
			if c.want == "" {
				text, rerr := os.ReadFile(filepath.Join(dir, "a", "c"))
				if err != nil || rerr != nil || string(text) != "text" || n != 9 {
					t.Errorf("%d bytes, %q, %v, %v", n, text, err, rerr)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			var large *unzip.TooLargeError
			if got, want := errors.As(err, &large), strings.Contains(c.want, "more than"); got != want {
				t.Errorf("TooLargeError: %v, want %v", got, want)
			}
		})
	}
}
