package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// opt is the folder with the layers, merged if there are several.
func (p *places) opt(layers []string) (string, error) {
	switch len(layers) {
	case 0:
		return filepath.Join(p.dir, "empty"), nil
	case 1:
		return layers[0], nil
	}
	sum := sha256.Sum256([]byte(strings.Join(layers, "\x00")))
	key := hex.EncodeToString(sum[:16])
	to := filepath.Join(p.dir, "layers", key)
	p.mu.Lock()
	merge, ok := p.merged[key]
	if !ok {
		merge = sync.OnceValue(func() error { return mergeAll(to, layers) })
		p.merged[key] = merge
	}
	p.mu.Unlock()
	if err := merge(); err != nil {
		p.mu.Lock()
		delete(p.merged, key) // the next one tries again
		p.mu.Unlock()
		return "", err
	}
	return to, nil
}

func mergeAll(to string, layers []string) error {
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("merging layers: %w", err)
	}
	for _, layer := range layers {
		if err := mergeLayer(to, layer); err != nil {
			return fmt.Errorf("merging the layer in %s: %w", layer, err)
		}
	}
	return nil
}

// mergeLayer lays the files of a layer over what is there.
func mergeLayer(to, layer string) error {
	return filepath.WalkDir(layer, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(layer, file)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		there, err := os.Lstat(target)
		if err == nil && !(d.IsDir() && there.IsDir()) {
			err = os.RemoveAll(target)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(file)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		}
		if os.Link(file, target) == nil {
			return nil
		}
		return copyFile(file, target)
	})
}

// copyFile is for layers that lie on another disk.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
