package sns

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

const maxTags = 50

// tagMap refuses keys that are AWS's own.
func tagMap(tags []types.Tag) (map[string]string, error) {
	m := map[string]string{}
	for _, t := range tags {
		key := aws.ToString(t.Key)
		if door.SystemTag(key) {
			return nil, invalid(door.ReservedTag)
		}
		m[key] = aws.ToString(t.Value)
	}
	return m, nil
}

func (s *Service) changeTags(ctx context.Context, arn *string, action string, change func(map[string]string)) error {
	a, err := parseARN("ResourceArn", aws.ToString(arn))
	if err != nil {
		return err
	}
	_, err = s.topics.Update(ctx, a.scope, a.name, func(t *topic) error {
		if err := t.permit(door.CallerFrom(ctx), action); err != nil {
			return err
		}
		tags := maps.Clone(t.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		change(tags)
		if len(tags) > maxTags {
			return &types.TagLimitExceededException{Message: aws.String("Could not complete request: tag quota of per resource exceeded")}
		}
		t.Tags = tags
		return nil
	})
	return untagged(err)
}

func untagged(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return &types.ResourceNotFoundException{Message: aws.String("Resource does not exist")}
	}
	return err
}

// TagResource sets tags of a topic.
func (s *Service) TagResource(ctx context.Context, in *sns.TagResourceInput) (*sns.TagResourceOutput, error) {
	given, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	return &sns.TagResourceOutput{}, s.changeTags(ctx, in.ResourceArn, "SNS:TagResource", func(tags map[string]string) { maps.Copy(tags, given) })
}

// UntagResource takes tags away.
func (s *Service) UntagResource(ctx context.Context, in *sns.UntagResourceInput) (*sns.UntagResourceOutput, error) {
	return &sns.UntagResourceOutput{}, s.changeTags(ctx, in.ResourceArn, "SNS:UntagResource", func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
}

// ListTagsForResource gives the tags in the order of their keys.
func (s *Service) ListTagsForResource(ctx context.Context, in *sns.ListTagsForResourceInput) (*sns.ListTagsForResourceOutput, error) {
	a, err := parseARN("ResourceArn", aws.ToString(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	t, err := s.topics.Get(ctx, a.scope, a.name)
	if err != nil {
		return nil, untagged(err)
	}
	if err := t.permit(door.CallerFrom(ctx), "SNS:ListTagsForResource"); err != nil {
		return nil, err
	}
	out := &sns.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, k := range slices.Sorted(maps.Keys(t.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(k), Value: aws.String(t.Tags[k])})
	}
	return out, nil
}
