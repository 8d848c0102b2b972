package sns_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
)

// letter is a request that an endpoint got.
type letter struct {
	header http.Header
	body   string
	fields map[string]any
}

// endpoint is an HTTP endpoint that answers with what status says.
func endpoint(t *testing.T, status func(n int32) int) (url string, letters chan letter) {
	t.Helper()
	letters = make(chan letter, 100)
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		l := letter{header: r.Header, body: string(b)}
		json.Unmarshal(b, &l.fields) //nolint:errcheck // raw messages are no JSON
		w.WriteHeader(status(n.Add(1)))
		letters <- l
	}))
	t.Cleanup(s.Close)
	return s.URL, letters
}

func ok(int32) int { return 200 }

// visit opens a URL as a person would.
func visit(t *testing.T, url any) string {
	t.Helper()
	res, err := http.Get(url.(string))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%s: %d, %v\n%s", url, res.StatusCode, err, b)
	}
	return string(b)
}

// verify checks a message's signature as AWS tells clients to.
func verify(t *testing.T, f map[string]any) {
	t.Helper()
	block, _ := pem.Decode([]byte(visit(t, f["SigningCertURL"])))
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, name := range []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"} {
		if v, ok := f[name].(string); ok {
			text.WriteString(name + "\n" + v + "\n")
		}
	}
	signature, err := base64.StdEncoding.DecodeString(f["Signature"].(string))
	if err != nil {
		t.Fatal(err)
	}
	one, two := sha1.Sum([]byte(text.String())), sha256.Sum256([]byte(text.String()))
	hash, sum := crypto.SHA1, one[:]
	if f["SignatureVersion"] == "2" {
		hash, sum = crypto.SHA256, two[:]
	}
	if err := rsa.VerifyPKCS1v15(certificate.PublicKey.(*rsa.PublicKey), hash, sum, signature); err != nil {
		t.Errorf("the signature of %v does not hold: %v", f["Type"], err)
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	ctx, b := t.Context(), start(t)
	topic := b.topic(t, "news", map[string]string{"SignatureVersion": "2"})
	url, letters := endpoint(t, ok)
	first, err := b.Subscribe(ctx, &api.SubscribeInput{TopicArn: topic, Protocol: aws.String("http"), Endpoint: &url})
	if err != nil || *first.SubscriptionArn != "pending confirmation" {
		t.Fatalf("%+v, %v", first, err)
	}
	asked := receive(t, letters)
	if asked.header.Get("X-Amz-Sns-Message-Type") != "SubscriptionConfirmation" || asked.fields["TopicArn"] != *topic {
		t.Fatalf("the endpoint was asked %+v", asked)
	}
	verify(t, asked.fields)
	if _, err := b.Publish(ctx, &api.PublishInput{TopicArn: topic, Message: aws.String("too early")}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ConfirmSubscription(ctx, &api.ConfirmSubscriptionInput{TopicArn: topic, Token: aws.String("x")}); code(err) != "InvalidParameter: Invalid parameter: Token" {
		t.Errorf("confirming with a wrong token: %v", err)
	}
	if answer := visit(t, asked.fields["SubscribeURL"]); !strings.Contains(answer, "<SubscriptionArn>"+*topic+":") {
		t.Errorf("confirming answers %s", answer)
	}
	published, err := b.Publish(ctx, &api.PublishInput{TopicArn: topic, Message: aws.String("<hello>"), Subject: aws.String("Greeting"),
		MessageAttributes: map[string]types.MessageAttributeValue{"size": {DataType: aws.String("Number"), StringValue: aws.String("3")}}})
	if err != nil {
		t.Fatal(err)
	}
	got := receive(t, letters)
	f := got.fields
	attributes, _ := json.Marshal(f["MessageAttributes"])
	if f["Type"] != "Notification" || f["Message"] != "<hello>" || f["Subject"] != "Greeting" || f["MessageId"] != *published.MessageId ||
		string(attributes) != `{"size":{"Type":"Number","Value":"3"}}` || got.header.Get("Content-Type") != "text/plain; charset=UTF-8" {
		t.Errorf("the endpoint got %s\n%v", got.body, got.header)
	}
	verify(t, f)
	visit(t, f["UnsubscribeURL"])
	list, err := b.ListSubscriptionsByTopic(ctx, &api.ListSubscriptionsByTopicInput{TopicArn: topic})
	if err != nil || len(list.Subscriptions) != 0 {
		t.Errorf("after unsubscribing: %+v, %v", list, err)
	}
}

// confirmed is a confirmed subscription of an HTTP endpoint.
func (b *bench) confirmed(t *testing.T, topic *string, url string, letters chan letter, attributes map[string]string) *string {
	t.Helper()
	arn := b.subscribe(t, topic, "http", url, attributes)
	visit(t, receive(t, letters).fields["SubscribeURL"])
	return arn
}

func TestRetries(t *testing.T) {
	t.Parallel()
	b := start(t)
	topic := b.topic(t, "news", nil)
	url, letters := endpoint(t, func(n int32) int {
		return map[int32]int{2: 500, 3: 429, 5: 400}[n] + 200*map[bool]int{true: 1}[n == 1 || n == 4 || n == 6]
	})
	b.confirmed(t, topic, url, letters, map[string]string{"RawMessageDelivery": "true",
		"DeliveryPolicy": `{"healthyRetryPolicy":{"numRetries":3,"numNoDelayRetries":3,"minDelayTarget":1,"maxDelayTarget":1},"requestPolicy":{"headerContentType":"application/json"}}`})
	for _, text := range []string{"a", "b", "c"} {
		if _, err := b.Publish(t.Context(), &api.PublishInput{TopicArn: topic, Message: &text}); err != nil {
			t.Fatal(err)
		}
		times := map[string]int{"a": 3, "b": 1, "c": 1}[text] // b is refused, which is final
		for range times {
			if got := receive(t, letters); got.body != text || got.header.Get("X-Amz-Sns-Rawdelivery") != "true" || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("the endpoint got %q with %v, want %q", got.body, got.header, text)
			}
		}
	}
}

// TestResume closes the cloud while an endpoint is out of order.
func TestResume(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := cloudtest.StartWith(t, cloud.Options{Dir: dir})
	b := &bench{Client: api.NewFromConfig(c.Config), cloud: c}
	topic := b.topic(t, "news", nil)
	var down atomic.Bool
	url, letters := endpoint(t, func(int32) int {
		if down.Load() {
			return 503
		}
		return 200
	})
	b.confirmed(t, topic, url, letters, nil)
	down.Store(true)
	if _, err := b.Publish(t.Context(), &api.PublishInput{TopicArn: topic, Message: aws.String("late")}); err != nil {
		t.Fatal(err)
	}
	receive(t, letters) // in vain
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	down.Store(false)
	c = cloudtest.StartWith(t, cloud.Options{Dir: dir})
	defer c.Close() //nolint:errcheck // the test is over
	if got := receive(t, letters); got.fields["Message"] != "late" {
		t.Errorf("the endpoint got %s", got.body)
	}
}
