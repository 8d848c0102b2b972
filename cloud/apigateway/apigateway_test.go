package apigateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudtest"
)

// functions stands where Lambda is: each function answers by its name.
type functions struct {
	mu     sync.Mutex
	events []map[string]any
}

func (f *functions) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	var e map[string]any
	if err := json.Unmarshal(in.Payload, &e); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.events = append(f.events, e)
	f.mu.Unlock()
	out := &lambda.InvokeOutput{StatusCode: 200}
	policy := func(effect string) string {
		return `{"principalId": "ali", "context": {"level": 3}, "policyDocument": {"Version": "2012-10-17", "Statement": [{"Action": "execute-api:Invoke", "Effect": "` +
			effect + `", "Resource": "` + e["methodArn"].(string) + `"}]}}`
	}
	switch name := (*in.FunctionName)[strings.LastIndex(*in.FunctionName, ":")+1:]; name {
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	case "echo":
		b, err := json.Marshal(e["body"])
		if err != nil {
			return nil, err
		}
		out.Payload = []byte(`{"statusCode": 201, "headers": {"X-Own": "a"}, "body": ` + strings.Replace(string(b), "null", `""`, 1) + `}`)
	case "picture":
		out.Payload = []byte(`{"headers": {"Content-Type": "image/png"}, "isBase64Encoded": true, "body": "AAEC"}`)
	case "odd":
		out.Payload = []byte(`{"statusCode": 200, "hello": "there"}`)
	case "broken":
		out.Payload, out.FunctionError = []byte(`{"errorMessage": "boom"}`), aws.String("Unhandled")
	case "judge":
		switch token, _ := e["authorizationToken"].(string); token {
		case "open":
			out.Payload = []byte(policy("Allow"))
		case "nobody":
			out.Payload, out.FunctionError = []byte(`{"errorMessage": "Unauthorized"}`), aws.String("Unhandled")
		case "odd":
			out.Payload = []byte(`{}`)
		default:
			out.Payload = []byte(policy("Deny"))
		}
	}
	return out, nil
}

func (f *functions) last() map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.events[len(f.events)-1]
}

func (f *functions) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.events)
}

// world is a cloud with functions of the test's own.
type world struct {
	*api.Client
	*cloudtest.Cloud
	t         testing.TB
	functions *functions
}

func newWorld(t *testing.T) *world {
	f := &functions{}
	c := cloudtest.NewWith(t, map[string]any{"lambda": f})
	return &world{api.NewFromConfig(c.Config), c, t, f}
}

func uri(function string) *string {
	return aws.String("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:" + function + "/invocations")
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (w *world) refused(err error, code, words string) {
	w.t.Helper()
	var refusal smithy.APIError
	if !errors.As(err, &refusal) || refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), words) {
		w.t.Errorf("got %v, want %s: %s", err, code, words)
	}
}

// call sends a request, whose headers are "Name: value", and holds the answer
// against what is wanted.
func (w *world) call(method, path string, body string, status int, want string, headers ...string) http.Header {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+"/_aws/execute-api/"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if res.StatusCode != status || string(b) != want {
		w.t.Errorf("%s %s answered %d %q, want %d %q", method, path, res.StatusCode, b, status, want)
	}
	return res.Header
}

// method makes a method with an integration.
func (w *world) method(id, resource *string, verb string, in api.PutIntegrationInput, change ...func(*api.PutMethodInput)) {
	w.t.Helper()
	m := &api.PutMethodInput{RestApiId: id, ResourceId: resource, HttpMethod: &verb, AuthorizationType: aws.String("NONE")}
	for _, c := range change {
		c(m)
	}
	out, err := w.PutMethod(w.t.Context(), m)
	must(w.t, out, err)
	in.RestApiId, in.ResourceId, in.HttpMethod = id, resource, &verb
	if in.Type == types.IntegrationTypeAwsProxy {
		in.IntegrationHttpMethod = aws.String("POST")
	}
	made, err := w.PutIntegration(w.t.Context(), &in)
	must(w.t, made, err)
}

