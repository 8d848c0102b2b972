package runner

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// endStrays kills the processes that have left their group, daemons with a
// session of their own, by the beginning of a line of their environment.
func endStrays(mark string) {
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
		if err == nil && (bytes.HasPrefix(environ, []byte(mark)) || bytes.Contains(environ, []byte("\x00"+mark))) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
