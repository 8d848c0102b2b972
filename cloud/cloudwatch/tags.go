package cloudwatch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

const maxTags = 50 // of one alarm

// tagged is tags with more of them.
func tagged(tags map[string]string, more []types.Tag) (map[string]string, error) {
	out := maps.Clone(tags)
	if out == nil {
		out = map[string]string{}
	}
	for _, t := range more {
		k := aws.ToString(t.Key)
		if k == "" || len(k) > 128 || len(aws.ToString(t.Value)) > 256 {
			return nil, badValue("A tag key has 1 to 128 characters, its value at most 256.")
		}
		if door.SystemTag(k) {
			return nil, badValue("Tag keys starting with 'aws:' are reserved for internal use.")
		}
		out[k] = aws.ToString(t.Value)
	}
	own := 0
	for k := range out {
		if !strings.HasPrefix(k, "aws:") {
			own++
		}
	}
	if own > maxTags {
		return nil, badValue("An alarm has at most %d tags.", maxTags)
	}
	return out, nil
}

// resource is the name of the caller's alarm with that ARN.
func resource(c door.Caller, arn *string) (string, error) {
	name := alarmName(aws.ToString(arn))
	if c.ResourceARN("cloudwatch", "alarm:"+name) != aws.ToString(arn) {
		return "", unknownResource(arn)
	}
	return name, nil
}

func unknownResource(arn *string) error {
	return &types.ResourceNotFoundException{Message: aws.String("Unknown resource " + aws.ToString(arn)), ResourceType: aws.String("alarm"), ResourceId: arn}
}

func (s *Service) retag(ctx context.Context, arn *string, change func(*alarm) error) error {
	c := door.CallerFrom(ctx)
	name, err := resource(c, arn)
	if err != nil {
		return err
	}
	_, err = s.alarms.Update(ctx, c.Scope(), name, change)
	if errors.Is(err, store.ErrNotFound) {
		return unknownResource(arn)
	}
	return err
}

// TagResource sets tags of an alarm.
func (s *Service) TagResource(ctx context.Context, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	return &cloudwatch.TagResourceOutput{}, s.retag(ctx, in.ResourceARN, func(a *alarm) (err error) {
		a.Tags, err = tagged(a.Tags, in.Tags)
		return err
	})
}

// UntagResource takes tags of an alarm away.
func (s *Service) UntagResource(ctx context.Context, in *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error) {
	return &cloudwatch.UntagResourceOutput{}, s.retag(ctx, in.ResourceARN, func(a *alarm) error {
		for _, k := range in.TagKeys {
			delete(a.Tags, k)
		}
		return nil
	})
}

// ListTagsForResource gives an alarm's tags in the order of their keys.
func (s *Service) ListTagsForResource(ctx context.Context, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	c := door.CallerFrom(ctx)
	name, err := resource(c, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	a, err := s.alarms.Get(ctx, c.Scope(), name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, unknownResource(in.ResourceARN)
	}
	out := &cloudwatch.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, k := range slices.Sorted(maps.Keys(a.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(k), Value: aws.String(a.Tags[k])})
	}
	return out, err
}
