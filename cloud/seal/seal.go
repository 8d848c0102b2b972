// Package seal encrypts small values that the state directory keeps, such as
// the value of a secret: AES-256-GCM under one key per directory. The key lies
// in a file that only its owner can read, so that a copy of the database alone
// tells nothing.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const keySize = 32 // bytes; AES-256

// Box seals values and opens them again. It is safe for concurrent use.
type Box struct{ aead cipher.AEAD }

// Open gives the box whose key is in dir, and makes the key if there is none.
func Open(dir string) (*Box, error) {
	path := filepath.Join(dir, "key")
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(dir, path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the key of the sealed values: %w", err)
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("open the key of the sealed values: %q has %d bytes, expected %d", path, len(key), keySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("open the key of the sealed values: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("open the key of the sealed values: %w", err)
	}
	return &Box{aead}, nil
}

// makeKey writes a new key so that it appears whole or not at all; of two
// makers the first one wins, and both read its key.
func makeKey(dir, path string) ([]byte, error) {
	f, err := os.CreateTemp(dir, "key-") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	if _, err := f.Write(key); err != nil {
		f.Close()
		return nil, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}

// Seal encrypts plain. What it gives opens only together with the same bind,
// the name of what the value belongs to, so that values cannot be swapped.
func (b *Box) Seal(plain []byte, bind string) string {
	return base64.StdEncoding.EncodeToString(b.aead.Seal(nil, nil, plain, []byte(bind)))
}

// Unseal decrypts what Seal gave for the same bind.
func (b *Box) Unseal(sealed, bind string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, fmt.Errorf("unseal the value of %q: %w", bind, err)
	}
	plain, err := b.aead.Open(nil, nil, raw, []byte(bind))
	if err != nil {
		return nil, fmt.Errorf("unseal the value of %q: it was changed, or sealed with another key: %w", bind, err)
	}
	return plain, nil
}
