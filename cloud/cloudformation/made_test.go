package cloudformation_test

import (
	"testing"
	"time"

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
