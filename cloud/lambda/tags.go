package lambda

import (
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"ouro/cloud/door"
	"ouro/regex"
)

const maxTags = 50

// checkTags refuses tags that only AWS may give, and too many.
func checkTags(tags map[string]string) error {
	for key := range tags {
		if door.SystemTag(key) {
			return invalid("Tag keys starting with 'aws:' are reserved for internal use.")
		}
	}
	if len(tags) > maxTags {
		return invalid("Number of tags exceeds resource tag limit.")
	}
	return nil
}

var taggablePattern = regex.New(`^(?:arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+))$`)

// tagged finds the function that a request about tags names.
func tagged(ctx context.Context, arn *string) (target, error) {
	var v violations
	v.present("resource", arn != nil)
	v.text("resource", arn, 1, 256, taggablePattern())
	if err := v.err(); err != nil {
		return target{}, err
	}
	if !strings.Contains(*arn, ":function:") {
		return target{}, invalid("the local cloud keeps tags of functions only")
	}
	t, err := own(ctx, arn, nil)
	if err == nil && t.qualifier != "" {
		err = invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	return t, err
}

func (s *Service) changeTags(ctx context.Context, arn *string, change func(map[string]string)) error {
	t, err := tagged(ctx, arn)
	if err != nil {
		return err
	}
	_, err = s.functions.Update(ctx, t.scope, t.name, func(f *function) error {
		tags := maps.Clone(f.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		change(tags)
		f.Tags = tags
		return checkTags(tags)
	})
	return missing(err, noFunction(t.arn()))
}

// TagResource sets tags of a function.
func (s *Service) TagResource(ctx context.Context, in *lambda.TagResourceInput) (*lambda.TagResourceOutput, error) {
	if len(in.Tags) == 0 {
		return nil, invalid("An error occurred and the request cannot be processed.")
	}
	return &lambda.TagResourceOutput{}, s.changeTags(ctx, in.Resource, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource takes tags away.
func (s *Service) UntagResource(ctx context.Context, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
	var v violations
	v.present("tagKeys", len(in.TagKeys) > 0)
	if err := v.err(); err != nil {
		return nil, err
	}
	return &lambda.UntagResourceOutput{}, s.changeTags(ctx, in.Resource, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

// ListTags gives a function's tags.
func (s *Service) ListTags(ctx context.Context, in *lambda.ListTagsInput) (*lambda.ListTagsOutput, error) {
	t, err := tagged(ctx, in.Resource)
	if err != nil {
		return nil, err
	}
	f, err := s.find(ctx, t)
	if err != nil {
		return nil, err
	}
	if f.Tags == nil {
		f.Tags = map[string]string{}
	}
	return &lambda.ListTagsOutput{Tags: f.Tags}, nil
}
