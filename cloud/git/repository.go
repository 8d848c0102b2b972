package git

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// settings is every repository's configuration file. Together with the
// environment of program it decides all that git does here.
const settings = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	hooksPath = /dev/null
	logAllRefUpdates = false
[http]
	receivepack = true
	uploadpack = true
	getanyfile = false
[receive]
	denyNonFastForwards = false
	denyDeletes = false
	autogc = false
	updateServerInfo = false
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[gc]
	autoDetach = false
	packRefs = false
`

// attributes overrules the .gitattributes of the commits: an archive holds
// every file of its commit, byte for byte.
const attributes = "* -export-ignore -export-subst -text -ident -filter -working-tree-encoding\n"

// initialise makes an empty bare repository in dir.
func (s *Server) initialise(ctx context.Context, dir, branch string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	err := s.program.run(ctx, call{}, "init", "--quiet", "--bare", "--template=", dir)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"config":          settings,
		"info/attributes": attributes,
		"HEAD":            "ref: refs/heads/" + branch + "\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// ID is the id that the repository was created with.
func (r *Repository) ID() string { return r.id }

// acquire takes the lock on the references.
func (r *Repository) acquire(ctx context.Context) error {
	select {
	case <-r.lock:
	case <-ctx.Done():
		return fmt.Errorf("waiting for repository %q: %w", r.id, context.Cause(ctx))
	}
	if r.gone {
		r.release()
		return fmt.Errorf("repository %q: %w", r.id, ErrNoRepository)
	}
	return nil
}

func (r *Repository) release() { r.lock <- struct{}{} }

// locked runs change under the lock and has what it changed announced. by is
// the ARN of who wants the change.
func (r *Repository) locked(ctx context.Context, by string, change func() error) error {
	if err := r.acquire(ctx); err != nil {
		return err
	}
	defer r.release()
	err := change()
	if noticed := r.notice(by); err == nil {
		err = noticed
	}
	return err
}

// notice compares the references with what they were and queues the
// difference for announcing. The caller holds the lock.
func (r *Repository) notice(by string) error {
	refs, err := readRefs(r.dir)
	if err != nil {
		return fmt.Errorf("reading the references of repository %q: %w", r.id, err)
	}
	changes := changesBetween(r.known, refs)
	if len(changes) == 0 {
		return nil
	}
	for i := range changes {
		changes[i].By = by
	}
	if err := adoptDefaultBranch(r.dir, refs, changes); err != nil {
		return fmt.Errorf("setting the default branch of repository %q: %w", r.id, err)
	}
	r.known = refs
	r.queue(changes)
	return nil
}

// maintain packs loose objects and references once they are many. It runs in
// the background after some pushes; objects are packed beside running pushes,
// references under the lock.
func (r *Repository) maintain(ctx context.Context) {
	err := r.run(ctx, call{}, "gc", "--auto", "--quiet")
	if err == nil {
		err = r.locked(ctx, "", func() error { return r.run(ctx, call{}, "pack-refs", "--all") })
	}
	if err != nil && ctx.Err() == nil {
		r.server.host.Log().Warn("packing a repository", "repository", r.id, "error", err)
	}
}

// run runs git in the repository.
func (r *Repository) run(ctx context.Context, c call, args ...string) error {
	c.dir = r.dir
	return r.server.program.run(ctx, c, args...)
}
