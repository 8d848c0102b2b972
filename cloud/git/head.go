package git

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// DefaultBranch is the name of the branch that HEAD names; empty as long as
// the repository has no branch.
func (r *Repository) DefaultBranch() (string, error) {
	head, err := readHead(r.dir)
	if err != nil {
		return "", fmt.Errorf("reading the default branch of repository %q: %w", r.id, err)
	}
	name := strings.TrimPrefix(head, Branches)
	if _, err := r.Ref(head); err != nil {
		return "", nil // HEAD names the branch that is to come
	}
	return name, nil
}

// SetDefaultBranch makes an existing branch the default, or returns ErrNoRef.
func (r *Repository) SetDefaultBranch(ctx context.Context, name string) error {
	return r.locked(ctx, "", func() error {
		if _, err := r.Ref(Branches + name); err != nil {
			return err
		}
		if err := writeHead(r.dir, Branches+name); err != nil {
			return fmt.Errorf("setting the default branch of repository %q: %w", r.id, err)
		}
		return nil
	})
}

// adoptDefaultBranch lets HEAD follow the first branch that a repository gets,
// as CodeCommit and the Git providers do.
func adoptDefaultBranch(dir string, refs map[string]string, changes []RefChange) error {
	head, err := readHead(dir)
	if err != nil || refs[head] != "" {
		return err
	}
	for _, c := range changes {
		if c.Old == "" && strings.HasPrefix(c.Ref, Branches) {
			return writeHead(dir, c.Ref)
		}
	}
	return nil
}

// readHead returns the full name of the reference that HEAD names.
func readHead(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "HEAD"))
	if err != nil {
		return "", err
	}
	ref, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "ref: ")
	if !ok {
		return "", fmt.Errorf("HEAD is detached")
	}
	return ref, nil
}

func writeHead(dir, ref string) error {
	f, err := os.CreateTemp(dir, "HEAD-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString("ref: " + ref + "\n")
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, "HEAD"))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
