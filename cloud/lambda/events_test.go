package lambda_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	lambdaapi "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
	"ouro/cloud/cloudtest/tool"
	"ouro/cloud/lambda"
)

// TestEvents has functions run in the background.
func TestEvents(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	c := cloudtest.StartWith(t, cloud.Options{Dir: t.TempDir(), Lambda: lambda.Options{Pause: time.Millisecond}})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	w, ctx := furnish(t, c), t.Context()
	w.python("sink", "def handler(event, context):\n    print('SUNK', __import__('json').dumps(event))\n")
	w.python("flaky", "def handler(event, context):\n    print('TRY', context.aws_request_id)\n    if event['fail']:\n        raise Exception('no')\n    return 'done'\n")
	bus := eventbridge.NewFromConfig(w.Config)
	rule, err := bus.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(`{"source":["lambda"]}`)})
	if err != nil {
		t.Fatal(err)
	}
	logs := cloudwatchlogs.NewFromConfig(w.Config)
	if _, err := logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/aws/events/all")}); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []eventtypes.Target{{Id: aws.String("t"),
		Arn: aws.String("arn:aws:logs:us-east-1:000000000000:log-group:/aws/events/all")}}}); err != nil {
		t.Fatal(err, *rule.RuleArn)
	}
	if _, err := w.api.PutFunctionEventInvokeConfig(ctx, &lambdaapi.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("flaky"), DestinationConfig: &types.DestinationConfig{
		OnSuccess: &types.OnSuccess{Destination: aws.String("arn:aws:events:us-east-1:000000000000:event-bus/default")},
		OnFailure: &types.OnFailure{Destination: aws.String(prefix + "function:sink")}}}); err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{`{"fail":true}`, `{"fail":false}`} {
		if out := w.invoke(&lambdaapi.InvokeInput{FunctionName: aws.String("flaky"), InvocationType: types.InvocationTypeEvent, Payload: []byte(payload)}); out.StatusCode != 202 {
			t.Errorf("%+v", out)
		}
	}
	eventually(t, "the failure reaches its destination", func() bool { return strings.Contains(w.logged("/aws/lambda/sink"), "SUNK") })
	sunk := w.logged("/aws/lambda/sink")
	for _, part := range []string{`"condition": "RetriesExhausted"`, `"approximateInvokeCount": 3`, `"requestPayload": {"fail": true}`, `"functionError": "Unhandled"`, `"errorMessage": "no"`,
		`"functionArn": "` + prefix + `function:flaky:$LATEST"`} {
		if !strings.Contains(sunk, part) {
			t.Errorf("no %s in %s", part, sunk)
		}
	}
	eventually(t, "the success reaches its destination", func() bool {
		return strings.Contains(w.logged("/aws/events/all"), "Lambda Function Invocation Result - Success")
	})
	if tries := strings.Count(w.logged("/aws/lambda/flaky"), "TRY"); tries != 4 {
		t.Errorf("%d attempts, want 3 and 1", tries)
	}
}

// TestEventsOutlive takes an event up that another process left.
func TestEventsOutlive(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	dir := t.TempDir()
	first := cloudtest.StartWith(t, cloud.Options{Dir: dir})
	w := furnish(t, first)
	w.python("f", "def handler(event, context):\n    print('GOT', event['a'], context.client_context.custom['token'])\n")
	name := aws.String("f")
	secret := `{"custom":{"token":"very secret"}}`
	client := base64.StdEncoding.EncodeToString([]byte(secret))
	// It is throttled until the first process has ended.
	if _, err := w.api.PutFunctionConcurrency(t.Context(), &lambdaapi.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: aws.Int32(0)}); err != nil {
		t.Fatal(err)
	}
	w.invoke(&lambdaapi.InvokeInput{FunctionName: name, InvocationType: types.InvocationTypeEvent, Payload: []byte(`{"a":"it"}`), ClientContext: &client})
	// However many events wait, few goroutines do.
	w.python("many", "def handler(event, context):\n    pass\n")
	many := aws.String("many")
	if _, err := w.api.PutFunctionConcurrency(t.Context(), &lambdaapi.PutFunctionConcurrencyInput{FunctionName: many, ReservedConcurrentExecutions: aws.Int32(0)}); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		w.invoke(&lambdaapi.InvokeInput{FunctionName: many, InvocationType: types.InvocationTypeEvent})
	}
	stacks := make([]byte, 4<<20)
	if n := bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("lambda.(*worker).")); n > 60 {
		t.Errorf("%d goroutines for 201 events of two functions", n)
	}
	if _, err := w.api.DeleteFunction(t.Context(), &lambdaapi.DeleteFunctionInput{FunctionName: many}); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"state.db", "state.db-wal"} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(client)) || bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s has the client's context in the clear", file)
		}
	}
	second := cloudtest.Start(t, dir, "")
	defer second.Close()
	if _, err := lambdaapi.NewFromConfig(second.Config).DeleteFunctionConcurrency(t.Context(), &lambdaapi.DeleteFunctionConcurrencyInput{FunctionName: name}); err != nil {
		t.Fatal(err)
	}
	w.Cloud = second
	eventually(t, "the event is handled", func() bool { return strings.Contains(w.logged("/aws/lambda/f"), "GOT it very secret") })
}
