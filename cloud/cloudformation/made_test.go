package cloudformation_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"ouro/cloud/cloudformation/resource"
)

// TestMade: what a killed process made and could not note is found by its tags,
// and not made again.
func TestMade(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	body := map[string]any{"openapi": "3.0.1", "info": map[string]any{"title": "t", "version": "1"}, "paths": map[string]any{}}
	for _, c := range []struct {
		kind       string
		properties map[string]any
	}{
		{"AWS::KMS::Key", map[string]any{"Description": "d", "EnableKeyRotation": true}},
		{"AWS::KMS::Key", map[string]any{"Enabled": false}},
		{"AWS::ApiGateway::RestApi", map[string]any{"Name": "rest"}},
		{"AWS::ApiGateway::RestApi", map[string]any{"Body": body, "Mode": "overwrite"}},
		{"AWS::ApiGatewayV2::Api", map[string]any{"Name": "http", "ProtocolType": "HTTP", "Target": "https://example.com"}},
		{"AWS::ApiGatewayV2::Api", map[string]any{"Body": body}},
	} {
		kind := resource.NewTable()[c.kind]
		request := func(logical string, retry bool, since time.Time) *resource.Request {
			return &resource.Request{Clients: &resource.Clients{Config: w.Config}, Account: "000000000000", Region: "us-east-1", Partition: "aws", Properties: c.properties, Retry: retry, Since: since,
				Tags: map[string]string{"aws:cloudformation:stack-id": "stack", "aws:cloudformation:stack-name": "s", "aws:cloudformation:logical-id": logical}}
		}
		make := func(r *resource.Request) string {
			t.Helper()
			made, err := kind.Create(ctx, r)
			if err != nil {
				t.Fatalf("%s %v: %v", c.kind, c.properties, err)
			}
			return made.Physical
		}
		began := time.Now()
		logical := resource.NewSuffix()
		first := make(request(logical, false, began))
		if again := make(request(logical, true, began)); again != first {
			t.Errorf("%s %v: it is made again", c.kind, c.properties)
		}
		if other := make(request("other"+logical, true, began)); other == first {
			t.Errorf("%s %v: another resource's is taken", c.kind, c.properties)
		}
		if next := make(request(logical, true, began.Add(time.Hour))); next == first {
			t.Errorf("%s %v: an older one is taken", c.kind, c.properties)
		}
	}
}

// mortal is a client of a process that dies: of its last call the answer is lost,
// and it makes no further one.
type mortal struct{ left int }

func (m *mortal) Do(r *http.Request) (*http.Response, error) {
	if m.left--; m.left < 0 {
		return nil, errDead
	}
	out, err := http.DefaultClient.Do(r)
	if err == nil && m.left == 0 {
		return nil, errors.Join(errDead, out.Body.Close())
	}
	return out, err
}

var errDead = errors.New("the process is dead")

// TestMadeOnce: wherever a process dies that makes something, the next one goes on
// with what there is of it.
func TestMadeOnce(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	keys, rest, web := kms.NewFromConfig(w.Config), apigateway.NewFromConfig(w.Config), apigatewayv2.NewFromConfig(w.Config)
	count := map[string]func() (int, error){
		"AWS::KMS::Key": func() (int, error) {
			out, err := keys.ListKeys(ctx, &kms.ListKeysInput{})
			return len(out.Keys), err
		},
		"AWS::ApiGateway::RestApi": func() (int, error) {
			out, err := rest.GetRestApis(ctx, &apigateway.GetRestApisInput{})
			return len(out.Items), err
		},
		"AWS::ApiGatewayV2::Api": func() (int, error) {
			out, err := web.GetApis(ctx, &apigatewayv2.GetApisInput{})
			return len(out.Items), err
		},
	}
	body := map[string]any{"openapi": "3.0.1", "info": map[string]any{"title": "t", "version": "1"}, "paths": map[string]any{"/a": map[string]any{"get": map[string]any{
		"responses": map[string]any{"200": map[string]any{"description": "well"}}, "x-amazon-apigateway-integration": map[string]any{"type": "http_proxy", "httpMethod": "GET", "uri": "https://example.com", "payloadFormatVersion": "1.0"}}}}}
	for _, c := range []struct {
		kind       string
		properties map[string]any
	}{
		{"AWS::KMS::Key", map[string]any{"Description": "d", "EnableKeyRotation": true}},
		{"AWS::ApiGateway::RestApi", map[string]any{"Name": "rest"}},
		{"AWS::ApiGateway::RestApi", map[string]any{"Name": "rest", "Description": "d", "Body": body}},
		{"AWS::ApiGateway::RestApi", map[string]any{"Body": body, "Mode": "merge"}},
		{"AWS::ApiGatewayV2::Api", map[string]any{"Name": "http", "ProtocolType": "HTTP", "Target": "https://example.com"}},
		{"AWS::ApiGatewayV2::Api", map[string]any{"Body": body}},
	} {
		kind, alive := resource.NewTable()[c.kind], false
		for calls := 1; !alive; calls++ {
			logical, began := resource.NewSuffix(), time.Now()
			request := func(m *mortal, retry bool) *resource.Request {
				cfg := w.Config.Copy()
				cfg.RetryMaxAttempts = 1
				if m != nil {
					cfg.HTTPClient = m
				}
				return &resource.Request{Clients: &resource.Clients{Config: cfg}, Account: "000000000000", Region: "us-east-1", Partition: "aws", Properties: c.properties, Retry: retry, Since: began,
					Tags: map[string]string{"aws:cloudformation:stack-id": "stack", "aws:cloudformation:stack-name": "s", "aws:cloudformation:logical-id": logical}}
			}
			before, err := count[c.kind]()
			if err != nil {
				t.Fatal(err)
			}
			if _, err = kind.Create(ctx, request(&mortal{calls}, false)); err == nil {
				alive = true
			} else if !errors.Is(err, errDead) {
				t.Fatalf("%s %v: %v", c.kind, c.properties, err)
			}
			if _, err := kind.Create(ctx, request(nil, true)); err != nil {
				t.Fatalf("%s %v, after %d calls: %v", c.kind, c.properties, calls, err)
			}
			after, err := count[c.kind]()
			if err != nil || after != before+1 {
				t.Errorf("%s %v, after %d calls: it is made %d times: %v", c.kind, c.properties, calls, after-before, err)
			}
		}
	}
	out, err := rest.GetRestApis(ctx, &apigateway.GetRestApisInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range out.Items {
		if *a.Name != "rest" && *a.Name != "t" || a.Tags["aws:cloudformation:stack-id"] != "stack" {
			t.Errorf("an API is called %s, with the tags %v", *a.Name, a.Tags)
		}
	}
}
