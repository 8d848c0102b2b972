package sns_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// TestRefusals is what SNS does not take, and what it says.
func TestRefusals(t *testing.T) {
	t.Parallel()
	ctx, b := t.Context(), start(t)
	topic := b.topic(t, "news", nil)
	b.topic(t, "line.fifo", map[string]string{"FifoTopic": "true"})
	publish := func(change func(*api.PublishInput)) func() error {
		return func() error {
			in := &api.PublishInput{TopicArn: topic, Message: aws.String("m")}
			change(in)
			_, err := b.Publish(ctx, in)
			return err
		}
	}
	subscribe := func(protocol, endpoint string) func() error {
		return func() error {
			_, err := b.Subscribe(ctx, &api.SubscribeInput{TopicArn: topic, Protocol: &protocol, Endpoint: &endpoint})
			return err
		}
	}
	create := func(name string, attributes map[string]string) func() error {
		return func() error {
			_, err := b.CreateTopic(ctx, &api.CreateTopicInput{Name: &name, Attributes: attributes})
			return err
		}
	}
	for _, c := range []struct {
		name string
		call func() error
		want string
	}{
		{"no message", publish(func(in *api.PublishInput) { in.Message = aws.String("") }), "InvalidParameter: Invalid parameter: Empty message"},
		{"a long message", publish(func(in *api.PublishInput) { in.Message = aws.String(strings.Repeat("x", 256<<10+1)) }), "InvalidParameter: Invalid parameter: Message too long"},
		{"a long subject", publish(func(in *api.PublishInput) { in.Subject = aws.String(strings.Repeat("x", 101)) }), "InvalidParameter: Invalid parameter: Subject"},
		{"a subject of two lines", publish(func(in *api.PublishInput) { in.Subject = aws.String("a\nb") }), "InvalidParameter: Invalid parameter: Subject"},
		{"no default", publish(func(in *api.PublishInput) {
			in.Message, in.MessageStructure = aws.String(`{"http":"x"}`), aws.String("json")
		}), "InvalidParameter: Invalid parameter: Message Structure - No default entry in JSON message body"},
		{"a topic that is not there", publish(func(in *api.PublishInput) { in.TopicArn = aws.String("arn:aws:sns:us-east-1:000000000000:x") }), "NotFound: Topic does not exist"},
		{"another region", publish(func(in *api.PublishInput) { in.TopicArn = aws.String("arn:aws:sns:eu-west-1:000000000000:x") }), "InvalidParameter: Invalid parameter: TopicArn"},
		{"no ARN", publish(func(in *api.PublishInput) { in.TopicArn = aws.String("news") }), "InvalidParameter: Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"},
		{"a text message", publish(func(in *api.PublishInput) { in.TopicArn, in.PhoneNumber = nil, aws.String("+15550100") }), "InvalidParameter: Invalid parameter: PhoneNumber Reason: the local cloud sends no text messages"},
		{"a number that is none", publish(func(in *api.PublishInput) {
			in.MessageAttributes = map[string]types.MessageAttributeValue{"n": {DataType: aws.String("Number"), StringValue: aws.String("x")}}
		}), "ParameterValueInvalid: Could not cast message attribute 'n' value to number."},
		{"no group", publish(func(in *api.PublishInput) { in.TopicArn = aws.String(*topic + ".x") }), "NotFound: Topic does not exist"},
		{"a FIFO message without group", publish(func(in *api.PublishInput) { in.TopicArn = aws.String("arn:aws:sns:us-east-1:000000000000:line.fifo") }), "InvalidParameter: Invalid parameter: The MessageGroupId parameter is required for FIFO topics"},
		{"a protocol", subscribe("pigeon", "x"), "InvalidParameter: Invalid parameter: Amazon SNS does not support this protocol string: pigeon"},
		{"https over http", subscribe("https", "http://localhost"), "InvalidParameter: Invalid parameter: Endpoint must match the specified protocol"},
		{"no queue", subscribe("sqs", "queue"), "InvalidParameter: Invalid parameter: SQS endpoint ARN"},
		{"no function", subscribe("lambda", "arn:aws:sqs:us-east-1:000000000000:q"), "InvalidParameter: Invalid parameter: Lambda endpoint ARN"},
		{"a name", create("a b", nil), "InvalidParameter: Invalid parameter: Topic Name"},
		{"other attributes", create("news", map[string]string{"DisplayName": "x"}), "InvalidParameter: Invalid parameter: Attributes Reason: Topic already exists with different attributes"},
		{"a policy", create("p", map[string]string{"Policy": `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}`}), "InvalidParameter: Invalid parameter: Policy statement action out of service scope!"},
		{"an attribute", create("p", map[string]string{"Color": "red"}), "InvalidParameter: Invalid parameter: AttributeName"},
	} {
		if err := c.call(); code(err) != c.want {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
	}
}

// TestGroupsAndDeduplication: the ids of FIFO messages are short and printable,
// and what one id and group hide together is hidden by no other pair.
func TestGroupsAndDeduplication(t *testing.T) {
	t.Parallel()
	b := start(t)
	topic := b.topic(t, "line.fifo", map[string]string{"FifoTopic": "true", "FifoThroughputScope": "MessageGroup"})
	publish := func(group, dedup string) (string, error) {
		out, err := b.Publish(t.Context(), &api.PublishInput{TopicArn: topic, Message: aws.String("m"), MessageGroupId: &group, MessageDeduplicationId: &dedup})
		if err != nil {
			return "", err
		}
		return *out.MessageId, nil
	}
	for _, c := range []struct{ group, dedup, want string }{
		{strings.Repeat("g", 129), "d", "InvalidParameter: Invalid parameter: MessageGroupId"},
		{"g", strings.Repeat("d", 129), "InvalidParameter: Invalid parameter: MessageDeduplicationId"},
		{"g", "a b", "InvalidParameter: Invalid parameter: MessageDeduplicationId"},
	} {
		if _, err := publish(c.group, c.dedup); code(err) != c.want {
			t.Errorf("group %q, id %q: %v, want %s", c.group, c.dedup, err, c.want)
		}
	}
	first, err := publish("c", "a/b")
	if err != nil {
		t.Fatal(err)
	}
	if other, err := publish("b/c", "a"); err != nil || other == first {
		t.Errorf("another group and id are taken for the same message: %v", err)
	}
}
