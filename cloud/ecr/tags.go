package ecr

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/door"
)

// maxTags is how many tags a repository can have.
const maxTags = 50

// setTags puts tags over those of old; the result is sorted.
func setTags(old, set []types.Tag) ([]types.Tag, error) {
	byKey := map[string]types.Tag{}
	for _, t := range old {
		byKey[*t.Key] = t
	}
	for _, t := range set {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if key == "" || len([]rune(key)) > 128 || len([]rune(value)) > 256 || door.SystemTag(key) {
			return nil, refuse("InvalidTagParameter", "Invalid parameter at 'tags' failed to satisfy constraint: 'the key %q has 1 to 128 characters and does not begin with aws:, its value at most 256'", key)
		}
		byKey[key] = types.Tag{Key: &key, Value: &value}
	}
	if len(byKey) > maxTags {
		return nil, refuse("TooManyTags", "A repository can have at most %d tags", maxTags)
	}
	tags := make([]types.Tag, 0, len(byKey))
	for _, t := range byKey {
		tags = append(tags, t)
	}
	slices.SortFunc(tags, func(a, b types.Tag) int { return cmp.Compare(*a.Key, *b.Key) })
	return tags, nil
}

// repositoryOfARN gives registry and name of a repository's ARN.
func repositoryOfARN(ctx context.Context, arn *string) (registryID, name *string, err error) {
	parts := strings.SplitN(aws.ToString(arn), ":", 6)
	if len(parts) == 6 && parts[2] == "ecr" && parts[3] == door.CallerFrom(ctx).Region {
		if name, ok := strings.CutPrefix(parts[5], "repository/"); ok {
			return &parts[4], &name, nil
		}
	}
	return nil, nil, badParameter("resourceArn", "must be the ARN of a repository in this region")
}

// TagResource sets tags of a repository.
func (s *Service) TagResource(ctx context.Context, in *ecr.TagResourceInput) (*ecr.TagResourceOutput, error) {
	id, name, err := repositoryOfARN(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	_, _, err = s.change(ctx, id, name, "TagResource", func(r *repository) (err error) {
		r.Tags, err = setTags(r.Tags, in.Tags)
		return err
	})
	return &ecr.TagResourceOutput{}, err
}

// UntagResource takes tags of a repository away.
func (s *Service) UntagResource(ctx context.Context, in *ecr.UntagResourceInput) (*ecr.UntagResourceOutput, error) {
	id, name, err := repositoryOfARN(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	_, _, err = s.change(ctx, id, name, "UntagResource", func(r *repository) error {
		r.Tags = slices.DeleteFunc(r.Tags, func(t types.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
		return nil
	})
	return &ecr.UntagResourceOutput{}, err
}

// ListTagsForResource gives the tags of a repository.
func (s *Service) ListTagsForResource(ctx context.Context, in *ecr.ListTagsForResourceInput) (*ecr.ListTagsForResourceOutput, error) {
	id, name, err := repositoryOfARN(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	_, r, err := s.find(ctx, id, name, "ListTagsForResource")
	if r.Tags == nil {
		r.Tags = []types.Tag{}
	}
	return &ecr.ListTagsForResourceOutput{Tags: r.Tags}, err
}
