//go:build linux

package runner_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/cloudtest/tool"
	"ouro/cloud/lambda/runner"
)

// journal keeps what the log was given.
type journal struct {
	mu    sync.Mutex
	lines map[string][]string // by stream
}

func (j *journal) take(_ runner.Function, stream string, lines []runner.Line) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range lines {
		j.lines[stream] = append(j.lines[stream], l.Text)
	}
}

func (j *journal) of(stream string) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines[stream]
}

type world struct {
	*runner.Pool
	t       testing.TB
	journal *journal
	number  int
}

func newWorld(t testing.TB, change ...func(*runner.Options)) *world {
	t.Helper()
	w := &world{t: t, journal: &journal{lines: map[string][]string{}}}
	options := runner.Options{
		Dir: filepath.Join(t.TempDir(), "functions"), Endpoint: "http://127.0.0.1:4566", Log: w.journal.take,
		Credentials: func(context.Context, runner.Function) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "ASIA1", SecretAccessKey: "secret", SessionToken: "token"}, nil
		},
	}
	for _, c := range change {
		c(&options)
	}
	pool, err := runner.New(options)
	if err != nil {
		t.Fatal(err)
	}
	w.Pool = pool
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := pool.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return w
}

const account = "arn:aws:lambda:eu-central-1:123456789012:function:"

// own is a function whose bootstrap is this test.
func own(t testing.TB, handler string) runner.Function {
	t.Helper()
	task := t.TempDir()
	self, err := os.Executable()
	if err == nil {
		if err = os.Link(self, filepath.Join(task, "bootstrap")); err != nil {
			var content []byte
			if content, err = os.ReadFile(self); err == nil {
				err = os.WriteFile(filepath.Join(task, "bootstrap"), content, 0o755)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return function("provided.al2023", handler, task)
}

func function(runtime, handler, task string) runner.Function {
	name := strings.NewReplacer(" ", "-", ".", "-").Replace(handler)
	return runner.Function{
		ARN: account + name, Name: name, Version: "$LATEST", Region: "eu-central-1", Runtime: runtime, Handler: handler, Revision: "1",
		Task: task, Timeout: time.Minute,
	}
}

// code is a folder with the files, names and contents in turn.
func code(t testing.TB, files ...string) string {
	t.Helper()
	folder := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		file := filepath.Join(folder, files[i])
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func (w *world) id() string {
	w.number++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", w.number)
}

func (w *world) invoke(fn runner.Function, payload string) runner.Result {
	w.t.Helper()
	return w.with(fn, runner.Invocation{RequestID: w.id(), ARN: fn.ARN, Payload: []byte(payload)})
}

func (w *world) with(fn runner.Function, in runner.Invocation) runner.Result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := w.Invoke(ctx, fn, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) log(r runner.Result) string { return strings.Join(w.journal.of(r.LogStream), "\n") }

func TestWarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fn := own(t, "count")
	for n := 1; n <= 3; n++ {
		r := w.invoke(fn, "{}")
		if string(r.Payload) != fmt.Sprint(n) || r.Cold != (n == 1) || (r.Init > 0) != (n == 1) || r.FunctionError != "" {
			t.Fatalf("invocation %d: %+v, payload %s, log\n%s", n, r, r.Payload, r.LogTail)
		}
		if !strings.Contains(string(r.LogTail), fmt.Sprintf("call %d\nEND RequestId: 00000000-0000-4000-8000-%012d\nREPORT RequestId: ", n, n)) {
			t.Errorf("log tail:\n%s", r.LogTail)
		}
	}
	fn.Revision = "2"
	if r := w.invoke(fn, "{}"); string(r.Payload) != "1" || !r.Cold {
		t.Errorf("of a new revision: %s", r.Payload)
	}
	w.Retire(func(f runner.Function) bool { return f.ARN == fn.ARN })
	if r := w.invoke(fn, "{}"); !r.Cold {
		t.Error("the process was to be retired")
	}
}

// TestWithoutMounts: search paths stand for /opt and /var/task.
func TestWithoutMounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.WithoutMounts()
	layers := []string{code(t, "python/layered.py", "name = 'layer'"), code(t, "nodejs/node_modules/layered/index.js", "exports.name = 'layer'", "bin/tool", "#!/bin/sh\necho tool\n")}
	if err := os.Chmod(filepath.Join(layers[1], "bin", "tool"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ runtime, file, source string }{
		{"python3.12", "index.py", "import layered, os, subprocess, tempfile\ndef handler(e, c):\n    open(tempfile.mkstemp()[1], 'w').close()\n    return layered.name + subprocess.check_output('tool').decode().strip() + str(os.getcwd() == os.environ['LAMBDA_TASK_ROOT'])"},
		{"nodejs22.x", "index.js", "exports.handler = async () => require('layered').name + require('child_process').execFileSync('tool').toString().trim() + 'True'"},
	} {
		tool.Find(t, map[bool]string{true: "node", false: "python3"}[c.file == "index.js"])
		fn := function(c.runtime, "index.handler", code(t, c.file, c.source))
		fn.Layers, fn.Revision = layers, c.runtime
		if r := w.invoke(fn, "{}"); string(r.Payload) != `"layertoolTrue"` {
			t.Errorf("%s: %s\n%s", c.runtime, r.Payload, w.log(r))
		}
	}
}
