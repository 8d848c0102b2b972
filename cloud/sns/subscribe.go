package sns

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Subscribe makes a subscription. HTTP endpoints are asked to confirm it.
func (s *Service) Subscribe(ctx context.Context, in *sns.SubscribeInput) (*sns.SubscribeOutput, error) {
	t, scope, err := s.topicAt(ctx, in.TopicArn, "SNS:Subscribe")
	if err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	sub := subscription{ID: s.host.NewID(), Topic: t.ARN, Owner: caller.Account, Principal: caller.ARN, Protocol: aws.ToString(in.Protocol),
		Endpoint: aws.ToString(in.Endpoint), Attributes: map[string]string{}}
	sub.ARN = t.ARN + ":" + sub.ID
	p, ok := protocols[sub.Protocol]
	switch {
	case !ok:
		return nil, invalidf("Amazon SNS does not support this protocol string: %s", sub.Protocol)
	case t.fifo() && sub.Protocol != "sqs":
		return nil, invalidf("Invalid protocol type: %s", sub.Protocol)
	}
	if err := p.check(sub.Endpoint); err != nil {
		return nil, err
	}
	for name, value := range in.Attributes {
		if err := sub.set(name, value); err != nil {
			return nil, err
		}
	}
	sub.Confirmed, sub.Token = !p.confirms, newToken()
	if sub, err = s.insert(ctx, scope, t, sub); err != nil {
		return nil, err
	}
	if !sub.Confirmed && isHTTP(sub.Protocol) {
		if err := s.send(ctx, s.confirmation(t, sub)); err != nil {
			return nil, err
		}
	}
	out := &sns.SubscribeOutput{SubscriptionArn: &sub.ARN}
	if !sub.Confirmed && !in.ReturnSubscriptionArn {
		out.SubscriptionArn = aws.String("pending confirmation")
	}
	return out, nil
}

func newToken() string {
	b := make([]byte, 128)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// insert keeps a new subscription. An endpoint that is subscribed already
// stays so.
func (s *Service) insert(ctx context.Context, scope store.Scope, t topic, sub subscription) (subscription, error) {
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		subs, err := s.subscriptionsOf(ctx, scope, t.Name)
		if err != nil {
			return err
		}
		for _, have := range subs {
			if have.Protocol != sub.Protocol || have.Endpoint != sub.Endpoint {
				continue
			}
			if len(sub.Attributes) > 0 && !maps.Equal(have.Attributes, sub.Attributes) {
				return invalid("Attributes Reason: Subscription already exists with different attributes")
			}
			sub = have
			return nil
		}
		return s.subscriptions.Insert(ctx, scope, sub.key(), sub)
	})
	return sub, err
}

// ConfirmSubscription confirms a subscription by the token that its endpoint
// was sent. It takes calls without credentials, as SubscribeURL makes them.
func (s *Service) ConfirmSubscription(ctx context.Context, in *sns.ConfirmSubscriptionInput) (*sns.ConfirmSubscriptionOutput, error) {
	a, err := parseARN("TopicArn", aws.ToString(in.TopicArn))
	if err != nil {
		return nil, err
	}
	if _, err := s.topics.Get(ctx, a.scope, a.name); errors.Is(err, store.ErrNotFound) {
		return nil, notFound("Topic does not exist")
	} else if err != nil {
		return nil, err
	}
	authenticated := aws.ToString(in.AuthenticateOnUnsubscribe) == "true"
	if caller := door.CallerFrom(ctx); authenticated && anonymous(caller) {
		return nil, denied(caller, "SNS:ConfirmSubscription", a.topic)
	}
	subs, err := s.subscriptionsOf(ctx, a.scope, a.name)
	if err != nil {
		return nil, err
	}
	for _, sub := range subs {
		if subtle.ConstantTimeCompare([]byte(sub.Token), []byte(aws.ToString(in.Token))) == 0 {
			continue
		}
		_, err := s.subscriptions.Update(ctx, a.scope, sub.key(), func(sub *subscription) error {
			sub.Confirmed = true
			sub.Authenticated = sub.Authenticated || authenticated
			return nil
		})
		return &sns.ConfirmSubscriptionOutput{SubscriptionArn: &sub.ARN}, err
	}
	return nil, invalid("Token")
}

// anonymous tells that a call came without credentials.
func anonymous(c door.Caller) bool { return c.AccessKey == "" && c.Service == "" }

// Unsubscribe ends a subscription; one that is not there has ended already.
// It takes calls without credentials, as UnsubscribeURL makes them, unless the
// subscription was confirmed to end by its owner or the topic's only.
func (s *Service) Unsubscribe(ctx context.Context, in *sns.UnsubscribeInput) (*sns.UnsubscribeOutput, error) {
	sub, scope, err := s.subscriptionAt(ctx, in.SubscriptionArn)
	if isMissing(err) {
		return &sns.UnsubscribeOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	if caller := door.CallerFrom(ctx); sub.Authenticated && (anonymous(caller) || !sub.belongs(caller, scope)) {
		return nil, denied(caller, "SNS:Unsubscribe", sub.ARN)
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if err := s.subscriptions.Delete(ctx, scope, sub.key()); err != nil {
			return err
		}
		_, err := s.topics.Update(ctx, scope, topicName(sub.Topic), func(t *topic) error {
			t.Deleted++
			return nil
		})
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &sns.UnsubscribeOutput{}, nil
}
