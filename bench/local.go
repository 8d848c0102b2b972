package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const (
	region  = "us-east-1"
	account = "000000000000"
)

// moduleDir is where this module's source lies.
func moduleDir(ctx context.Context) (string, error) {
	out, _, err := process{args: []string{"go", "list", "-m", "-f", "{{.Dir}}", "ouro"}}.output(ctx)
	if err != nil {
		return "", fmt.Errorf("finding the source of ouro: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// withOuro builds the program into a folder that is there while work uses it.
func withOuro(ctx context.Context, work func(dir, ouro string) error) (err error) {
	source, err := moduleDir(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ouro-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ouro := filepath.Join(dir, "ouro")
	if _, err := (process{dir: source, args: []string{"go", "build", "-o", ouro, "."}}).time(ctx); err != nil {
		return err
	}
	return work(dir, ouro)
}

// withLocal does so too, and has a local cloud there, with its state in that
// place of the folder.
func withLocal(ctx context.Context, state string, work func(dir, ouro string, cloud *local) error) error {
	return withOuro(ctx, func(dir, ouro string) (err error) {
		cloud, err := startLocal(ctx, ouro, filepath.Join(dir, filepath.FromSlash(state)))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, cloud.close()) }()
		return work(dir, ouro, cloud)
	})
}

// local is a local cloud in a process of its own.
type local struct {
	url string
	cmd *exec.Cmd
}

// startLocal starts the cloud on a free port and waits until it serves.
func startLocal(ctx context.Context, ouro, state string) (*local, error) {
	cmd := exec.CommandContext(ctx, ouro, "local", "--listen", "127.0.0.1:0", "--state", state)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env, cmd.Stderr = clientEnv(""), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the local cloud: %w", err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "ouro: listening on "); ok {
			return &local{url: url, cmd: cmd}, nil
		}
	}
	return nil, errors.Join(errors.New("the local cloud ended before it served"), cmd.Wait())
}

// close ends the cloud in order.
func (l *local) close() error {
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return l.cmd.Wait()
}

// config is for this program's own clients.
func (l *local) config() aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &l.url,
		Credentials: credentials.NewStaticCredentialsProvider(account, "local", ""),
	}
}

// clientEnv is this process's environment with nothing of AWS in it but what
// leads to the endpoint, so that a user's own profile takes no part.
func clientEnv(endpoint string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") {
			env = append(env, v)
		}
	}
	env = append(env, "AWS_ACCESS_KEY_ID="+account, "AWS_SECRET_ACCESS_KEY=local", "AWS_DEFAULT_REGION="+region,
		"AWS_REGION="+region, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "GIT_TERMINAL_PROMPT=0")
	if endpoint != "" {
		env = append(env, "AWS_ENDPOINT_URL="+endpoint)
	}
	return env
}
