package apigatewayv2_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudtest"
)

// functions stands where Lambda is: each function answers by its name.
type functions struct {
	mu     sync.Mutex
	events []map[string]any
	answer map[string]func(event map[string]any) (payload string, failure string)
}

func (f *functions) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	var event map[string]any
	if err := json.Unmarshal(in.Payload, &event); err != nil {
		return nil, err
	}
	name := (*in.FunctionName)[strings.LastIndex(*in.FunctionName, ":")+1:]
	f.mu.Lock()
	f.events = append(f.events, event)
	answer := f.answer[name]
	f.mu.Unlock()
	if name == "slow" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	payload, failure := answer(event)
	out := &lambda.InvokeOutput{StatusCode: 200, Payload: []byte(payload)}
	if failure != "" {
		out.FunctionError = &failure
	}
	return out, nil
}

func (f *functions) last() map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.events[len(f.events)-1]
}

// world is a cloud with functions of the test's own.
type world struct {
	*api.Client
	*cloudtest.Cloud
	t         *testing.T
	functions *functions
}

const functionARN = "arn:aws:lambda:us-east-1:000000000000:function:"

func newWorld(t *testing.T) *world {
	f := &functions{answer: map[string]func(map[string]any) (string, string){
		"echo": func(e map[string]any) (string, string) {
			b, _ := json.Marshal(e["body"])
			return `{"statusCode": 201, "headers": {"X-Own": "a\nb"}, "cookies": ["a=1", "b=2"], "body": ` + strings.Replace(string(b), "null", `""`, 1) + `}`, ""
		},
		"text":   func(map[string]any) (string, string) { return `"hello"`, "" },
		"object": func(map[string]any) (string, string) { return `{"a":1}`, "" },
		"broken": func(map[string]any) (string, string) { return `{"errorMessage":"boom"}`, "Unhandled" },
		"odd":    func(map[string]any) (string, string) { return `{"statusCode":"x"}`, "" },
		"allower": func(e map[string]any) (string, string) {
			sources, _ := e["identitySource"].([]any)
			allowed := len(sources) == 1 && sources[0] == "open sesame"
			b, _ := json.Marshal(map[string]any{"isAuthorized": allowed, "context": map[string]any{"who": "ali"}})
			return string(b), ""
		},
		"policy": func(e map[string]any) (string, string) {
			effect := "Deny"
			if e["authorizationToken"] == "open sesame" {
				effect = "Allow"
			}
			return `{"principalId": "ali", "policyDocument": {"Version": "2012-10-17", "Statement": [{"Action": "execute-api:Invoke", "Effect": "` + effect + `", "Resource": "` + e["methodArn"].(string) + `"}]}}`, ""
		},
	}}
	// The cloud's own Lambda, where there is one, gives way to the test's.
	c := cloudtest.NewWith(t, map[string]any{"lambda": f})
	return &world{api.NewFromConfig(c.Config), c, t, f}
}

func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (w *world) api(change ...func(*api.CreateApiInput)) *api.CreateApiOutput {
	w.t.Helper()
	in := &api.CreateApiInput{Name: aws.String("notes"), ProtocolType: types.ProtocolTypeHttp}
	for _, c := range change {
		c(in)
	}
	out, err := w.CreateApi(w.t.Context(), in)
	return must(w.t, out, err)
}

// integration makes an integration with a function, or an address.
func (w *world) integration(id *string, target, format string) *string {
	w.t.Helper()
	in := &api.CreateIntegrationInput{ApiId: id, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: aws.String(functionARN + target), PayloadFormatVersion: &format}
	if strings.HasPrefix(target, "http") {
		in.IntegrationType, in.IntegrationUri, in.IntegrationMethod, in.PayloadFormatVersion = types.IntegrationTypeHttpProxy, &target, aws.String("ANY"), nil
	}
	out, err := w.CreateIntegration(w.t.Context(), in)
	return aws.String("integrations/" + *must(w.t, out, err).IntegrationId)
}

func (w *world) route(id *string, key string, target *string) *api.CreateRouteOutput {
	w.t.Helper()
	out, err := w.CreateRoute(w.t.Context(), &api.CreateRouteInput{ApiId: id, RouteKey: &key, Target: target})
	return must(w.t, out, err)
}

func (w *world) stage(id *string, name string, change ...func(*api.CreateStageInput)) {
	w.t.Helper()
	in := &api.CreateStageInput{ApiId: id, StageName: &name, AutoDeploy: aws.Bool(true)}
	for _, c := range change {
		c(in)
	}
	out, err := w.CreateStage(w.t.Context(), in)
	must(w.t, out, err)
}

type answer struct {
	status int
	header http.Header
	body   string
}

// call sends a request; headers are "Name: value".
func (w *world) call(method, url, body string, headers ...string) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

func (w *world) expect(a answer, status int, body string) {
	w.t.Helper()
	if a.status != status || a.body != body {
		w.t.Errorf("answered %d %s, want %d %s", a.status, a.body, status, body)
	}
}

func (w *world) refused(err error, code, words string) {
	w.t.Helper()
	var refusal smithy.APIError
	if !errors.As(err, &refusal) || refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), words) {
		w.t.Errorf("got %v, want %s: %s", err, code, words)
	}
}
