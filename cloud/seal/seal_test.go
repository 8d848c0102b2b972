package seal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ouro/cloud/seal"
)

func TestASealedValueOpensWithItsNameAndKeyOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	box, err := seal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	sealed := box.Seal([]byte("hush"), "a")
	if strings.Contains(sealed, "hush") || sealed == box.Seal([]byte("hush"), "a") {
		t.Fatalf("%q tells about its value", sealed)
	}
	again, err := seal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Unseal(sealed, "a"); err != nil || string(plain) != "hush" {
		t.Fatalf("Unseal = %q, %v", plain, err)
	}
	if _, err := again.Unseal(sealed, "b"); err == nil {
		t.Error("a value opened under another name")
	}
	other, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Unseal(sealed, "a"); err == nil {
		t.Error("a value opened with another key")
	}
	info, err := os.Stat(filepath.Join(dir, "key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v; want mode 0600", info.Mode(), err)
	}
}

func TestATruncatedKeyIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Open(dir); err == nil {
		t.Error("a key of 5 bytes was taken")
	}
}