// tags changes those of an API that has the tag a.
func (w *world) tags(arn string) {
	w.t.Helper()
	ctx := w.t.Context()
	_, err := w.TagResource(ctx, &api.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"Aws:x": "1"}})
	w.refused(err, "BadRequestException", "Tag keys cannot start with 'aws:'")
	_, err = w.TagResource(ctx, &api.TagResourceInput{ResourceArn: aws.String(arn + "/stages/none"), Tags: map[string]string{"b": "2"}})
	w.refused(err, "NotFoundException", "Invalid stage identifier specified")
	tagged, err := w.TagResource(ctx, &api.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"b": "2"}})
	must(w.t, tagged, err)
	untagged, err := w.UntagResource(ctx, &api.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"a"}})
	must(w.t, untagged, err)
	have, err := w.GetTags(ctx, &api.GetTagsInput{ResourceArn: &arn})
	if !maps.Equal(must(w.t, have, err).Tags, map[string]string{"b": "2"}) {
		w.t.Errorf("tags: %v", have.Tags)
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	a, err := w.CreateRestApi(ctx, &api.CreateRestApiInput{Name: aws.String("notes"), BinaryMediaTypes: []string{"image/*"}, Tags: map[string]string{"a": "1"}})
	must(t, a, err)
	id, root := a.Id, a.RootResourceId
	w.tags("arn:aws:apigateway:us-east-1::/restapis/" + *id)
	resource := func(parent *string, name string) *string {
		t.Helper()
		out, err := w.CreateResource(ctx, &api.CreateResourceInput{RestApiId: id, ParentId: parent, PathPart: &name})
		return must(t, out, err).Id
	}
	proxy := func(function string) api.PutIntegrationInput {
		return api.PutIntegrationInput{Type: types.IntegrationTypeAwsProxy, Uri: uri(function)}
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		io.WriteString(rw, r.URL.String()+" "+r.Header.Get("X-From")) //nolint:errcheck // a test's server
	}))
	defer server.Close()
	z, err := w.CreateAuthorizer(ctx, &api.CreateAuthorizerInput{RestApiId: id, Name: aws.String("z"), Type: types.AuthorizerTypeToken,
		AuthorizerUri: uri("judge"), IdentitySource: aws.String("method.request.header.Authorization"), IdentityValidationExpression: aws.String("[a-z]+")})
	must(t, z, err)
	notes := resource(root, "notes")
	w.method(id, root, "GET", proxy("picture"))
	w.method(id, notes, "POST", proxy("echo"))
	w.method(id, resource(notes, "{note}"), "ANY", proxy("echo"))
	for _, name := range []string{"odd", "broken"} {
		w.method(id, resource(root, name), "GET", proxy(name))
	}
	slow := proxy("slow")
	slow.TimeoutInMillis = aws.Int32(50)
	w.method(id, resource(root, "slow"), "GET", slow)
	w.method(id, resource(root, "closed"), "ANY", proxy("echo"), func(m *api.PutMethodInput) {
		m.AuthorizationType, m.AuthorizerId = aws.String("CUSTOM"), z.Id
	})
	w.method(id, resource(resource(root, "far"), "{proxy+}"), "ANY", api.PutIntegrationInput{Type: types.IntegrationTypeHttpProxy, IntegrationHttpMethod: aws.String("ANY"),
		Uri: aws.String(server.URL + "/{rest}"), RequestParameters: map[string]string{
			"integration.request.path.rest": "method.request.path.proxy", "integration.request.header.X-From": "'mapped'"}})
	w.method(id, resource(root, "lost"), "GET", api.PutIntegrationInput{Type: types.IntegrationTypeHttpProxy, IntegrationHttpMethod: aws.String("GET"), Uri: aws.String("http://127.0.0.1:1/")})
	mock := resource(root, "mock")
	w.method(id, mock, "OPTIONS", api.PutIntegrationInput{Type: types.IntegrationTypeMock, PassthroughBehavior: aws.String("never"), RequestTemplates: map[string]string{"application/json": `{statusCode: 204}`}})
	for code, pattern := range map[string]string{"200": "", "299": "20[4-9]"} {
		out, err := w.PutIntegrationResponse(ctx, &api.PutIntegrationResponseInput{RestApiId: id, ResourceId: mock, HttpMethod: aws.String("OPTIONS"), StatusCode: &code, SelectionPattern: &pattern,
			ResponseParameters: map[string]string{"method.response.header.Access-Control-Allow-Origin": "'*'"}, ResponseTemplates: map[string]string{"application/json": `{"stage": "$context.stage", "v": "$stageVariables.v"}`}})
		must(t, out, err)
	}
	_, err = w.PutIntegration(ctx, &api.PutIntegrationInput{RestApiId: id, ResourceId: notes, HttpMethod: aws.String("POST"), Type: types.IntegrationTypeAws, Uri: uri("echo"), IntegrationHttpMethod: aws.String("POST")})
	w.refused(err, "BadRequestException", "are not supported by the local cloud")
	_, err = w.CreateResource(ctx, &api.CreateResourceInput{RestApiId: id, ParentId: root, PathPart: aws.String("notes")})
	w.refused(err, "ConflictException", "Another resource with the same parent already has this name: notes")

	d, err := w.CreateDeployment(ctx, &api.CreateDeploymentInput{RestApiId: id, StageName: aws.String("prod"), Variables: map[string]string{"v": "one"}})
	must(t, d, err)
	at := *id + "/prod"

	const internal = `{"message": "Internal server error"}`
	t.Run("errors", func(t *testing.T) {
		for path, want := range map[string]struct {
			status int
			body   string
		}{
			"/nothing": {403, `{"message":"Missing Authentication Token"}`}, "/notes": {403, `{"message":"Missing Authentication Token"}`},
			"/odd": {502, internal}, "/broken": {502, internal}, "/slow": {504, `{"message": "Endpoint request timed out"}`},
			"/lost": {504, `{"message": "Network error communicating with endpoint"}`},
		} {
			w.call("GET", at+path, "", want.status, want.body)
		}
		w.call("GET", *id+"/test/notes", "", 403, `{"message":"Forbidden"}`)
	})
	t.Run("functions", func(t *testing.T) {
		if h := w.call("PUT", at+"/notes/a%20b?x=1&x=2", "hello", 201, "hello"); h.Get("X-Own") != "a" || h.Get("Content-Type") != "application/json" {
			t.Errorf("headers: %v", h)
		}
		e := w.functions.last()
		context, _ := e["requestContext"].(map[string]any)
		if e["resource"] != "/notes/{note}" || e["path"] != "/notes/a b" || e["pathParameters"].(map[string]any)["note"] != "a b" || e["stageVariables"].(map[string]any)["v"] != "one" ||
			e["queryStringParameters"].(map[string]any)["x"] != "2" || context["path"] != "/prod/notes/a b" || context["deploymentId"] != *d.Id || e["version"] != nil {
			t.Errorf("the event: %v", e)
		}
		w.call("POST", at+"/notes", "\x00\x01", 201, "AAE=", "Content-Type: image/png")
		w.call("GET", at+"/", "", 200, "\x00\x01\x02", "Accept: image/png, */*")
		w.call("GET", at, "", 200, "AAEC", "Accept: text/html")
	})
	t.Run("servers and mocks", func(t *testing.T) {
		w.call("GET", at+"/far/a/b?q=1", "", 200, "/a/b?q=1 mapped")
		if h := w.call("OPTIONS", at+"/mock", "", 299, `{"stage": "prod", "v": "one"}`); h.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("headers: %v", h)
		}
		w.call("OPTIONS", at+"/mock", "<a/>", 415, `{"message": "Unsupported Media Type"}`, "Content-Type: application/xml")
	})
	t.Run("authorizers", func(t *testing.T) {
		w.call("GET", at+"/closed", "", 401, `{"message":"Unauthorized"}`)
		w.call("GET", at+"/closed", "", 401, `{"message":"Unauthorized"}`, "Authorization: 12")
		w.call("GET", at+"/closed", "", 401, `{"message":"Unauthorized"}`, "Authorization: nobody")
		w.call("GET", at+"/closed", "", 500, `{"message":null}`, "Authorization: odd")
		w.call("GET", at+"/closed", "", 403, `{"Message":"User is not authorized to access this resource with an explicit deny"}`, "Authorization: closed")
		w.call("GET", at+"/closed", "", 201, "", "Authorization: open")
		if got := w.functions.last()["requestContext"].(map[string]any)["authorizer"].(map[string]any); got["principalId"] != "ali" || got["level"] != "3" {
			t.Errorf("the authorizer's context: %v", got)
		}
		before := w.functions.count()
		w.call("GET", at+"/closed", "", 201, "", "Authorization: open")
		w.call("PUT", at+"/closed", "", 403, `{"Message":"User is not authorized to access this resource"}`, "Authorization: open") // the policy remembered is about GET
		if got := w.functions.count() - before; got != 1 {
			t.Errorf("%d functions were called, want the integration's alone", got)
		}
	})
	t.Run("stage", func(t *testing.T) { testStage(w, id, d.Id) })
}

