package lambda_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	lambdaapi "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
	"ouro/cloud/cloudtest/tool"
	"ouro/cloud/lambda"
)

func str(s string) *string { return &s }

// sink makes a function that writes into its log what it got, and that the
// services may call.
func (w *world) sink(name string, services ...string) {
	w.t.Helper()
	w.python(name, "import json\ndef handler(event, context):\n    print('SUNK', json.dumps(event))\n")
	for i, service := range services {
		if _, err := w.api.AddPermission(w.t.Context(), &lambdaapi.AddPermissionInput{FunctionName: &name, StatementId: str(fmt.Sprint("call", i)), Action: str("lambda:InvokeFunction"), Principal: &service}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// sunk waits until a sink got something with all the parts in it.
func (w *world) sunk(name string, parts ...string) {
	w.t.Helper()
	eventually(w.t, fmt.Sprintf("%s gets %q", name, parts), func() bool {
		for line := range strings.SplitSeq(w.logged("/aws/lambda/"+name), "\n") {
			missing := !strings.Contains(line, "SUNK")
			for _, part := range parts {
				missing = missing || !strings.Contains(line, part)
			}
			if !missing {
				return true
			}
		}
		return false
	})
}

func (w *world) topic(name, publisher string) string {
	w.t.Helper()
	api := sns.NewFromConfig(w.Config)
	made, err := api.CreateTopic(w.t.Context(), &sns.CreateTopicInput{Name: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + publisher + `"},"Action":"sns:Publish","Resource":"` + *made.TopicArn + `"}]}`
	if _, err := api.SetTopicAttributes(w.t.Context(), &sns.SetTopicAttributesInput{TopicArn: made.TopicArn, AttributeName: str("Policy"), AttributeValue: &policy}); err != nil {
		w.t.Fatal(err)
	}
	return *made.TopicArn
}

func (w *world) subscribe(topic, function string) {
	w.t.Helper()
	if _, err := sns.NewFromConfig(w.Config).Subscribe(w.t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: str("lambda"), Endpoint: str(prefix + "function:" + function)}); err != nil {
		w.t.Fatal(err)
	}
}

// TestSources has buckets, topics and schedules call functions.
func TestSources(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	var ahead atomic.Int64
	c := cloudtest.StartWith(t, cloud.Options{Dir: t.TempDir(), Lambda: lambda.Options{Pause: time.Millisecond}, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	w, ctx := furnish(t, c), t.Context()
	w.sink("sink", "s3.amazonaws.com", "sns.amazonaws.com", "events.amazonaws.com")
	topic := w.topic("told", "s3.amazonaws.com")
	w.subscribe(topic, "sink")
	buckets := s3.NewFromConfig(w.Config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := buckets.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: str("teller")}); err != nil {
		t.Fatal(err)
	}

	t.Run("a bucket, by itself and by a topic", func(t *testing.T) {
		if _, err := buckets.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: str("teller"), NotificationConfiguration: &s3types.NotificationConfiguration{
			LambdaFunctionConfigurations: []s3types.LambdaFunctionConfiguration{{LambdaFunctionArn: str(prefix + "function:sink"), Events: []s3types.Event{s3types.EventS3ObjectCreated}}},
			TopicConfigurations:          []s3types.TopicConfiguration{{TopicArn: &topic, Events: []s3types.Event{s3types.EventS3ObjectRemoved}}}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := buckets.PutObject(ctx, &s3.PutObjectInput{Bucket: str("teller"), Key: str("a key"), Body: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
		if _, err := buckets.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: str("teller"), Key: str("a key")}); err != nil {
			t.Fatal(err)
		}
		w.sunk("sink", `"eventSource": "aws:s3"`, `"eventName": "ObjectCreated:Put"`, `"key": "a+key"`, `"size": 1`)
		w.sunk("sink", `"EventSource": "aws:sns"`, `"Subject": "Amazon S3 Notification"`, `\"eventName\":\"ObjectRemoved:Delete\"`)
	})
	t.Run("a topic", func(t *testing.T) {
		if _, err := sns.NewFromConfig(w.Config).Publish(ctx, &sns.PublishInput{TopicArn: &topic, Message: str("by hand"), Subject: str("look")}); err != nil {
			t.Fatal(err)
		}
		w.sunk("sink", `"EventSource": "aws:sns"`, `"Message": "by hand"`, `"Subject": "look"`, `"TopicArn": "`+topic+`"`)
	})
	t.Run("a schedule", func(t *testing.T) {
		bus := eventbridge.NewFromConfig(w.Config)
		if _, err := bus.PutRule(ctx, &eventbridge.PutRuleInput{Name: str("often"), ScheduleExpression: str("rate(1 hour)")}); err != nil {
			t.Fatal(err)
		}
		if _, err := bus.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: str("often"), Targets: []eventtypes.Target{{Id: str("plain"), Arn: str(prefix + "function:sink")},
			{Id: str("own"), Arn: str(prefix + "function:sink"), Input: str(`{"job":"nightly"}`)}}}); err != nil {
			t.Fatal(err)
		}
		ahead.Store(int64(time.Hour))
		if _, err := bus.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: str("often")}); err != nil { // the clock looks again
			t.Fatal(err)
		}
		w.sunk("sink", `"detail-type": "Scheduled Event"`, `"source": "aws.events"`, `rule/often`)
		w.sunk("sink", `SUNK {"job": "nightly"}`)
	})
}

// TestDestinations has outcomes of asynchronous events go wherever they may.
func TestDestinations(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	c := cloudtest.StartWith(t, cloud.Options{Dir: t.TempDir(), Lambda: lambda.Options{Pause: time.Millisecond}})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	w, ctx := furnish(t, c), t.Context()
	w.sink("sink", "sns.amazonaws.com", "events.amazonaws.com")
	topic, dead := w.topic("told", "other.amazonaws.com"), w.topic("dead", "other.amazonaws.com")
	w.subscribe(topic, "sink")
	w.subscribe(dead, "sink")
	buckets, bus := s3.NewFromConfig(w.Config, func(o *s3.Options) { o.UsePathStyle = true }), eventbridge.NewFromConfig(w.Config)
	if _, err := buckets.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: str("outcomes")}); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.PutRule(ctx, &eventbridge.PutRuleInput{Name: str("r"), EventPattern: str(`{"source":["lambda"]}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: str("r"), Targets: []eventtypes.Target{{Id: str("t"), Arn: str(prefix + "function:sink")}}}); err != nil {
		t.Fatal(err)
	}
	w.python("worker", "def handler(event, context):\n    if event['fail']:\n        raise Exception('no')\n    return event\n", func(in *lambdaapi.CreateFunctionInput) {
		in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: &dead}
	})
	name := str("worker")
	const busARN = "arn:aws:events:us-east-1:000000000000:event-bus/default"
	run := func(destination, id string) {
		t.Helper()
		if _, err := w.api.PutFunctionEventInvokeConfig(ctx, &lambdaapi.PutFunctionEventInvokeConfigInput{FunctionName: name, MaximumRetryAttempts: aws.Int32(0),
			DestinationConfig: &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: &destination}, OnFailure: &types.OnFailure{Destination: &destination}}}); err != nil {
			t.Fatal(err)
		}
		for _, fail := range []string{"true", "false"} {
			w.invoke(&lambdaapi.InvokeInput{FunctionName: name, InvocationType: types.InvocationTypeEvent, Payload: []byte(`{"fail":` + fail + `,"id":"` + id + `"}`)})
		}
		w.sunk("sink", `"Message": "{\"fail\":true,\"id\":\"`+id+`\"}"`, `"ErrorMessage": {"Type": "String", "Value": "no"}`, `"ErrorCode": {"Type": "Number", "Value": "200"}`, ":dead") // the dead-letter topic, whatever else is told
	}
	run(topic, "by-topic")
	w.sunk("sink", `\"condition\":\"RetriesExhausted\"`, `by-topic`, ":told")
	w.sunk("sink", `\"condition\":\"Success\"`, `by-topic`, ":told")
	run(busARN, "by-bus")
	w.sunk("sink", `"detail-type": "Lambda Function Invocation Result - Failure"`, `"source": "lambda"`, `"id": "by-bus"`)
	w.sunk("sink", `"detail-type": "Lambda Function Invocation Result - Success"`, `"source": "lambda"`, `"id": "by-bus"`)
	run(prefix+"function:sink", "by-function")
	w.sunk("sink", `SUNK {"version": "1.0"`, `"condition": "RetriesExhausted"`, `"id": "by-function"`)
	w.sunk("sink", `SUNK {"version": "1.0"`, `"condition": "Success"`, `"id": "by-function"`)
	run("arn:aws:s3:::outcomes", "by-bucket")
	eventually(t, "two objects", func() bool {
		list, err := buckets.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: str("outcomes"), Prefix: str("aws/lambda/async/worker/2")})
		return err == nil && len(list.Contents) == 2
	})
}
