package codedeploy

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/door"
)

// setTags puts tags over those of old; the result is sorted.
func setTags(old, set []types.Tag) ([]types.Tag, error) {
	out := slices.Clone(old)
	for _, t := range set {
		key := aws.ToString(t.Key)
		if key == "" || len(key) > 128 || len(aws.ToString(t.Value)) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, refuse("InvalidTagsToAdd", "The tag %q is not valid: a key has 1 to 128 characters and does not begin with aws:, a value has at most 256", key)
		}
		out = slices.DeleteFunc(out, func(o types.Tag) bool { return aws.ToString(o.Key) == key })
		out = append(out, types.Tag{Key: &key, Value: aws.String(aws.ToString(t.Value))})
	}
	if len(out) > maxTags {
		return nil, refuse("InvalidTagsToAdd", "A resource has at most %d tags", maxTags)
	}
	slices.SortFunc(out, func(a, b types.Tag) int { return cmp.Compare(*a.Key, *b.Key) })
	return out, nil
}

// changeTags changes the tags of the resource with the ARN.
func (s *Service) changeTags(ctx context.Context, arn *string, change func([]types.Tag) ([]types.Tag, error)) ([]types.Tag, error) {
	if aws.ToString(arn) == "" {
		return nil, refuse("ResourceArnRequired", "The ARN of a resource is required")
	}
	c := door.CallerFrom(ctx)
	kind, name, ok := strings.Cut(strings.TrimPrefix(*arn, c.ResourceARN("codedeploy", "")), ":")
	if !ok || !strings.HasPrefix(*arn, c.ResourceARN("codedeploy", "")) {
		return nil, refuse("InvalidArn", "The ARN %q is not that of a resource of CodeDeploy in this account and region", *arn)
	}
	var err error
	var tags []types.Tag
	apply := func(to *[]types.Tag) error {
		tags, err := change(*to)
		*to = tags
		return err
	}
	switch kind {
	case "application":
		var a application
		a, err = s.applications.Update(ctx, c.Scope(), name, func(a *application) error { return apply(&a.Tags) })
		tags, err = a.Tags, missing(err, noApplication(name))
	case "deploymentgroup":
		var g group
		g, err = s.groups.Update(ctx, c.Scope(), name, func(g *group) error { return apply(&g.Tags) })
		tags, err = g.Tags, missing(err, noGroup(name))
	case "deploymentconfig":
		var d config
		d, err = s.configs.Update(ctx, c.Scope(), name, func(d *config) error { return apply(&d.Tags) })
		tags, err = d.Tags, missing(err, refuse("DeploymentConfigDoesNotExist", "No Deployment Configuration found for name: %s", name))
	default:
		err = refuse("ArnNotSupported", "The ARN %q is not that of an application, a deployment group or a deployment configuration", *arn)
	}
	return tags, err
}

// TagResource sets tags.
func (s *Service) TagResource(ctx context.Context, in *codedeploy.TagResourceInput) (*codedeploy.TagResourceOutput, error) {
	if len(in.Tags) == 0 {
		return nil, refuse("TagRequired", "A tag must be specified")
	}
	_, err := s.changeTags(ctx, in.ResourceArn, func(old []types.Tag) ([]types.Tag, error) { return setTags(old, in.Tags) })
	return &codedeploy.TagResourceOutput{}, err
}

// UntagResource takes tags away.
func (s *Service) UntagResource(ctx context.Context, in *codedeploy.UntagResourceInput) (*codedeploy.UntagResourceOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, refuse("TagRequired", "A tag must be specified")
	}
	_, err := s.changeTags(ctx, in.ResourceArn, func(old []types.Tag) ([]types.Tag, error) {
		return slices.DeleteFunc(old, func(t types.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) }), nil
	})
	return &codedeploy.UntagResourceOutput{}, err
}

// ListTagsForResource gives tags.
func (s *Service) ListTagsForResource(ctx context.Context, in *codedeploy.ListTagsForResourceInput) (*codedeploy.ListTagsForResourceOutput, error) {
	tags, err := s.changeTags(ctx, in.ResourceArn, func(old []types.Tag) ([]types.Tag, error) { return old, nil })
	if tags == nil {
		tags = []types.Tag{}
	}
	return &codedeploy.ListTagsForResourceOutput{Tags: tags}, err
}
