package lambda_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	lambdaapi "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/cloudtest/tool"
)

const web = `import json
def handler(event, context):
    print("WEB", json.dumps(event))
    if "rawPath" not in event:
        return "plain"
    if event["rawPath"] == "/switch":
        return {"statusCode": 101, "headers": {"Upgrade": "other"}}
    return {"statusCode": 201, "headers": {"X-Path": event["rawPath"], "Content-Type": "text/plain", "X-Count": 12000000, "Content-Length": 3, "Transfer-Encoding": "odd"}, "cookies": ["a=b"],
            "body": event["requestContext"]["http"]["method"] + " " + event["rawQueryString"] + " " + event.get("body", "")}
`

const streaming = `exports.handler = awslambda.streamifyResponse(async (event, out) => {
  if (event.rawPath) out = awslambda.HttpResponseStream.from(out, {statusCode: 202, headers: {'X-Kind': 'stream'}})
  out.write('one ')
  out.write('two')
  out.end()
})
`

func (w *world) url(name string, mode types.InvokeMode) string {
	w.t.Helper()
	made, err := w.api.CreateFunctionUrlConfig(w.t.Context(), &lambdaapi.CreateFunctionUrlConfigInput{FunctionName: &name, AuthType: types.FunctionUrlAuthTypeNone, InvokeMode: mode})
	if err != nil {
		w.t.Fatal(err)
	}
	return *made.FunctionUrl
}

// ask sends a request to a function URL, whose name the test resolves itself.
func (w *world) ask(method, address, body string) (*http.Response, string) {
	w.t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+at.RequestURI(), strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Host = at.Host
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res, string(b)
}

func TestURL(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	w, ctx := newWorld(t), t.Context()
	w.python("web", web)
	at := w.url("web", types.InvokeModeBuffered)
	if res, body := w.ask("GET", at, ""); res.StatusCode != 403 || !strings.Contains(body, "Forbidden") {
		t.Errorf("without a permission: %s %s", res.Status, body)
	}
	if _, err := w.api.AddPermission(ctx, &lambdaapi.AddPermissionInput{FunctionName: aws.String("web"), StatementId: aws.String("all"), Action: aws.String("lambda:InvokeFunctionUrl"),
		Principal: aws.String("*"), FunctionUrlAuthType: types.FunctionUrlAuthTypeNone}); err != nil {
		t.Fatal(err)
	}
	res, body := w.ask("POST", at+"some/path?x=1&y=2", "hello")
	if res.StatusCode != 201 || body != "POST x=1&y=2 hello" || res.Header.Get("X-Path") != "/some/path" || res.Header.Get("Set-Cookie") != "a=b" || res.Header.Get("Content-Type") != "text/plain" || res.Header.Get("X-Count") != "12000000" {
		t.Errorf("%s %q %v", res.Status, body, res.Header)
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(at, "http://"), ".")
	if res, body := w.ask("GET", w.URL+"/_lambda/url/"+id+"/deep", ""); res.StatusCode != 201 || res.Header.Get("X-Path") != "/deep" {
		t.Errorf("by its path: %s %s", res.Status, body)
	}

	if res, body := w.ask("GET", at+"switch", ""); res.StatusCode != 502 {
		t.Errorf("another protocol: %s %s", res.Status, body)
	}

	t.Run("EventBridge and a permission", func(t *testing.T) {
		bus := eventbridge.NewFromConfig(w.Config)
		rule, err := bus.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(`{"source":["mine"]}`)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.api.AddPermission(ctx, &lambdaapi.AddPermissionInput{FunctionName: aws.String("web"), StatementId: aws.String("bus"), Action: aws.String("lambda:InvokeFunction"),
			Principal: aws.String("events.amazonaws.com"), SourceArn: rule.RuleArn}); err != nil {
			t.Fatal(err)
		}
		if _, err := bus.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []eventtypes.Target{{Id: aws.String("f"), Arn: aws.String(prefix + "function:web")}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := bus.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventtypes.PutEventsRequestEntry{{Source: aws.String("mine"), DetailType: aws.String("d"), Detail: aws.String(`{"k":"the event"}`)}}}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the function gets the event", func() bool { return strings.Contains(w.logged("/aws/lambda/web"), "the event") })
	})
}

func TestStream(t *testing.T) {
	t.Parallel()
	tool.Find(t, "node")
	w, ctx := newWorld(t), t.Context()
	if _, err := w.api.CreateFunction(ctx, &lambdaapi.CreateFunctionInput{FunctionName: aws.String("stream"), Role: &w.role, Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
		Timeout: aws.Int32(60), Code: &types.FunctionCode{ZipFile: zipped(t, map[string]string{"index.js": streaming})}}); err != nil {
		t.Fatal(err)
	}
	out, err := w.api.InvokeWithResponseStream(ctx, &lambdaapi.InvokeWithResponseStreamInput{FunctionName: aws.String("stream"), LogType: types.LogTypeTail})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	ended := false
	for e := range out.GetStream().Events() {
		switch e := e.(type) {
		case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			text.Write(e.Value.Payload)
		case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			ended = e.Value.ErrorCode == nil && aws.ToString(e.Value.LogResult) != ""
		}
	}
	if err := out.GetStream().Close(); err != nil || text.String() != "one two" || !ended || aws.ToString(out.ExecutedVersion) != "$LATEST" {
		t.Errorf("%q, ended %v, version %s, %v", text.String(), ended, aws.ToString(out.ExecutedVersion), err)
	}
	if _, err := w.api.AddPermission(ctx, &lambdaapi.AddPermissionInput{FunctionName: aws.String("stream"), StatementId: aws.String("all"), Action: aws.String("lambda:InvokeFunctionUrl"),
		Principal: aws.String("*"), FunctionUrlAuthType: types.FunctionUrlAuthTypeNone}); err != nil {
		t.Fatal(err)
	}
	if res, body := w.ask("GET", w.url("stream", types.InvokeModeResponseStream), ""); res.StatusCode != 202 || body != "one two" || res.Header.Get("X-Kind") != "stream" {
		t.Errorf("%s %q %v", res.Status, body, res.Header)
	}
}
