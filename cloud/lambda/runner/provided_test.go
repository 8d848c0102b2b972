//go:build linux

package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/lambda/runner"
)

func TestProvided(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.InitWithin(time.Second)
	id := `[-0-9a-f]{36}`
	for _, c := range []struct {
		handler, payload  string
		fault, says, logs string // expressions
		change            func(*runner.Function)
	}{
		{handler: "echo", payload: `{"a": [1]}`, says: `^{"a":\[1\]}$`},
		{handler: "error", fault: "Broken", says: `^{"errorType":"Broken","errorMessage":"it is"}$`, logs: `START .*\nEND .*\nREPORT .*MB\t(Init Duration: \S+ ms\t)?$`},
		{handler: "exit", fault: "Runtime.ExitError", says: `^{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + id + ` Error: Runtime exited with error: exit status 7"}$`,
			logs: `Version: \$LATEST\nno line break\nRequestId: ` + id + ` Error: Runtime exited with error: exit status 7\nRuntime.ExitError\nEND .*\nREPORT .*\tStatus: error\tError Type: Runtime.ExitError`},
		{handler: "answer and exit", says: `^"done"$`},
		{handler: "killed", fault: "Runtime.ExitError", says: `exited with error: signal: killed`},
		{handler: "hang", fault: "Sandbox.Timedout", change: func(f *runner.Function) { f.Timeout = time.Second },
			says: `^{"errorMessage":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ` + id + ` Task timed out after 1\.00 seconds"}$`,
			logs: `hanging\n20.*Z ` + id + ` Task timed out after 1\.00 seconds\nEND .*\nREPORT .*\tDuration: 1000\.00 ms\t.*\tStatus: timeout$`},
		{handler: "memory", fault: "Runtime.OutOfMemory", says: `^{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: ` + id + ` Error: Runtime exited with error: signal: killed"}$`,
			logs: `Max Memory Used: 128 MB\t.*Status: error\tError Type: Runtime.OutOfMemory$`},
		{handler: "large", fault: "Function.ResponseSizeTooLarge", says: `^{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size \(6291556 bytes\)."}$`, logs: "413 Request Entity Too Large"},
		{handler: "chatter", says: "^true$", logs: `line 1999\nEND`},
		{handler: "web page", says: "^403$"},
		{handler: "twice", says: "^1$", logs: "403 Forbidden\n400 Bad Request"},
		{handler: "init.exit", fault: "Runtime.ExitError", says: "exit status 3",
			logs: `^INIT_START Runtime Version: provided:al2023\nnot today\nINIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\nnot today\nINIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\nSTART`},
		{handler: "init.error", fault: "Mine", says: `^{"errorType":"Mine","errorMessage":"no table"}$`},
		{handler: "init.extension", says: "there is no handler", logs: "runs no extensions.*Extension.NotSupported"},
		{handler: "init.hang", fault: "Sandbox.Timedout", change: func(f *runner.Function) { f.Timeout = time.Second }, says: "Task timed out after 1.00 seconds",
			logs: `INIT_REPORT Init Duration: \S+ ms\tPhase: init\tStatus: timeout\nINIT_REPORT Init Duration: \S+ ms\tPhase: invoke\tStatus: timeout\nSTART .*\n20.*Z ` + id + ` Task timed out after 1\.00 seconds\nEND`},
		{handler: "layer", says: "there is no handler layer", change: func(f *runner.Function) { f.Layers, f.Task = []string{f.Task}, t.TempDir() }},
		{handler: "missing", fault: "Runtime.InvalidEntrypoint", says: `Couldn't find valid bootstrap\(s\): \[/var/task/bootstrap /opt/bootstrap\]`,
			change: func(f *runner.Function) { f.Task = t.TempDir() }},
		{handler: "forbidden", fault: "Runtime.InvalidEntrypoint", says: "fork/exec /var/task/bootstrap: permission denied",
			change: func(f *runner.Function) { f.Task = code(t, "bootstrap", "#!/bin/sh\n") }},
	} {
		t.Run(c.handler, func(t *testing.T) {
			fn := own(t, c.handler)
			if c.change != nil {
				c.change(&fn)
			}
			if c.payload == "" {
				c.payload = "{}"
			}
			r := w.invoke(fn, c.payload)
			failed := map[bool]string{true: "Unhandled"}[c.fault != ""]
			if r.FunctionError != failed || r.ErrorType != c.fault || !regexp.MustCompile(c.says).Match(r.Payload) {
				t.Errorf("error %s, type %q, payload %.300s", r.FunctionError, r.ErrorType, r.Payload)
			}
			log := w.log(r)
			if !regexp.MustCompile(c.logs).MatchString(log) || !runner.ReportForm.MatchString(log) {
				t.Errorf("log:\n%q", log)
			}
			if len(r.LogTail) > 4096 || len(log) < 4096 && "INIT_START Runtime Version: provided:al2023\n"+string(r.LogTail) != log+"\n" {
				t.Errorf("log tail:\n%s", r.LogTail)
			}
		})
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ handler, body, kind, contentType string }{
		{"stream", "one two", "", "text/plain"},
		{"broken stream", "one ", "Torn", "text/plain"},
		{"echo", `"x"`, "", "application/octet-stream"},
		{"error", "", "Broken", ""},
	} {
		fn := own(t, c.handler)
		wait := filepath.Join(t.TempDir(), "first")
		fn.Environment = map[string]string{"SIGNAL": wait}
		if w.HasMounts() { // its /tmp is another: it sees the file in its code's folder
			fn.Environment["SIGNAL"] = "/var/task/first"
			wait = filepath.Join(fn.Task, "first")
		}
		var body bytes.Buffer
		var contentType string
		r := w.with(fn, runner.Invocation{RequestID: w.id(), ARN: fn.ARN, Payload: []byte(`"x"`), Stream: func(kind string) io.Writer {
			contentType = kind
			return writer(func(p []byte) (int, error) {
				if err := os.WriteFile(wait, nil, 0o600); err != nil {
					t.Error(err)
				}
				return body.Write(p)
			})
		}})
		if body.String() != c.body || r.ErrorType != c.kind || contentType != c.contentType || c.kind == "" && len(r.Payload) > 0 {
			t.Errorf("%s: %q of %s, %s %s", c.handler, body.String(), contentType, r.ErrorType, r.Payload)
		}
		if c.kind == "Torn" && r.ErrorMessage != "in the middle" {
			t.Errorf("message %q", r.ErrorMessage)
		}
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// TestRequest: what the runtime is told of an invocation.
func TestRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fn := own(t, "headers")
	before := time.Now()
	r := w.with(fn, runner.Invocation{RequestID: w.id(), ARN: fn.ARN + ":live", Payload: []byte("{}"), ClientContext: `{"custom":{}}`})
	var header map[string][]string
	if err := json.Unmarshal(r.Payload, &header); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id": "^00000000-0000-4000-8000-000000000001$", "Lambda-Runtime-Invoked-Function-Arn": ":headers:live$",
		"Lambda-Runtime-Client-Context": `^{"custom":{}}$`, "Lambda-Runtime-Trace-Id": `^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`,
		"Lambda-Runtime-Deadline-Ms": `^\d{13}$`,
	} {
		if len(header[name]) != 1 || !regexp.MustCompile(want).MatchString(header[name][0]) {
			t.Errorf("%s: %q", name, header[name])
		}
	}
	if header["Lambda-Runtime-Cognito-Identity"] != nil || time.Since(before) > time.Minute {
		t.Errorf("%v", header)
	}
}

