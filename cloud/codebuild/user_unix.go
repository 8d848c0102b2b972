//go:build unix

package codebuild

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// identity is a user of this machine that commands run as; nil: the user of
// the local cloud.
type identity struct {
	name string
	syscall.Credential
}

// identify finds the user called name, who is not the local cloud's own.
func identify(name string) (*identity, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("only root can run commands as another user, and the local cloud is not root's")
	}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, err
	}
	out := &identity{name: name}
	for _, text := range append([]string{u.Uid, u.Gid}, groups...) {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("the id %q of the user is no number", text)
		}
		out.Groups = append(out.Groups, uint32(n))
	}
	out.Uid, out.Gid, out.Groups = out.Groups[0], out.Groups[1], out.Groups[2:]
	return out, nil
}

// run has cmd run as the user.
func (i *identity) run(cmd *exec.Cmd) {
	if i != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &i.Credential}
	}
}

// own gives the user a folder with all that is in it, and the log to write to.
func (i *identity) own(root string, log *os.File) error {
	// A program may open its output anew. A pipe that cannot be given away is
	// no reason to fail.
	_ = log.Chown(int(i.Uid), int(i.Gid))
	return filepath.WalkDir(root, func(at string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(at, int(i.Uid), int(i.Gid))
	})
}

// reaches tells whether the user may pass through the folders above dir; the
// one that is closed otherwise.
func (i *identity) reaches(dir string) (closed string, ok bool) {
	for at := filepath.Dir(dir); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return at, false
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if info.Mode()&0o001 == 0 && (!ok || owner.Uid != i.Uid) {
			return at, false
		}
		if at == filepath.Dir(at) {
			return "", true
		}
	}
}
