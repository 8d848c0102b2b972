package sns

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"ouro/cloud/store"
	"ouro/regex"
)

const (
	maxMessage = 256 << 10 // bytes, attributes included
	maxSubject = 100       // characters
	maxBatch   = 10        // messages
)

// Publish sends a message to the subscriptions of a topic.
func (s *Service) Publish(ctx context.Context, in *sns.PublishInput) (*sns.PublishOutput, error) {
	arn := in.TopicArn
	switch {
	case in.PhoneNumber != nil:
		return nil, invalid("PhoneNumber Reason: the local cloud sends no text messages")
	case arn == nil:
		arn = in.TargetArn
	}
	if arn == nil || strings.Contains(*arn, ":endpoint/") {
		return nil, invalid("TopicArn or TargetArn Reason: no value for required parameter, or no topic")
	}
	t, scope, err := s.topicAt(ctx, arn, "SNS:Publish")
	if err != nil {
		return nil, err
	}
	p := post{in.Message, in.Subject, in.MessageStructure, in.MessageAttributes, in.MessageGroupId, in.MessageDeduplicationId}
	if err := p.check(t); err != nil {
		return nil, err
	}
	id, sequence, err := s.publish(ctx, scope, t, p)
	if err != nil {
		return nil, err
	}
	return &sns.PublishOutput{MessageId: &id, SequenceNumber: sequence}, nil
}

// PublishBatch sends up to ten messages; each succeeds or fails by itself.
func (s *Service) PublishBatch(ctx context.Context, in *sns.PublishBatchInput) (*sns.PublishBatchOutput, error) {
	t, scope, err := s.topicAt(ctx, in.TopicArn, "SNS:Publish")
	if err != nil {
		return nil, err
	}
	if err := checkBatch(in.PublishBatchRequestEntries); err != nil {
		return nil, err
	}
	out := &sns.PublishBatchOutput{Successful: []types.PublishBatchResultEntry{}, Failed: []types.BatchResultErrorEntry{}}
	for _, e := range in.PublishBatchRequestEntries {
		p := post{e.Message, e.Subject, e.MessageStructure, e.MessageAttributes, e.MessageGroupId, e.MessageDeduplicationId}
		err := p.check(t)
		var id string
		var sequence *string
		if err == nil {
			id, sequence, err = s.publish(ctx, scope, t, p)
		}
		var api interface{ ErrorCode() string }
		switch {
		case err == nil:
			out.Successful = append(out.Successful, types.PublishBatchResultEntry{Id: e.Id, MessageId: &id, SequenceNumber: sequence})
		case errors.As(err, &api):
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String(api.ErrorCode()), Message: aws.String(err.Error()), SenderFault: true})
		default:
			return nil, err
		}
	}
	return out, nil
}

// fifoID is what ids of groups and for deduplication are made of.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
var fifoID = regex.New(`^[!-~]{1,128}$`)

var batchID = regex.New(`^[A-Za-z0-9_-]{1,80}$`)

func checkBatch(entries []types.PublishBatchRequestEntry) error {
	seen, size := map[string]bool{}, 0
	for _, e := range entries {
		id := aws.ToString(e.Id)
		switch {
		case !batchID().MatchString(id):
			return &types.InvalidBatchEntryIdException{Message: aws.String("A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")}
		case seen[id]:
			return &types.BatchEntryIdsNotDistinctException{Message: aws.String("Two or more batch entries in the request have the same Id.")}
		}
		seen[id] = true
		size += post{message: e.Message, attributes: e.MessageAttributes}.size()
	}
	switch {
	case len(entries) == 0:
		return &types.EmptyBatchRequestException{Message: aws.String("The batch request doesn't contain any entries.")}
	case len(entries) > maxBatch:
		return &types.TooManyEntriesInBatchRequestException{Message: aws.String("The batch request contains more entries than permissible.")}
	case size > maxMessage:
		return &types.BatchRequestTooLongException{Message: aws.String("The length of all the messages put together is more than the limit.")}
	}
	return nil
}