// testStage limits, logs, and deploys anew.
func testStage(w *world, id, first *string) {
	t, ctx, stage := w.t, w.t.Context(), aws.String("prod")
	logs := cloudwatchlogs.NewFromConfig(w.Config)
	group, err := logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("calls")})
	must(t, group, err)
	replace := func(path, value string) types.PatchOperation {
		return types.PatchOperation{Op: types.OpReplace, Path: &path, Value: &value}
	}
	st, err := w.UpdateStage(ctx, &api.UpdateStageInput{RestApiId: id, StageName: stage, PatchOperations: []types.PatchOperation{
		replace("/~1notes~1{note}/ANY/throttling/rateLimit", "0.001"), replace("/~1notes~1{note}/ANY/throttling/burstLimit", "1"), replace("/variables/v", "two"),
		replace("/accessLogSettings/destinationArn", "arn:aws:logs:us-east-1:000000000000:log-group:calls"), replace("/accessLogSettings/format", "$context.httpMethod $context.resourcePath $context.status"),
	}})
	if must(t, st, err).MethodSettings["notes/{note}/ANY"].ThrottlingBurstLimit != 1 || st.Variables["v"] != "two" {
		t.Errorf("the stage: %+v", st)
	}
	at := *id + "/prod"
	w.call("GET", at+"/notes/1", "", 201, "")
	w.call("GET", at+"/notes/1", "", 429, `{"message":"Too Many Requests"}`)
	w.call("OPTIONS", at+"/mock", "", 299, `{"stage": "prod", "v": "two"}`)
	w.logged(logs, "GET /notes/{note} 201", "GET /notes/{note} 429", "OPTIONS /mock 299")
	_, err = w.UpdateStage(ctx, &api.UpdateStageInput{RestApiId: id, StageName: stage, PatchOperations: []types.PatchOperation{replace("/nothing", "")}})
	w.refused(err, "BadRequestException", "Invalid patch path  '/nothing' specified for op 'replace'. Must be one of: [/deploymentId,")

	g, err := w.PutGatewayResponse(ctx, &api.PutGatewayResponseInput{RestApiId: id, ResponseType: types.GatewayResponseTypeMissingAuthenticationToken, StatusCode: aws.String("404"),
		ResponseParameters: map[string]string{"gatewayresponse.header.X-Why": "'lost'"}, ResponseTemplates: map[string]string{"application/json": `{"said": $context.error.messageString}`}})
	must(t, g, err)
	w.call("GET", at+"/nothing", "", 403, `{"message":"Missing Authentication Token"}`)
	d, err := w.CreateDeployment(ctx, &api.CreateDeploymentInput{RestApiId: id, StageName: stage})
	must(t, d, err)
	if h := w.call("GET", at+"/nothing", "", 404, `{"said": "Missing Authentication Token"}`); h.Get("X-Why") != "lost" {
		t.Errorf("headers: %v", h)
	}
	_, err = w.DeleteDeployment(ctx, &api.DeleteDeploymentInput{RestApiId: id, DeploymentId: d.Id})
	w.refused(err, "BadRequestException", "Active stages pointing to this deployment must be moved or deleted")
	st, err = w.UpdateStage(ctx, &api.UpdateStageInput{RestApiId: id, StageName: stage, PatchOperations: []types.PatchOperation{replace("/deploymentId", *first)}})
	must(t, st, err)
	w.call("GET", at+"/nothing", "", 403, `{"message":"Missing Authentication Token"}`)
	deleted, err := w.DeleteDeployment(ctx, &api.DeleteDeploymentInput{RestApiId: id, DeploymentId: d.Id})
	must(t, deleted, err)
	gone, err := w.DeleteRestApi(ctx, &api.DeleteRestApiInput{RestApiId: id})
	must(t, gone, err)
	w.call("GET", at+"/notes", "", 403, `{"message":"Forbidden"}`)
}

// logged waits until the group has the lines.
func (w *world) logged(logs *cloudwatchlogs.Client, lines ...string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	for {
		out, err := logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("calls")})
		must(w.t, out, err)
		have := map[string]bool{}
		for _, e := range out.Events {
			have[*e.Message] = true
		}
		if !slices.ContainsFunc(lines, func(line string) bool { return !have[line] }) {
			return
		}
		select {
		case <-ctx.Done():
			w.t.Fatalf("the log has %v, want %v", have, lines)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
