package cloudformation_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"
)

// TestNotifications subscribes to the topic of a stack.
func TestNotifications(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := sns.NewFromConfig(w.Config)
	topic, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("events")})
	if err != nil {
		t.Fatal(err)
	}
	type message struct{ Type, Token, Subject, Message string }
	messages := make(chan message, 100)
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		messages <- m
	}))
	t.Cleanup(endpoint.Close)
	next := func() message {
		t.Helper()
		select {
		case m := <-messages:
			return m
		case <-time.After(time.Minute):
			t.Fatal("no message came")
			return message{}
		}
	}
	if _, err := client.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("http"), Endpoint: &endpoint.URL}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ConfirmSubscription(t.Context(), &sns.ConfirmSubscriptionInput{TopicArn: topic.TopicArn, Token: aws.String(next().Token)}); err != nil {
		t.Fatal(err)
	}
	s := w.create("s", template(t, map[string]any{"P": parameter("1", "Name", "p")}), func(in *cloudformation.CreateStackInput) {
		in.NotificationARNs, in.ClientRequestToken = []string{*topic.TopicArn}, aws.String("token-1")
	})
	got := map[string]bool{}
	line := regexp.MustCompile(`(?m)^(LogicalResourceId|ResourceStatus)='(.*)'$`)
	var first message
	for range 5 { // deliveries may overtake each other
		m := next()
		var words []string
		for _, found := range line.FindAllStringSubmatch(m.Message, -1) {
			words = append(words, found[2])
		}
		got[strings.Join(words, " ")] = true
		if strings.Contains(m.Message, "ResourceType='AWS::CloudFormation::Stack'") && strings.Contains(m.Message, "CREATE_IN_PROGRESS") {
			first = m
		}
	}
	want := map[string]bool{"s CREATE_IN_PROGRESS": true, "P CREATE_IN_PROGRESS": true, "P CREATE_COMPLETE": true, "s CREATE_COMPLETE": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	varying := regexp.MustCompile(`(?m)^(Timestamp|EventId)='.*'`)
	const form = `StackId='ID'
Timestamp=''
EventId=''
LogicalResourceId='s'
Namespace='000000000000'
PhysicalResourceId='ID'
PrincipalId='000000000000'
ResourceProperties='null'
ResourceStatus='CREATE_IN_PROGRESS'
ResourceStatusReason='User Initiated'
ResourceType='AWS::CloudFormation::Stack'
StackName='s'
ClientRequestToken='token-1'
`
	text := strings.ReplaceAll(varying.ReplaceAllString(first.Message, "$1=''"), *s.StackId, "ID")
	if diff := cmp.Diff(form, text); diff != "" || first.Subject != "AWS CloudFormation Notification" {
		t.Errorf("the message %q (-want +got):\n%s", first.Subject, diff)
	}
}
