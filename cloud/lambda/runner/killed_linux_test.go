package runner_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/lambda/runner"
)

// host runs a function that never ends, for somebody who kills us meanwhile.
func host(dir, task string) {
	pool, err := runner.New(runner.Options{
		Dir: dir, Log: func(_ runner.Function, _ string, lines []runner.Line) { fmt.Println(lines) },
		Credentials: func(context.Context, runner.Function) (aws.Credentials, error) { return aws.Credentials{}, nil },
	})
	if err == nil {
		_, err = pool.Invoke(context.Background(), function("provided.al2", "hang", task), runner.Invocation{RequestID: "r"})
	}
	fmt.Println(err)
}

// marked are the processes whose environment names the folder, as far as they
// still run.
func marked(dir string) (pids []string) {
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environs {
		environ, err := os.ReadFile(file)
		if err == nil && bytes.Contains(environ, []byte("_LAMBDA_SANDBOX="+dir)) {
			pids = append(pids, file)
		}
	}
	return pids
}

// TestKilled: when the pool's process is killed, those of its functions die;
// what has left its group dies when the next pool takes the folder.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "functions")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RUNNER_HOST="+dir, "RUNNER_TASK="+own(t, "hang").Task)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the function and its child", func() bool { return len(marked(dir)) == 2 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = out.Close()
	_ = cmd.Wait()
	waitFor(t, "the function's end", func() bool { return len(marked(dir)) == 1 })
	pool, err := runner.New(runner.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "its child's end", func() bool { return len(marked(dir)) == 0 })
	if err := pool.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func waitFor(t *testing.T, what string, there func() bool) {
	t.Helper()
	for begin := time.Now(); !there(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			t.Fatalf("waited for %s", what)
		}
	}
}
