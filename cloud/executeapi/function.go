package executeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// principal is who calls functions.
const principal = "apigateway.amazonaws.com"

// ErrFunction says that a function failed, and not that it was not reached.
var ErrFunction = errors.New("the function failed")

// FunctionError is how a function failed.
type FunctionError struct {
	Kind    string // Handled or Unhandled
	Message string
}

func (e *FunctionError) Error() string { return ErrFunction.Error() + ": " + e.Kind + ": " + e.Message }

// Is tells that it is ErrFunction.
func (e *FunctionError) Is(target error) bool { return target == ErrFunction }

// FunctionARN is the function that an integration's URI means: its ARN, or the
// path of its invocation.
//
//	arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations
func FunctionARN(uri string) (arn string, ok bool) {
	if _, rest, found := strings.Cut(uri, ":lambda:path/"); found {
		_, rest, _ = strings.Cut(rest, "/functions/")
		uri, ok = strings.CutSuffix(rest, "/invocations")
		if !ok {
			return "", false
		}
	}
	parts := strings.SplitN(uri, ":", 7)
	return uri, len(parts) == 7 && parts[2] == "lambda" && parts[5] == "function"
}

// Invoke calls a function and waits for its answer: as API Gateway itself, or
// as a role if there is one.
func Invoke(ctx context.Context, host door.Host, at store.Scope, uri, role string, event any) ([]byte, error) {
	arn, ok := FunctionARN(uri)
	if !ok {
		return nil, fmt.Errorf("%q names no function", uri)
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("write the event for %s: %w", arn, err)
	}
	caller := door.Caller{Account: at.Account, Region: strings.Split(arn, ":")[3], Service: principal}
	cfg := host.As(caller)
	if role != "" {
		cfg = host.Assume(caller, role, "BackplaneAssumeRoleSession")
	}
	out, err := lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{FunctionName: &arn, Payload: payload})
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", arn, err)
	}
	if aws.ToString(out.FunctionError) != "" {
		var said struct {
			Message string `json:"errorMessage"`
		}
		if err := json.Unmarshal(out.Payload, &said); err != nil {
			said.Message = "" // not every failure has one
		}
		return nil, &FunctionError{*out.FunctionError, said.Message}
	}
	return out.Payload, nil
}

// Substitute puts stage variables into a URI.
func Substitute(uri string, variables map[string]string) string {
	for name, value := range variables {
		uri = strings.ReplaceAll(uri, "${stageVariables."+name+"}", value)
	}
	return uri
}
