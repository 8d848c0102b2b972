package sns

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// Kinds of messages, as their Type says.
const (
	notification = "Notification"
	confirm      = "SubscriptionConfirmation"
)

// message is a message on its way to one endpoint.
type message struct {
	ID, Type   string
	Subject    string `json:",omitempty"`
	Text       string
	Token      string                                 `json:",omitempty"`
	Attributes map[string]types.MessageAttributeValue `json:",omitempty"`
	Time       time.Time
}

const timeFormat = "2006-01-02T15:04:05.000Z"

// envelope is a message as HTTP endpoints get it.
// https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html
type envelope struct {
	Type              string
	MessageID         string `json:"MessageId"`
	Token             string `json:",omitempty"`
	TopicARN          string `json:"TopicArn"`
	Subject           string `json:",omitempty"`
	Message           string
	SubscribeURL      string `json:",omitempty"`
	Timestamp         string
	SignatureVersion  string
	Signature         string
	SigningCertURL    string
	UnsubscribeURL    string               `json:",omitempty"`
	MessageAttributes map[string]attribute `json:",omitempty"`
}

// attribute is a message attribute as endpoints get it.
type attribute struct{ Type, Value string }

// envelope seals the message for a subscription of its topic.
func (s *Service) envelope(t topic, sub subscription, m message) (envelope, error) {
	e := envelope{
		Type: m.Type, MessageID: m.ID, Token: m.Token, TopicARN: t.ARN, Subject: m.Subject, Message: m.Text,
		Timestamp: m.Time.UTC().Format(timeFormat), SignatureVersion: "1", MessageAttributes: shownAttributes(m.Attributes),
	}
	if v := t.Attributes["SignatureVersion"]; v != "" {
		e.SignatureVersion = v
	}
	if m.Type == confirm {
		e.SubscribeURL = s.actionURL("ConfirmSubscription", "TopicArn", t.ARN, "Token", m.Token)
	} else {
		e.UnsubscribeURL = s.actionURL("Unsubscribe", "SubscriptionArn", sub.ARN)
	}
	signer, err := s.signer()
	if err != nil {
		return e, err
	}
	e.SigningCertURL = s.host.Endpoint() + certificatePath + signer.name
	e.Signature, err = signer.sign(e.toSign(), e.SignatureVersion)
	return e, err
}

// toSign is the text that is signed: the names and values of these members,
// each on a line.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
func (e envelope) toSign() string {
	pairs := [][2]string{{"Message", e.Message}, {"MessageId", e.MessageID}, {"Subject", e.Subject}, {"SubscribeURL", e.SubscribeURL},
		{"Timestamp", e.Timestamp}, {"Token", e.Token}, {"TopicArn", e.TopicARN}, {"Type", e.Type}}
	var b strings.Builder
	for _, p := range pairs {
		if p[1] != "" {
			b.WriteString(p[0] + "\n" + p[1] + "\n")
		}
	}
	return b.String()
}

// actionURL is a request that a browser can make.
func (s *Service) actionURL(action string, pairs ...string) string {
	q := "Action=" + action
	for i := 0; i+1 < len(pairs); i += 2 {
		q += "&" + pairs[i] + "=" + url.QueryEscape(pairs[i+1])
	}
	return s.host.Endpoint() + "/?" + q + "&Version=2010-03-31"
}

func shownAttributes(attributes map[string]types.MessageAttributeValue) map[string]attribute {
	if len(attributes) == 0 {
		return nil
	}
	out := map[string]attribute{}
	for name, a := range attributes {
		value := aws.ToString(a.StringValue)
		if baseType(a) == "Binary" {
			value = base64.StdEncoding.EncodeToString(a.BinaryValue)
		}
		out[name] = attribute{aws.ToString(a.DataType), value}
	}
	return out
}

// indented is a document as SNS sends it: with line breaks, HTML as it is.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// confirmation asks an endpoint to confirm its subscription.
func (s *Service) confirmation(t topic, sub subscription) delivery {
	return delivery{Topic: t.ARN, Subscription: sub.ID, Message: message{
		ID: s.host.NewID(), Type: confirm, Token: sub.Token, Time: s.host.Now(),
		Text: "You have chosen to subscribe to the topic " + t.ARN + ".\nTo confirm the subscription, visit the SubscribeURL included in this message.",
	}}
}

// lambdaEvent is what a function gets.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
type lambdaEvent struct{ Records []lambdaRecord }

type lambdaRecord struct {
	EventSource          string
	EventVersion         string
	EventSubscriptionARN string        `json:"EventSubscriptionArn"`
	SNS                  lambdaMessage `json:"Sns"`
}

type lambdaMessage struct {
	Type              string
	MessageID         string `json:"MessageId"`
	TopicARN          string `json:"TopicArn"`
	Subject           *string
	Message           string
	Timestamp         string
	SignatureVersion  string
	Signature         string
	SigningCertURL    string `json:"SigningCertUrl"`
	UnsubscribeURL    string `json:"UnsubscribeUrl"`
	MessageAttributes map[string]attribute
}

func (e envelope) forLambda(sub subscription) lambdaEvent {
	m := lambdaMessage{Type: e.Type, MessageID: e.MessageID, TopicARN: e.TopicARN, Message: e.Message, Timestamp: e.Timestamp,
		SignatureVersion: e.SignatureVersion, Signature: e.Signature, SigningCertURL: e.SigningCertURL, UnsubscribeURL: e.UnsubscribeURL,
		MessageAttributes: e.MessageAttributes}
	if e.Subject != "" {
		m.Subject = &e.Subject
	}
	if m.MessageAttributes == nil {
		m.MessageAttributes = map[string]attribute{}
	}
	return lambdaEvent{[]lambdaRecord{{EventSource: "aws:sns", EventVersion: "1.0", EventSubscriptionARN: sub.ARN, SNS: m}}}
}
