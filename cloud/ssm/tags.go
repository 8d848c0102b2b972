package ssm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

const maxTags = 50 // of one parameter

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

// changeTags changes a parameter's tags; other kinds of resources of Systems
// Manager are not there.
func (s *Service) changeTags(ctx context.Context, kind types.ResourceTypeForTagging, id *string, change func(map[string]string)) error {
	if err := taggable(kind); err != nil {
		return err
	}
	_, err := s.parameters.Update(ctx, door.CallerFrom(ctx).Scope(), aws.ToString(id), func(p *parameter) error {
		if p.Tags == nil {
			p.Tags = map[string]string{}
		}
		change(p.Tags)
		if len(p.Tags) > maxTags {
			return &types.TooManyTagsError{}
		}
		return nil
	})
	return tagError(id, err)
}

func taggable(kind types.ResourceTypeForTagging) error {
	if kind != types.ResourceTypeForTaggingParameter {
		return &types.InvalidResourceType{Message: aws.String(fmt.Sprintf("the local cloud has no resources of the type %s", kind))}
	}
	return nil
}

func tagError(id *string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return &types.InvalidResourceId{Message: aws.String(fmt.Sprintf("The resource ID %q is not valid. Verify the resource ID and try again.", aws.ToString(id)))}
	}
	return err
}

// AddTagsToResource sets tags of a parameter.
func (s *Service) AddTagsToResource(ctx context.Context, in *ssm.AddTagsToResourceInput) (*ssm.AddTagsToResourceOutput, error) {
	given, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	return &ssm.AddTagsToResourceOutput{}, s.changeTags(ctx, in.ResourceType, in.ResourceId, func(tags map[string]string) { maps.Copy(tags, given) })
}

// RemoveTagsFromResource takes tags of a parameter away.
func (s *Service) RemoveTagsFromResource(ctx context.Context, in *ssm.RemoveTagsFromResourceInput) (*ssm.RemoveTagsFromResourceOutput, error) {
	return &ssm.RemoveTagsFromResourceOutput{}, s.changeTags(ctx, in.ResourceType, in.ResourceId, func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
}

// ListTagsForResource gives a parameter's tags in the order of their keys.
func (s *Service) ListTagsForResource(ctx context.Context, in *ssm.ListTagsForResourceInput) (*ssm.ListTagsForResourceOutput, error) {
	if err := taggable(in.ResourceType); err != nil {
		return nil, err
	}
	p, err := s.parameters.Get(ctx, door.CallerFrom(ctx).Scope(), aws.ToString(in.ResourceId))
	if err != nil {
		return nil, tagError(in.ResourceId, err)
	}
	out := &ssm.ListTagsForResourceOutput{TagList: []types.Tag{}}
	for _, k := range slices.Sorted(maps.Keys(p.Tags)) {
		out.TagList = append(out.TagList, types.Tag{Key: aws.String(k), Value: aws.String(p.Tags[k])})
	}
	return out, nil
}
