package sns_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	lambdaapi "github.com/aws/aws-sdk-go-v2/service/lambda"
	api "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudtest"
	"ouro/cloud/door"
)

// functions stands where Lambda is.
type functions struct{ calls chan call }

type call struct {
	in     *lambdaapi.InvokeInput
	caller door.Caller
}

func (f *functions) Invoke(ctx context.Context, in *lambdaapi.InvokeInput) (*lambdaapi.InvokeOutput, error) {
	f.calls <- call{in, door.CallerFrom(ctx)}
	return &lambdaapi.InvokeOutput{StatusCode: 202}, nil
}

// bench is a cloud with what SNS delivers to.
type bench struct {
	*api.Client
	cloud     *cloudtest.Cloud
	functions *functions
}

func start(t *testing.T) *bench {
	t.Helper()
	f := &functions{make(chan call, 100)}
	c := cloudtest.NewWith(t, map[string]any{"lambda": f})
	return &bench{api.NewFromConfig(c.Config), c, f}
}

func (b *bench) topic(t *testing.T, name string, attributes map[string]string) *string {
	t.Helper()
	out, err := b.CreateTopic(t.Context(), &api.CreateTopicInput{Name: &name, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return out.TopicArn
}

func (b *bench) subscribe(t *testing.T, topic *string, protocol, endpoint string, attributes map[string]string) *string {
	t.Helper()
	out, err := b.Subscribe(t.Context(), &api.SubscribeInput{TopicArn: topic, Protocol: &protocol, Endpoint: &endpoint, Attributes: attributes, ReturnSubscriptionArn: true})
	if err != nil {
		t.Fatal(err)
	}
	return out.SubscriptionArn
}

func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode() + ": " + e.ErrorMessage()
	}
	return ""
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestLambda(t *testing.T) {
	t.Parallel()
	b := start(t)
	topic := b.topic(t, "news", nil)
	const function = "arn:aws:lambda:us-east-1:000000000000:function:reader"
	sub := b.subscribe(t, topic, "lambda", function, nil)
	if _, err := b.Publish(t.Context(), &api.PublishInput{TopicArn: topic, Message: aws.String(`{"default":"all","lambda":"only you"}`), MessageStructure: aws.String("json")}); err != nil {
		t.Fatal(err)
	}
	got := receive(t, b.functions.calls)
	var event struct {
		Records []struct {
			EventSource, EventSubscriptionArn string
			Sns                               struct {
				Message, TopicArn string
				Subject           *string
			}
		}
	}
	if err := json.Unmarshal(got.in.Payload, &event); err != nil {
		t.Fatal(err)
	}
	r := event.Records[0]
	if *got.in.FunctionName != function || got.in.InvocationType != "Event" || got.caller.Service != "sns.amazonaws.com" ||
		r.EventSource != "aws:sns" || r.EventSubscriptionArn != *sub || r.Sns.Message != "only you" || r.Sns.Subject != nil {
		t.Errorf("the function got %s from %+v", got.in.Payload, got.caller)
	}
}

func TestTopics(t *testing.T) {
	t.Parallel()
	ctx, b := t.Context(), start(t)
	topic := b.topic(t, "news", map[string]string{"DisplayName": "News"})
	if again := b.topic(t, "news", nil); *again != *topic {
		t.Errorf("the same topic again is %s", *again)
	}
	got, err := b.GetTopicAttributes(ctx, &api.GetTopicAttributesInput{TopicArn: topic})
	if err != nil {
		t.Fatal(err)
	}
	a := got.Attributes
	if a["DisplayName"] != "News" || a["Owner"] != "000000000000" || a["SubscriptionsPending"] != "0" || !strings.Contains(a["Policy"], `"__default_statement_ID"`) ||
		!strings.Contains(a["EffectiveDeliveryPolicy"], `"numRetries":3`) {
		t.Errorf("attributes: %v", a)
	}
	b.subscribe(t, topic, "email", "me@example.com", nil)
	list, err := b.ListSubscriptions(ctx, &api.ListSubscriptionsInput{})
	if err != nil || len(list.Subscriptions) != 1 || *list.Subscriptions[0].SubscriptionArn != "PendingConfirmation" {
		t.Errorf("subscriptions: %+v, %v", list, err)
	}
	if _, err := b.DeleteTopic(ctx, &api.DeleteTopicInput{TopicArn: topic}); err != nil {
		t.Error(err)
	}
	if _, err := b.DeleteTopic(ctx, &api.DeleteTopicInput{TopicArn: topic}); err != nil {
		t.Errorf("deleting a topic twice: %v", err)
	}
	if _, err := b.GetTopicAttributes(ctx, &api.GetTopicAttributesInput{TopicArn: topic}); code(err) != "NotFound: Topic does not exist" {
		t.Errorf("a deleted topic: %v", err)
	}
	for i := range 101 {
		b.topic(t, "t"+string(rune('A'+i/26))+string(rune('a'+i%26)), nil)
	}
	n := 0
	for pages := api.NewListTopicsPaginator(b.Client, &api.ListTopicsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Topics)
	}
	if n != 101 {
		t.Errorf("%d topics are listed, want 101", n)
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	ctx, b := t.Context(), start(t)
	topic := b.topic(t, "news", nil)
	foreign := b.cloud.Config
	foreign.Credentials = credentials.NewStaticCredentialsProvider("111122223333", "x", "")
	other := api.NewFromConfig(foreign)
	publish := func() error {
		_, err := other.Publish(ctx, &api.PublishInput{TopicArn: topic, Message: aws.String("m")})
		return err
	}
	if err := publish(); !strings.HasPrefix(code(err), "AuthorizationError: User: arn:aws:iam::111122223333:root is not authorized to perform: SNS:Publish") {
		t.Errorf("publishing to a foreign topic: %v", err)
	}
	_, err := b.AddPermission(ctx, &api.AddPermissionInput{TopicArn: topic, Label: aws.String("friend"), AWSAccountId: []string{"111122223333"}, ActionName: []string{"Publish"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := publish(); err != nil {
		t.Errorf("with permission: %v", err)
	}
	if _, err := b.RemovePermission(ctx, &api.RemovePermissionInput{TopicArn: topic, Label: aws.String("friend")}); err != nil {
		t.Fatal(err)
	}
	if publish() == nil {
		t.Error("the permission was removed")
	}
}

// TestEvents has EventBridge publish, which the topic's policy must allow.
func TestEvents(t *testing.T) {
	t.Parallel()
	ctx, b := t.Context(), start(t)
	events := eventbridge.NewFromConfig(b.cloud.Config)
	if _, err := events.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(`{"source":["mine"]}`)}); err != nil {
		t.Fatal(err)
	}
	for name, policy := range map[string]string{"open": `{"Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}`, "closed": ""} {
		topic := b.topic(t, name, map[string]string{"Policy": policy})
		b.subscribe(t, topic, "lambda", "arn:aws:lambda:us-east-1:000000000000:function:"+name, nil)
		if _, err := events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []ebtypes.Target{{Id: &name, Arn: topic}}}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		_, err := events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{Source: aws.String("mine"), DetailType: aws.String("d"), Detail: aws.String("{}")}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := receive(t, b.functions.calls); !strings.HasSuffix(*got.in.FunctionName, ":open") || !strings.Contains(string(got.in.Payload), `\"source\":\"mine\"`) {
			t.Errorf("%s got %s", *got.in.FunctionName, got.in.Payload)
		}
	}
}

func TestBatchAndFIFO(t *testing.T) {
	t.Parallel()
	ctx, b := t.Context(), start(t)
	topic := b.topic(t, "line.fifo", map[string]string{"FifoTopic": "true", "ContentBasedDeduplication": "true"})
	b.subscribe(t, topic, "sqs", "arn:aws:sqs:us-east-1:000000000000:q.fifo", nil)
	entry := func(id, message string) types.PublishBatchRequestEntry {
		return types.PublishBatchRequestEntry{Id: &id, Message: &message, MessageGroupId: aws.String("g")}
	}
	out, err := b.PublishBatch(ctx, &api.PublishBatchInput{TopicArn: topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		entry("a", "one"), entry("b", "two"), entry("c", "one"), entry("d", ""),
	}})
	if err != nil || len(out.Successful) != 3 || len(out.Failed) != 1 || *out.Failed[0].Code != "InvalidParameter" {
		t.Fatalf("%+v, %v", out, err)
	}
	if s := out.Successful; *s[0].MessageId != *s[2].MessageId || *s[0].SequenceNumber >= *s[1].SequenceNumber || len(*s[0].SequenceNumber) != 20 {
		t.Errorf("the batch gave %s %s, %s %s, %s", *s[0].MessageId, *s[0].SequenceNumber, *s[1].MessageId, *s[1].SequenceNumber, *s[2].MessageId)
	}
	for _, c := range []struct {
		entries []types.PublishBatchRequestEntry
		want    string
	}{
		{nil, "EmptyBatchRequest"},
		{[]types.PublishBatchRequestEntry{entry("a", "x"), entry("a", "y")}, "BatchEntryIdsNotDistinct"},
		{[]types.PublishBatchRequestEntry{entry("a b", "x")}, "InvalidBatchEntryId"},
		{[]types.PublishBatchRequestEntry{entry("a", strings.Repeat("x", 200_000)), entry("b", strings.Repeat("x", 200_000))}, "BatchRequestTooLong"},
	} {
		in := &api.PublishBatchInput{TopicArn: topic, PublishBatchRequestEntries: c.entries}
		if in.PublishBatchRequestEntries == nil {
			in.PublishBatchRequestEntries = []types.PublishBatchRequestEntry{}
		}
		if _, err := b.PublishBatch(ctx, in); !strings.HasPrefix(code(err), c.want+":") {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
