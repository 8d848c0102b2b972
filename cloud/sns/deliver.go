package sns

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// delivery is a message on its way to one subscription. It is in the store
// from before Publish answers until it arrived or was given up.
type delivery struct {
	ID           string
	Topic        string // ARN
	Subscription string // id
	Message      message
}

// send keeps deliveries and then attempts them in the background.
func (s *Service) send(ctx context.Context, due ...delivery) error {
	if len(due) == 0 {
		return nil
	}
	at, err := parseARN("TopicArn", due[0].Topic)
	if err != nil {
		return err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error { return s.keep(ctx, at.scope, due) })
	if err == nil {
		s.begin(at.scope, due)
	}
	return err
}

// keep stores deliveries and gives them their ids.
func (s *Service) keep(ctx context.Context, scope store.Scope, due []delivery) error {
	for i := range due {
		due[i].ID = s.host.NewID()
		if err := s.deliveries.Put(ctx, scope, due[i].ID, due[i]); err != nil {
			return err
		}
	}
	return nil
}

// begin attempts deliveries that are stored.
func (s *Service) begin(scope store.Scope, due []delivery) {
	for _, d := range due {
		s.host.Go("deliver a message", func(ctx context.Context) { s.deliver(ctx, scope, d.ID) })
	}
}

// Resume takes up the deliveries that an earlier process did not finish.
func (s *Service) Resume(ctx context.Context) error {
	left, err := s.deliveries.All(ctx, store.Query{})
	if err != nil {
		return err
	}
	for _, e := range left {
		s.begin(e.Scope, []delivery{e.Value})
	}
	return nil
}

// deliver attempts a delivery until it arrived or is given up. What waits for
// its turn or for a retry is in the store, not in memory.
func (s *Service) deliver(ctx context.Context, scope store.Scope, id string) {
	for n := 1; ; n++ {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		pause, again := s.attempt(ctx, scope, id, n)
		<-s.slots
		if !again {
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// attempt tries for the nth time, and tells whether and when to try again.
func (s *Service) attempt(ctx context.Context, scope store.Scope, id string, n int) (pause time.Duration, again bool) {
	d, err := s.deliveries.Get(ctx, scope, id)
	if err != nil {
		return 0, false
	}
	t, err := s.topics.Get(ctx, scope, topicName(d.Topic))
	var sub subscription
	if err == nil {
		sub, err = s.subscriptions.Get(ctx, scope, t.Name+"/"+d.Subscription)
	}
	if err == nil {
		err = s.deliverTo(ctx, t, sub, d.Message)
	} else if errors.Is(err, store.ErrNotFound) {
		err = nil // nobody wants it any more
	}
	if err != nil && ctx.Err() != nil {
		return 0, false // the process ends; the store still has the delivery
	}
	if err != nil && retryable(err) {
		policy := serviceRetries
		if isHTTP(sub.Protocol) {
			policy = *effective(t, sub).Retry
		}
		if pause, ok := policy.pause(n); ok {
			return pause, true
		}
	}
	if err != nil {
		s.host.Log().Warn("message not delivered", "topic", d.Topic, "message", d.Message.ID, "protocol", sub.Protocol, "endpoint", shownEndpoint(sub.Endpoint),
			"attempts", n, "error", err, "redrivePolicy", sub.Attributes["RedrivePolicy"])
	}
	if err := s.deliveries.Delete(context.WithoutCancel(ctx), scope, id); err != nil {
		s.host.Log().Error("delivered message stays in the store", "topic", d.Topic, "error", err)
	}
	return 0, false
}

// shownEndpoint is an endpoint for the log: without a URL's password, and
// without its query, which may hold a key.
func shownEndpoint(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return endpoint
	}
	u.RawQuery = ""
	return u.Redacted()
}

// refusal is a reason that another attempt would not change.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

// statusError is an HTTP endpoint that did not take a message.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("the endpoint answered with status %d", int(e))
}
func (e statusError) HTTPStatusCode() int { return int(e) }

// retryable tells an endpoint that is out of order from one that refuses.
func retryable(err error) bool {
	var response interface{ HTTPStatusCode() int }
	if errors.As(err, &response) {
		status := response.HTTPStatusCode()
		return status >= 500 && status != http.StatusNotImplemented || status == http.StatusTooManyRequests
	}
	var refused *refusal
	return !errors.As(err, &refused)
}

func (s *Service) deliverTo(ctx context.Context, t topic, sub subscription, m message) error {
	switch {
	case isHTTP(sub.Protocol):
		return s.post(ctx, t, sub, m)
	case sub.Protocol == "lambda":
		return s.invoke(ctx, t, sub, m)
	}
	return &refusal{"the local cloud does not deliver messages by the protocol " + sub.Protocol}
}

// patience is how long an HTTP endpoint may take, as on AWS.
const patience = 15 * time.Second

// post delivers to an HTTP endpoint.
func (s *Service) post(ctx context.Context, t topic, sub subscription, m message) error {
	body, raw := []byte(m.Text), m.Type == notification && sub.Attributes["RawMessageDelivery"] == "true"
	if !raw {
		e, err := s.envelope(t, sub, m)
		if err == nil {
			body, err = indented(e)
		}
		if err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.Endpoint, bytes.NewReader(body))
	if err != nil {
		return &refusal{"the endpoint is no URL"}
	}
	r.Header.Set("Content-Type", effective(t, sub).Request.ContentType)
	r.Header.Set("User-Agent", "Amazon Simple Notification Service Agent")
	r.Header.Set("X-Amz-Sns-Message-Type", m.Type)
	r.Header.Set("X-Amz-Sns-Message-Id", m.ID)
	r.Header.Set("X-Amz-Sns-Topic-Arn", t.ARN)
	if m.Type == notification {
		r.Header.Set("X-Amz-Sns-Subscription-Arn", sub.ARN)
	}
	if raw {
		r.Header.Set("X-Amz-Sns-Rawdelivery", "true")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err // without the URL, which may hold a key
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) //nolint:errcheck // only so that the connection can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return statusError(res.StatusCode)
	}
	return nil
}

// principal is who delivers to AWS's own services.
const principal = "sns.amazonaws.com"

// invoke delivers to a function, which runs on its own.
func (s *Service) invoke(ctx context.Context, t topic, sub subscription, m message) error {
	e, err := s.envelope(t, sub, m)
	if err != nil {
		return err
	}
	parts := strings.SplitN(sub.Endpoint, ":", 6)
	cfg := s.host.As(door.Caller{Account: parts[4], Region: parts[3], Service: principal})
	_, err = lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String(sub.Endpoint), InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(encode(e.forLambda(sub))),
	})
	return err
}
