package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// snapshotTime is the time of all files in a snapshot.
const snapshotTime = "2000-01-01T00:00:00Z"

// Snapshot writes a zip of what Push would push of a directory, and gives the
// SHA-256 of it. state is a directory as Push takes it.
func Snapshot(ctx context.Context, dir, state string, out io.Writer) (sum string, err error) {
	p := newPusher(dir, state, Remote{}, "main")
	if err := os.MkdirAll(filepath.Dir(p.store), 0o755); err != nil {
		return "", err
	}
	if err := p.open(ctx); err != nil {
		return "", fmt.Errorf("packing %q: %w", dir, err)
	}
	tree, err := p.tree(ctx)
	if err != nil {
		return "", fmt.Errorf("packing %q: %w", dir, err)
	}
	// Files in an archive of a commit have its time; those of a tree have today's.
	git := p.own()
	git.env = append(git.env, "GIT_AUTHOR_DATE="+snapshotTime, "GIT_COMMITTER_DATE="+snapshotTime)
	commit, err := git.run(ctx, "commit-tree", tree, "-m", "Snapshot")
	if err != nil {
		return "", fmt.Errorf("packing %q: %w", dir, err)
	}
	h := sha256.New()
	cmd := exec.CommandContext(ctx, "git", "archive", "--format=zip", commit)
	cmd.Dir, cmd.WaitDelay, cmd.Env = dir, lingering, append(os.Environ(), "GIT_DIR="+p.store)
	cmd.Stdout = io.MultiWriter(out, h)
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", fmt.Errorf("packing %q: git archive: %w", dir, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
