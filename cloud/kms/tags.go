package kms

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"ouro/cloud/door"
)

const maxTags = 50 // of one key

// tagged is tags with more of them.
func tagged(tags map[string]string, more []types.Tag) (map[string]string, error) {
	out := maps.Clone(tags)
	if out == nil {
		out = map[string]string{}
	}
	for _, t := range more {
		k := aws.ToString(t.TagKey)
		if k == "" || len(k) > 128 || len(aws.ToString(t.TagValue)) > 256 {
			return nil, &types.TagException{Message: aws.String("A tag key has 1 to 128 characters, its value at most 256.")}
		}
		if door.SystemTag(k) {
			return nil, &types.TagException{Message: aws.String("Tag keys starting with 'aws:' are reserved for internal use.")}
		}
		out[k] = aws.ToString(t.TagValue)
	}
	own := 0
	for k := range out {
		if !strings.HasPrefix(k, "aws:") {
			own++
		}
	}
	if own > maxTags {
		return nil, &types.LimitExceededException{Message: aws.String("Too many tags")}
	}
	return out, nil
}

// TagResource sets tags of a key.
func (s *Service) TagResource(ctx context.Context, in *kms.TagResourceInput) (*kms.TagResourceOutput, error) {
	_, err := s.change(ctx, in.KeyId, "TagResource", func(k *key) (err error) {
		k.Tags, err = tagged(k.Tags, in.Tags)
		return err
	})
	return &kms.TagResourceOutput{}, err
}

// UntagResource takes tags of a key away.
func (s *Service) UntagResource(ctx context.Context, in *kms.UntagResourceInput) (*kms.UntagResourceOutput, error) {
	_, err := s.change(ctx, in.KeyId, "UntagResource", func(k *key) error {
		for _, name := range in.TagKeys {
			delete(k.Tags, name)
		}
		return nil
	})
	return &kms.UntagResourceOutput{}, err
}

// ListResourceTags gives a key's tags in the order of their names.
func (s *Service) ListResourceTags(ctx context.Context, in *kms.ListResourceTagsInput) (*kms.ListResourceTagsOutput, error) {
	k, err := s.find(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	tags := []types.Tag{}
	for _, name := range slices.Sorted(maps.Keys(k.Tags)) {
		tags = append(tags, types.Tag{TagKey: aws.String(name), TagValue: aws.String(k.Tags[name])})
	}
	tags, next, err := page(tags, func(t types.Tag) string { return *t.TagKey }, in.Marker, in.Limit, 50, 50)
	return &kms.ListResourceTagsOutput{Tags: tags, NextMarker: next, Truncated: next != nil}, err
}
