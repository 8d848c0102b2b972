package function

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// dropPages gives back the pages of the program's file that were read so far. Of
// the hundreds of packages that begin with the program, a function needs few
// again, and what it needs is in the system's cache: without it, this would be
// most of what a function holds.
func dropPages() {
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return // and stays as large as it is
	}
	defer maps.Close() //nolint:errcheck // only read from
	for _, m := range unwritten(maps) {
		syscall.Syscall(syscall.SYS_MADVISE, m.from, m.to-m.from, syscall.MADV_DONTNEED) //nolint:errcheck // as above
	}
}

type mapping struct{ from, to uintptr }

// unwritten are the mappings of files of which every page is as it is in the file:
// none can be written to, and none was before the loader forbade it.
// https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html
func unwritten(smaps io.Reader) (all []mapping) {
	var m mapping
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) > 4 && strings.Contains(words[0], "-"):
			m = mapping{}
			if strings.Contains(words[1], "w") || len(words) < 6 || !strings.HasPrefix(words[5], "/") {
				continue
			}
			if n, err := fmt.Sscanf(words[0], "%x-%x", &m.from, &m.to); n != 2 || err != nil {
				m = mapping{}
			}
		case len(words) == 3 && words[0] == "Anonymous:" && words[1] == "0" && m.to > m.from:
			all = append(all, m)
		}
	}
	return all
}
