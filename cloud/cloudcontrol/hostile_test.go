package cloudcontrol_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/smithy-go"
)

// content is a document of AWS::SSM::Document, which may hold any JSON.
func content(value string) string { return `{"Name":"d","Content":{"a":` + value + `}}` }

// TestDeepDocuments: what is answered as made can be read again, however deep
// it is nested; deeper ones are refused, and so are patches that deepen.
func TestDeepDocuments(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	document := aws.String("AWS::SSM::Document")
	_, err := c.CreateResource(t.Context(), &sdk.CreateResourceInput{TypeName: document, DesiredState: aws.String(content(nested(9_990)))})
	if got := code(err); !strings.HasPrefix(got, "ValidationException: ") {
		t.Errorf("a deep document: %v", err)
	}
	id, _ := create(t, c, *document, content(nested(100)))
	_, err = c.UpdateResource(t.Context(), &sdk.UpdateResourceInput{TypeName: document, Identifier: &id, PatchDocument: aws.String(
		`[{"op":"add","path":"/Content/a` + strings.Repeat("/0", 99) + `/-","value":` + nested(100) + `}]`)})
	if got := code(err); !strings.HasPrefix(got, "ValidationException: Invalid patch update: ") {
		t.Errorf("a patch that deepens: %v", err)
	}
	if _, err := c.ListResources(t.Context(), &sdk.ListResourcesInput{TypeName: document}); err != nil {
		t.Errorf("the documents cannot be listed any more: %v", err)
	}
}

// TestLargePatches: a patch makes no more of a resource than a resource may be,
// and many operations on a long list do not copy it each time.
func TestLargePatches(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	id, _ := create(t, client, "AWS::SSM::Document", content(`[`+strings.TrimSuffix(strings.Repeat("0,", 60_000), ",")+`,"`+strings.Repeat("x", 100_000)+`"]`))
	repeated := func(op string, n int) string { return "[" + strings.TrimSuffix(strings.Repeat(op+",", n), ",") + "]" }
	for _, c := range []struct{ name, patch, want string }{
		{"copies of a long text", repeated(`{"op":"copy","from":"/Content/a/60000","path":"/Content/b"}`, 3_000),
			"ValidationException: Invalid patch update: copy /Content/b: the copies grow too large"},
		{"long values", `[{"op":"add","path":"/Content/b","value":"` + strings.Repeat("y", 200_000) + `"}]`,
			"ValidationException: Invalid patch update: the properties would have more than 262144 bytes"},
		{"insertions", repeated(`{"op":"add","path":"/Content/a/0","value":1}`, 5_000), ""},
	} {
		_, err := client.UpdateResource(t.Context(), &sdk.UpdateResourceInput{TypeName: aws.String("AWS::SSM::Document"), Identifier: &id, PatchDocument: &c.patch})
		if got := code(err); got != c.want {
			t.Errorf("%s: %.300v", c.name, err)
		}
	}
}

// TestManyViolations: an answer tells of some violations, not of all, and a long
// key is not written out for every value below it.
func TestManyViolations(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for name, state := range map[string]string{
		"a union": `{"Rules":[` + strings.TrimSuffix(strings.Repeat(`{"Name":1},`, 20_000), ",") + `]}`,
		"a key":   `{"Parameters":{"` + strings.Repeat("k", 100_000) + `":[` + strings.TrimSuffix(strings.Repeat("1,", 70_000), ",") + `]}}`,
	} {
		typeName := map[string]string{"a union": "AWS::WAFv2::WebACL", "a key": "AWS::SSM::Association"}[name]
		_, err := c.CreateResource(t.Context(), &sdk.CreateResourceInput{TypeName: &typeName, DesiredState: &state})
		if got := code(err); !strings.HasPrefix(got, "ValidationException: Model validation failed") || len(got) > 3_000_000 {
			t.Errorf("%s: %d bytes: %.300s", name, len(got), fmt.Sprint(err))
		}
	}
}

// TestTrailingText: more than one document is none.
func TestTrailingText(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	_, err := c.CreateResource(t.Context(), &sdk.CreateResourceInput{TypeName: aws.String("AWS::SQS::Queue"), DesiredState: aws.String(`{} {"QueueName":"q"}`)})
	if got := code(err); !strings.HasPrefix(got, "ValidationException: Invalid JSON in desiredState") {
		t.Errorf("two documents: %v", err)
	}
}

// code is an error as AWS's code and message.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return ""
}
