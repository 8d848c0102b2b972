//go:build !linux

package runner

import (
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const watchEvery = 2 * time.Second

// memoryOf tells how much memory the group of a process has resident, as ps
// knows it. Nothing here says what of it is the processes' own, so all counts.
func memoryOf(pid int) (resident, own int64) {
	list, err := exec.Command("ps", "-axo", "pgid=,rss=").Output()
	if err != nil {
		return 0, 0 // no ps: memory is not limited
	}
	for line := range strings.Lines(string(list)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == strconv.Itoa(pid) {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			resident += n << 10
		}
	}
	return resident, resident
}
