// Package stray ends the processes of builds and functions that have left their
// group, such as daemons with a session of their own: what somebody started
// carries marks in its environment. One that has emptied that gets away.
package stray

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// Kill kills the processes with a variable, NAME=VALUE and a NUL behind it, that
// begins with one of the marks.
func Kill(marks ...string) {
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
		if slices.ContainsFunc(marks, func(mark string) bool {
			return bytes.HasPrefix(environ, []byte(mark)) || bytes.Contains(environ, []byte("\x00"+mark))
		}) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
