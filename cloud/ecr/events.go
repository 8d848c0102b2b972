package ecr

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// event is one that EventBridge has not been told. It is written in the
// transaction of what it tells, and deleted once EventBridge has it: it may
// come twice, as on AWS, but not be lost with the process.
type event struct {
	Scope  store.Scope
	Time   time.Time
	Detail json.RawMessage
}

// action is the detail of an "ECR Image Action".
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
type action struct {
	Result     string `json:"result"`
	Repository string `json:"repository-name"`
	Digest     string `json:"image-digest"`
	Type       string `json:"action-type"` // PUSH or DELETE
	Tag        string `json:"image-tag,omitempty"`
	MediaType  string `json:"manifest-media-type,omitempty"`
	Artifact   string `json:"artifact-media-type,omitempty"`
}

// note writes down an event, in the transaction of the change.
func (s *Service) note(ctx context.Context, scope store.Scope, repository, kind string, i image, tag string) error {
	detail, err := json.Marshal(action{
		Result: "SUCCESS", Repository: repository, Digest: i.Digest, Type: kind, Tag: tag, MediaType: i.MediaType, Artifact: i.ArtifactType,
	})
	if err != nil {
		return fmt.Errorf("writing an event of %q: %w", repository, err)
	}
	return s.outbox.Put(ctx, event{Scope: scope, Time: s.now(), Detail: detail})
}

// send tells an event. What EventBridge refuses it would refuse again, and it
// is let go of.
func (s *Service) send(ctx context.Context, number string, e event) error {
	as := s.host.As(door.Caller{Account: e.Scope.Account, Region: e.Scope.Region, Service: "ecr.amazonaws.com"})
	out, err := eventbridge.NewFromConfig(as).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		Source: aws.String("aws.ecr"), DetailType: aws.String("ECR Image Action"), Time: &e.Time, Detail: aws.String(string(e.Detail)),
	}}})
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err == nil && out.Entries[0].ErrorCode != nil {
		err = fmt.Errorf("%s: %s", *out.Entries[0].ErrorCode, aws.ToString(out.Entries[0].ErrorMessage))
	}
	if err != nil {
		s.host.Log().Warn("telling EventBridge of an image", "error", err)
	}
	return s.outbox.Drop(context.WithoutCancel(ctx), number)
}
