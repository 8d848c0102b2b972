package codecommit

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"ouro/cloud/door"
)

// maxTags is how many tags a repository can have.
const maxTags = 50

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return &types.TooManyTagsException{Message: aws.String("A repository can have at most 50 tags.")}
	}
	for key, value := range tags {
		if key == "" || len([]rune(key)) > 128 || len([]rune(value)) > 256 {
			return &types.InvalidTagsMapException{Message: aws.String("The tag " + key + " is not valid: keys have 1 to 128 characters, values up to 256.")}
		}
		if door.SystemTag(key) {
			return &types.InvalidSystemTagUsageException{Message: aws.String("The tag key " + key + " is not valid: aws: is reserved.")}
		}
	}
	return nil
}

// named gives the name of the repository with this ARN.
func named(resource *string) (*string, error) {
	if aws.ToString(resource) == "" {
		return nil, &types.ResourceArnRequiredException{Message: aws.String("A resource ARN is required.")}
	}
	a, err := arn.Parse(*resource)
	if err != nil || a.Service != "codecommit" || !repositoryName().MatchString(a.Resource) {
		return nil, &types.InvalidResourceArnException{Message: aws.String("The resource ARN " + *resource + " is not valid.")}
	}
	return &a.Resource, nil
}

// TagResource adds tags to a repository and replaces those it has.
func (s *Service) TagResource(ctx context.Context, in *codecommit.TagResourceInput) (*codecommit.TagResourceOutput, error) {
	name, err := named(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, &types.TagsMapRequiredException{Message: aws.String("A map of tags is required.")}
	}
	r, err := s.find(ctx, name)
	if err != nil {
		return nil, err
	}
	tags := maps.Clone(in.Tags)
	for key, value := range r.Tags {
		if _, ok := tags[key]; !ok {
			tags[key] = value
		}
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	_, err = s.change(ctx, name, func(r *repository) {
		if r.Tags == nil {
			r.Tags = map[string]string{}
		}
		maps.Copy(r.Tags, in.Tags)
	})
	return &codecommit.TagResourceOutput{}, err
}

// UntagResource removes tags from a repository.
func (s *Service) UntagResource(ctx context.Context, in *codecommit.UntagResourceInput) (*codecommit.UntagResourceOutput, error) {
	name, err := named(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, &types.TagKeysListRequiredException{Message: aws.String("A list of tag keys is required.")}
	}
	_, err = s.change(ctx, name, func(r *repository) {
		for _, key := range in.TagKeys {
			delete(r.Tags, key)
		}
	})
	return &codecommit.UntagResourceOutput{}, err
}

// ListTagsForResource gives the tags of a repository.
func (s *Service) ListTagsForResource(ctx context.Context, in *codecommit.ListTagsForResourceInput) (*codecommit.ListTagsForResourceOutput, error) {
	name, err := named(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	r, err := s.find(ctx, name)
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	maps.Copy(tags, r.Tags)
	return &codecommit.ListTagsForResourceOutput{Tags: tags}, nil
}
