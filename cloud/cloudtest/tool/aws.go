package tool

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// AWS is the AWS CLI as it is installed, for the cloud at a URL: account
// 000000000000, region us-east-1, and text as its output.
type AWS struct {
	URL string
	Dir string // the folder that it runs in; empty for the test's
	t   testing.TB
	all []string
}

// NewAWS finds the AWS CLI, as Find does. All its commands begin with the
// arguments.
func NewAWS(t testing.TB, url string, args ...string) *AWS {
	t.Helper()
	Find(t, "aws")
	return &AWS{URL: url, t: t, all: args}
}

// Run is what the command prints; if it fails, the test ends.
func (a *AWS) Run(args ...string) string {
	a.t.Helper()
	out, code := a.Try(args...)
	if code != 0 {
		a.t.Fatalf("aws %s: exit status %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// Try is what the command prints, and its exit status.
func (a *AWS) Try(args ...string) (string, int) {
	a.t.Helper()
	env := append(os.Environ(), "AWS_ENDPOINT_URL="+a.URL, "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=000000000000", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_PAGER=", "AWS_DEFAULT_OUTPUT=text")
	stdout, stderr, code, err := RunAWS(a.t.Context(), a.Dir, env, slices.Concat(a.all, args)...)
	if err != nil {
		a.t.Fatal(err)
	}
	return strings.TrimSpace(stdout + stderr), code
}

// RunAWS runs the AWS CLI in a folder and an environment, and gives what it
// prints and its exit status. Most of its time goes into loading itself: where a
// Python has it, all commands of a test's process are forks of one that has done
// that.
func RunAWS(ctx context.Context, dir string, env []string, args ...string) (stdout, stderr string, code int, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", "", 0, err
	}
	var files [2]*os.File
	for i := range files {
		if files[i], err = os.CreateTemp("", "aws"); err != nil {
			return "", "", 0, err
		}
		defer files[i].Close() //nolint:errcheck // it has been read
		if err = os.Remove(files[i].Name()); err != nil {
			return "", "", 0, err
		}
	}
	if p := loaded(); p != nil {
		code, err = p.run(ctx, files, map[string]any{"Args": args, "Env": env, "Dir": dir})
	} else {
		c := exec.CommandContext(ctx, "aws", args...)
		c.Dir, c.Env, c.Stdout, c.Stderr = dir, env, files[0], files[1]
		err = c.Run()
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code, err = exit.ExitCode(), nil
		}
	}
	var printed [2]string
	for i, f := range files {
		b, wrong := io.ReadAll(io.NewSectionReader(f, 0, 1<<30))
		printed[i], err = string(b), errors.Join(err, wrong)
	}
	if err != nil {
		return "", "", 0, fmt.Errorf("running aws %s: %w", strings.Join(args, " "), err)
	}
	return printed[0], printed[1], code, nil
}

// process is one that has loaded the AWS CLI.
type process struct {
	socket string
	life   io.Closer // it ends when this is closed, and so with this process
}

//go:embed aws.py
var program string

// loaded is the process for all commands; nil where there can be none: an AWS
// CLI may have a Python of its own.
var loaded = sync.OnceValue(func() *process {
	dir, err := os.MkdirTemp("", "aws")
	if err != nil {
		return nil
	}
	p := &process{socket: filepath.Join(dir, "socket")}
	c := exec.Command("python3", "-c", program, p.socket)
	out, err := c.StdoutPipe()
	if err == nil {
		p.life, err = c.StdinPipe()
	}
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return nil
	}
	if said, _ := bufio.NewReader(out).ReadString('\n'); said != "ready\n" {
		return nil
	}
	return p
})

// run lets the process run a command, which prints to the files.
func (p *process) run(ctx context.Context, files [2]*os.File, command any) (int, error) {
	text, err := json.Marshal(command)
	if err != nil {
		return 0, err
	}
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: p.socket, Net: "unix"})
	if err != nil {
		return 0, err
	}
	defer c.Close()                                      //nolint:errcheck // it has been read
	defer context.AfterFunc(ctx, func() { c.Close() })() //nolint:errcheck // reading tells
	n, _, err := c.WriteMsgUnix(text, syscall.UnixRights(int(files[0].Fd()), int(files[1].Fd())), nil)
	if err == nil {
		_, err = c.Write(append(text[n:], '\n'))
	}
	if err != nil {
		return 0, err
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(answer))
}
