//go:build unix

package codebuild

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
)

// group is a process group of a build. Its leader does nothing but hold the
// group's number and wait at a pipe: when the pipe closes, because the build
// ends or because the local cloud dies, however suddenly, it kills the whole
// group.
type group struct {
	leader *exec.Cmd
	hold   io.Closer
	gone   chan struct{}
}

const leaderScript = `trap '' HUP INT QUIT TERM; read _; kill -s KILL 0`

func startGroup(environ []string) (*group, error) {
	cmd := exec.Command("/bin/sh", "-c", leaderScript)
	cmd.Env = environ
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the processes of a build: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the processes of a build: %w", err)
	}
	g := &group{leader: cmd, hold: hold, gone: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // it is killed, by us or by a command of the build
		close(g.gone)
	}()
	return g, nil
}

// adopt has cmd start in the group.
func (g *group) adopt(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Pgid = true, g.leader.Process.Pid
}

// detach keeps the signals of a terminal from cmd.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// ownedBy tells whether a file belongs to the user.
func ownedBy(file string, uid int) bool {
	info, err := os.Stat(file)
	if err != nil {
		return true
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == uid
}

// alive tells whether the group can still take processes: a command may have
// killed the leader too.
func (g *group) alive() bool {
	select {
	case <-g.gone:
		return false
	default:
		return true
	}
}

// ask sends SIGTERM to all processes of the group; the leader ignores it.
func (g *group) ask() { _ = syscall.Kill(-g.leader.Process.Pid, syscall.SIGTERM) }

// kill ends the group. After a leader that a command has killed the number may
// be another group's, so that only the others that are left could be meant:
// none, as they died with it.
func (g *group) kill() {
	if g.alive() {
		_ = syscall.Kill(-g.leader.Process.Pid, syscall.SIGKILL)
	}
	_ = g.hold.Close()
	<-g.gone
}

// interrupted tells whether a command died of a signal with which people and
// systems end programs.
func interrupted(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && slices.Contains([]syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}, status.Signal())
}

// reason says how a command ended, "" for success, in CodeBuild's words.
func reason(err error) (string, bool) {
	var exit *exec.ExitError
	if err == nil {
		return "", true
	}
	if !errors.As(err, &exit) {
		return "", false
	}
	return exit.Error(), true
}
