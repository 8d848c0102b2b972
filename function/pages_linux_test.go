package function

import (
	"fmt"
	"strings"
	"testing"
)

// TestUnwritten: what the loader wrote to before it forbade that is not given
// back, nor what is nobody's file.
func TestUnwritten(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00500000 r-xp 00000000 08:01 12 /opt/a program
Size:               1024 kB
Anonymous:             0 kB
00500000-00600000 r--p 00100000 08:01 12 /opt/a program
Anonymous:             4 kB
00600000-00700000 r--p 00200000 08:01 12 /opt/a program
Anonymous:             0 kB
00700000-00800000 rw-p 00300000 08:01 12 /opt/a program
Anonymous:             0 kB
00800000-00900000 r--p 00000000 00:00 0
Anonymous:             0 kB
00900000-00a00000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
VmFlags: rd ex mr mw me de sd
`
	if got, want := fmt.Sprintf("%x", unwritten(strings.NewReader(smaps))), "[{400000 500000} {600000 700000}]"; got != want {
		t.Errorf("it gives back %s, not %s", got, want)
	}
}
