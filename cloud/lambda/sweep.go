package lambda

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ouro/cloud/store"
)

// clean sweeps after something was deleted, replaced, or refused. What it
// cannot remove is left to the next start.
func (s *Service) clean(ctx context.Context) {
	if err := s.sweep(context.WithoutCancel(ctx)); err != nil {
		s.host.Log().Warn("code that nothing uses is left", "error", err)
	}
}

// sweep removes archives and folders that nothing refers to, deleted layers
// that no function has any more, and what a killed process was writing.
func (s *Service) sweep(ctx context.Context) error {
	s.archives.keep.Lock()
	defer s.archives.keep.Unlock()
	s.plans.forget() // of what has been deleted, and its deletion not yet answered
	used, err := s.needed(ctx)
	if err != nil {
		return err
	}
	for _, folder := range []string{"archives", "code"} {
		entries, err := os.ReadDir(filepath.Join(s.archives.dir, folder))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("looking for code that nothing uses: %w", err)
		}
		for _, e := range entries {
			if name := e.Name(); len(name) >= 2*sha256.Size && used[name[:2*sha256.Size]] {
				continue
			}
			if err := os.RemoveAll(filepath.Join(s.archives.dir, folder, e.Name())); err != nil {
				return fmt.Errorf("removing code that nothing uses: %w", err)
			}
		}
	}
	return nil
}

// needed are the archives of versions, of layers and of invocations under way.
func (s *Service) needed(ctx context.Context) (map[string]bool, error) {
	used, worn := map[string]bool{}, map[string]bool{}
	versions, err := s.versions.All(ctx, store.Query{})
	if err != nil {
		return nil, fmt.Errorf("looking for code in use: %w", err)
	}
	for _, e := range versions {
		used[e.Value.Code.SHA256] = true
		for _, l := range e.Value.Config.Layers {
			worn[*l.Arn] = true
		}
	}
	layers, err := s.layers.All(ctx, store.Query{})
	if err != nil {
		return nil, fmt.Errorf("looking for code in use: %w", err)
	}
	for _, e := range layers {
		t := layerTarget{e.Scope, e.Value.Name, e.Value.Version}
		if strings.HasPrefix(e.ID, deletedKey) && !worn[t.arn()] {
			if err := s.layers.Delete(ctx, e.Scope, e.ID); err != nil {
				return nil, fmt.Errorf("forgetting the layer %s: %w", t.arn(), err)
			}
			continue
		}
		used[e.Value.Code.SHA256] = true
	}
	s.archives.mu.Lock()
	defer s.archives.mu.Unlock()
	for sum := range s.archives.busy {
		used[sum] = true
	}
	return used, nil
}
