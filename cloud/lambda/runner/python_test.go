//go:build linux

package runner_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"ouro/cloud/cloudtest/tool"
	"ouro/cloud/lambda/runner"
)

// handlerCase is a source with its handler and what comes of an invocation.
type handlerCase struct {
	name, handler, source string
	event                 string
	fault, says, logs     string // expressions
	change                func(*runner.Function)
}

func (w *world) runCases(t *testing.T, runtime, file string, cases []handlerCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.handler == "" {
				c.handler = "index.handler"
			}
			if c.event == "" {
				c.event = "{}"
			}
			name := file
			if at, source, ok := strings.Cut(c.source, "\n"); ok && strings.HasPrefix(at, "file ") {
				name, c.source = strings.TrimPrefix(at, "file "), source
			}
			fn := function(runtime, c.handler, code(t, name, c.source))
			fn.ARN += c.name
			if c.change != nil {
				c.change(&fn)
			}
			r := w.invoke(fn, c.event)
			if (r.FunctionError == "Unhandled") != (c.fault != "") || r.ErrorType != c.fault || !regexp.MustCompile(c.says).Match(r.Payload) {
				t.Errorf("error %q, type %q, payload %s", r.FunctionError, r.ErrorType, r.Payload)
			}
			if log := w.log(r); !regexp.MustCompile(c.logs).MatchString(log) || !runner.ReportForm.MatchString(log) {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

func TestPython(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	w := newWorld(t)
	layer := code(t, "python/layered.py", "name = 'layer'\n", "python/lib/python3.11/site-packages/packaged.py", "name = 'site'\n")
	answers := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var said map[string]any
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &said); err != nil || r.Method != "PUT" || said["Status"] != "SUCCESS" || said["StackId"] != "stack" || r.Header.Get("Content-Type") != "" {
			t.Errorf("%s %s %v", r.Method, body, r.Header)
		}
	}))
	defer answers.Close()
	response := `{"ResponseURL": "` + answers.URL + `/x?y=z", "StackId": "stack", "RequestId": "r", "LogicalResourceId": "l"}`
	w.runCases(t, "python3.11", "index.py", []handlerCase{
		{name: "context", event: `{"name": "you"}`, source: `
def handler(event, context):
    print("hello\n" + event["name"])
    assert 1000 < context.get_remaining_time_in_millis() <= 60000
    assert context.client_context is None and context.identity.cognito_identity_id is None
    assert context.log_group_name == "/aws/lambda/index-handler", context.log_group_name
    return [context.function_name, context.function_version, context.memory_limit_in_mb, context.aws_request_id, context.invoked_function_arn]
`, says: `^\["index-handler", "\$LATEST", "128", "[-0-9a-f]{36}", "arn:aws:lambda:eu-central-1:123456789012:function:index-handlercontext"\]$`, logs: "START .*\nhello\nyou\nEND"},
		{name: "raise", source: `
def deep():
    raise KeyError("x")
def handler(event, context):
    deep()
`, fault: "KeyError", says: `^{"errorMessage": "'x'", "errorType": "KeyError", "requestId": "[-0-9a-f]{36}", "stackTrace": \["  File \\"/var/task/index.py\\", line 5, in handler\\n    deep\(\)\\n", "  File \\"/var/task/index.py\\", line 3, in deep\\n    raise KeyError\(\\"x\\"\)\\n"\]}$`,
			logs: `\[ERROR\] KeyError: 'x'\nTraceback \(most recent call last\):\n\x{a0}\x{a0}File "/var/task/index.py", line 5, in handler\n\x{a0}{4}deep\(\)`},
		{name: "logging", source: `
import logging
logging.getLogger().setLevel("INFO")
def handler(event, context):
    logging.info("one\ntwo")
`, says: "^null$", logs: `\[INFO\]\t20\S+Z\t[-0-9a-f]{36}\tone\ntwo\n`},
		{name: "import", source: "import nothing_there\n", fault: "Runtime.ImportModuleError", says: `^{"errorMessage": "Unable to import module 'index': No module named 'nothing_there'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": \[`,
			logs: `INIT_REPORT Init Duration: \S+ ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError`},
		{name: "syntax", source: "def handler(:\n", fault: "Runtime.UserCodeSyntaxError", says: `Syntax error in module 'index': .*"stackTrace": \["  File \\"/var/task/index.py\\" Line 1\\n    def handler\(:\\n"\]`},
		{name: "missing", source: "x = 1\n", fault: "Runtime.HandlerNotFound", says: `"Handler 'handler' missing on module 'index'"`},
		{name: "malformed", handler: "index", source: "x = 1\n", fault: "Runtime.MalformedHandlerName", says: "Bad handler 'index'"},
		{name: "nested", handler: "sub/mod.go", source: "file sub/mod.py\ndef go(e, c): return e['a']", event: `{"a": "ü"}`, says: `^"\\u00fc"$`},
		{name: "marshal", source: "def handler(e, c): return {1, 2}\n", fault: "Runtime.MarshalError", says: "Unable to marshal response: Object of type set is not JSON serializable"},
		{name: "decimals", source: "from decimal import Decimal\ndef handler(e, c): return [Decimal('5'), Decimal('1.5')]\n", says: `^\[5, 1.5\]$`},
		{name: "bytes", source: "def handler(e, c): return b'raw'\n", says: `^raw$`},
		{name: "built in", handler: "time.time", source: "\n", fault: "Runtime.BuiltInModuleConflict", says: "Cannot use built-in module time as a handler module"},
		{name: "in init", source: "x = {}['a']\n", fault: "KeyError", says: `^{"errorMessage": "'a'", "errorType": "KeyError", "requestId": "", "stackTrace": \["  File \\"/var/task/index.py\\", line 1, in <module>`},
		{name: "unicode", source: "def handler(e, c): return 'ü'\n", says: `^"ü"$`, change: func(f *runner.Function) { f.Runtime = "python3.12" }},
		{name: "large", source: "def handler(e, c): return 'x' * 20000000\n", fault: "Function.ResponseSizeTooLarge", says: "6291556 bytes", logs: `\[ERROR\] the response was refused: .*RequestEntityTooLarge`},
		{name: "wrapper", source: "import os\ndef handler(e, c): return os.environ['WRAPPED']\n", says: `^"yes"$`, change: func(f *runner.Function) {
			f.Layers = []string{code(t, "wrapper", "#!/bin/sh\nexport WRAPPED=yes\nexec \"$@\"\n")}
			f.Environment = map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}
			if err := os.Chmod(f.Layers[0]+"/wrapper", 0o755); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "exit", source: "import sys\ndef handler(e, c): sys.exit(4)\n", fault: "Runtime.ExitError", says: "exit status 4"},
		{name: "layers", source: "import layered, packaged\ndef handler(e, c): return layered.name + packaged.name\n", says: `^"layersite"$`, change: func(f *runner.Function) { f.Layers = []string{layer} }},
		{name: "cfnresponse", event: response, source: "import cfnresponse\ndef handler(e, c): cfnresponse.send(e, c, cfnresponse.SUCCESS, {'a': 1}, 'id')\n", says: "null", logs: "Status code: 200"},
		{name: "environment", source: "import os, time\ndef handler(e, c): return [os.environ['AWS_EXECUTION_ENV'], time.tzname[0], os.getcwd(), os.environ['_X_AMZN_TRACE_ID'][:5]]\n", says: `^\["AWS_Lambda_python3.11", "UTC", "/var/task", "Root="\]$`},
		{name: "json", source: "import logging\ndef handler(e, c): logging.warning('a %s', 1)\n", says: "null", change: func(f *runner.Function) { f.LogFormat = "JSON" },
			logs: `"type":"platform.start",.*\n{"timestamp": "20\S+Z", "level": "WARNING", "message": "a 1", "logger": "root", "requestId": "[-0-9a-f]{36}"}\n`},
	})
}
