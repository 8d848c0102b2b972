package resource

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// customType is the type of custom resources; those with names of their own
// begin with customPrefix.
const (
	customType   = "AWS::CloudFormation::CustomResource"
	customPrefix = "Custom::"
)

// customKind is a resource that a function or the subscriber of a topic looks
// after. CloudFormation sends it a request, and waits for the answer at the
// URL that the request names.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
func customKind() *Kind {
	return &Kind{
		Type: customType, Naming: &Naming{Max: 255}, Untagged: true, Moves: true,
		Create: func(ctx context.Context, r *Request) (Result, error) {
			return ask(ctx, r, "Create", r.Properties, nil)
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			if r.Former != nil && text(r.Former["ServiceToken"]) != r.Text("ServiceToken") {
				return Result{}, Sayf("Modifying service token is not allowed.")
			}
			return ask(ctx, r, "Update", r.Properties, r.Former)
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := ask(ctx, r, "Delete", r.Properties, nil)
			return err
		},
		Missing: func(r *Request, attribute string) error {
			return Sayf("CustomResource attribute error: Vendor response doesn't contain %s attribute in object %s in S3 bucket %s",
				attribute, customKey(r, ""), bucketOf(customAnswers, r.Region))
		},
	}
}

// named is the custom kind as one of its own types.
func (k *Kind) named(name string) *Kind {
	own := *k
	own.Type = name
	return &own
}

// customKey is where the answer to a request lies.
func customKey(r *Request, request string) string {
	return strings.TrimSuffix(r.StackID+"|"+r.LogicalID+"|"+request, "|")
}

// patience is how long an answer is waited for: an hour, or ServiceTimeout.
func patience(properties map[string]any) (time.Duration, error) {
	given, ok := properties["ServiceTimeout"]
	if !ok {
		return time.Hour, nil
	}
	seconds, err := strconv.Atoi(text(given))
	if err != nil || seconds < 1 || seconds > 3600 {
		return 0, Sayf("Properties validation failed: #/ServiceTimeout: %s is not an integer between 1 and 3600", document(given))
	}
	return time.Duration(seconds) * time.Second, nil
}

// addressValid is how long the URL in a request can be used, as on AWS.
const addressValid = 2 * time.Hour

// ask sends one request and waits for its answer. What was sent is recorded,
// so that a process that follows one that died waits on and asks nothing twice;
// unless it has another address, where an answer to the old request that is not
// there yet does not arrive.
func ask(ctx context.Context, r *Request, what string, properties, former map[string]any) (Result, error) {
	wait, err := patience(properties)
	if err != nil {
		return Result{}, err
	}
	name := r.Token + "/" + what + "/" + digest(r.Physical)[:16]
	e, err := r.Mail.begin(ctx, r, name, wait)
	if err != nil {
		return Result{}, err
	}
	key := customKey(r, e.ID)
	waits := e.Sent
	if e.Sent && e.Address != r.Mail.host.Endpoint() {
		if _, waits, err = r.Mail.read(ctx, customAnswers, r.Region, key, nil); err != nil {
			return Result{}, err
		}
	}
	if !waits {
		if err := handOver(ctx, r, what, name, e, properties, former); err != nil {
			return Result{}, err
		}
	}
	if r.Physical == "" {
		r.Physical = r.Name // by which a creation is taken back that never answers
	}
	var body []byte
	late, err := Await(ctx, r.Mail.host.Now, e.Deadline, r.Cancelled, func() (ok bool, err error) {
		body, ok, err = r.Mail.read(ctx, customAnswers, r.Region, key, nil)
		return ok, err
	})
	if ctx.Err() != nil {
		return Result{}, ctx.Err() // the process ends; the next one waits on
	}
	r.Mail.end(ctx, r, name)
	switch {
	case err != nil:
		return Result{}, err
	case late:
		return Result{}, Sayf("CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [%s]. "+
			"If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.", e.ID)
	}
	if err := r.Mail.drop(ctx, customAnswers, r.Region, key); err != nil {
		return Result{}, fmt.Errorf("deleting the answer of a custom resource: %w", err)
	}
	return answered(r, what, e.ID, body)
}

// handingOver is how long a process that is to end goes on with a request
// that it has begun to send.
const handingOver = 10 * time.Second

// handOver sends a request and records that it did. The end of the process does
// not come between the two: the next one would ask a second time.
func handOver(ctx context.Context, r *Request, what, name string, e errand, properties, former map[string]any) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handingOver)
	defer cancel()
	if err := send(ctx, r, what, e.ID, properties, former); err != nil {
		r.Mail.end(ctx, r, name)
		return err
	}
	return r.Mail.sent(ctx, r, name, e)
}
