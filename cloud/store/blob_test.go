package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"ouro/cloud/store"
)

func readBlob(t *testing.T, s *store.Store, sum string) string {
	t.Helper()
	f, err := s.OpenBlob(sum)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	s := open(t)
	for name, content := range map[string]string{
		"empty":         "",
		"small":         "hello",
		"at the border": strings.Repeat("x", 64<<10),
		"large":         strings.Repeat("0123456789", 100_000),
	} {
		sum := sha256.Sum256([]byte(content))
		want := store.Blob{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}
		for range 2 { // the second finds it there
			got, err := s.PutBlob(t.Context(), iotest.HalfReader(strings.NewReader(content)))
			if err != nil || got != want {
				t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
			}
		}
		if readBlob(t, s, want.SHA256) != content {
			t.Errorf("%s reads back as something else", name)
		}
		if err := s.DeleteBlob(want.SHA256); err != nil {
			t.Error(err)
		}
		if _, err := s.OpenBlob(want.SHA256); err != store.ErrNotFound {
			t.Errorf("%s after its deletion: %v", name, err)
		}
	}
	for _, sum := range []string{"", "../../lock", strings.Repeat("/", 64), strings.Repeat("A", 64)} {
		if _, err := s.OpenBlob(sum); err != store.ErrNotFound {
			t.Errorf("OpenBlob(%q): %v", sum, err)
		}
	}
}

// A put that fails leaves nothing, and neither does one that was killed.
func TestBlobLeftovers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openAt(t, dir)
	broken := errors.New("broken")
	for _, size := range []int{10, 1 << 20} {
		r := io.MultiReader(bytes.NewReader(make([]byte, size)), iotest.ErrReader(broken))
		if _, err := s.PutBlob(t.Context(), r); !errors.Is(err, broken) {
			t.Errorf("a broken reader of %d bytes: %v", size, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.PutBlob(ctx, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
	leftovers := func() []string {
		found, err := filepath.Glob(filepath.Join(dir, "blobs", "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := leftovers(); len(found) > 0 {
		t.Errorf("left over: %v", found)
	}
	if err := os.WriteFile(filepath.Join(dir, "blobs", "tmp", "put-1"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, dir)
	if found := leftovers(); len(found) > 0 {
		t.Errorf("left over by a killed process: %v", found)
	}
}
