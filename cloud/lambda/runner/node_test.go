//go:build linux

package runner_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ouro/cloud/cloudtest/tool"
	"ouro/cloud/lambda/runner"
)

func TestNode(t *testing.T) {
	t.Parallel()
	tool.Find(t, "node")
	w := newWorld(t)
	layer := code(t, "nodejs/node_modules/layered/index.js", "exports.name = 'layer'; exports.handler = async () => 3")
	w.runCases(t, "nodejs20.x", "index.js", []handlerCase{
		{name: "async", event: `{"name": "you"}`, source: `
exports.handler = async (event, context) => {
  console.log('hello %s\nagain', event.name);
  return [context.functionName, context.memoryLimitInMB, context.getRemainingTimeInMillis() > 1000, context.logGroupName];
};`, says: `^\["index-handler","128",true,"/aws/lambda/index-handler"\]$`, logs: `20\S+Z\t[-0-9a-f]{36}\tINFO\thello you\nagain\nEND`},
		{name: "callback", source: `exports.handler = (event, context, callback) => { setTimeout(() => console.log('late'), 50); callback(null, 1) }`, says: "^1$", logs: "INFO\tlate\nEND"},
		{name: "no waiting", source: `exports.handler = (event, context, callback) => { context.callbackWaitsForEmptyEventLoop = false; setInterval(() => {}, 1000); callback(null, 1) }`, says: "^1$"},
		{name: "nothing", source: `exports.handler = () => {}`, says: "^null$"},
		{name: "never", source: `exports.handler = async () => new Promise(() => {})`, fault: "Runtime.NodeJsExit", says: "caused by a Promise that was never settled"},
		{name: "done", source: `exports.handler = (event, context) => { context.succeed({ok: true}) }`, says: `^{"ok":true}$`},
		{name: "throw", source: "class Mine extends Error { constructor(m) { super(m); this.name = 'Mine' } }\nexports.handler = async () => { throw new Mine('bad') }", fault: "Mine",
			says: `^{"errorType":"Mine","errorMessage":"bad","trace":\["Mine: bad","    at .*handler \(/var/task/index.js:2:`, logs: `ERROR\tInvoke Error \t{"errorType":"Mine","errorMessage":"bad","name":"Mine","stack":\["Mine: bad"`},
		{name: "text", source: `exports.handler = (e, c, callback) => callback('words')`, fault: "string", says: `^{"errorType":"string","errorMessage":"words","trace":\[\]}$`},
		{name: "rejection", source: `exports.handler = () => { Promise.reject(new Error('lost')); return new Promise(() => {}) }`, fault: "Runtime.UnhandledPromiseRejection", says: "Error: lost"},
		{name: "uncaught", source: `exports.handler = () => { setTimeout(() => { throw new TypeError('lost') }); return new Promise(() => {}) }`, fault: "TypeError", says: `"errorMessage":"lost"`},
		{name: "large", source: `exports.handler = async () => 'x'.repeat(20000000)`, fault: "Function.ResponseSizeTooLarge", says: "6291556 bytes", logs: `the response was refused: .*RequestEntityTooLarge`},
		{name: "never, by a function", source: `exports.handler = () => new Promise(() => {})`, says: "^null$"},
		{name: "circle", source: `exports.handler = async () => { const a = {}; a.a = a; return a }`, fault: "Runtime.JSONStringifyError", says: "Unable to stringify response body"},
		{name: "twice", source: `exports.handler = (e, c, callback) => { callback(null, 1); callback(null, 2) }`, says: "^1$"},
		{name: "in init", source: `throw new RangeError('early')`, fault: "RangeError", says: `"errorMessage":"early"`, logs: "undefined\tERROR\tUncaught Exception \t{\"errorType\":\"RangeError\""},
		{name: "24", source: `exports.handler = (event) => event.a + 1`, event: `{"a": 1}`, says: "^2$", change: func(f *runner.Function) { f.Runtime = "nodejs24.x" }},
		{name: "24 callback", source: `exports.handler = (event, context, callback) => 1`, fault: "Runtime.CallbackHandlerDeprecated", says: "removed support for callback-based", change: func(f *runner.Function) { f.Runtime = "nodejs24.x" }},
		{name: "of a layer", handler: "layered.handler", source: "file other.js\n", says: "^3$", change: func(f *runner.Function) { f.Layers = []string{layer} }},
		{name: "exit", source: `exports.handler = async () => process.exit(0)`, fault: "Runtime.ExitError", says: "Runtime exited without providing a reason"},
		{name: "module", source: "file index.mjs\nimport { basename } from 'node:path';\nconst x = await Promise.resolve(basename('a/b'));\nexport const handler = async () => x;", says: `^"b"$`},
		{name: "import", source: `require('nothing-there')`, fault: "Runtime.ImportModuleError", says: "Error: Cannot find module 'nothing-there'"},
		{name: "no file", handler: "other.handler", source: "", fault: "Runtime.ImportModuleError", says: "Error: Cannot find module 'other'"},
		{name: "syntax", source: `exports.handler = (`, fault: "Runtime.UserCodeSyntaxError", says: "SyntaxError"},
		{name: "missing", source: `exports.other = 1`, fault: "Runtime.HandlerNotFound", says: "index.handler is undefined or not exported"},
		{name: "layers", source: `exports.handler = async () => require('layered').name`, says: `^"layer"$`, change: func(f *runner.Function) { f.Layers = []string{layer} }},
		{name: "json", source: `exports.handler = async () => { console.warn('a %s', 1); console.debug('hidden') }`, says: "null", change: func(f *runner.Function) { f.LogFormat = "JSON" },
			logs: `{"timestamp":"20\S+Z","level":"WARN","requestId":"[-0-9a-f]{36}","message":"a 1"}\n{"time"`},
		{name: "buffered stream", source: `exports.handler = awslambda.streamifyResponse(async (event, out) => { out.write('one '); out.write('two'); out.end() })`, says: "^one two$"},
	})
	answered := make(chan string, 1)
	answers := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answered <- r.Method + " " + string(body)
	}))
	defer answers.Close()
	fn := function("nodejs20.x", "index.handler", code(t, "index.js", `const answer = require('cfn-response'); exports.handler = (event, context) => { answer.send(event, context, answer.SUCCESS, {a: 1}) }`))
	r := w.invoke(fn, `{"ResponseURL": "`+answers.URL+`", "StackId": "stack", "RequestId": "r", "LogicalResourceId": "l"}`)
	want := `PUT {"Status":"SUCCESS","Reason":"See the details in CloudWatch Log Stream: ` + r.LogStream + `","PhysicalResourceId":"` + r.LogStream + `","StackId":"stack","RequestId":"r","LogicalResourceId":"l","NoEcho":false,"Data":{"a":1}}`
	if r.FunctionError != "" {
		t.Fatalf("%s", r.Payload)
	}
	if got := <-answered; got != want {
		t.Errorf("answered %s", got)
	}
}

