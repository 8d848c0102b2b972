package lambda_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	lambdaapi "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	smithy "github.com/aws/smithy-go"

	"ouro/cloud/cloudtest/tool"
)

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
	tool.Find(t, "python3")
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
