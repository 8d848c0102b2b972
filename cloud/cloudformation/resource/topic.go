package resource

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

func snsKinds() []*Kind {
	return []*Kind{
		{Type: "AWS::SNS::Topic", NameProperty: "TopicName", Naming: &Naming{Max: 256}, Replace: []string{"TopicName", "FifoTopic"},
			Create: createTopic, Update: updateTopic, Delete: deleteTopic},
		{Type: "AWS::SNS::Subscription", Untagged: true, Replace: []string{"Endpoint", "Protocol", "TopicArn"},
			Create: subscribe, Update: updateSubscription, Delete: unsubscribe},
		{Type: "AWS::SNS::TopicPolicy", Naming: &Naming{Max: 256}, Untagged: true,
			Create: putTopicPolicy, Update: putTopicPolicy, Delete: deleteTopicPolicy},
	}
}

// topicProperties are the properties that are attributes of the topic.
var topicProperties = []string{"ArchivePolicy", "ContentBasedDeduplication", "DisplayName", "FifoThroughputScope", "FifoTopic",
	"KmsMasterKeyId", "SignatureVersion", "TracingConfig"}

// topicOnly are properties that are no attributes.
var topicOnly = []string{"TopicName", "Tags", "Subscription", "DataProtectionPolicy", "DeliveryStatusLogging"}

// attributesOf are the properties of those names as SNS takes them.
func attributesOf(properties map[string]any, names, others []string) (map[string]string, error) {
	out := map[string]string{}
	for name, value := range properties {
		switch {
		case value == nil || slices.Contains(others, name):
		case !slices.Contains(names, name):
			return nil, Sayf("Encountered unsupported property %s", name)
		case isScalar(value):
			out[name] = text(value)
		default:
			out[name] = document(value)
		}
	}
	return out, nil
}

// topicAttributes adds the attributes of DeliveryStatusLogging.
func topicAttributes(properties map[string]any) (map[string]string, error) {
	out, err := attributesOf(properties, topicProperties, topicOnly)
	if err != nil {
		return nil, err
	}
	prefix := map[string]string{"http/s": "HTTP", "lambda": "Lambda", "sqs": "SQS", "firehose": "Firehose", "application": "Application"}
	for _, item := range list(properties["DeliveryStatusLogging"]) {
		config := object(item)
		for _, name := range []string{"FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate"} {
			if value := text(config[name]); value != "" {
				out[prefix[text(config["Protocol"])]+name] = value
			}
		}
	}
	return out, nil
}

func createTopic(ctx context.Context, r *Request) (Result, error) {
	attributes, err := topicAttributes(r.Properties)
	if err != nil {
		return Result{}, err
	}
	client := Client(r.Clients, sns.NewFromConfig)
	name := topicName(r)
	arn := r.ARN("sns", name)
	if _, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &arn}); err == nil && !r.Retry {
		return Result{}, Sayf("Resource of type '%s' with identifier '%s' already exists.", r.Type, arn)
	}
	in := &sns.CreateTopicInput{Name: &name, Attributes: attributes, Tags: topicTags(r.allTags())}
	if p := r.Properties["DataProtectionPolicy"]; p != nil {
		in.DataProtectionPolicy = aws.String(document(p))
	}
	out, err := client.CreateTopic(ctx, in)
	if err != nil {
		return Result{}, err
	}
	r.Physical = aws.ToString(out.TopicArn)
	if err := subscribeAll(ctx, client, r.Physical, r.Properties["Subscription"]); err != nil {
		return Result{}, err
	}
	return topicResult(r.Physical), nil
}

// topicName is the name, which for FIFO topics ends with .fifo.
func topicName(r *Request) string {
	if r.Text("FifoTopic") == "true" && r.Text("TopicName") == "" {
		return r.Name + ".fifo"
	}
	return r.Name
}

func topicResult(arn string) Result {
	return Result{Physical: arn, Attributes: map[string]any{"TopicArn": arn, "TopicName": arn[strings.LastIndexByte(arn, ':')+1:]}}
}

func topicTags(tags map[string]string) []types.Tag {
	return tagList(tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} })
}

func subscribeAll(ctx context.Context, client *sns.Client, arn string, subscriptions any) error {
	for _, item := range list(subscriptions) {
		s := object(item)
		_, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &arn, Protocol: aws.String(text(s["Protocol"])), Endpoint: aws.String(text(s["Endpoint"]))})
		if err != nil {
			return err
		}
	}
	return nil
}

func updateTopic(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, sns.NewFromConfig)
	now, err := topicAttributes(r.Properties)
	if err != nil {
		return Result{}, err
	}
	was, err := topicAttributes(r.Former)
	if err != nil {
		return Result{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(merge(was, now))) {
		if now[name] == was[name] {
			continue
		}
		if _, err := client.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &r.Physical, AttributeName: &name, AttributeValue: aws.String(now[name])}); err != nil {
			return Result{}, err
		}
	}
	if document(r.Properties["Subscription"]) != document(r.Former["Subscription"]) {
		if err := subscribeAll(ctx, client, r.Physical, r.Properties["Subscription"]); err != nil {
			return Result{}, err
		}
		if err := unsubscribeGone(ctx, client, r); err != nil {
			return Result{}, err
		}
	}
	set, drop := r.tagChanges()
	if len(set) > 0 {
		if _, err := client.TagResource(ctx, &sns.TagResourceInput{ResourceArn: &r.Physical, Tags: topicTags(set)}); err != nil {
			return Result{}, err
		}
	}
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: &r.Physical, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	return topicResult(r.Physical), nil
}

