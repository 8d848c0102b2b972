package codebuild

import (
	"context"
	"os"
)

// become has the commands that follow run as the user that the buildspec's
// run-as names, empty: as those that say nothing.
func (r *run) become(ctx context.Context, name string) error {
	s := r.shell
	if name == s.user {
		return nil
	}
	if r.work.container != nil {
		return r.becomeInside(ctx, name)
	}
	if name == "" || isMe(name) {
		s.user, s.as = name, nil
		return nil
	}
	as, err := identify(name)
	if err != nil {
		return failf("CLIENT_ERROR", "run-as %s: %v", name, err)
	}
	// Folders of builds are closed each by itself; the tools hold no secrets.
	builds := r.s.host.Store().Dir("builds")
	if err := os.Chmod(builds, 0o711); err != nil {
		return err
	}
	if tools, err := r.s.toolbox(); err == nil {
		_ = os.Chmod(tools, 0o755) // without them, commands find no ouro
	}
	if closed, ok := as.reaches(r.work.root); !ok {
		return failf("CLIENT_ERROR", "run-as %s: the user cannot reach the build's folder, because %s is closed to others", name, closed)
	}
	if err := as.own(r.work.root, r.log.in); err != nil {
		return failf("CLIENT_ERROR", "run-as %s: giving the user the build's folder: %v", name, err)
	}
	s.user, s.as = name, as
	return nil
}

// becomeInside is become in a container, whose root gives the folder away.
func (r *run) becomeInside(ctx context.Context, name string) error {
	if name != "" {
		said, failed, err := r.engine(ctx, "exec", "--user", "0", r.work.container.name, "chown", "-R", "--", name, r.work.root)
		if err != nil {
			return err
		}
		if failed != "" {
			return failf("CLIENT_ERROR", "run-as %s: giving the user the build's folder: %s", name, lastLine(said))
		}
	}
	r.shell.user = name
	return nil
}
