package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// stackServer is a server of CloudFormation's API that can be started anew,
// with nothing in it, as often as it is measured.
type stackServer struct {
	name  string
	runs  int
	start func(ctx context.Context) (*server, error)
}

// server is one that runs.
type server struct {
	config aws.Config
	url    string
	pid    int
	state  string // its directory, if it keeps anything
	close  func() error
}

func (s *server) stacks() stacks { return stacks{cloudformation.NewFromConfig(s.config)} }

// startOuro starts a local cloud on a state directory of its own below dir.
func startOuro(ctx context.Context, program, dir string) (*server, error) {
	state, err := os.MkdirTemp(dir, "state-")
	if err != nil {
		return nil, err
	}
	l, err := startLocal(ctx, program, state)
	if err != nil {
		return nil, err
	}
	return &server{config: l.config(), url: l.url, pid: l.cmd.Process.Pid, state: state, close: l.close}, nil
}

// moto is moto's server, if it is installed.
func moto(w io.Writer, runs int) []stackServer {
	if runs == 0 {
		return nil
	}
	program, err := exec.LookPath("moto_server")
	if err != nil {
		fmt.Fprintln(w, "moto_server is not installed: ouro is measured alone.")
		return nil
	}
	return []stackServer{{"moto_server", runs, func(ctx context.Context) (*server, error) { return startMoto(ctx, program) }}}
}

// startMoto starts moto's server on a free port and waits until it serves.
func startMoto(ctx context.Context, program string) (*server, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	cmd.Env, cmd.WaitDelay = clientEnv(""), 10*time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting moto's server: %w", err)
	}
	end := func() error {
		if err := cmd.Process.Kill(); err != nil {
			return err
		}
		var killed *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &killed) {
			return err
		}
		return nil
	}
	own := &local{url: fmt.Sprintf("http://127.0.0.1:%d", port), cmd: cmd}
	if err := answers(ctx, own.url+"/moto-api/"); err != nil {
		return nil, errors.Join(fmt.Errorf("starting moto's server: %w", err), end())
	}
	return &server{config: own.config(), url: own.url, pid: cmd.Process.Pid, close: end}, nil
}

// answers waits until a URL gives a page.
func answers(ctx context.Context, url string) error {
	return poll(ctx, 20*time.Millisecond, 30*time.Second, func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil // it does not listen yet
		}
		return true, response.Body.Close()
	})
}

// checkParameters makes sure that there are n parameters below a path.
func (s *server) checkParameters(ctx context.Context, path string, n int) error {
	found := 0
	pages := ssm.NewDescribeParametersPaginator(ssm.NewFromConfig(s.config), &ssm.DescribeParametersInput{
		MaxResults: aws.Int32(50), ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Path"), Option: aws.String("Recursive"), Values: []string{path}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		found += len(page.Parameters)
	}
	if found != n {
		return fmt.Errorf("%d parameters were made, expected %d", found, n)
	}
	return nil
}

// resident is the memory that the server's process has, in bytes.
func (s *server) resident(ctx context.Context) (int64, error) {
	out, _, err := process{args: []string{"ps", "-o", "rss=", "-p", strconv.Itoa(s.pid)}}.output(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the memory of the server: %w", err)
	}
	kilobytes, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return kilobytes << 10, err
}

// sizeOf is how many bytes the files below a directory hold.
func sizeOf(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}
