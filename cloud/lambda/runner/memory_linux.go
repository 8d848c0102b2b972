package runner

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

const watchEvery = 100 * time.Millisecond

// memoryOf tells of a process and its descendants how much memory they have
// resident, at the most so far as the kernel knows it, and how much of it is
// their own: pages of files can be given back and do not count against a limit.
func memoryOf(pid int) (resident, own int64) {
	for pids := []int{pid}; len(pids) > 0; pids = pids[1:] {
		folder := "/proc/" + strconv.Itoa(pids[0])
		status, err := os.ReadFile(folder + "/status")
		if err != nil {
			continue // ended meanwhile
		}
		resident += figure(status, "VmHWM:")
		own += figure(status, "RssAnon:") + figure(status, "RssShmem:")
		children, _ := os.ReadFile(folder + "/task/" + strconv.Itoa(pids[0]) + "/children")
		for _, child := range strings.Fields(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				pids = append(pids, n)
			}
		}
	}
	return resident, own
}

// figure is a line "NAME   123 kB" of a status, in bytes.
func figure(status []byte, name string) int64 {
	_, rest, _ := bytes.Cut(status, []byte(name))
	text, _, _ := bytes.Cut(rest, []byte("kB"))
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n << 10
}
