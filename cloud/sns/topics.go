package sns

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

var (
	standardName = regex.New(`^[A-Za-z0-9_-]{1,256}$`)
	fifoName     = regex.New(`^[A-Za-z0-9_-]{1,251}\.fifo$`)
)

// CreateTopic makes a topic. Making one again that is the same answers with it.
func (s *Service) CreateTopic(ctx context.Context, in *sns.CreateTopicInput) (*sns.CreateTopicOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.Name)
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	t := topic{Name: name, ARN: caller.ResourceARN("sns", name), Owner: caller.Account, Created: s.host.Now(),
		Attributes: map[string]string{}, Tags: tags}
	if aws.ToString(in.DataProtectionPolicy) != "" {
		return nil, invalid("DataProtectionPolicy is not supported by the local cloud")
	}
	for attribute, value := range in.Attributes {
		if err := t.set(attribute, value); err != nil {
			return nil, err
		}
	}
	switch {
	case t.fifo() && !fifoName().MatchString(name):
		return nil, invalid("Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.")
	case !t.fifo() && !standardName().MatchString(name):
		return nil, invalid("Topic Name")
	case len(t.Tags) > maxTags:
		return nil, &types.TagLimitExceededException{Message: aws.String("Could not complete request: tag quota of per resource exceeded")}
	}
	err = s.topics.Insert(ctx, caller.Scope(), name, t)
	if errors.Is(err, store.ErrExists) {
		err = s.sameTopic(ctx, caller.Scope(), t)
	}
	if err != nil {
		return nil, err
	}
	return &sns.CreateTopicOutput{TopicArn: &t.ARN}, nil
}

// sameTopic tells whether the topic that is there has what a new one was to have.
func (s *Service) sameTopic(ctx context.Context, scope store.Scope, t topic) error {
	have, err := s.topics.Get(ctx, scope, t.Name)
	if err != nil {
		return err
	}
	for attribute, value := range t.Attributes {
		if have.Attributes[attribute] != value {
			return invalid("Attributes Reason: Topic already exists with different attributes")
		}
	}
	if t.Policy != "" && t.Policy != have.Policy {
		return invalid("Attributes Reason: Topic already exists with different attributes")
	}
	if len(t.Tags) > 0 && !maps.Equal(t.Tags, have.Tags) {
		return invalid("Tags Reason: Topic already exists with different tags")
	}
	return nil
}

// DeleteTopic deletes a topic and its subscriptions; one that is not there is
// deleted already.
func (s *Service) DeleteTopic(ctx context.Context, in *sns.DeleteTopicInput) (*sns.DeleteTopicOutput, error) {
	a, err := parseARN("TopicArn", aws.ToString(in.TopicArn))
	if err != nil {
		return nil, err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		t, err := s.topics.Get(ctx, a.scope, a.name)
		if err == nil {
			err = t.permit(door.CallerFrom(ctx), "SNS:DeleteTopic")
		}
		if err == nil {
			err = s.topics.Delete(ctx, a.scope, a.name)
		}
		if err != nil {
			return err
		}
		subs, err := s.subscriptionsOf(ctx, a.scope, a.name)
		if err != nil {
			return err
		}
		for _, sub := range subs {
			if err := s.subscriptions.Delete(ctx, a.scope, sub.key()); err != nil {
				return err
			}
		}
		return s.forgetPublished(ctx, a.scope, a.name, func(dedup) bool { return true })
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &sns.DeleteTopicOutput{}, nil
}

// ListTopics lists the topics of the account and region by name.
func (s *Service) ListTopics(ctx context.Context, in *sns.ListTopicsInput) (*sns.ListTopicsOutput, error) {
	entries, err := s.topics.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	entries, next, err := page(entries, func(e store.Entry[topic]) string { return e.ID }, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sns.ListTopicsOutput{NextToken: next, Topics: []types.Topic{}}
	for _, e := range entries {
		out.Topics = append(out.Topics, types.Topic{TopicArn: aws.String(e.Value.ARN)})
	}
	return out, nil
}

// GetTopicAttributes tells all of a topic.
func (s *Service) GetTopicAttributes(ctx context.Context, in *sns.GetTopicAttributesInput) (*sns.GetTopicAttributesOutput, error) {
	t, scope, err := s.topicAt(ctx, in.TopicArn, "SNS:GetTopicAttributes")
	if err != nil {
		return nil, err
	}
	subs, err := s.subscriptionsOf(ctx, scope, t.Name)
	if err != nil {
		return nil, err
	}
	return &sns.GetTopicAttributesOutput{Attributes: t.view(subs)}, nil
}

// SetTopicAttributes sets one attribute.
func (s *Service) SetTopicAttributes(ctx context.Context, in *sns.SetTopicAttributesInput) (*sns.SetTopicAttributesOutput, error) {
	t, scope, err := s.topicAt(ctx, in.TopicArn, "SNS:SetTopicAttributes")
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.AttributeName) == "FifoTopic" {
		return nil, invalid("AttributeName")
	}
	_, err = s.topics.Update(ctx, scope, t.Name, func(t *topic) error {
		return t.set(aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue))
	})
	return &sns.SetTopicAttributesOutput{}, err
}

// topicAttributes are the attributes that can be set, with what they take.
// Those of logging delivery to other services are kept as they are.
var topicAttributes = map[string]func(value string) error{
	"DisplayName":               func(v string) error { return atMost("DisplayName", v, 100) },
	"DeliveryPolicy":            checkDeliveryPolicy,
	"KmsMasterKeyId":            nil,
	"FifoTopic":                 boolean("FifoTopic"),
	"ContentBasedDeduplication": boolean("ContentBasedDeduplication"),
	"SignatureVersion":          oneOf("SignatureVersion", "1", "2"),
	"TracingConfig":             oneOf("TracingConfig", "PassThrough", "Active"),
	"FifoThroughputScope":       oneOf("FifoThroughputScope", "Topic", "MessageGroup"),
	"ArchivePolicy": func(v string) error {
		if v != "" && v != "{}" {
			return invalid("ArchivePolicy is not supported by the local cloud")
		}
		return nil
	},
}

func isFeedback(attribute string) bool {
	for _, protocol := range []string{"HTTP", "Lambda", "SQS", "Firehose", "Application"} {
		if kind, ok := strings.CutPrefix(attribute, protocol); ok {
			return kind == "SuccessFeedbackRoleArn" || kind == "SuccessFeedbackSampleRate" || kind == "FailureFeedbackRoleArn"
		}
	}
	return false
}

func (t *topic) set(attribute, value string) error {
	if attribute == "Policy" {
		if err := checkPolicy(value); err != nil {
			return err
		}
		t.Policy = value
		return nil
	}
	check, known := topicAttributes[attribute]
	if !known && !isFeedback(attribute) {
		return invalid("AttributeName")
	}
	if check != nil {
		if err := check(value); err != nil {
			return err
		}
	}
	if value == "" && attribute != "DisplayName" {
		delete(t.Attributes, attribute)
		return nil
	}
	if t.Attributes == nil {
		t.Attributes = map[string]string{}
	}
	t.Attributes[attribute] = value
	return nil
}

func boolean(name string) func(string) error { return oneOf(name, "true", "false") }

func oneOf(name string, values ...string) func(string) error {
	return func(v string) error {
		for _, want := range values {
			if v == want {
				return nil
			}
		}
		return invalidf("%s Reason: %s", name, "must be one of "+strings.Join(values, ", "))
	}
}

func atMost(name, value string, n int) error {
	if len(value) > n {
		return invalid(name)
	}
	return nil
}
