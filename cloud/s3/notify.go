package s3

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"ouro/cloud/door"
)

// eventTypes are the types of events for receivers, by what they are told for.
var eventTypes = map[string]types.Event{
	eventPut:      types.EventS3ObjectCreatedPut,
	eventCopy:     types.EventS3ObjectCreatedCopy,
	eventComplete: types.EventS3ObjectCreatedCompleteMultipartUpload,
	eventDelete:   types.EventS3ObjectRemovedDelete,
	eventMark:     types.EventS3ObjectRemovedDeleteMarkerCreated,
}

// notice is an event as functions and topics get it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
type notice struct {
	Version  string            `json:"eventVersion"`
	Source   string            `json:"eventSource"`
	Region   string            `json:"awsRegion"`
	Time     string            `json:"eventTime"`
	Name     string            `json:"eventName"`
	By       identity          `json:"userIdentity"`
	Request  map[string]string `json:"requestParameters"`
	Response map[string]string `json:"responseElements"`
	S3       noticeS3          `json:"s3"`
}

type identity struct {
	Principal string `json:"principalId"`
}

type noticeS3 struct {
	Version string       `json:"s3SchemaVersion"`
	ID      string       `json:"configurationId"`
	Bucket  noticeBucket `json:"bucket"`
	Object  noticeObject `json:"object"`
}

type noticeBucket struct {
	Name  string   `json:"name"`
	Owner identity `json:"ownerIdentity"`
	ARN   string   `json:"arn"`
}

type noticeObject struct {
	Key       string  `json:"key"`
	Size      *int64  `json:"size,omitempty"`
	ETag      string  `json:"eTag,omitempty"`
	Version   *string `json:"versionId,omitempty"`
	Sequencer string  `json:"sequencer"`
}

const noticeTime = "2006-01-02T15:04:05.000Z"

// message is the event of a change for one receiver.
func (r receiver) message(b bucket, by door.Caller, now time.Time, d detail, reason string) (json.RawMessage, error) {
	who := by.UserID
	if who == "" {
		who = by.Account
	}
	return json.Marshal(map[string][]notice{"Records": {{
		Version: "2.1", Source: "aws:s3", Region: b.Region, Time: now.Format(noticeTime), Name: strings.TrimPrefix(string(eventTypes[reason]), "s3:"),
		By: identity{"AWS:" + who}, Request: map[string]string{"sourceIPAddress": d.Address}, Response: map[string]string{"x-amz-request-id": d.Request, "x-amz-id-2": d.Request},
		S3: noticeS3{Version: "1.0", ID: r.ID, Bucket: noticeBucket{b.Name, identity{b.Owner}, b.arn()},
			Object: noticeObject{escaped(d.Object.Key), d.Object.Size, d.Object.ETag, d.Object.Version, d.Object.Sequencer}},
	}}})
}

// escaped is a key as notices have it: as forms do, but with its slashes.
func escaped(key string) string {
	return strings.NewReplacer("%2F", "/", "%2A", "*").Replace(url.QueryEscape(key))
}

// to calls as S3 itself, on behalf of the bucket.
func (e *events) to(account, region string) aws.Config {
	return e.host.As(door.Caller{Account: account, Region: region, Service: "s3.amazonaws.com"})
}

// hand gives a message to a function or a topic.
func (e *events) hand(ctx context.Context, cfg aws.Config, arn, message string) error {
	if isFunction(arn) {
		_, err := lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{FunctionName: &arn, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(message)})
		return err
	}
	_, err := sns.NewFromConfig(cfg).Publish(ctx, &sns.PublishInput{TopicArn: &arn, Subject: aws.String("Amazon S3 Notification"), Message: &message})
	return err
}

func isFunction(arn string) bool { return strings.Contains(arn, ":lambda:") }

// try asks each receiver whether it takes the bucket's events: a topic gets a
// test event, as on AWS, a function is not run.
func (e *events) try(ctx context.Context, b bucket, all []receiver) error {
	cfg, tried := e.to(b.Owner, b.Region), map[string]bool{}
	id := e.host.NewID()
	test, err := json.Marshal(struct{ Service, Event, Time, Bucket, RequestId, HostId string }{ //nolint:revive,staticcheck // names of AWS
		"Amazon S3", "s3:TestEvent", e.host.Now().UTC().Format(noticeTime), b.Name, id, id})
	if err != nil {
		return err
	}
	for _, r := range all {
		if tried[r.ARN] {
			continue
		}
		tried[r.ARN] = true
		if isFunction(r.ARN) {
			_, err = lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{FunctionName: &r.ARN, InvocationType: lambdatypes.InvocationTypeDryRun})
		} else {
			err = e.hand(ctx, cfg, r.ARN, string(test))
		}
		if err != nil {
			return r.refused(err)
		}
	}
	return nil
}

// refused is AWS's answer when a receiver does not take the bucket's events.
func (r receiver) refused(err error) error {
	if !refuses(err) {
		return err
	}
	missing := statusOf(err) == http.StatusNotFound
	why := "Permissions on the destination topic do not allow S3 to publish notifications from this bucket"
	switch {
	case isFunction(r.ARN) && missing:
		why = "The destination Lambda does not exist"
	case isFunction(r.ARN):
		why = "Not authorized to invoke function [" + r.ARN + "]"
	case missing:
		why = "The destination topic does not exist"
	}
	return badRequest("InvalidArgument", "Unable to validate the following destination configurations", "ArgumentName1", r.ARN, "ArgumentValue1", why)
}

func statusOf(err error) int {
	var response interface{ HTTPStatusCode() int }
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

// refuses tells a receiver that will not take an event from one that is out of
// order.
func refuses(err error) bool {
	status := statusOf(err)
	return status >= 400 && status < 500 && status != http.StatusTooManyRequests
}
