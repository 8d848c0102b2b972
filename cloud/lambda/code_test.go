package lambda

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Functions that have the same code, as all those of one program, cost one
// unpacking, also when they are made at once.
func TestCodeIsUnpackedOnce(t *testing.T) {
	var body bytes.Buffer
	w := zip.NewWriter(&body)
	f, err := w.Create("bootstrap")
	if err == nil {
		_, err = f.Write([]byte("the program"))
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	a := &archives{dir: t.TempDir(), busy: map[string]int{}}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if c, err := a.put(t.Context(), bytes.NewReader(body.Bytes())); err != nil || c.Unzipped != 11 {
				t.Errorf("put: %+v, %v", c, err)
			}
		})
	}
	all.Wait()
	before, err := os.Stat(filepath.Join(a.dir, "code"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.put(t.Context(), bytes.NewReader(body.Bytes()))
	if err != nil || c.Unzipped != 11 {
		t.Fatalf("put again: %+v, %v", c, err)
	}
	if after, err := os.Stat(filepath.Join(a.dir, "code")); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("the same code was unpacked again: %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(a.folder(c.SHA256), "bootstrap")); err != nil || string(text) != "the program" {
		t.Errorf("bootstrap is %q, %v", text, err)
	}
}
