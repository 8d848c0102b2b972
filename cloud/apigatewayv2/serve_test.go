package apigatewayv2_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

func TestQuickCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.api(func(in *api.CreateApiInput) { in.Target = aws.String(functionARN + "echo") })
	got := w.call("POST", *a.ApiEndpoint+"/some/path%20x?a=1&a=2&b=3", "hi", "Content-Type: text/plain", "Cookie: c=1; d=2", "X-Two: 1", "X-Two: 2")
	w.expect(got, 201, "hi")
	if got.header.Get("X-Own") != "a b" || len(got.header.Values("Set-Cookie")) != 2 || got.header.Get("Apigw-Requestid") == "" {
		t.Errorf("headers %v", got.header)
	}
	e := w.functions.last()
	headers, rc := e["headers"].(map[string]any), e["requestContext"].(map[string]any)
	call := rc["http"].(map[string]any)
	query := e["queryStringParameters"].(map[string]any)
	if e["version"] != "2.0" || e["routeKey"] != "$default" || e["rawPath"] != "/some/path x" || e["rawQueryString"] != "a=1&a=2&b=3" || query["a"] != "1,2" ||
		headers["x-two"] != "1,2" || e["isBase64Encoded"] != false || len(e["cookies"].([]any)) != 2 || rc["stage"] != "$default" || rc["apiId"] != *a.ApiId ||
		call["method"] != "POST" || call["sourceIp"] != "127.0.0.1" || rc["domainName"] != *a.ApiId+".execute-api.us-east-1.localhost" {
		t.Errorf("event %v", e)
	}
	u, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.expect(w.call("GET", w.URL+"/x", "", "Host: "+*a.ApiId+".execute-api.us-east-1.localhost:"+u.Port()), 201, "")
	w.expect(w.call("GET", w.URL+"/x", "", "Host: nothing.execute-api.us-east-1.localhost:"+u.Port()), 403, `{"message":"Forbidden"}`)
	if foreign := w.call("GET", w.URL+"/x", "", "Host: "+*a.ApiId+".execute-api.us-east-1.example.com"); foreign.status != 403 || strings.Contains(foreign.body, "message") {
		t.Errorf("a foreign host: %+v", foreign)
	}
	w.call("POST", *a.ApiEndpoint, "\xff\x00", "Content-Type: application/octet-stream")
	if e := w.functions.last(); e["isBase64Encoded"] != true || e["body"] != "/wA=" {
		t.Errorf("event %v", e)
	}
	w.expect(w.call("POST", *a.ApiEndpoint, strings.Repeat("x", 10<<20+1)), 413, `{"message":"Request Entity Too Large"}`)
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.api()
	outside := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Location", "/elsewhere")
		rw.WriteHeader(http.StatusFound)
		rw.Write([]byte(r.Method + " " + r.URL.String() + " " + r.Header.Get("X-A"))) //nolint:errcheck // the test sees it
	}))
	defer outside.Close()
	for key, target := range map[string]string{
		"GET /pets": "text", "GET /pets/{id}": "object", "ANY /pets/{proxy+}": "broken", "GET /odd": "odd", "POST /v1/{id}": "echo",
		"ANY /out/{proxy+}": outside.URL + "/base/{proxy}",
	} {
		format := "2.0"
		if target == "echo" || target == "odd" {
			format = "1.0"
		}
		w.route(a.ApiId, key, w.integration(a.ApiId, target, format))
	}
	w.stage(a.ApiId, "$default")
	w.stage(a.ApiId, "prod", func(in *api.CreateStageInput) { in.StageVariables = map[string]string{"v": "1"} })
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/pets", 200, "hello"},
		{"GET", "/prod/pets", 200, "hello"},
		{"GET", "/pets/1", 200, `{"a":1}`},
		{"POST", "/pets/1", 500, `{"message":"Internal Server Error"}`},
		{"GET", "/pets/1/2", 500, `{"message":"Internal Server Error"}`},
		{"GET", "/odd", 500, `{"message":"Internal Server Error"}`},
		{"POST", "/pets", 404, `{"message":"Not Found"}`},
		{"GET", "/", 404, `{"message":"Not Found"}`},
		{"PUT", "/out/a/b%2Fc?d=e", 302, "PUT /base/a/b/c?d=e f"},
	} {
		w.expect(w.call(c.method, *a.ApiEndpoint+c.path, "", "X-A: f"), c.status, c.body)
	}
	w.expect(w.call("POST", *a.ApiEndpoint+"/prod/v1/7?a=1&a=2", `{"x":1}`, "Content-Type: application/json"), 201, `{"x":1}`)
	e := w.functions.last()
	if e["version"] != "1.0" || e["resource"] != "/v1/{id}" || e["path"] != "/prod/v1/7" || e["httpMethod"] != "POST" ||
		e["pathParameters"].(map[string]any)["id"] != "7" || e["stageVariables"].(map[string]any)["v"] != "1" ||
		e["queryStringParameters"].(map[string]any)["a"] != "2" || len(e["multiValueQueryStringParameters"].(map[string]any)["a"].([]any)) != 2 {
		t.Errorf("event %v", e)
	}
	slow, err := w.CreateIntegration(t.Context(), &api.CreateIntegrationInput{ApiId: a.ApiId, IntegrationType: types.IntegrationTypeAwsProxy,
		IntegrationUri: aws.String(functionARN + "slow"), PayloadFormatVersion: aws.String("2.0"), TimeoutInMillis: aws.Int32(50)})
	must(t, slow, err)
	w.route(a.ApiId, "GET /slow", aws.String("integrations/"+*slow.IntegrationId))
	w.expect(w.call("GET", *a.ApiEndpoint+"/slow", ""), 503, `{"message":"Service Unavailable"}`)
}