// post is what was given to be published.
type post struct {
	message, subject, structure *string
	attributes                  map[string]types.MessageAttributeValue
	group, dedup                *string
}

func (p post) size() int {
	n := len(aws.ToString(p.message))
	for name, a := range p.attributes {
		n += len(name) + len(aws.ToString(a.DataType)) + len(aws.ToString(a.StringValue)) + len(a.BinaryValue)
	}
	return n
}

func (p post) check(t topic) error {
	switch {
	case aws.ToString(p.message) == "":
		return invalid("Empty message")
	case p.size() > maxMessage:
		return invalid("Message too long")
	case p.subject != nil && !isSubject(*p.subject):
		return invalid("Subject")
	case p.structure != nil && *p.structure != "json" && *p.structure != "":
		return invalid("MessageStructure")
	case !t.fifo() && p.dedup != nil:
		return invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	case t.fifo() && aws.ToString(p.group) == "":
		return invalid("The MessageGroupId parameter is required for FIFO topics")
	case p.group != nil && !fifoID().MatchString(*p.group):
		return invalid("MessageGroupId")
	case p.dedup != nil && !fifoID().MatchString(*p.dedup):
		return invalid("MessageDeduplicationId")
	case t.fifo() && p.dedup == nil && t.Attributes["ContentBasedDeduplication"] != "true":
		return invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	if aws.ToString(p.structure) == "json" {
		if _, err := p.texts(); err != nil {
			return err
		}
	}
	return checkAttributes(p.attributes)
}

// isSubject is up to 100 characters of ASCII without control characters, and
// no blank in front.
func isSubject(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= maxSubject && s[0] != ' ' &&
		!strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) })
}

// texts are the texts by protocol of a message whose structure is json.
func (p post) texts() (map[string]string, error) {
	var all map[string]any
	if json.Unmarshal([]byte(aws.ToString(p.message)), &all) != nil {
		return nil, invalid("Message Structure - JSON message body failed to parse")
	}
	texts := map[string]string{}
	for protocol, v := range all {
		if text, ok := v.(string); ok {
			texts[protocol] = text
		}
	}
	if _, ok := texts["default"]; !ok {
		return nil, invalid("Message Structure - No default entry in JSON message body")
	}
	return texts, nil
}

// text is what a protocol's endpoints get; a structured message was checked.
func (p post) text(protocol string) string {
	if aws.ToString(p.structure) != "json" {
		return aws.ToString(p.message)
	}
	texts, err := p.texts()
	if err != nil {
		return ""
	}
	if text, ok := texts[protocol]; ok {
		return text
	}
	return texts["default"]
}

// publish hands a message to all subscriptions whose filters it passes. The
// number of a FIFO message is kept together with its deliveries: without them
// it would hide a message that never went out.
func (s *Service) publish(ctx context.Context, scope store.Scope, t topic, p post) (id string, sequence *string, err error) {
	id = s.host.NewID()
	subs, err := s.subscriptionsOf(ctx, scope, t.Name)
	if err != nil {
		return id, nil, err
	}
	var due []delivery
	for _, sub := range subs {
		if !sub.Confirmed || !p.passes(sub) {
			continue
		}
		due = append(due, delivery{Topic: t.ARN, Subscription: sub.ID, Message: message{
			ID: id, Type: notification, Subject: aws.ToString(p.subject), Text: p.text(sub.Protocol), Attributes: p.attributes, Time: s.host.Now()}})
	}
	if !t.fifo() {
		return id, nil, s.send(ctx, due...)
	}
	is, again := dedup{}, false
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if is, again, err = s.number(ctx, scope, t, p, id); err != nil || again {
			return err
		}
		return s.keep(ctx, scope, due)
	})
	if err == nil && !again {
		s.begin(scope, due)
	}
	return is.ID, &is.Sequence, err
}
