package logs

import (
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

const mostTags = 50

// checkTags checks tags that are to be added to those that are there.
func checkTags(have, given map[string]string) error {
	added := len(have)
	for name, value := range given {
		switch {
		case name == "" || len([]rune(name)) > 128:
			return violated("tags", name, "satisfy constraint: [Member must have length between 1 and 128, inclusive]")
		case door.SystemTag(name):
			return invalid(door.ReservedTag)
		case len([]rune(value)) > 256:
			return violated("tags", value, "satisfy constraint: [Member must have length less than or equal to 256]")
		}
		if _, ok := have[name]; !ok {
			added++
		}
	}
	if added > mostTags {
		return &types.TooManyTagsException{Message: aws.String("The number of tags exceeds the limit of 50.")}
	}
	return nil
}

func (s *Service) tag(ctx context.Context, name string, given map[string]string) error {
	_, err := s.groups.Update(ctx, door.CallerFrom(ctx).Scope(), name, func(g *group) error {
		if err := checkTags(g.Tags, given); err != nil {
			return err
		}
		if g.Tags == nil {
			g.Tags = map[string]string{}
		}
		maps.Copy(g.Tags, given)
		return nil
	})
	return err
}

func (s *Service) untag(ctx context.Context, name string, keys []string) error {
	_, err := s.groups.Update(ctx, door.CallerFrom(ctx).Scope(), name, func(g *group) error {
		for _, key := range keys {
			delete(g.Tags, key)
		}
		return nil
	})
	return err
}

// tagged gives the tags of a group, which is never nil.
func (s *Service) tagged(ctx context.Context, name string) (map[string]string, error) {
	g, err := s.groups.Get(ctx, door.CallerFrom(ctx).Scope(), name)
	if g.Tags == nil {
		g.Tags = map[string]string{}
	}
	return g.Tags, err
}

// resource is the name of the group that an ARN means. Only groups have tags
// here.
func resource(caller door.Caller, arn *string) (string, error) {
	prefix := *groupARN(caller, "")
	if arn == nil {
		return "", null("resourceArn")
	}
	if !strings.HasPrefix(*arn, prefix) {
		return "", store.ErrNotFound
	}
	return nameOf(*arn), nil
}

func resourceMissing(err error) error {
	if err == store.ErrNotFound {
		return &types.ResourceNotFoundException{Message: aws.String("The specified resource does not exist.")}
	}
	return err
}

// TagResource adds tags to a log group, or changes their values.
func (s *Service) TagResource(ctx context.Context, in *cloudwatchlogs.TagResourceInput) (*cloudwatchlogs.TagResourceOutput, error) {
	name, err := resource(door.CallerFrom(ctx), in.ResourceArn)
	if err == nil {
		err = s.tag(ctx, name, in.Tags)
	}
	return &cloudwatchlogs.TagResourceOutput{}, resourceMissing(err)
}

// UntagResource removes tags from a log group.
func (s *Service) UntagResource(ctx context.Context, in *cloudwatchlogs.UntagResourceInput) (*cloudwatchlogs.UntagResourceOutput, error) {
	name, err := resource(door.CallerFrom(ctx), in.ResourceArn)
	if err == nil {
		err = s.untag(ctx, name, in.TagKeys)
	}
	return &cloudwatchlogs.UntagResourceOutput{}, resourceMissing(err)
}

// ListTagsForResource gives a log group's tags.
func (s *Service) ListTagsForResource(ctx context.Context, in *cloudwatchlogs.ListTagsForResourceInput) (*cloudwatchlogs.ListTagsForResourceOutput, error) {
	name, err := resource(door.CallerFrom(ctx), in.ResourceArn)
	if err != nil {
		return nil, resourceMissing(err)
	}
	tags, err := s.tagged(ctx, name)
	return &cloudwatchlogs.ListTagsForResourceOutput{Tags: tags}, resourceMissing(err)
}

// The operations of former days, which AWS still has and clients still call.
// staticcheck would rather see nobody offer them.

//lint:file-ignore SA1019 old clients call them

// TagLogGroup is TagResource of former days.
func (s *Service) TagLogGroup(ctx context.Context, in *cloudwatchlogs.TagLogGroupInput) (*cloudwatchlogs.TagLogGroupOutput, error) {
	name, err := groupName(in.LogGroupName, nil)
	if err == nil {
		err = s.tag(ctx, name, in.Tags)
	}
	return &cloudwatchlogs.TagLogGroupOutput{}, groupMissing(err)
}

// UntagLogGroup is UntagResource of former days.
func (s *Service) UntagLogGroup(ctx context.Context, in *cloudwatchlogs.UntagLogGroupInput) (*cloudwatchlogs.UntagLogGroupOutput, error) {
	name, err := groupName(in.LogGroupName, nil)
	if err == nil {
		err = s.untag(ctx, name, in.Tags)
	}
	return &cloudwatchlogs.UntagLogGroupOutput{}, groupMissing(err)
}

// ListTagsLogGroup is ListTagsForResource of former days.
func (s *Service) ListTagsLogGroup(ctx context.Context, in *cloudwatchlogs.ListTagsLogGroupInput) (*cloudwatchlogs.ListTagsLogGroupOutput, error) {
	name, err := groupName(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	tags, err := s.tagged(ctx, name)
	return &cloudwatchlogs.ListTagsLogGroupOutput{Tags: tags}, groupMissing(err)
}
