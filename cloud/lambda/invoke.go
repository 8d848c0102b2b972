package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/lambda/runner"
)

// AWS's bounds on payloads, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxPayload = 6 << 20
	maxEvent   = 1 << 20 // of an asynchronous invocation
	maxContext = 3583    // the client's, in base64
)

// readRequest checks what both ways to invoke have alike.
func (s *Service) readRequest(ctx context.Context, name, qualifier, client *string, payload []byte) (request, error) {
	t, err := locate(ctx, name, qualifier)
	if err == nil {
		err = s.permit(ctx, t, "lambda:InvokeFunction")
	}
	if err != nil {
		return request{}, err
	}
	q := request{id: s.host.NewID(), target: t, payload: payload}
	switch {
	case len(payload) > maxPayload:
		return q, oversized("Request must be smaller than %d bytes for the InvokeFunction operation", maxPayload)
	case len(payload) == 0:
		q.payload = []byte("{}")
	case !json.Valid(payload):
		var v any
		return q, badContent("Could not parse request body into json: " + json.Unmarshal(payload, &v).Error())
	}
	if client != nil {
		text, err := base64.StdEncoding.DecodeString(*client)
		if err != nil || len(*client) > maxContext || !json.Valid(text) {
			return q, badContent("Client context must be a valid Base64-encoded JSON object.")
		}
		q.context = string(text)
	}
	return q, nil
}

func badContent(message string) error {
	return &types.InvalidRequestContentException{Message: &message, Type: aws.String(user)}
}

// Invoke runs a function and waits for it, or takes an event for it, or only
// checks whether it could.
func (s *Service) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	var v violations
	among(&v, "invocationType", in.InvocationType, in.InvocationType.Values())
	among(&v, "logType", in.LogType, in.LogType.Values())
	if err := v.err(); err != nil {
		return nil, err
	}
	switch {
	case in.DurableExecutionName != nil:
		return nil, invalid("the local cloud has no durable functions")
	case in.TenantId != nil:
		return nil, invalid("the local cloud has no tenant isolation of functions")
	}
	q, err := s.readRequest(ctx, in.FunctionName, in.Qualifier, in.ClientContext, in.Payload)
	if err != nil {
		return nil, err
	}
	switch in.InvocationType {
	case types.InvocationTypeDryRun:
		if _, err := s.plan(ctx, q.target); err != nil {
			return nil, err
		}
		return &lambda.InvokeOutput{StatusCode: 204}, nil
	case types.InvocationTypeEvent:
		return &lambda.InvokeOutput{StatusCode: 202}, s.accept(ctx, q)
	}
	// As on AWS, a client that gives up does not end the function.
	ran, res, err := s.run(context.WithoutCancel(ctx), q)
	if err != nil {
		return nil, err
	}
	out := &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: ran.Config.Version, Payload: res.Payload, FunctionError: optional(res.FunctionError)}
	if in.LogType == types.LogTypeTail {
		out.LogResult = aws.String(tail(res))
	}
	return out, nil
}

// tail is the end of an invocation's log as headers carry it.
func tail(res runner.Result) string { return base64.StdEncoding.EncodeToString(res.LogTail) }