// unsubscribeGone ends the subscriptions that the property lost.
func unsubscribeGone(ctx context.Context, client *sns.Client, r *Request) error {
	lost := map[string]bool{}
	endpoint := func(item any) string { return text(object(item)["Protocol"]) + " " + text(object(item)["Endpoint"]) }
	for _, item := range list(r.Former["Subscription"]) {
		lost[endpoint(item)] = true
	}
	for _, item := range list(r.Properties["Subscription"]) {
		delete(lost, endpoint(item))
	}
	pages := sns.NewListSubscriptionsByTopicPaginator(client, &sns.ListSubscriptionsByTopicInput{TopicArn: &r.Physical})
	for pages.HasMorePages() && len(lost) > 0 {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, s := range page.Subscriptions {
			if !lost[aws.ToString(s.Protocol)+" "+aws.ToString(s.Endpoint)] || aws.ToString(s.SubscriptionArn) == "PendingConfirmation" {
				continue // what nobody confirmed cannot be ended, on AWS too
			}
			if _, err := client.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: s.SubscriptionArn}); err != nil {
				return err
			}
		}
	}
	return nil
}

func deleteTopic(ctx context.Context, r *Request) error {
	arn := r.Physical
	if arn == r.Name { // begun by a process that died
		arn = r.ARN("sns", topicName(r))
	}
	_, err := Client(r.Clients, sns.NewFromConfig).DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &arn})
	return gone(err)
}

// configIn is the stack's configuration for another region, or its own.
func (r *Request) configIn(region string) aws.Config {
	cfg := r.Clients.Config.Copy()
	if region != "" {
		cfg.Region = region
	}
	return cfg
}

// subscriptionProperties are the properties that are attributes of the subscription.
var subscriptionProperties = []string{"DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "ReplayPolicy", "SubscriptionRoleArn"}

var subscriptionOnly = []string{"Endpoint", "Protocol", "Region", "TopicArn"}

func subscribe(ctx context.Context, r *Request) (Result, error) {
	attributes, err := attributesOf(r.Properties, subscriptionProperties, subscriptionOnly)
	if err != nil {
		return Result{}, err
	}
	in := &sns.SubscribeInput{Attributes: attributes, ReturnSubscriptionArn: true}
	for name, into := range map[string]**string{"TopicArn": &in.TopicArn, "Protocol": &in.Protocol, "Endpoint": &in.Endpoint} {
		if value := r.Text(name); value != "" {
			*into = &value
		}
	}
	out, err := sns.NewFromConfig(r.configIn(r.Text("Region"))).Subscribe(ctx, in)
	if err != nil {
		return Result{}, err
	}
	arn := aws.ToString(out.SubscriptionArn)
	return Result{Physical: arn, Attributes: map[string]any{"Arn": arn}}, nil
}

func updateSubscription(ctx context.Context, r *Request) (Result, error) {
	now, err := attributesOf(r.Properties, subscriptionProperties, subscriptionOnly)
	if err != nil {
		return Result{}, err
	}
	was, err := attributesOf(r.Former, subscriptionProperties, subscriptionOnly)
	if err != nil {
		return Result{}, err
	}
	client := sns.NewFromConfig(r.configIn(r.Text("Region")))
	for _, name := range slices.Sorted(maps.Keys(merge(was, now))) {
		value, kept := now[name]
		switch {
		case value == was[name]:
			continue
		case !kept && name == "RawMessageDelivery":
			value = "false"
		}
		if _, err := client.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{SubscriptionArn: &r.Physical, AttributeName: &name, AttributeValue: &value}); err != nil {
			return Result{}, err
		}
	}
	return Result{Physical: r.Physical, Attributes: r.Attributes}, nil
}

func unsubscribe(ctx context.Context, r *Request) error {
	_, err := sns.NewFromConfig(r.configIn(r.Text("Region"))).Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: &r.Physical})
	return gone(err)
}

// putTopicPolicy sets the policy of all topics that are named, and gives those
// back the default one that are named no more.
func putTopicPolicy(ctx context.Context, r *Request) (Result, error) {
	if r.Properties["PolicyDocument"] == nil || r.Properties["Topics"] == nil {
		return Result{}, Sayf("Properties validation failed: #: required keys [PolicyDocument, Topics] not found")
	}
	if _, err := attributesOf(r.Properties, nil, []string{"PolicyDocument", "Topics"}); err != nil {
		return Result{}, err
	}
	_, lost := changes(texts(r.Former["Topics"]), texts(r.Properties["Topics"]))
	if err := setTopicPolicies(ctx, r, texts(r.Properties["Topics"]), document(r.Properties["PolicyDocument"])); err != nil {
		return Result{}, err
	}
	if err := setTopicPolicies(ctx, r, lost, ""); err != nil {
		return Result{}, err
	}
	return Result{Physical: r.Name, Attributes: map[string]any{"Id": r.Name}}, nil
}

func deleteTopicPolicy(ctx context.Context, r *Request) error {
	return setTopicPolicies(ctx, r, texts(r.Properties["Topics"]), "")
}

func setTopicPolicies(ctx context.Context, r *Request, topics []string, policy string) error {
	client := Client(r.Clients, sns.NewFromConfig)
	for _, arn := range topics {
		_, err := client.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &arn, AttributeName: aws.String("Policy"), AttributeValue: &policy})
		if err != nil && (policy != "" || !IsNotFound(err)) {
			return err
		}
	}
	return nil
}