func TestDeployments(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	a := w.api()
	r := w.route(a.ApiId, "GET /", w.integration(a.ApiId, "text", "2.0"))
	w.stage(a.ApiId, "hand", func(in *api.CreateStageInput) { in.AutoDeploy = nil })
	w.expect(w.call("GET", *a.ApiEndpoint+"/hand", ""), 404, `{"message":"Not Found"}`)
	d, err := w.CreateDeployment(ctx, &api.CreateDeploymentInput{ApiId: a.ApiId, StageName: aws.String("hand")})
	must(t, d, err)
	w.expect(w.call("GET", *a.ApiEndpoint+"/hand", ""), 200, "hello")
	if _, err := w.UpdateRoute(ctx, &api.UpdateRouteInput{ApiId: a.ApiId, RouteId: r.RouteId, RouteKey: aws.String("GET /new")}); err != nil {
		t.Fatal(err)
	}
	w.expect(w.call("GET", *a.ApiEndpoint+"/hand", ""), 200, "hello")
	w.expect(w.call("GET", *a.ApiEndpoint+"/hand/new", ""), 404, `{"message":"Not Found"}`)
	_, err = w.DeleteDeployment(ctx, &api.DeleteDeploymentInput{ApiId: a.ApiId, DeploymentId: d.DeploymentId})
	w.refused(err, "BadRequestException", "Active stages")
	if _, err := w.UpdateStage(ctx, &api.UpdateStageInput{ApiId: a.ApiId, StageName: aws.String("hand"), AutoDeploy: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	w.expect(w.call("GET", *a.ApiEndpoint+"/hand/new", ""), 200, "hello")
	if _, err := w.DeleteApi(ctx, &api.DeleteApiInput{ApiId: a.ApiId}); err != nil {
		t.Fatal(err)
	}
	w.expect(w.call("GET", *a.ApiEndpoint+"/hand/new", ""), 403, `{"message":"Forbidden"}`)
	_, err = w.GetApi(ctx, &api.GetApiInput{ApiId: a.ApiId})
	w.refused(err, "NotFoundException", "Invalid API identifier specified 000000000000:"+*a.ApiId)
}

func TestAuthorizers(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	a := w.api()
	target := w.integration(a.ApiId, "echo", "2.0")
	for path, in := range map[string]*api.CreateAuthorizerInput{
		"/simple": {AuthorizerUri: aws.String(functionARN + "allower"), AuthorizerPayloadFormatVersion: aws.String("2.0"), EnableSimpleResponses: aws.Bool(true)},
		"/policy": {AuthorizerUri: aws.String("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + functionARN + "policy/invocations"), AuthorizerPayloadFormatVersion: aws.String("1.0"), AuthorizerResultTtlInSeconds: aws.Int32(60)},
	} {
		in.ApiId, in.AuthorizerType, in.Name, in.IdentitySource = a.ApiId, types.AuthorizerTypeRequest, &path, []string{"$request.header.Authorization"}
		z, err := w.CreateAuthorizer(ctx, in)
		must(t, z, err)
		_, err = w.CreateRoute(ctx, &api.CreateRouteInput{ApiId: a.ApiId, RouteKey: aws.String("ANY " + path), Target: target, AuthorizationType: types.AuthorizationTypeCustom, AuthorizerId: z.AuthorizerId})
		must(t, z, err)
	}
	w.stage(a.ApiId, "$default")
	for _, path := range []string{"/simple", "/policy"} {
		w.expect(w.call("GET", *a.ApiEndpoint+path, ""), 401, `{"message":"Unauthorized"}`)
		w.expect(w.call("GET", *a.ApiEndpoint+path, "", "Authorization: please"), 403, `{"message":"Forbidden"}`)
		w.expect(w.call("POST", *a.ApiEndpoint+path, "in", "Authorization: open sesame"), 201, "in")
		if got := w.functions.last()["requestContext"].(map[string]any)["authorizer"].(map[string]any)["lambda"].(map[string]any); got["who"] != "ali" && got["principalId"] != "ali" {
			t.Errorf("the function hears of the caller: %v", got)
		}
	}
	before := len(w.functions.events)
	w.expect(w.call("POST", *a.ApiEndpoint+"/policy", "in", "Authorization: open sesame"), 201, "in")
	if after := len(w.functions.events); after != before+1 {
		t.Errorf("%d functions were called, want one: the authorizer's answer still counts", after-before)
	}
	// The answer of a policy is remembered, and judged for each call.
	w.expect(w.call("GET", *a.ApiEndpoint+"/policy", "", "Authorization: open sesame"), 403, `{"message":"Forbidden"}`)
	_, err := w.CreateAuthorizer(ctx, &api.CreateAuthorizerInput{ApiId: a.ApiId, Name: aws.String("j"), AuthorizerType: types.AuthorizerTypeJwt, IdentitySource: []string{"$request.header.Authorization"}})
	w.refused(err, "BadRequestException", "JWT authorizers are not supported")
}

// TestIdentities keeps the answers to different identities apart, however
// their parts are written.
func TestIdentities(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.functions.answer["pair"] = func(e map[string]any) (string, string) {
		b, err := json.Marshal(map[string]any{"isAuthorized": slices.Equal(e["identitySource"].([]any), []any{"a/b", "c"})})
		if err != nil {
			return "", err.Error()
		}
		return string(b), ""
	}
	a := w.api()
	z, err := w.CreateAuthorizer(ctx, &api.CreateAuthorizerInput{ApiId: a.ApiId, Name: aws.String("pair"), AuthorizerType: types.AuthorizerTypeRequest,
		AuthorizerUri: aws.String(functionARN + "pair"), AuthorizerPayloadFormatVersion: aws.String("2.0"), EnableSimpleResponses: aws.Bool(true),
		AuthorizerResultTtlInSeconds: aws.Int32(60), IdentitySource: []string{"$request.header.Authorization", "$request.querystring.tenant"}})
	must(t, z, err)
	r, err := w.CreateRoute(ctx, &api.CreateRouteInput{ApiId: a.ApiId, RouteKey: aws.String("$default"), Target: w.integration(a.ApiId, "text", "2.0"),
		AuthorizationType: types.AuthorizationTypeCustom, AuthorizerId: z.AuthorizerId})
	must(t, r, err)
	w.stage(a.ApiId, "$default")
	w.expect(w.call("GET", *a.ApiEndpoint+"?tenant=c", "", "Authorization: a/b"), 200, "hello")
	w.expect(w.call("GET", *a.ApiEndpoint+"?tenant=b/c", "", "Authorization: a"), 403, `{"message":"Forbidden"}`)
}

func TestStageSettings(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	logs := cloudwatchlogs.NewFromConfig(w.Config)
	if _, err := logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("calls")}); err != nil {
		t.Fatal(err)
	}
	a := w.api(func(in *api.CreateApiInput) {
		in.CorsConfiguration = &types.Cors{AllowOrigins: []string{"http://localhost:3000"}, AllowMethods: []string{"GET"}, AllowHeaders: []string{"x-a"}, MaxAge: aws.Int32(5)}
	})
	target := w.integration(a.ApiId, "text", "2.0")
	w.route(a.ApiId, "GET /", target)
	w.route(a.ApiId, "GET /rare", target)
	w.stage(a.ApiId, "$default", func(in *api.CreateStageInput) {
		in.DefaultRouteSettings = &types.RouteSettings{ThrottlingRateLimit: aws.Float64(1000), ThrottlingBurstLimit: aws.Int32(1000)}
		in.RouteSettings = map[string]types.RouteSettings{"GET /rare": {ThrottlingRateLimit: aws.Float64(0.001), ThrottlingBurstLimit: aws.Int32(2)}}
		in.AccessLogSettings = &types.AccessLogSettings{DestinationArn: aws.String("arn:aws:logs:us-east-1:000000000000:log-group:calls"),
			Format: aws.String(`{"key":"$context.routeKey","status":$context.status,"agent":"$context.identity.userAgent","none":"$context.nothing","ip":"$context.identity.sourceIp"}`)}
	})
	rare := *a.ApiEndpoint + "/rare"
	w.expect(w.call("GET", rare, "", `User-Agent: "quoted"`), 200, "hello")
	w.expect(w.call("GET", rare, ""), 200, "hello")
	w.expect(w.call("GET", rare, ""), 429, `{"message":"Too Many Requests"}`)
	w.expect(w.call("GET", *a.ApiEndpoint, ""), 200, "hello")

	// Of calls at once, the log has each, whichever ends first.
	const many = 60
	var crowd sync.WaitGroup
	for range many {
		crowd.Go(func() { w.expect(w.call("GET", *a.ApiEndpoint, "", "User-Agent: crowd"), 200, "hello") })
	}
	crowd.Wait()

	asked := w.call("OPTIONS", rare, "", "Origin: http://localhost:3000", "Access-Control-Request-Method: GET")
	if h := asked.header; asked.status != 204 || h.Get("Access-Control-Allow-Origin") != "http://localhost:3000" || h.Get("Access-Control-Allow-Methods") != "GET" || h.Get("Access-Control-Max-Age") != "5" {
		t.Errorf("preflight: %+v", asked)
	}
	if got := w.call("GET", *a.ApiEndpoint, "", "Origin: http://localhost:4000"); got.status != 200 || got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another origin: %+v", got)
	}
	want := []string{`{"key":"GET /rare","status":200,"agent":"\"quoted\"","none":"-","ip":"127.0.0.1"}`, `{"key":"GET /rare","status":429,`}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		out, err := logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("calls")})
		if err != nil {
			t.Fatal(err)
		}
		var all string
		for _, e := range out.Events {
			all += *e.Message + "\n"
		}
		if strings.Contains(all, want[0]) && strings.Contains(all, want[1]) && strings.Contains(all, `"agent":"Go-http-client/1.1"`) && strings.Count(all, `"agent":"crowd"`) == many {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the log has\n%s", all)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
