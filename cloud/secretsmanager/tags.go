package secretsmanager

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"ouro/cloud/door"
)

// tagMap refuses keys that are AWS's own.
func tagMap(tags []types.Tag) (map[string]string, error) {
	m := map[string]string{}
	for _, t := range tags {
		key := aws.ToString(t.Key)
		if door.SystemTag(key) {
			return nil, invalid("You can't modify system tags. Tag key: '%s'.", key)
		}
		m[key] = aws.ToString(t.Value)
	}
	return m, nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// tags gives a secret's tags in the order of their keys.
func (of secret) tags() []types.Tag {
	tags := []types.Tag{}
	for _, k := range sortedKeys(of.Tags) {
		tags = append(tags, types.Tag{Key: aws.String(k), Value: aws.String(of.Tags[k])})
	}
	return tags
}

// TagResource sets tags of a secret.
func (s *Service) TagResource(ctx context.Context, in *secretsmanager.TagResourceInput) (*secretsmanager.TagResourceOutput, error) {
	given, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	_, err = s.change(ctx, in.SecretId, func(_ context.Context, of *secret) error {
		if of.Tags == nil {
			of.Tags = map[string]string{}
		}
		maps.Copy(of.Tags, given)
		return nil
	})
	return &secretsmanager.TagResourceOutput{}, err
}

// UntagResource takes tags of a secret away.
func (s *Service) UntagResource(ctx context.Context, in *secretsmanager.UntagResourceInput) (*secretsmanager.UntagResourceOutput, error) {
	_, err := s.change(ctx, in.SecretId, func(_ context.Context, of *secret) error {
		for _, k := range in.TagKeys {
			delete(of.Tags, k)
		}
		return nil
	})
	return &secretsmanager.UntagResourceOutput{}, err
}
