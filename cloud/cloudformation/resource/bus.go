package resource

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// busKind is an event bus of one's own. Its policy is accepted and has no
// effect, as AWS::Events::EventBusPolicy: buses here take events of their own
// account only.
func busKind() *Kind {
	return &Kind{
		Type: "AWS::Events::EventBus", NameProperty: "Name", Replace: []string{"Name"},
		Create: createBus, Update: updateBus, Delete: deleteBus,
	}
}

func createBus(ctx context.Context, r *Request) (Result, error) {
	in := &eventbridge.CreateEventBusInput{}
	if err := Bind(r.Properties, in, "Policy", "Tags"); err != nil {
		return Result{}, err
	}
	in.Tags = busTags(r.allTags())
	if _, err := Client(r.Clients, eventbridge.NewFromConfig).CreateEventBus(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	r.Physical = r.Name
	return busResult(r), nil
}

func updateBus(ctx context.Context, r *Request) (Result, error) {
	in := &eventbridge.UpdateEventBusInput{}
	if err := Bind(r.Properties, in, "EventSourceName", "Policy", "Tags"); err != nil {
		return Result{}, err
	}
	client, arn := Client(r.Clients, eventbridge.NewFromConfig), r.ARN("events", "event-bus/"+r.Physical)
	if _, err := client.UpdateEventBus(ctx, in); err != nil {
		return Result{}, err
	}
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &eventbridge.UntagResourceInput{ResourceARN: &arn, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagResource(ctx, &eventbridge.TagResourceInput{ResourceARN: &arn, Tags: busTags(set)}); err != nil {
			return Result{}, err
		}
	}
	return busResult(r), nil
}

func deleteBus(ctx context.Context, r *Request) error {
	_, err := Client(r.Clients, eventbridge.NewFromConfig).DeleteEventBus(ctx, &eventbridge.DeleteEventBusInput{Name: &r.Physical})
	return gone(err)
}

func busTags(tags map[string]string) []types.Tag {
	return tagList(tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} })
}

func busResult(r *Request) Result {
	attributes := map[string]any{"Arn": r.ARN("events", "event-bus/"+r.Physical), "Name": r.Physical}
	if policy := r.Properties["Policy"]; policy != nil {
		attributes["Policy"] = document(policy)
	}
	return Result{Physical: r.Physical, Attributes: attributes}
}
