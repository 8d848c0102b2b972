package sns_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// as is a client of another account.
func (b *bench) as(account string) *api.Client {
	foreign := b.cloud.Config
	foreign.Credentials = credentials.NewStaticCredentialsProvider(account, "x", "")
	return api.NewFromConfig(foreign)
}

// TestForeignAccounts: what belongs to one account is closed to all others,
// unless the topic's policy opens it.
func TestForeignAccounts(t *testing.T) {
	t.Parallel()
	ctx, b := t.Context(), start(t)
	topic := b.topic(t, "news", nil)
	sub := b.subscribe(t, topic, "email", "me@example.com", nil)
	other := b.as("111122223333")
	for name, call := range map[string]func() error{
		"GetTopicAttributes": func() error {
			_, err := other.GetTopicAttributes(ctx, &api.GetTopicAttributesInput{TopicArn: topic})
			return err
		},
		"SetTopicAttributes": func() error {
			_, err := other.SetTopicAttributes(ctx, &api.SetTopicAttributesInput{TopicArn: topic, AttributeName: aws.String("Policy"), AttributeValue: aws.String("")})
			return err
		},
		"AddPermission": func() error {
			_, err := other.AddPermission(ctx, &api.AddPermissionInput{TopicArn: topic, Label: aws.String("me"), AWSAccountId: []string{"111122223333"}, ActionName: []string{"Publish"}})
			return err
		},
		"RemovePermission": func() error {
			_, err := other.RemovePermission(ctx, &api.RemovePermissionInput{TopicArn: topic, Label: aws.String("__default_statement_ID")})
			return err
		},
		"ListSubscriptionsByTopic": func() error {
			_, err := other.ListSubscriptionsByTopic(ctx, &api.ListSubscriptionsByTopicInput{TopicArn: topic})
			return err
		},
		"DeleteTopic": func() error {
			_, err := other.DeleteTopic(ctx, &api.DeleteTopicInput{TopicArn: topic})
			return err
		},
		"ListTagsForResource": func() error {
			_, err := other.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceArn: topic})
			return err
		},
		"TagResource": func() error {
			_, err := other.TagResource(ctx, &api.TagResourceInput{ResourceArn: topic, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
			return err
		},
		"UntagResource": func() error {
			_, err := other.UntagResource(ctx, &api.UntagResourceInput{ResourceArn: topic, TagKeys: []string{"k"}})
			return err
		},
		"GetSubscriptionAttributes": func() error {
			_, err := other.GetSubscriptionAttributes(ctx, &api.GetSubscriptionAttributesInput{SubscriptionArn: sub})
			return err
		},
		"SetSubscriptionAttributes": func() error {
			_, err := other.SetSubscriptionAttributes(ctx, &api.SetSubscriptionAttributesInput{SubscriptionArn: sub, AttributeName: aws.String("FilterPolicy"), AttributeValue: aws.String("{}")})
			return err
		},
	} {
		if err := call(); !strings.HasPrefix(code(err), "AuthorizationError: User: arn:aws:iam::111122223333:root is not authorized to perform: SNS:"+name+" ") {
			t.Errorf("%s from a foreign account: %v", name, err)
		}
	}
	_, err := b.AddPermission(ctx, &api.AddPermissionInput{TopicArn: topic, Label: aws.String("friend"), AWSAccountId: []string{"111122223333"}, ActionName: []string{"GetTopicAttributes"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.GetTopicAttributes(ctx, &api.GetTopicAttributesInput{TopicArn: topic}); err != nil {
		t.Errorf("reading with permission: %v", err)
	}
}

// TestPolicyOfAnotherTopic: a statement about another resource opens nothing.
func TestPolicyOfAnotherTopic(t *testing.T) {
	t.Parallel()
	b := start(t)
	topic := b.topic(t, "news", map[string]string{"Policy": `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:000000000000:old*"}]}`})
	_, err := b.as("111122223333").Publish(t.Context(), &api.PublishInput{TopicArn: topic, Message: aws.String("m")})
	if !strings.HasPrefix(code(err), "AuthorizationError: ") {
		t.Errorf("publishing by the permission for another topic: %v", err)
	}
}

// TestAuthenticatedSubscription: what was confirmed so is ended by its owner
// and the topic's only.
func TestAuthenticatedSubscription(t *testing.T) {
	t.Parallel()
	ctx, b := t.Context(), start(t)
	topic := b.topic(t, "news", nil)
	url, letters := endpoint(t, ok)
	arn := b.subscribe(t, topic, "http", url, nil)
	token := receive(t, letters).fields["Token"].(string)
	anonymous := api.NewFromConfig(b.cloud.Config, func(o *api.Options) { o.Credentials = aws.AnonymousCredentials{} })
	confirm := func(c *api.Client) error {
		_, err := c.ConfirmSubscription(ctx, &api.ConfirmSubscriptionInput{TopicArn: topic, Token: &token, AuthenticateOnUnsubscribe: aws.String("true")})
		return err
	}
	if err := confirm(anonymous); !strings.HasPrefix(code(err), "AuthorizationError: ") {
		t.Errorf("asking for authentication without a signature: %v", err)
	}
	if err := confirm(b.Client); err != nil {
		t.Fatal(err)
	}
	end := func(ctx context.Context, c *api.Client) error {
		_, err := c.Unsubscribe(ctx, &api.UnsubscribeInput{SubscriptionArn: arn})
		return err
	}
	for name, c := range map[string]*api.Client{"without a signature": anonymous, "from a foreign account": b.as("111122223333")} {
		if err := end(ctx, c); !strings.HasPrefix(code(err), "AuthorizationError: ") {
			t.Errorf("unsubscribing %s: %v", name, err)
		}
	}
	if err := end(ctx, b.Client); err != nil {
		t.Errorf("unsubscribing as the owner: %v", err)
	}
}
