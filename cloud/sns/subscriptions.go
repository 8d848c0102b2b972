package sns

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

// protocol is what SNS knows of a way to deliver.
type protocol struct {
	confirms bool // an endpoint has to confirm its subscription
	check    func(endpoint string) error
}

var (
	phone = regex.New(`^\+?[0-9][0-9 ().-]{1,19}$`)
	email = regex.New(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
)

var protocols = map[string]protocol{
	"http":        {true, urlOf("http")},
	"https":       {true, urlOf("https")},
	"email":       {true, matching(email, "Email address")},
	"email-json":  {true, matching(email, "Email address")},
	"sms":         {false, matching(phone, "Invalid SMS endpoint")},
	"sqs":         {false, arnOf("sqs", "SQS endpoint ARN")},
	"lambda":      {false, arnOf("lambda", "Lambda endpoint ARN")},
	"firehose":    {false, arnOf("firehose", "Firehose endpoint ARN")},
	"application": {false, arnOf("sns", "Application endpoint arn invalid")},
}

func isHTTP(protocol string) bool { return protocol == "http" || protocol == "https" }

func urlOf(scheme string) func(string) error {
	return func(endpoint string) error {
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != scheme || u.Host == "" {
			return invalid("Endpoint must match the specified protocol")
		}
		return nil
	}
}

func matching(re func() *regexp.Regexp, complaint string) func(string) error {
	return func(endpoint string) error {
		if !re().MatchString(endpoint) {
			return invalid(complaint)
		}
		return nil
	}
}

func arnOf(service, complaint string) func(string) error {
	return func(endpoint string) error {
		parts := strings.SplitN(endpoint, ":", 6)
		if len(parts) != 6 || parts[0] != "arn" || parts[2] != service || parts[3] == "" || parts[4] == "" || parts[5] == "" {
			return invalid(complaint)
		}
		return nil
	}
}

// Values of FilterPolicyScope.
const (
	scopeAttributes = "MessageAttributes"
	scopeBody       = "MessageBody"
)

// set sets an attribute of a subscription; an empty value takes it away.
func (s *subscription) set(name, value string) error {
	if value == "" || value == "{}" && name == "FilterPolicy" {
		delete(s.Attributes, name)
		return nil
	}
	var err error
	switch name {
	case "RawMessageDelivery":
		err = boolean(name)(value)
		if err == nil && value == "true" && !isHTTP(s.Protocol) && s.Protocol != "sqs" && s.Protocol != "firehose" {
			err = invalidf("Attributes Reason: Delivery protocol [%s] does not support raw message delivery.", s.Protocol)
		}
	case "FilterPolicy":
		_, err = compileFilter(value)
	case "FilterPolicyScope":
		err = oneOf(name, scopeAttributes, scopeBody)(value)
	case "DeliveryPolicy":
		err = checkDeliveryPolicy(value)
	case "RedrivePolicy":
		err = checkRedrive(value)
	case "SubscriptionRoleArn":
	case "ReplayPolicy":
		err = invalid("ReplayPolicy is not supported by the local cloud")
	default:
		err = invalid("AttributeName")
	}
	if err != nil {
		return err
	}
	if s.Attributes == nil {
		s.Attributes = map[string]string{}
	}
	s.Attributes[name] = value
	return nil
}

func checkRedrive(text string) error {
	var p struct {
		Queue string `json:"deadLetterTargetArn"`
	}
	if json.Unmarshal([]byte(text), &p) != nil || arnOf("sqs", "")(p.Queue) != nil {
		return invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
	}
	return nil
}

func isMissing(err error) bool {
	var missing *types.NotFoundException
	return errors.As(err, &missing)
}

// GetSubscriptionAttributes tells all of a subscription.
func (s *Service) GetSubscriptionAttributes(ctx context.Context, in *sns.GetSubscriptionAttributesInput) (*sns.GetSubscriptionAttributesOutput, error) {
	sub, scope, err := s.ownSubscription(ctx, in.SubscriptionArn, "SNS:GetSubscriptionAttributes")
	if err != nil {
		return nil, err
	}
	t, err := s.topics.Get(ctx, scope, topicName(sub.Topic))
	if err != nil {
		return nil, err
	}
	return &sns.GetSubscriptionAttributesOutput{Attributes: sub.view(t)}, nil
}

// SetSubscriptionAttributes sets one attribute.
func (s *Service) SetSubscriptionAttributes(ctx context.Context, in *sns.SetSubscriptionAttributesInput) (*sns.SetSubscriptionAttributesOutput, error) {
	sub, scope, err := s.ownSubscription(ctx, in.SubscriptionArn, "SNS:SetSubscriptionAttributes")
	if err != nil {
		return nil, err
	}
	_, err = s.subscriptions.Update(ctx, scope, sub.key(), func(sub *subscription) error {
		return sub.set(aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue))
	})
	return &sns.SetSubscriptionAttributesOutput{}, err
}

// ListSubscriptions lists the subscriptions of the account and region.
func (s *Service) ListSubscriptions(ctx context.Context, in *sns.ListSubscriptionsInput) (*sns.ListSubscriptionsOutput, error) {
	entries, err := s.subscriptions.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	list, next, err := listed(entries, in.NextToken)
	return &sns.ListSubscriptionsOutput{Subscriptions: list, NextToken: next}, err
}

// ListSubscriptionsByTopic lists the subscriptions of one topic.
func (s *Service) ListSubscriptionsByTopic(ctx context.Context, in *sns.ListSubscriptionsByTopicInput) (*sns.ListSubscriptionsByTopicOutput, error) {
	t, scope, err := s.topicAt(ctx, in.TopicArn, "SNS:ListSubscriptionsByTopic")
	if err != nil {
		return nil, err
	}
	entries, err := s.subscriptions.List(ctx, scope, store.Query{Prefix: t.Name + "/"})
	if err != nil {
		return nil, err
	}
	list, next, err := listed(entries, in.NextToken)
	return &sns.ListSubscriptionsByTopicOutput{Subscriptions: list, NextToken: next}, err
}

func listed(entries []store.Entry[subscription], token *string) ([]types.Subscription, *string, error) {
	entries, next, err := page(entries, func(e store.Entry[subscription]) string { return e.ID }, token)
	list := make([]types.Subscription, len(entries))
	for i, e := range entries {
		sub := e.Value
		list[i] = types.Subscription{SubscriptionArn: aws.String(sub.shown()), TopicArn: &sub.Topic, Owner: &sub.Owner, Protocol: &sub.Protocol, Endpoint: &sub.Endpoint}
	}
	return list, next, err
}
