package lambda_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	lambdaapi "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	smithy "github.com/aws/smithy-go"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
	"ouro/cloud/lambda"
)

// needs skips a test where a program is missing.
func needs(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("OURO_REQUIRE_TOOLS") != "" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("%s is not installed", program)
}

func (w *world) invoke(in *lambdaapi.InvokeInput) *lambdaapi.InvokeOutput {
	w.t.Helper()
	out, err := w.api.Invoke(w.t.Context(), in)
	if err != nil {
		w.t.Fatalf("invoking %s: %v", *in.FunctionName, err)
	}
	return out
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited for a minute: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// logged is what a log group says.
func (w *world) logged(group string) string {
	out, err := cloudwatchlogs.NewFromConfig(w.Config).FilterLogEvents(w.t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, e := range out.Events {
		b.WriteString(*e.Message + "\n")
	}
	return b.String()
}

const teller = `import os, json
import lib
calls = 0
def handler(event, context):
    global calls
    calls += 1
    print("hello from", context.function_version)
    if event.get("fail"):
        raise ValueError("as told")
    return {"event": event, "colour": os.environ["COLOUR"], "lib": lib.NAME, "text": open("/opt/text").read() if os.path.exists("/opt/text") else lib.NAME,
            "arn": context.invoked_function_arn, "key": os.environ["AWS_ACCESS_KEY_ID"][:4], "calls": calls,
            "client": context.client_context.custom if context.client_context else None}
`

func TestInvoke(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	w, ctx := newWorld(t), t.Context()
	l := w.layer("lib", `NAME = "one"`)
	name := aws.String("teller")
	w.python("teller", teller, func(in *lambdaapi.CreateFunctionInput) {
		in.Layers, in.Timeout = []string{*l.LayerVersionArn}, aws.Int32(60)
		in.Environment = &types.Environment{Variables: map[string]string{"COLOUR": "blue"}}
	})

	t.Run("and waits", func(t *testing.T) {
		client := base64.StdEncoding.EncodeToString([]byte(`{"custom":{"k":"v"}}`))
		out := w.invoke(&lambdaapi.InvokeInput{FunctionName: name, Payload: []byte(`{"a":1}`), LogType: types.LogTypeTail, ClientContext: &client})
		var got struct {
			Event            map[string]int
			Colour, Lib, Arn string
			Key              string
			Client           map[string]string
		}
		if err := json.Unmarshal(out.Payload, &got); err != nil {
			t.Fatalf("%s: %v", out.Payload, err)
		}
		if got.Event["a"] != 1 || got.Colour != "blue" || got.Lib != "one" || got.Arn != prefix+"function:teller" || got.Key != "ASIA" || got.Client["k"] != "v" {
			t.Errorf("%s", out.Payload)
		}
		tail, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
		if err != nil || out.StatusCode != 200 || aws.ToString(out.ExecutedVersion) != "$LATEST" || out.FunctionError != nil || !strings.Contains(string(tail), "hello from $LATEST") {
			t.Errorf("%+v, %v, %s", out, err, tail)
		}
		if said := w.logged("/aws/lambda/teller"); !strings.Contains(said, "hello from $LATEST") || !strings.Contains(said, "REPORT RequestId: ") {
			t.Errorf("log: %s", said)
		}
	})
	t.Run("a version and an alias", func(t *testing.T) {
		if _, err := w.api.PublishVersion(ctx, &lambdaapi.PublishVersionInput{FunctionName: name}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.api.CreateAlias(ctx, &lambdaapi.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1")}); err != nil {
			t.Fatal(err)
		}
		out := w.invoke(&lambdaapi.InvokeInput{FunctionName: name, Qualifier: aws.String("live")})
		if aws.ToString(out.ExecutedVersion) != "1" || !strings.Contains(string(out.Payload), `"arn": "`+prefix+`function:teller:live"`) || !strings.Contains(string(out.Payload), `"event": {}`) {
			t.Errorf("%+v %s", out, out.Payload)
		}
	})
	t.Run("that fails", func(t *testing.T) {
		out := w.invoke(&lambdaapi.InvokeInput{FunctionName: name, Payload: []byte(`{"fail":true}`)})
		if aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), `"errorMessage": "as told"`) || !strings.Contains(string(out.Payload), `"ValueError"`) {
			t.Errorf("%+v %s", out, out.Payload)
		}
	})
	t.Run("only in words", func(t *testing.T) {
		if out := w.invoke(&lambdaapi.InvokeInput{FunctionName: name, InvocationType: types.InvocationTypeDryRun}); out.StatusCode != 204 || len(out.Payload) > 0 {
			t.Errorf("%+v", out)
		}
		_, err := w.api.Invoke(ctx, &lambdaapi.InvokeInput{FunctionName: aws.String("none"), InvocationType: types.InvocationTypeDryRun})
		refused(t, err, "ResourceNotFoundException", "Function not found: "+prefix+"function:none")
	})
	t.Run("with a payload that is refused", func(t *testing.T) {
		_, err := w.api.Invoke(ctx, &lambdaapi.InvokeInput{FunctionName: name, Payload: []byte(`{"a":`)})
		refused(t, err, "InvalidRequestContentException", "Could not parse request body into json")
		large := []byte(`"` + strings.Repeat("x", 6<<20) + `"`)
		_, err = w.api.Invoke(ctx, &lambdaapi.InvokeInput{FunctionName: name, Payload: large})
		refused(t, err, "RequestEntityTooLargeException", "Request must be smaller than 6291456 bytes for the InvokeFunction operation")
		_, err = w.api.Invoke(ctx, &lambdaapi.InvokeInput{FunctionName: name, Payload: large[:2<<20], InvocationType: types.InvocationTypeEvent})
		refused(t, err, "InvalidRequestContentException", "")
		_, err = w.api.Invoke(ctx, &lambdaapi.InvokeInput{FunctionName: name, Payload: []byte(`"` + strings.Repeat("x", 1<<20) + `"`), InvocationType: types.InvocationTypeEvent})
		refused(t, err, "RequestEntityTooLargeException", "1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)")
	})
	t.Run("more often than it may", func(t *testing.T) {
		if _, err := w.api.PutFunctionConcurrency(ctx, &lambdaapi.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: aws.Int32(0)}); err != nil {
			t.Fatal(err)
		}
		_, err := w.api.Invoke(ctx, &lambdaapi.InvokeInput{FunctionName: name}, func(o *lambdaapi.Options) { o.RetryMaxAttempts = 1 })
		refused(t, err, "TooManyRequestsException", "Rate Exceeded.")
		if _, err := w.api.DeleteFunctionConcurrency(ctx, &lambdaapi.DeleteFunctionConcurrencyInput{FunctionName: name}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("of what was changed last", func(t *testing.T) {
		// What a changed function says: the version that ran and its variable, or the error.
		says := func(qualifier string) string {
			out, err := w.api.Invoke(ctx, &lambdaapi.InvokeInput{FunctionName: name, Qualifier: &qualifier})
			if failed := smithy.APIError(nil); errors.As(err, &failed) {
				return failed.ErrorCode()
			}
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Colour, Lib string }
			_ = json.Unmarshal(out.Payload, &got) // another code answers with nothing
			return aws.ToString(out.ExecutedVersion) + got.Colour + got.Lib
		}
		l2 := w.layer("lib", `NAME = "two"`)
		for _, c := range []struct {
			what            string
			change          func() error
			qualifier, says string
		}{
			{"nothing", func() error { return nil }, "$LATEST", "$LATESTblueone"},
			{"a variable", func() error {
				_, err := w.api.UpdateFunctionConfiguration(ctx, &lambdaapi.UpdateFunctionConfigurationInput{FunctionName: name, Environment: &types.Environment{Variables: map[string]string{"COLOUR": "red"}}})
				return err
			}, "$LATEST", "$LATESTredone"},
			{"a layer", func() error {
				_, err := w.api.UpdateFunctionConfiguration(ctx, &lambdaapi.UpdateFunctionConfigurationInput{FunctionName: name, Layers: []string{*l2.LayerVersionArn}})
				return err
			}, "$LATEST", "$LATESTredtwo"},
			{"nothing of the alias", func() error { return nil }, "live", "1blueone"},
			{"a version", func() error {
				_, err := w.api.PublishVersion(ctx, &lambdaapi.PublishVersionInput{FunctionName: name})
				return err
			}, "2", "2redtwo"},
			{"the alias", func() error {
				_, err := w.api.UpdateAlias(ctx, &lambdaapi.UpdateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("2")})
				return err
			}, "live", "2redtwo"},
			{"the alias's weights", func() error {
				_, err := w.api.UpdateAlias(ctx, &lambdaapi.UpdateAliasInput{FunctionName: name, Name: aws.String("live"), RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"1": 1}}})
				return err
			}, "live", "1blueone"},
			{"the alias, which goes", func() error {
				_, err := w.api.DeleteAlias(ctx, &lambdaapi.DeleteAliasInput{FunctionName: name, Name: aws.String("live")})
				return err
			}, "live", "ResourceNotFoundException"},
			{"a version, which goes", func() error {
				_, err := w.api.DeleteFunction(ctx, &lambdaapi.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("2")})
				return err
			}, "2", "ResourceNotFoundException"},
			{"code", func() error {
				_, err := w.api.UpdateFunctionCode(ctx, &lambdaapi.UpdateFunctionCodeInput{FunctionName: name, ZipFile: zipped(t, map[string]string{"app.py": "def handler(event, context):\n    return {'colour': 'green'}\n"})})
				return err
			}, "$LATEST", "$LATESTgreen"},
		} {
			if err := c.change(); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			if got := says(c.qualifier); got != c.says {
				t.Errorf("after a change of %s: %q, want %q", c.what, got, c.says)
			}
		}
	})
	t.Run("of a runtime that is not here", func(t *testing.T) {
		w.python("java", nothingMuch, func(in *lambdaapi.CreateFunctionInput) { in.Runtime = types.RuntimeJava21 })
		_, err := w.api.Invoke(ctx, &lambdaapi.InvokeInput{FunctionName: aws.String("java")})
		refused(t, err, "InvalidRuntimeException", `not of the runtime "java21"`)
		if _, err := w.api.CreateFunction(ctx, &lambdaapi.CreateFunctionInput{FunctionName: aws.String("image"), Role: &w.role, PackageType: types.PackageTypeImage,
			Code: &types.FunctionCode{ImageUri: aws.String("000000000000.dkr.ecr.us-east-1.amazonaws.com/x:1")}}); err != nil {
			t.Fatal(err)
		}
		_, err = w.api.Invoke(ctx, &lambdaapi.InvokeInput{FunctionName: aws.String("image")})
		refused(t, err, "InvalidRuntimeException", "the local cloud keeps functions of container images and does not run them")
	})
}

// TestEvents has functions run in the background.
func TestEvents(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
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
	needs(t, "python3")
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
