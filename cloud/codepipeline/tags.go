package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

const maxTags = 50

func checkTags(tags []types.Tag) (map[string]string, error) {
	kept := map[string]string{}
	for _, tag := range tags {
		key, value := aws.ToString(tag.Key), aws.ToString(tag.Value)
		lower := strings.ToLower(key)
		switch _, twice := kept[key]; {
		case key == "" || len(key) > 128 || len(value) > 256:
			return nil, &types.InvalidTagsException{Message: aws.String(fmt.Sprintf("The tag '%s' is not valid: keys have 1 to 128 characters, values at most 256", key))}
		case strings.HasPrefix(lower, "aws:") && !strings.HasPrefix(lower, "aws:cloudformation:"):
			// CloudFormation's own tags come in with its ordinary calls here.
			return nil, &types.InvalidTagsException{Message: aws.String("Not allowed to modify system tags. System tags start with 'aws:'.")}
		case twice:
			return nil, &types.InvalidTagsException{Message: aws.String(fmt.Sprintf("The tag key '%s' is used more than once", key))}
		}
		kept[key] = value
	}
	if len(kept) > maxTags {
		return nil, tooManyTags()
	}
	return kept, nil
}

func tooManyTags() error {
	return &types.TooManyTagsException{Message: aws.String(fmt.Sprintf("The tags limit for a resource has been exceeded. The limit is %d", maxTags))}
}

// TagResource gives a pipeline tags.
func (s *Service) TagResource(ctx context.Context, in *codepipeline.TagResourceInput) (*codepipeline.TagResourceOutput, error) {
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	err = s.changeTagged(ctx, in.ResourceArn, func(t *turn) error {
		if t.pipe.Tags == nil {
			t.pipe.Tags = map[string]string{}
		}
		maps.Copy(t.pipe.Tags, tags)
		if len(t.pipe.Tags) > maxTags {
			return tooManyTags()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codepipeline.TagResourceOutput{}, nil
}

// UntagResource takes tags away from a pipeline.
func (s *Service) UntagResource(ctx context.Context, in *codepipeline.UntagResourceInput) (*codepipeline.UntagResourceOutput, error) {
	err := s.changeTagged(ctx, in.ResourceArn, func(t *turn) error {
		for _, key := range in.TagKeys {
			delete(t.pipe.Tags, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codepipeline.UntagResourceOutput{}, nil
}

// ListTagsForResource gives a pipeline's tags by key.
func (s *Service) ListTagsForResource(ctx context.Context, in *codepipeline.ListTagsForResourceInput) (*codepipeline.ListTagsForResourceOutput, error) {
	page, err := newPage(in.MaxResults, in.NextToken, 100)
	if err != nil {
		return nil, err
	}
	name, err := tagged(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	p, err := s.pipelines.Get(ctx, door.CallerFrom(ctx).Scope(), name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noTagged(in.ResourceArn)
	}
	if err != nil {
		return nil, err
	}
	out := &codepipeline.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		switch {
		case key <= page.after:
		case len(out.Tags) == page.size:
			out.NextToken = tokenAfter(*out.Tags[len(out.Tags)-1].Key)
			return out, nil
		default:
			out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(p.Tags[key])})
		}
	}
	return out, nil
}

// changeTagged is a turn of the pipeline that the ARN names.
func (s *Service) changeTagged(ctx context.Context, arn *string, change func(*turn) error) error {
	name, err := tagged(ctx, arn)
	if err != nil {
		return err
	}
	err = s.turn(ctx, door.CallerFrom(ctx).Scope(), name, change)
	if errors.Is(err, errNoPipeline) {
		return noTagged(arn)
	}
	return err
}

// tagged is the name of the pipeline that the ARN names.
func tagged(ctx context.Context, arn *string) (string, error) {
	caller := door.CallerFrom(ctx)
	name, ok := strings.CutPrefix(aws.ToString(arn), caller.ResourceARN("codepipeline", ""))
	if !ok || checkName(name, "resourceArn") != nil {
		return "", &types.InvalidArnException{Message: aws.String(fmt.Sprintf("The resource ARN '%s' is not valid", aws.ToString(arn)))}
	}
	return name, nil
}

func noTagged(arn *string) error {
	return &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf("The resource '%s' does not exist", aws.ToString(arn)))}
}

// listTags are tags by key; nil for none.
func listTags(tags map[string]string) []types.Tag {
	var list []types.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}
