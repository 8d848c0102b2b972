package runner

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// merge is one folder made of the layers of functions. It is there while
// processes see it.
type merge struct {
	dir  string
	once func() error
	used int
}

// opt is the folder with the layers, merged if there are several, until it is
// released.
func (p *places) opt(layers []string) (folder string, release func(), err error) {
	switch len(layers) {
	case 0:
		return filepath.Join(p.dir, "empty"), func() {}, nil
	case 1:
		return layers[0], func() {}, nil
	}
	key := strings.Join(layers, "\x00")
	p.mu.Lock()
	m, ok := p.merged[key]
	if !ok {
		p.merges++
		m = &merge{dir: filepath.Join(p.dir, "layers", strconv.Itoa(p.merges))}
		m.once = sync.OnceValue(func() error { return mergeAll(m.dir, layers) })
		p.merged[key] = m
	}
	m.used++
	p.mu.Unlock()
	release = func() { p.release(key, m) }
	if err := m.once(); err != nil {
		release() // and the next one tries again
		return "", nil, err
	}
	return m.dir, release, nil
}

// release removes what nobody uses any more.
func (p *places) release(key string, m *merge) {
	p.mu.Lock()
	m.used--
	over := m.used == 0
	if over && p.merged[key] == m {
		delete(p.merged, key)
	}
	p.mu.Unlock()
	if over {
		_ = os.RemoveAll(m.dir) // what is left goes with the pool's next start
	}
}

func mergeAll(to string, layers []string) error {
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
