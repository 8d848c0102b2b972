package sns

import (
	"encoding/json"
	"math"
	"mime"
	"time"
)

// retryPolicy is how an endpoint that is out of order is tried again, in the
// members of AWS's delivery policies: at once, then at the least delay, then
// with growing delays, then at the longest one. Delays are in seconds.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
type retryPolicy struct {
	MinDelay   float64 `json:"minDelayTarget"`
	MaxDelay   float64 `json:"maxDelayTarget"`
	Retries    int     `json:"numRetries"`
	AtMaxDelay int     `json:"numMaxDelayRetries"`
	AtOnce     int     `json:"numNoDelayRetries"`
	AtMinDelay int     `json:"numMinDelayRetries"`
	Backoff    string  `json:"backoffFunction"`
}

// httpRetries is AWS's policy for HTTP endpoints without one.
var httpRetries = retryPolicy{MinDelay: 20, MaxDelay: 20, Retries: 3, Backoff: "linear"}

// serviceRetries is AWS's policy for its own services: 23 days.
var serviceRetries = retryPolicy{MinDelay: 1, MaxDelay: 20, Retries: 100_015, AtOnce: 3, AtMinDelay: 2, AtMaxDelay: 100_000, Backoff: "exponential"}

// pause is the delay before retry n, which counts from 1; ok is false when
// there is no such retry.
func (p retryPolicy) pause(n int) (pause time.Duration, ok bool) {
	growing := p.Retries - p.AtOnce - p.AtMinDelay - p.AtMaxDelay
	seconds := 0.0
	switch i := n - p.AtOnce - p.AtMinDelay; {
	case n > p.Retries:
		return 0, false
	case n <= p.AtOnce:
	case i <= 0:
		seconds = p.MinDelay
	case i <= growing:
		seconds = p.MinDelay + (p.MaxDelay-p.MinDelay)*p.growth(float64(i)/float64(growing))
	default:
		seconds = p.MaxDelay
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// growth brings 0…1 to 0…1 as the backoff function has it.
func (p retryPolicy) growth(x float64) float64 {
	switch p.Backoff {
	case "arithmetic":
		return x * (x + 1) / 2
	case "geometric":
		return x * x
	case "exponential":
		return (math.Exp2(8*x) - 1) / 255
	}
	return x
}

// check is what AWS asks of a policy.
func (p retryPolicy) check() error {
	switch {
	case p.MinDelay < 1 || p.MinDelay > p.MaxDelay:
		return invalid("DeliveryPolicy: healthyRetryPolicy.minDelayTarget must be between 1 and maxDelayTarget")
	case p.MaxDelay > 3600:
		return invalid("DeliveryPolicy: healthyRetryPolicy.maxDelayTarget must be less than or equal to 3600")
	case p.Retries < 0 || p.Retries > 100:
		return invalid("DeliveryPolicy: healthyRetryPolicy.numRetries must be less than or equal to 100")
	case min(p.AtMaxDelay, p.AtOnce, p.AtMinDelay) < 0 || p.AtOnce+p.AtMinDelay+p.AtMaxDelay > p.Retries:
		return invalid("DeliveryPolicy: healthyRetryPolicy.numRetries must be greater than or equal to total of numMinDelayRetries, numNoDelayRetries and numMaxDelayRetries")
	}
	switch p.Backoff {
	case "", "linear", "arithmetic", "geometric", "exponential":
		return nil
	}
	return invalid("DeliveryPolicy: healthyRetryPolicy.backoffFunction is not one of linear, arithmetic, geometric, exponential")
}

type requestPolicy struct {
	ContentType string `json:"headerContentType"`
}

const plainText = "text/plain; charset=UTF-8"

// deliveryPolicy is the policy of a subscription.
type deliveryPolicy struct {
	Retry    *retryPolicy    `json:"healthyRetryPolicy,omitempty"`
	Throttle json.RawMessage `json:"throttlePolicy,omitempty"`
	Request  *requestPolicy  `json:"requestPolicy,omitempty"`
}

// topicPolicy is the policy of a topic, for its HTTP subscriptions.
type topicPolicy struct {
	HTTP struct {
		Retry           *retryPolicy    `json:"defaultHealthyRetryPolicy,omitempty"`
		NoSubscriptions bool            `json:"disableSubscriptionOverrides"`
		Throttle        json.RawMessage `json:"defaultThrottlePolicy,omitempty"`
		Request         *requestPolicy  `json:"defaultRequestPolicy,omitempty"`
	} `json:"http"`
}

// checkDeliveryPolicy takes a topic's policy, or a subscription's.
func checkDeliveryPolicy(text string) error {
	if text == "" {
		return nil
	}
	var own deliveryPolicy
	var all topicPolicy
	if json.Unmarshal([]byte(text), &own) != nil || json.Unmarshal([]byte(text), &all) != nil {
		return invalid("DeliveryPolicy: Failed to parse JSON.")
	}
	for _, r := range []*requestPolicy{own.Request, all.HTTP.Request} {
		if r == nil || r.ContentType == "" {
			continue
		}
		if _, _, err := mime.ParseMediaType(r.ContentType); err != nil {
			return invalid("DeliveryPolicy: requestPolicy.headerContentType is not a media type")
		}
	}
	for _, p := range []*retryPolicy{own.Retry, all.HTTP.Retry} {
		if p != nil {
			if err := p.check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// effective is the policy in force for a subscription of a topic. Both texts
// were checked when they were set.
func effective(t topic, sub subscription) deliveryPolicy {
	out := deliveryPolicy{Retry: &httpRetries, Request: &requestPolicy{plainText}}
	take := func(retry *retryPolicy, request *requestPolicy) {
		if retry != nil {
			out.Retry = retry
		}
		if request != nil && request.ContentType != "" {
			out.Request = request
		}
	}
	var all topicPolicy
	if json.Unmarshal([]byte(t.Attributes["DeliveryPolicy"]), &all) == nil {
		take(all.HTTP.Retry, all.HTTP.Request)
	}
	var own deliveryPolicy
	if !all.HTTP.NoSubscriptions && json.Unmarshal([]byte(sub.Attributes["DeliveryPolicy"]), &own) == nil {
		take(own.Retry, own.Request)
	}
	return out
}

func (p deliveryPolicy) topicJSON() string {
	var t topicPolicy
	t.HTTP.Retry, t.HTTP.Request = p.Retry, p.Request
	return encode(t)
}

func (p deliveryPolicy) subscriptionJSON() string { return encode(p) }