func TestSurroundings(t *testing.T) {
	t.Parallel()
	for _, mounts := range []bool{true, false} {
		w := newWorld(t)
		if !mounts {
			w.WithoutMounts()
		} else if !w.HasMounts() {
			t.Log("no mounts here")
			continue
		}
		fn := own(t, "environment")
		fn.Environment = map[string]string{"MINE": "a=b c", "AWS_LAMBDA_FUNCTION_NAME": "other"}
		fn.MemoryMB = 512
		var environ []string
		r := w.invoke(fn, "{}")
		if err := json.Unmarshal(r.Payload, &environ); err != nil {
			t.Fatalf("%v: %s", err, r.Payload)
		}
		for _, want := range []string{
			"MINE=a=b c", "AWS_LAMBDA_FUNCTION_NAME=environment", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
			"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/environment", "AWS_LAMBDA_LOG_STREAM_NAME=" + r.LogStream, "_HANDLER=environment", "AWS_REGION=eu-central-1",
			"AWS_DEFAULT_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=ASIA1", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token", "TZ=:UTC",
			"AWS_ENDPOINT_URL=http://127.0.0.1:4566", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		} {
			if !slices.Contains(environ, want) {
				t.Errorf("mounts %v: no %s in %q", mounts, want, environ)
			}
		}
		if slices.ContainsFunc(environ, func(s string) bool {
			return strings.HasPrefix(s, "HOME=") || strings.HasPrefix(s, "AWS_EXECUTION_ENV=")
		}) {
			t.Errorf("mounts %v: %q", mounts, environ)
		}
		if !regexp.MustCompile(`^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`).MatchString(r.LogStream) {
			t.Errorf("log stream %s", r.LogStream)
		}
	}
}

