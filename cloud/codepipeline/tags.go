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
		switch _, twice := kept[key]; {
		case key == "" || len(key) > 128 || len(value) > 256:
			return nil, &types.InvalidTagsException{Message: aws.String(fmt.Sprintf("The tag '%s' is not valid: keys have 1 to 128 characters, values at most 256", key))}
		case door.SystemTag(key):
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

// TagResource gives a pipeline or a webhook tags.
func (s *Service) TagResource(ctx context.Context, in *codepipeline.TagResourceInput) (*codepipeline.TagResourceOutput, error) {
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	err = s.changeTags(ctx, in.ResourceArn, func(kept map[string]string) error {
		maps.Copy(kept, tags)
		if len(kept) > maxTags {
			return tooManyTags()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codepipeline.TagResourceOutput{}, nil
}

// UntagResource takes tags away from a pipeline or a webhook.
func (s *Service) UntagResource(ctx context.Context, in *codepipeline.UntagResourceInput) (*codepipeline.UntagResourceOutput, error) {
	err := s.changeTags(ctx, in.ResourceArn, func(kept map[string]string) error {
		for _, key := range in.TagKeys {
			delete(kept, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codepipeline.UntagResourceOutput{}, nil
}

// ListTagsForResource gives the tags of a pipeline, a webhook or an action type
// by key.
func (s *Service) ListTagsForResource(ctx context.Context, in *codepipeline.ListTagsForResourceInput) (*codepipeline.ListTagsForResourceOutput, error) {
	page, err := newPage(in.MaxResults, in.NextToken, 100)
	if err != nil {
		return nil, err
	}
	tags, err := s.tagsOf(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &codepipeline.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, tag := range listTags(tags) {
		switch {
		case *tag.Key <= page.after:
		case len(out.Tags) == page.size:
			out.NextToken = tokenAfter(*out.Tags[len(out.Tags)-1].Key)
			return out, nil
		default:
			out.Tags = append(out.Tags, tag)
		}
	}
	return out, nil
}

// tagsOf are the tags of what the ARN names.
func (s *Service) tagsOf(ctx context.Context, arn *string) (map[string]string, error) {
	kind, name, err := tagged(ctx, arn)
	if err != nil {
		return nil, err
	}
	scope := door.CallerFrom(ctx).Scope()
	var tags map[string]string
	switch kind {
	case taggedHook:
		var hook webhook
		hook, err = s.webhooks.Get(ctx, scope, name)
		tags = hook.Tags
	case taggedType:
		var a actionType
		if a, err = s.types.Get(ctx, scope, name); err == nil && a.Deleted {
			err = store.ErrNotFound
		}
		tags = a.Tags
	default:
		var p pipeline
		p, err = s.pipelines.Get(ctx, scope, name)
		tags = p.Tags
	}
	if errors.Is(err, store.ErrNotFound) {
		err = noTagged(arn)
	}
	return tags, err
}

// changeTags changes the tags of what the ARN names.
func (s *Service) changeTags(ctx context.Context, arn *string, change func(map[string]string) error) error {
	kind, name, err := tagged(ctx, arn)
	if err != nil {
		return err
	}
	changed := func(tags *map[string]string) error {
		kept := maps.Clone(*tags)
		if kept == nil {
			kept = map[string]string{}
		}
		*tags = kept
		return change(kept)
	}
	scope := door.CallerFrom(ctx).Scope()
	switch kind {
	case taggedHook:
		_, err = s.webhooks.Update(ctx, scope, name, func(w *webhook) error { return changed(&w.Tags) })
	case taggedType:
		_, err = s.types.Update(ctx, scope, name, func(a *actionType) error {
			if a.Deleted {
				return store.ErrNotFound
			}
			return changed(&a.Tags)
		})
	default:
		err = s.turn(ctx, scope, name, func(t *turn) error { return changed(&t.pipe.Tags) })
	}
	if errors.Is(err, errNoPipeline) || errors.Is(err, store.ErrNotFound) {
		return noTagged(arn)
	}
	return err
}

// What can have tags besides pipelines, as it begins in an ARN.
const (
	taggedHook = "webhook:"
	taggedType = "actiontype:"
)

// tagged is the kind and the name of what the ARN names.
func tagged(ctx context.Context, arn *string) (kind, name string, err error) {
	name, ok := strings.CutPrefix(aws.ToString(arn), door.CallerFrom(ctx).ResourceARN("codepipeline", ""))
	for _, k := range []string{taggedHook, taggedType} {
		if rest, is := strings.CutPrefix(name, k); is {
			kind, name = k, rest
		}
	}
	if kind == taggedType {
		ok = ok && strings.HasPrefix(name, string(types.ActionOwnerCustom)+"/")
	} else {
		ok = ok && checkName(name, "resourceArn") == nil
	}
	if !ok {
		return "", "", &types.InvalidArnException{Message: aws.String(fmt.Sprintf("The resource ARN '%s' is not valid", aws.ToString(arn)))}
	}
	return kind, name, nil
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
