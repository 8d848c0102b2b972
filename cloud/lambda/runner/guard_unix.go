//go:build unix

package runner

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// guard is a process that knows the groups of all processes of functions. It
// waits at a pipe, and when that closes, because the local cloud dies, however
// suddenly, it kills them.
type guard struct {
	mu   sync.Mutex
	pipe io.WriteCloser
	cmd  *exec.Cmd
}

const guardScript = `trap '' HUP INT QUIT TERM
groups=
while read -r op pid; do
	case $op in
	+) groups="$groups $pid" ;;
	-) left=; for g in $groups; do [ "$g" = "$pid" ] || left="$left $g"; done; groups=$left ;;
	esac
done
for g in $groups; do kill -s KILL -- "-$g"; done 2>/dev/null`

// start starts a process under guard.
func (g *guard) start(cmd *exec.Cmd) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cmd == nil {
		if err := g.launch(); err != nil {
			return err
		}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(g.pipe, "+", cmd.Process.Pid); err != nil {
		killGroup(cmd.Process.Pid)
		_ = cmd.Wait()
		return fmt.Errorf("telling the guard of functions of a process: %w", err)
	}
	return nil
}

func (g *guard) launch() error {
	cmd := exec.Command("/bin/sh", "-c", guardScript)
	cmd.Env, cmd.Dir = []string{"PATH=" + os.Getenv("PATH")}, "/"
	ownGroup(cmd)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("starting the guard of functions: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the guard of functions: %w", err)
	}
	g.cmd, g.pipe = cmd, pipe
	return nil
}

func (g *guard) forget(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cmd != nil {
		_, _ = fmt.Fprintln(g.pipe, "-", pid) // a guard that was killed has nobody to end
	}
}

func (g *guard) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cmd != nil {
		_ = g.pipe.Close()
		_ = g.cmd.Wait()
		g.cmd = nil
	}
}

// ownGroup makes a command the first of a group, where no terminal's signals
// reach it.
func ownGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
