package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"ouro/cloud/lambda/runner"
)

// What became of an asynchronous event, in AWS's words.
const (
	success   = "Success"
	exhausted = "RetriesExhausted"
	aged      = "EventAgeExceeded"
)

// outcome is what an asynchronous event came to.
type outcome struct {
	event    event
	target   target
	request  request
	version  version
	result   runner.Result
	settings delivery
}

// record is an outcome as destinations get it.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
type record struct {
	Version         string          `json:"version"`
	Timestamp       string          `json:"timestamp"`
	RequestContext  requestContext  `json:"requestContext"`
	RequestPayload  json.RawMessage `json:"requestPayload"`
	Response        responseContext `json:"responseContext"`
	ResponsePayload json.RawMessage `json:"responsePayload,omitempty"`
}

type requestContext struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"`
	Condition   string `json:"condition"`
	Count       int    `json:"approximateInvokeCount"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

func (s *Service) record(o outcome, condition string) record {
	t := o.target
	if t.qualifier == "" {
		t.qualifier = latest
	}
	r := record{Version: "1.0", Timestamp: s.host.Now().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: requestContext{o.request.id, t.qualified(), condition, max(1, o.event.Failures)},
		RequestPayload: o.request.payload, Response: responseContext{200, *o.version.Config.Version, o.result.FunctionError}}
	if condition == success {
		r.RequestContext.Count = o.event.Failures + 1
	}
	if json.Valid(o.result.Payload) {
		r.ResponsePayload = o.result.Payload
	}
	return r
}

// finish tells destinations what became of an event, which is then done with.
// What they do not take is logged.
func (s *Service) finish(ctx context.Context, o outcome, condition string) bool {
	to := o.settings.OnFailure
	if condition == success {
		to = o.settings.OnSuccess
	}
	if to != "" {
		s.report(o, to, s.send(ctx, o, to, condition))
	}
	if dead := o.version.Config.DeadLetterConfig; dead != nil && condition != success {
		s.report(o, *dead.TargetArn, s.bury(ctx, o, *dead.TargetArn))
	}
	return true
}

func (s *Service) report(o outcome, to string, err error) {
	if err != nil {
		s.host.Log().Warn("the outcome of an asynchronous event is not delivered", "function", o.target.qualified(), "destination", to, "error", err)
	}
}

// roleOf calls as the function's role, where a destination is.
func (s *Service) roleOf(o outcome, arn string) (aws.Config, []string, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return aws.Config{}, nil, fmt.Errorf("%q is no ARN", arn)
	}
	c := callerOf(o.target.arn())
	if parts[3] != "" {
		c.Region = parts[3]
	}
	return s.host.Assume(c, *o.version.Config.Role, sessionName(o.target.name)), parts, nil
}

// send gives an outcome to a destination.
func (s *Service) send(ctx context.Context, o outcome, arn, condition string) error {
	cfg, parts, err := s.roleOf(o, arn)
	if err != nil {
		return err
	}
	r := s.record(o, condition)
	text := encode(r)
	switch parts[2] {
	case "sns":
		_, err = sns.NewFromConfig(cfg).Publish(ctx, &sns.PublishInput{TopicArn: &arn, Message: &text})
	case "lambda":
		_, err = lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{FunctionName: &arn, InvocationType: types.InvocationTypeEvent, Payload: []byte(text)})
	case "events":
		err = putEvent(ctx, cfg, arn, r, text)
	case "s3":
		now := s.host.Now()
		key := fmt.Sprintf("aws/lambda/async/%s/%s-%s", o.target.name, now.Format("2006/01/02/2006-01-02T15.04.05"), s.host.NewID())
		_, err = s3.NewFromConfig(cfg).PutObject(ctx, &s3.PutObjectInput{Bucket: &parts[5], Key: &key, Body: strings.NewReader(text)})
	default:
		err = fmt.Errorf("the local cloud has no destinations of the service %s", parts[2])
	}
	return err
}

func putEvent(ctx context.Context, cfg aws.Config, bus string, r record, text string) error {
	kind := "Failure"
	if r.RequestContext.Condition == success {
		kind = success
	}
	out, err := eventbridge.NewFromConfig(cfg).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventtypes.PutEventsRequestEntry{{
		EventBusName: &bus, Source: aws.String("lambda"), DetailType: aws.String("Lambda Function Invocation Result - " + kind), Detail: &text,
		Resources: []string{r.RequestContext.FunctionARN, bus},
	}}})
	if err == nil && out.FailedEntryCount > 0 {
		err = fmt.Errorf("%s: %s", aws.ToString(out.Entries[0].ErrorCode), aws.ToString(out.Entries[0].ErrorMessage))
	}
	return err
}

// bury gives an event that was given up to the function's dead-letter topic,
// as it came.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
func (s *Service) bury(ctx context.Context, o outcome, arn string) error {
	cfg, parts, err := s.roleOf(o, arn)
	if err != nil {
		return err
	}
	if parts[2] != "sns" {
		return fmt.Errorf("the local cloud has no dead-letter queues of the service %s", parts[2])
	}
	attribute := func(kind, value string) snstypes.MessageAttributeValue {
		return snstypes.MessageAttributeValue{DataType: &kind, StringValue: &value}
	}
	why := o.result.ErrorMessage
	if why == "" {
		why = "the function failed"
	}
	_, err = sns.NewFromConfig(cfg).Publish(ctx, &sns.PublishInput{TopicArn: &arn, Message: aws.String(string(o.request.payload)),
		MessageAttributes: map[string]snstypes.MessageAttributeValue{
			"RequestID": attribute("String", o.request.id), "ErrorCode": attribute("Number", "200"), "ErrorMessage": attribute("String", why[:min(len(why), 1024)]),
		}})
	return err
}
