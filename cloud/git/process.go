package git

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// grace is how long a git process that was asked to end may take to remove
// its lock files and temporary objects before it is killed.
const grace = 5 * time.Second

// program is the git of this machine and the surroundings it runs in.
type program struct {
	env  []string
	find func() (paths, error)
}

type paths struct{ git, backend string }

func newProgram(home string) *program {
	p := &program{env: environment(home)}
	p.find = sync.OnceValues(p.locate)
	return p
}

// environment is all that a git process gets to see. Nothing of the user's
// configuration is in it; paths are taken literally; texts are English.
func environment(home string) []string {
	env := []string{
		"HOME=" + home,
		"XDG_CONFIG_HOME=" + home,
		"LC_ALL=C",
		"TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_LITERAL_PATHSPECS=1",
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_DEFAULT_HASH=sha1",
		"GIT_DEFAULT_REF_FORMAT=files",
		// The state directory may belong to another user than this process
		// runs as, for instance when it is mounted into a container.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
	}
	for _, name := range []string{"PATH", "TMPDIR", "LD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// locate finds git and, beside its other programs, git-http-backend. Running
// the latter directly saves one process per request.
func (p *program) locate() (paths, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return paths{}, fmt.Errorf("looking for git, which hosts the repositories: %w", err)
	}
	cmd := exec.Command(git, "--exec-path")
	cmd.Env = p.env
	out, err := cmd.Output()
	if err != nil {
		return paths{}, fmt.Errorf("asking git for its programs: %w", err)
	}
	backend := filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
	return paths{git: git, backend: backend}, nil
}

// call is what one run of git works on.
type call struct {
	dir    string // the repository; empty for none
	stdin  io.Reader
	stdout io.Writer
}

// run runs git to its end. Its error carries what git said on standard error.
func (p *program) run(ctx context.Context, c call, args ...string) error {
	at, err := p.find()
	if err != nil {
		return err
	}
	full := args
	if c.dir != "" {
		full = append([]string{"--git-dir=" + c.dir}, args...)
	}
	cmd := p.command(ctx, at.git, full...)
	cmd.Stdin, cmd.Stdout = c.stdin, c.stdout
	var said tail
	cmd.Stderr = &said
	return outcome(ctx, cmd, "git "+args[0], cmd.Run(), &said)
}

// command prepares a process in a process group of its own, which ends with
// ctx.
func (p *program) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = slices.Clone(p.env) // callers add to it
	cmd.WaitDelay = grace
	ownGroup(cmd)
	return cmd
}

// outcome makes the error of a finished process, and sees to it that nothing
// of a cancelled one stays behind.
func outcome(ctx context.Context, cmd *exec.Cmd, what string, err error, said *tail) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		killGroup(cmd)
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	case said.String() == "":
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %s", what, err, said)
}

// tail keeps the last part of what a process said.
type tail struct{ buf bytes.Buffer }

const tailSize = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if len(p) > tailSize {
		p = p[len(p)-tailSize:]
	}
	if over := t.buf.Len() + len(p) - tailSize; over > 0 {
		t.buf.Next(over)
	}
	t.buf.Write(p)
	return n, nil
}

func (t *tail) String() string { return strings.TrimSpace(t.buf.String()) }
