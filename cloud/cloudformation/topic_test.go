package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

func TestTopicTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := func(name, filter string, more ...any) string {
		properties := map[string]any{"DisplayName": name, "Tags": []any{map[string]any{"Key": "k", "Value": name}}}
		return template(t, map[string]any{
			"Topic": map[string]any{"Type": "AWS::SNS::Topic", "Properties": properties},
			"Sub": map[string]any{"Type": "AWS::SNS::Subscription", "Properties": map[string]any{"TopicArn": ref("Topic"), "Protocol": "lambda",
				"Endpoint": "arn:aws:lambda:us-east-1:000000000000:function:f", "FilterPolicy": map[string]any{"kind": []any{filter}}}},
			"Policy": map[string]any{"Type": "AWS::SNS::TopicPolicy", "Properties": map[string]any{"Topics": []any{ref("Topic")}, "PolicyDocument": map[string]any{
				"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Principal": map[string]any{"Service": "events.amazonaws.com"}, "Action": "sns:Publish", "Resource": ref("Topic")}}}}},
		}, "Outputs", map[string]any{"Arn": value(ref("Topic")), "Name": value(getAtt("Topic", "TopicName")), "Sub": value(ref("Sub"))})
	}
	s := w.create("s", body("one", "a"))
	if s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
	}
	out := outputs(s)
	client := sns.NewFromConfig(w.Config)
	look := func() (map[string]string, map[string]string) {
		topic, err := client.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: aws.String(out["Arn"])})
		if err != nil {
			t.Fatal(err)
		}
		sub, err := client.GetSubscriptionAttributes(t.Context(), &sns.GetSubscriptionAttributesInput{SubscriptionArn: aws.String(out["Sub"])})
		if err != nil {
			t.Fatal(err)
		}
		return topic.Attributes, sub.Attributes
	}
	w.update("s", body("two", "b"))
	topic, sub := look()
	if topic["DisplayName"] != "two" || !strings.Contains(topic["Policy"], "events.amazonaws.com") || sub["FilterPolicy"] != `{"kind":["b"]}` || !strings.HasPrefix(out["Name"], "s-Topic-") {
		t.Errorf("topic %v\nsubscription %v\noutputs %v", topic, sub, out)
	}
	w.delete("s")
	if list, err := client.ListTopics(t.Context(), &sns.ListTopicsInput{}); err != nil || len(list.Topics) != 0 {
		t.Errorf("after the deletion: %+v, %v", list, err)
	}
}
