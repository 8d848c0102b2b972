package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// peak runs the process and gives the most memory that it held at once, in
// bytes; 0 where the system does not tell.
//
// That is VmHWM of /proc, read every millisecond, since it never falls. The
// ru_maxrss of a child counts what its parent held when it was started.
func (p process) peak(ctx context.Context) (int64, error) {
	var most int64
	var watch sync.WaitGroup
	ended := make(chan struct{})
	_, _, err := p.run(ctx, func(pid int) {
		watch.Go(func() { most = highWater(pid, ended) })
	})
	close(ended)
	watch.Wait()
	return most, err
}

func highWater(pid int, ended <-chan struct{}) (most int64) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return most
		case <-tick.C:
			if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err == nil {
				most = max(most, statusSize(status, "VmHWM:"))
			}
		}
	}
}

// statusSize reads one of the sizes in proc_pid_status(5), in bytes.
func statusSize(status []byte, name string) int64 {
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), name); ok {
			kB, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(text, "kB")), 10, 64)
			return kB << 10
		}
	}
	return 0
}
