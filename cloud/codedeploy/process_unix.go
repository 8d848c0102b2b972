//go:build unix

package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// leaderScript is the leader of a script's process group. It holds the group's
// number and waits at a pipe: a line there says that the script succeeded, and
// what it has left running goes on. When the pipe closes without one, because
// the script failed or the local cloud died, it kills the group.
const leaderScript = `trap '' HUP INT QUIT TERM; read _ && exit; kill -s KILL 0`

// runGroup runs a command in a process group of its own. It is over when the
// command has ended and nobody holds its outputs any more, as with AWS's agent.
func runGroup(ctx context.Context, cmd *exec.Cmd) error {
	leader := exec.Command("/bin/sh", "-c", leaderScript)
	leader.Dir, leader.Env = "/", []string{"PATH=/usr/bin:/bin"}
	leader.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	hold, err := leader.StdinPipe()
	if err != nil {
		return fmt.Errorf("making a process group: %w", err)
	}
	if err := leader.Start(); err != nil {
		return fmt.Errorf("making a process group: %w", err)
	}
	defer func() {
		_ = hold.Close()
		_ = leader.Wait() // it is killed, with the group, or let go
	}()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Pgid = true, leader.Process.Pid
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = syscall.Kill(-leader.Process.Pid, syscall.SIGKILL)
		<-ended
		return ctx.Err()
	}
	if err == nil {
		_, _ = hold.Write([]byte("\n"))
	}
	return err
}

// becomeUser has a command run as the user of that name, "" for the local
// cloud's own.
func becomeUser(cmd *exec.Cmd, name string) error {
	if name == "" {
		return nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	if u.Uid == strconv.Itoa(os.Geteuid()) {
		return nil
	}
	if os.Geteuid() != 0 {
		return errors.New("only root can run scripts as another user, and the local cloud is not root's")
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return nil
}
