// Package sns is Amazon SNS: topics, their subscriptions, and the delivery of
// what is published to them.
//
// A message that Publish accepted is in the store, once for every subscription
// whose filter it passes, before Publish answers; it leaves the store when the
// endpoint took it or it was given up. So the death of the process loses no
// message; it may deliver one twice, as on AWS.
//
// Delivered are messages to HTTP and HTTPS endpoints, which first confirm their
// subscription, and to Lambda functions. Subscriptions of all other protocols
// (SQS queues, email, SMS, Firehose, mobile push) are kept and answered as AWS
// does; a message for one of them is logged as not delivered. Dead-letter queues
// are kept in RedrivePolicy, and what is given up is logged, not moved there.
// Archives and replay of FIFO topics, and text messages to phone numbers, are refused.
package sns

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Service is Amazon SNS.
type Service struct {
	host          door.Host
	topics        store.Table[topic]        // by name
	subscriptions store.Table[subscription] // NAME OF TOPIC/id
	deliveries    store.Table[delivery]     // by id
	published     store.Table[dedup]        // NAME OF TOPIC/deduplication id and group, of FIFO topics
	signer        func() (*signer, error)
	slots         chan struct{} // bounds the attempts under way
}

// attempts is how many deliveries are attempted at once.
const attempts = 64

// New makes the service; Resume delivers what an earlier process left over.
func New(host door.Host) *Service {
	st := host.Store()
	s := &Service{
		host:          host,
		topics:        store.NewTable[topic](st, "sns", "topic"),
		subscriptions: store.NewTable[subscription](st, "sns", "subscription"),
		deliveries:    store.NewTable[delivery](st, "sns", "delivery"),
		published:     store.NewTable[dedup](st, "sns", "published"),
		slots:         make(chan struct{}, attempts),
	}
	s.signer = sync.OnceValues(func() (*signer, error) { return openSigner(st.Dir("sns"), host.Now()) })
	return s
}

// topic is a topic's record.
type topic struct {
	Name, ARN, Owner string
	Attributes       map[string]string // those that were set
	Policy           string            // empty for the default one
	Tags             map[string]string
	Created          time.Time
	Sequence         int64 // of a FIFO topic's messages
	Deleted          int   // subscriptions that were
}

func (t topic) fifo() bool { return t.Attributes["FifoTopic"] == "true" }

// subscription is a subscription's record.
type subscription struct {
	ID, ARN, Topic string // ARNs
	Owner          string
	Protocol       string
	Endpoint       string
	Attributes     map[string]string // those that were set
	Confirmed      bool
	Authenticated  bool   // who confirmed it was known, and alone may end it
	Principal      string // who subscribed
	Token          string // that confirms it
}

// belongs tells whether the caller is of the account that subscribed, or of
// the topic's.
func (s subscription) belongs(c door.Caller, topic store.Scope) bool {
	return c.Account == s.Owner || c.Account == topic.Account
}

func (s subscription) key() string { return topicName(s.Topic) + "/" + s.ID }

// shown is the ARN as lists show it.
func (s subscription) shown() string {
	if !s.Confirmed {
		return "PendingConfirmation"
	}
	return s.ARN
}

// topicARN is what the ARN of a topic, or of a subscription, tells.
type topicARN struct {
	scope        store.Scope
	topic        string // the topic's ARN
	name         string
	subscription string // id; empty for a topic's ARN
}

// parseARN reads arn:aws:sns:REGION:ACCOUNT:NAME or …:NAME:ID.
func parseARN(parameter, arn string) (topicARN, error) {
	parts := strings.Split(arn, ":")
	switch {
	case len(parts) < 6:
		return topicARN{}, invalidf("%s Reason: An ARN must have at least 6 elements, not %d", parameter, len(parts))
	case parts[0] != "arn" || parts[2] != "sns" || len(parts) > 7:
		return topicARN{}, invalid(parameter)
	}
	a := topicARN{scope: store.Scope{Account: parts[4], Region: parts[3]}, topic: strings.Join(parts[:6], ":"), name: parts[5]}
	if len(parts) == 7 {
		a.subscription = parts[6]
	}
	return a, nil
}

func topicName(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// topicAt finds the topic of an ARN for an action, which the caller must be
// permitted.
func (s *Service) topicAt(ctx context.Context, arn *string, action string) (topic, store.Scope, error) {
	if arn == nil || *arn == "" {
		return topic{}, store.Scope{}, invalid("TopicArn")
	}
	a, err := parseARN("TopicArn", *arn)
	if err != nil {
		return topic{}, a.scope, err
	}
	if door.CallerFrom(ctx).Region != a.scope.Region {
		return topic{}, a.scope, invalid("TopicArn")
	}
	t, err := s.topics.Get(ctx, a.scope, a.name)
	if errors.Is(err, store.ErrNotFound) {
		err = notFound("Topic does not exist")
	}
	if err == nil {
		err = t.permit(door.CallerFrom(ctx), action)
	}
	return t, a.scope, err
}

// ownSubscription finds a subscription for an action that is its owner's and
// the topic's only.
func (s *Service) ownSubscription(ctx context.Context, arn *string, action string) (subscription, store.Scope, error) {
	sub, scope, err := s.subscriptionAt(ctx, arn)
	if caller := door.CallerFrom(ctx); err == nil && !sub.belongs(caller, scope) {
		err = denied(caller, action, sub.ARN)
	}
	return sub, scope, err
}

// subscriptionAt finds the subscription of an ARN.
func (s *Service) subscriptionAt(ctx context.Context, arn *string) (subscription, store.Scope, error) {
	if arn == nil {
		return subscription{}, store.Scope{}, invalid("SubscriptionArn")
	}
	a, err := parseARN("SubscriptionArn", *arn)
	if err != nil {
		return subscription{}, a.scope, err
	}
	sub, err := s.subscriptions.Get(ctx, a.scope, a.name+"/"+a.subscription)
	if errors.Is(err, store.ErrNotFound) {
		err = notFound("Subscription does not exist")
	}
	return sub, a.scope, err
}

// subscriptionsOf are the subscriptions of a topic, oldest id first.
func (s *Service) subscriptionsOf(ctx context.Context, scope store.Scope, name string) ([]subscription, error) {
	entries, err := s.subscriptions.List(ctx, scope, store.Query{Prefix: name + "/"})
	subs := make([]subscription, len(entries))
	for i, e := range entries {
		subs[i] = e.Value
	}
	return subs, err
}