// TestFolders: code and layers at Lambda's paths, the later layer over the
// earlier one, and a /tmp that other environments do not see.
func TestFolders(t *testing.T) {
	t.Parallel()
	for _, mounts := range []bool{true, false} {
		var dir string
		w := newWorld(t, func(o *runner.Options) { dir = o.Dir })
		task, opt, tmp := "/var/task", "/opt", "/tmp"
		if !mounts {
			w.WithoutMounts()
			task, tmp = "$LAMBDA_TASK_ROOT", "$TMPDIR"
		} else if !w.HasMounts() {
			continue
		}
		fn := own(t, "files")
		fn.Layers = []string{code(t, "lib/a", "1", "both", "1"), code(t, "lib/b", "2", "both", "2")}
		ask := map[string]string{task + "/none": "", tmp + "/mine": "x"}
		want := map[string]string{tmp + "/mine": "<nil>"}
		if mounts {
			ask = map[string]string{opt + "/lib/a": "", opt + "/lib/b": "", opt + "/both": "", tmp + "/mine": "x", task + "/new": "x", opt + "/new": "x"}
			want = map[string]string{opt + "/lib/a": "1", opt + "/lib/b": "2", opt + "/both": "2", tmp + "/mine": "<nil>",
				task + "/new": "open /var/task/new: read-only file system", opt + "/new": "open /opt/new: read-only file system"}
		}
		request, _ := json.Marshal(ask)
		check := func(r runner.Result, want map[string]string) {
			t.Helper()
			var said map[string]string
			if err := json.Unmarshal(r.Payload, &said); err != nil {
				t.Fatalf("%v: %s", err, r.Payload)
			}
			for name, text := range want {
				found := false
				for n, s := range said {
					found = found || s == text && (n == name || strings.HasSuffix(n, filepath.Base(name)))
				}
				if !found {
					t.Errorf("mounts %v: %s: %q", mounts, name, said)
				}
			}
		}
		check(w.invoke(fn, string(request)), want)
		again, _ := json.Marshal(map[string]string{tmp + "/mine": ""})
		check(w.invoke(fn, string(again)), map[string]string{tmp + "/mine": "x"})
		fn.ARN, fn.Revision = fn.ARN+":1", "2"
		if r := w.invoke(fn, string(again)); !bytes.Contains(r.Payload, []byte("no such file")) {
			t.Errorf("mounts %v: another environment's /tmp: %s", mounts, r.Payload)
		}
		merged := func() int {
			folders, err := os.ReadDir(filepath.Join(dir, "layers"))
			if err != nil {
				t.Fatal(err)
			}
			return len(folders)
		}
		if n := merged(); n != 1 {
			t.Errorf("mounts %v: %d folders of the same layers", mounts, n)
		}
		w.Retire(func(runner.Function) bool { return true })
		waitFor(t, "the end of the layers' folder", func() bool { return merged() == 0 })
	}
}

