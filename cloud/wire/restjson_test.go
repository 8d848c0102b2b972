package wire_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/wire"
)

// functions is a service of restJson that tells what it was asked.
type functions struct{}

func (functions) Invoke(_ context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	if *in.FunctionName == "none" {
		return nil, &types.ResourceNotFoundException{Message: aws.String("Function not found: none"), Type: aws.String("User")}
	}
	said := strings.Join([]string{*in.FunctionName, string(in.InvocationType), aws.ToString(in.Qualifier), string(in.Payload)}, "|")
	return &lambda.InvokeOutput{StatusCode: 202, FunctionError: aws.String("Unhandled"), Payload: []byte(said)}, nil
}

func (functions) CreateFunction(_ context.Context, in *lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	return &lambda.CreateFunctionOutput{FunctionName: in.FunctionName, MemorySize: in.MemorySize, Environment: &types.EnvironmentResponse{Variables: in.Environment.Variables},
		Description: aws.String(string(in.Code.ZipFile))}, nil
}

func (functions) ListFunctions(_ context.Context, in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
	return &lambda.ListFunctionsOutput{NextMarker: in.Marker, Functions: make([]types.FunctionConfiguration, *in.MaxItems)}, nil
}

func (functions) DeleteFunction(_ context.Context, in *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error) {
	return &lambda.DeleteFunctionOutput{StatusCode: 204}, nil
}

// TestRESTJSON speaks restJson with the SDK's client.
func TestRESTJSON(t *testing.T) {
	t.Parallel()
	server, err := wire.New("lambda", functions{})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(server)
	t.Cleanup(s.Close)
	ctx, client := t.Context(), lambda.New(lambda.Options{Region: "us-east-1", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), RetryMaxAttempts: 1})

	invoked, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("arn:aws:lambda:us-east-1:1:function:f"), InvocationType: types.InvocationTypeEvent,
		Qualifier: aws.String("v 1"), Payload: []byte(`{"a":1}`)})
	if err != nil || invoked.StatusCode != 202 || *invoked.FunctionError != "Unhandled" || string(invoked.Payload) != `arn:aws:lambda:us-east-1:1:function:f|Event|v 1|{"a":1}` {
		t.Errorf("Invoke: %+v %s, %v", invoked, invoked.Payload, err)
	}
	made, err := client.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: aws.String("f"), Role: aws.String("r"), MemorySize: aws.Int32(128),
		Environment: &types.Environment{Variables: map[string]string{"lower": "x", "UPPER": "y"}}, Code: &types.FunctionCode{ZipFile: []byte("zip\x00")}})
	if err != nil || *made.FunctionName != "f" || *made.MemorySize != 128 || made.Environment.Variables["lower"] != "x" || *made.Description != "zip\x00" {
		t.Errorf("CreateFunction: %+v, %v", made, err)
	}
	listed, err := client.ListFunctions(ctx, &lambda.ListFunctionsInput{Marker: aws.String("m"), MaxItems: aws.Int32(2)})
	if err != nil || *listed.NextMarker != "m" || len(listed.Functions) != 2 {
		t.Errorf("ListFunctions: %+v, %v", listed, err)
	}
	if _, err := client.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("f")}); err != nil {
		t.Errorf("DeleteFunction: %v", err)
	}
	_, err = client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("none")})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) || missing.ErrorMessage() != "Function not found: none" || aws.ToString(missing.Type) != "User" {
		t.Errorf("a function that is not there: %v", err)
	}
}

// TestRESTJSONInput sends requests that no SDK would send, and says what each
// gets.
func TestRESTJSONInput(t *testing.T) {
	t.Parallel()
	server, err := wire.New("lambda", functions{})
	if err != nil {
		t.Fatal(err)
	}
	const base = "/2015-03-31/functions"
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		want                     string // in the answer
	}{
		{"an escaped path in a label", "POST", base + "/..%2f..%2fother/invocations", "", 202, "../../other|||"},
		{"steps up are no label of another place", "POST", base + "/f/../g/invocations", "", 405, "MethodNotAllowed"},
		{"an empty label", "POST", base + "//invocations", "", 405, "MethodNotAllowed"},
		{"a label of raw bytes", "POST", base + "/%ff%00/invocations", "", 202, "\xff\x00|||"},
		{"text for a number", "GET", base + "?MaxItems=many", "", 400, "MaxItems"},
		{"a number that is too large", "GET", base + "?MaxItems=99999999999", "", 400, "MaxItems"},
		{"JSON cut short", "POST", base, `{"FunctionName":`, 400, "SerializationException"},
		{"JSON that is a list", "POST", base, `[]`, 400, "SerializationException"},
		{"JSON nested for ever", "POST", base, `{"Code":` + strings.Repeat("[", 1<<16), 400, "SerializationException"},
		{"JSON of another type", "POST", base, `{"Code":{"ZipFile":"no base64!"}}`, 400, "SerializationException"},
		{"a body without end", "POST", base, `{"FunctionName":"` + strings.Repeat("x", 67<<20), 413, "RequestEntityTooLargeException"},
		{"another date", "GET", "/2014-11-13/functions", "", 405, "MethodNotAllowed"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body))
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String()+w.Header().Get("X-Amzn-Errortype"), c.want) {
			t.Errorf("%s: %d %.200s %v; want %d with %q", c.name, w.Code, w.Body, w.Header(), c.status, c.want)
		}
	}
}
