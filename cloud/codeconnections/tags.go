package codeconnections

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"

	"ouro/cloud/door"
)

// maxTags is how many tags a resource can have.
const maxTags = 200

// tagMap adds tags to those of a resource.
func tagMap(had map[string]string, more []types.Tag) (map[string]string, error) {
	tags := map[string]string{}
	maps.Copy(tags, had)
	for _, t := range more {
		key := aws.ToString(t.Key)
		if key == "" || len([]rune(key)) > 128 || len([]rune(aws.ToString(t.Value))) > 256 {
			return nil, invalid("The tag %q is not valid: keys have 1 to 128 characters, values up to 256", key)
		}
		if door.SystemTag(key) {
			return nil, invalid(door.ReservedTag)
		}
		tags[key] = aws.ToString(t.Value)
	}
	if len(tags) > maxTags {
		return nil, &types.LimitExceededException{Message: aws.String("A resource can have at most 200 tags")}
	}
	return tags, nil
}

func tagList(tags map[string]string) []types.Tag {
	list := []types.Tag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}

// retag changes the tags of a connection or host.
func (s *Service) retag(ctx context.Context, arn *string, change func(map[string]string) (map[string]string, error)) error {
	a, err := parseARN(ctx, arn, "connection", "host")
	if err != nil {
		return err
	}
	if a.kind == "host" {
		_, err = s.hosts.Update(ctx, a.scope, a.id, func(h *host) (err error) {
			h.Tags, err = change(h.Tags)
			return err
		})
	} else {
		_, err = s.connections.Update(ctx, a.scope, a.id, func(c *connection) (err error) {
			c.Tags, err = change(c.Tags)
			return err
		})
	}
	return found(err, arn)
}

// TagResource adds tags to a connection or host and replaces those it has.
func (s *Service) TagResource(ctx context.Context, in *codeconnections.TagResourceInput) (*codeconnections.TagResourceOutput, error) {
	err := s.retag(ctx, in.ResourceArn, func(had map[string]string) (map[string]string, error) {
		return tagMap(had, in.Tags)
	})
	return &codeconnections.TagResourceOutput{}, err
}

// UntagResource removes tags from a connection or host.
func (s *Service) UntagResource(ctx context.Context, in *codeconnections.UntagResourceInput) (*codeconnections.UntagResourceOutput, error) {
	err := s.retag(ctx, in.ResourceArn, func(had map[string]string) (map[string]string, error) {
		for _, key := range in.TagKeys {
			delete(had, key)
		}
		return had, nil
	})
	return &codeconnections.UntagResourceOutput{}, err
}

// ListTagsForResource gives the tags of a connection or host.
func (s *Service) ListTagsForResource(ctx context.Context, in *codeconnections.ListTagsForResourceInput) (*codeconnections.ListTagsForResourceOutput, error) {
	a, err := parseARN(ctx, in.ResourceArn, "connection", "host")
	if err != nil {
		return nil, err
	}
	if a.kind == "host" {
		h, err := s.hosts.Get(ctx, a.scope, a.id)
		return &codeconnections.ListTagsForResourceOutput{Tags: tagList(h.Tags)}, found(err, in.ResourceArn)
	}
	c, err := s.connections.Get(ctx, a.scope, a.id)
	return &codeconnections.ListTagsForResourceOutput{Tags: tagList(c.Tags)}, found(err, in.ResourceArn)
}
