package codebuild

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// killStrays kills the processes of builds that have left their group
// (daemons with a session of their own): those whose environment has one of
// the markers. A process that has emptied its environment as well gets away.
func killStrays(markers ...string) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	me := os.Getpid()
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == me {
			continue
		}
		environ, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err != nil || len(environ) == 0 {
			continue // another user's, gone, or a kernel thread
		}
		for _, m := range markers {
			if bytes.HasPrefix(environ, []byte(m+"\x00")) || bytes.Contains(environ, []byte("\x00"+m+"\x00")) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				break
			}
		}
	}
}
