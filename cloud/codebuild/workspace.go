package codebuild

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"ouro/cloud/stray"
)

// workspace is the folder in which a build runs, and the processes in it. A
// nil workspace is one that was never made.
type workspace struct {
	root  string
	src   string // the primary source
	more  string // secondary sources, each in a folder with its identifier
	home  string // HOME
	tmp   string // TMPDIR
	state string // ours

	container *container // nil: commands are processes of this machine

	mu     sync.Mutex
	groups []*group
}

// newWorkspace makes the folder of the build uuid.
func (s *Service) newWorkspace(uuid string) (*workspace, error) {
	root := filepath.Join(s.host.Store().Dir("builds"), uuid)
	w := &workspace{root: root}
	for name, to := range map[string]*string{"src": &w.src, "secondary": &w.more, "home": &w.home, "tmp": &w.tmp, "state": &w.state} {
		*to = filepath.Join(root, name)
		if err := os.MkdirAll(*to, 0o700); err != nil { // secrets lie in it
			return nil, fmt.Errorf("making the folder of a build: %w", err)
		}
	}
	return w, nil
}

// group is the group that new processes belong to.
func (w *workspace) group(marker string) (*group, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.groups); n > 0 && w.groups[n-1].alive() {
		return w.groups[n-1], nil
	}
	g, err := startGroup([]string{marker})
	if err != nil {
		return nil, err
	}
	w.groups = append(w.groups, g)
	return g, nil
}

// end kills every process of the build.
func (w *workspace) end(marker string) error {
	if w == nil {
		return nil
	}
	err := w.container.remove()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, g := range w.groups {
		g.kill()
	}
	if len(w.groups) > 0 {
		stray.Kill(marker + "\x00")
	}
	w.groups = nil
	return err
}

// remove deletes the folder.
func (w *workspace) remove() {
	if w != nil {
		removeTree(w.root)
	}
}

// removeTree deletes a folder even when directories in it are read-only, as
// those of Go's module cache are.
func removeTree(root string) {
	if os.RemoveAll(root) == nil {
		return
	}
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	_ = os.RemoveAll(root)
}
