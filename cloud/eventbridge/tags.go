package eventbridge

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// tagMap refuses keys that are AWS's own.
func tagMap(tags []types.Tag) (map[string]string, error) {
	m := map[string]string{}
	for _, t := range tags {
		key := aws.ToString(t.Key)
		if door.SystemTag(key) {
			return nil, validation(door.ReservedTag)
		}
		m[key] = aws.ToString(t.Value)
	}
	return m, nil
}

// tagged is a rule or a custom bus by its ARN.
type tagged struct {
	kind string
	id   string // in the store
}

func taggedBy(arn *string) tagged {
	kind, name, _ := strings.Cut(resource(arn), "/")
	if kind != "rule" {
		return tagged{kind, name}
	}
	if bus, own, ok := strings.Cut(name, "/"); ok {
		return tagged{kind, ruleID(bus, own)}
	}
	return tagged{kind, ruleID(defaultBus, name)}
}

func (s *Service) changeTags(ctx context.Context, arn *string, change func(map[string]string)) error {
	scope, of := door.CallerFrom(ctx).Scope(), taggedBy(arn)
	changed := func(tags *map[string]string) error {
		if *tags == nil {
			*tags = map[string]string{}
		}
		change(*tags)
		return nil
	}
	err := store.ErrNotFound
	switch of.kind {
	case "rule":
		_, err = s.rules.Update(ctx, scope, of.id, func(r *rule) error { return changed(&r.Tags) })
	case "event-bus":
		_, err = s.buses.Update(ctx, scope, of.id, func(b *bus) error { return changed(&b.Tags) })
	}
	return tagError(arn, err)
}

func tagError(arn *string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound("Resource %s does not exist.", aws.ToString(arn))
	}
	return err
}

// resource is what an ARN says after account and region.
func resource(arn *string) string {
	parts := strings.SplitN(aws.ToString(arn), ":", 6)
	return parts[len(parts)-1]
}

// TagResource sets tags of a rule or a custom bus.
func (s *Service) TagResource(ctx context.Context, in *eventbridge.TagResourceInput) (*eventbridge.TagResourceOutput, error) {
	given, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	return &eventbridge.TagResourceOutput{}, s.changeTags(ctx, in.ResourceARN, func(tags map[string]string) { maps.Copy(tags, given) })
}

// UntagResource takes tags away.
func (s *Service) UntagResource(ctx context.Context, in *eventbridge.UntagResourceInput) (*eventbridge.UntagResourceOutput, error) {
	return &eventbridge.UntagResourceOutput{}, s.changeTags(ctx, in.ResourceARN, func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
}

// ListTagsForResource gives the tags in the order of their keys.
func (s *Service) ListTagsForResource(ctx context.Context, in *eventbridge.ListTagsForResourceInput) (*eventbridge.ListTagsForResourceOutput, error) {
	scope, of := door.CallerFrom(ctx).Scope(), taggedBy(in.ResourceARN)
	var tags map[string]string
	err := store.ErrNotFound
	switch of.kind {
	case "rule":
		var r rule
		r, err = s.rules.Get(ctx, scope, of.id)
		tags = r.Tags
	case "event-bus":
		var b bus
		b, err = s.buses.Get(ctx, scope, of.id)
		tags = b.Tags
	}
	if err != nil {
		return nil, tagError(in.ResourceARN, err)
	}
	out := &eventbridge.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, k := range sortedKeys(tags) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