// TestCredentials: a process ends some minutes before they do.
func TestCredentials(t *testing.T) {
	t.Parallel()
	given := 0
	w := newWorld(t, func(o *runner.Options) {
		o.Credentials = func(_ context.Context, fn runner.Function) (aws.Credentials, error) {
			if fn.Role == "" {
				return aws.Credentials{}, errors.New("nobody's")
			}
			given++
			return aws.Credentials{CanExpire: true, Expires: time.Now().Add(time.Duration(given) * 4 * time.Minute)}, nil
		}
	})
	fn := own(t, "echo")
	if _, err := w.Invoke(context.Background(), fn, runner.Invocation{}); err == nil || !strings.Contains(err.Error(), "credentials of  for the function echo: nobody's") {
		t.Errorf("no credentials: %v", err)
	}
	fn.Role = "arn:aws:iam::123456789012:role/function"
	for n, cold := range []bool{true, true, false} {
		if r := w.invoke(fn, ""); r.Cold != cold || string(r.Payload) != "{}" {
			t.Errorf("invocation %d: cold %v, %s", n, r.Cold, r.Payload)
		}
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fn := own(t, "stream")
	wait := filepath.Join(t.TempDir(), "go")
	fn.Environment = map[string]string{"SIGNAL": wait}
	if w.HasMounts() {
		fn.Environment["SIGNAL"], wait = "/var/task/go", filepath.Join(fn.Task, "go")
	}
	var begun, over sync.WaitGroup
	streams := make([]string, 3)
	for i := range streams {
		begun.Add(1)
		over.Add(1)
		go func() {
			defer over.Done()
			first := sync.OnceFunc(begun.Done)
			r, err := w.Invoke(context.Background(), fn, runner.Invocation{RequestID: "00000000-0000-4000-8000-00000000000" + string(rune('0'+i)), ARN: fn.ARN, Payload: []byte("{}"),
				Stream: func(string) io.Writer { return writer(func(p []byte) (int, error) { first(); return len(p), nil }) }})
			streams[i] = r.LogStream
			if err != nil || r.FunctionError != "" {
				t.Errorf("%v: %s", err, r.Payload)
			}
		}()
	}
	begun.Wait() // all three are in the middle of theirs
	if err := os.WriteFile(wait, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	over.Wait()
	slices.Sort(streams)
	if len(slices.Compact(streams)) != 3 {
		t.Errorf("streams %q", streams)
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *runner.Options) { o.Idle = time.Millisecond })
	r := w.invoke(own(t, "echo"), "{}")
	for again := r; again.LogStream == r.LogStream; { // until the idle process has gone
		again = w.invoke(own(t, "echo"), "{}")
	}
	ctx, cancel := context.WithCancel(context.Background())
	hang := own(t, "stream")
	_, err := w.Invoke(ctx, hang, runner.Invocation{RequestID: w.id(), ARN: hang.ARN, Stream: func(string) io.Writer {
		cancel() // in the middle
		return io.Discard
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	other := hang
	other.Runtime = "java21"
	if _, err := w.Invoke(context.Background(), other, runner.Invocation{}); err == nil || !strings.Contains(err.Error(), `not of the runtime "java21"`) {
		t.Errorf("java: %v", err)
	}
	closing := make(chan error)
	_, err = w.Invoke(context.Background(), hang, runner.Invocation{RequestID: w.id(), ARN: hang.ARN, Stream: func(string) io.Writer {
		go func() { closing <- w.Close(context.Background()) }()
		return io.Discard
	}})
	if err == nil || !strings.Contains(err.Error(), "the local cloud is ending") {
		t.Errorf("closed: %v", err)
	}
	if err := <-closing; err != nil {
		t.Error(err)
	}
	if _, err := w.Invoke(context.Background(), hang, runner.Invocation{}); err == nil {
		t.Error("a closed pool runs nothing")
	}
}

func TestClosest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ wanted, found int }{{11, 11}, {12, 13}, {9, 10}, {14, 13}, {8, 10}} {
		if n := runner.Closest(c.wanted, 10, 13, 11); n != c.found {
			t.Errorf("%d: %d", c.wanted, n)
		}
	}
}
