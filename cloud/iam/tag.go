package iam

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/cloud/door"
)

const mostTags = 50

// withTags adds the given tags to those that are there.
func withTags(have map[string]string, given []types.Tag) (map[string]string, error) {
	tags := maps.Clone(have)
	if tags == nil && len(given) > 0 {
		tags = map[string]string{}
	}
	seen := map[string]bool{}
	for _, tag := range given {
		name, value := aws.ToString(tag.Key), aws.ToString(tag.Value)
		switch {
		case name == "" || len([]rune(name)) > 128:
			return nil, violated("tags.1.member.key", name, "have length between 1 and 128, inclusive")
		case len([]rune(value)) > 256:
			return nil, violated("tags.1.member.value", value, "have length less than or equal to 256")
		case door.SystemTag(name):
			return nil, badInput(door.ReservedTag)
		case seen[id(name)]:
			return nil, badInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[id(name)] = true
		tags[name] = value
	}
	if len(tags) > mostTags {
		return nil, limit("The number of tags has reached the maximum limit.")
	}
	return tags, nil
}

func withoutTags(have map[string]string, names []string) map[string]string {
	for _, name := range names {
		delete(have, name)
	}
	return have
}

// tagList gives tags by key.
func tagList(tags map[string]string) []types.Tag {
	var list []types.Tag
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(name), Value: aws.String(tags[name])})
	}
	return list
}

func tagPage(tags map[string]string, marker *string, maxItems *int32) (paged[types.Tag], error) {
	p, err := page(tagList(tags), func(t types.Tag) string { return *t.Key }, marker, maxItems)
	if p.items == nil {
		p.items = []types.Tag{}
	}
	return p, err
}

func (f family) tag(ctx context.Context, name *string, given []types.Tag) error {
	_, err := f.update(ctx, name, func(e *entity) (err error) {
		e.Tags, err = withTags(e.Tags, given)
		return err
	})
	return err
}

func (f family) untag(ctx context.Context, name *string, keys []string) error {
	_, err := f.update(ctx, name, func(e *entity) error {
		e.Tags = withoutTags(e.Tags, keys)
		return nil
	})
	return err
}

// TagRole adds tags to a role, or changes their values.
func (s *Service) TagRole(ctx context.Context, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	return &iam.TagRoleOutput{}, s.roles.tag(ctx, in.RoleName, in.Tags)
}

// UntagRole removes tags from a role.
func (s *Service) UntagRole(ctx context.Context, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	return &iam.UntagRoleOutput{}, s.roles.untag(ctx, in.RoleName, in.TagKeys)
}

// ListRoleTags lists a role's tags by key.
func (s *Service) ListRoleTags(ctx context.Context, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	e, err := s.roles.get(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	p, err := tagPage(e.Tags, in.Marker, in.MaxItems)
	return &iam.ListRoleTagsOutput{Tags: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}

// TagUser adds tags to a user, or changes their values.
func (s *Service) TagUser(ctx context.Context, in *iam.TagUserInput) (*iam.TagUserOutput, error) {
	return &iam.TagUserOutput{}, s.users.tag(ctx, in.UserName, in.Tags)
}

// UntagUser removes tags from a user.
func (s *Service) UntagUser(ctx context.Context, in *iam.UntagUserInput) (*iam.UntagUserOutput, error) {
	return &iam.UntagUserOutput{}, s.users.untag(ctx, in.UserName, in.TagKeys)
}

// ListUserTags lists a user's tags by key.
func (s *Service) ListUserTags(ctx context.Context, in *iam.ListUserTagsInput) (*iam.ListUserTagsOutput, error) {
	e, err := s.users.get(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	p, err := tagPage(e.Tags, in.Marker, in.MaxItems)
	return &iam.ListUserTagsOutput{Tags: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}

// TagPolicy adds tags to a managed policy, or changes their values.
func (s *Service) TagPolicy(ctx context.Context, in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	_, err := s.updatePolicy(ctx, in.PolicyArn, func(p *managed) (err error) {
		p.Tags, err = withTags(p.Tags, in.Tags)
		return err
	})
	return &iam.TagPolicyOutput{}, err
}

// UntagPolicy removes tags from a managed policy.
func (s *Service) UntagPolicy(ctx context.Context, in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	_, err := s.updatePolicy(ctx, in.PolicyArn, func(p *managed) error {
		p.Tags = withoutTags(p.Tags, in.TagKeys)
		return nil
	})
	return &iam.UntagPolicyOutput{}, err
}

// ListPolicyTags lists a managed policy's tags by key.
func (s *Service) ListPolicyTags(ctx context.Context, in *iam.ListPolicyTagsInput) (*iam.ListPolicyTagsOutput, error) {
	v, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	p, err := tagPage(v.Tags, in.Marker, in.MaxItems)
	return &iam.ListPolicyTagsOutput{Tags: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}

// TagInstanceProfile adds tags to an instance profile, or changes their values.
func (s *Service) TagInstanceProfile(ctx context.Context, in *iam.TagInstanceProfileInput) (*iam.TagInstanceProfileOutput, error) {
	_, err := s.updateProfile(ctx, in.InstanceProfileName, func(p *profile) (err error) {
		p.Tags, err = withTags(p.Tags, in.Tags)
		return err
	})
	return &iam.TagInstanceProfileOutput{}, err
}

// UntagInstanceProfile removes tags from an instance profile.
func (s *Service) UntagInstanceProfile(ctx context.Context, in *iam.UntagInstanceProfileInput) (*iam.UntagInstanceProfileOutput, error) {
	_, err := s.updateProfile(ctx, in.InstanceProfileName, func(p *profile) error {
		p.Tags = withoutTags(p.Tags, in.TagKeys)
		return nil
	})
	return &iam.UntagInstanceProfileOutput{}, err
}

// ListInstanceProfileTags lists an instance profile's tags by key.
func (s *Service) ListInstanceProfileTags(ctx context.Context, in *iam.ListInstanceProfileTagsInput) (*iam.ListInstanceProfileTagsOutput, error) {
	v, err := s.profiles.Get(ctx, door.CallerFrom(ctx).GlobalScope(), id(aws.ToString(in.InstanceProfileName)))
	if err != nil {
		return nil, profileMissing(err, in.InstanceProfileName)
	}
	p, err := tagPage(v.Tags, in.Marker, in.MaxItems)
	return &iam.ListInstanceProfileTagsOutput{Tags: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}
