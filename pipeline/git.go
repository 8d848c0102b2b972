package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// gitCommand is one call of the user's git program.
type gitCommand struct {
	dir   string   // where it runs
	env   []string // on top of this process's environment
	stdin string
}

// lingering is how long what git started may hold its output after its end.
const lingering = 5 * time.Second

// run gives what git printed, without the last line's end; what it said on
// standard error is in the error.
func (g gitCommand) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.WaitDelay = g.dir, lingering
	cmd.Env = append(os.Environ(), append([]string{"GIT_TERMINAL_PROMPT=0", "LC_ALL=C"}, g.env...)...)
	if g.stdin != "" {
		cmd.Stdin = strings.NewReader(g.stdin)
	}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if said := strings.TrimSpace(stderr.String()); said != "" {
			return "", fmt.Errorf("git %s: %w: %s", args[0], err, said)
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}
