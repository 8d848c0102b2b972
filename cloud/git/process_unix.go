//go:build unix

package git

import (
	"os/exec"
	"syscall"
)

// ownGroup puts the process and all that it starts into a process group.
// Ending it begins with a request: git then removes its lock files, which
// would otherwise block a reference for good.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}

// killGroup ends what is left of the group of a process that was cancelled.
func killGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		// An error means that nobody is left.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}