// TestNodeStreams: the content type and the prelude of an HTTP response, and an
// error in the middle.
func TestNodeStreams(t *testing.T) {
	t.Parallel()
	tool.Find(t, "node")
	w := newWorld(t)
	for _, c := range []struct{ source, body, contentType, kind string }{
		{`async (event, out) => { out.setContentType('text/css'); out.write('one '); out.write('two'); out.end() }`, "one two", "text/css", ""},
		{`async (event, out) => { out = awslambda.HttpResponseStream.from(out, {statusCode: 201}); out.end('body') }`, "{\"statusCode\":201}\x00\x00\x00\x00\x00\x00\x00\x00body", "application/vnd.awslambda.http-integration-response", ""},
		{`async (event, out) => { out.write('half'); await new Promise((done) => setTimeout(done, 20)); throw new RangeError('torn') }`, "half", "application/octet-stream", "RangeError"},
		{`async () => { throw new RangeError('early') }`, "", "", "RangeError"},
		{`async (event, out) => { setTimeout(() => out.end('late'), 20) }`, "late", "application/octet-stream", ""},
		{`async () => {}`, "", "", "string"},
		{`(event, out) => { out.end('x') }`, "x", "application/octet-stream", "string"},
	} {
		fn := function("nodejs20.x", "index.handler", code(t, "index.js", "exports.handler = awslambda.streamifyResponse("+c.source+")"))
		fn.Revision = c.source
		var body strings.Builder
		var contentType string
		r := w.with(fn, runner.Invocation{RequestID: w.id(), ARN: fn.ARN, Payload: []byte("{}"), Stream: func(kind string) io.Writer {
			contentType = kind
			return &body
		}})
		if body.String() != c.body || contentType != c.contentType || r.ErrorType != c.kind {
			t.Errorf("%s: %q %q %q %s", c.source, body.String(), contentType, r.ErrorType, w.log(r))
		}
	}
}
