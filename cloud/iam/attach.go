package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const mostAttached = 10

// attach attaches a managed policy; one that is attached already stays so.
func (s *Service) attach(ctx context.Context, f family, name, policyARN *string) error {
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		e, err := f.get(ctx, name)
		if err != nil {
			return err
		}
		if _, err := s.policy(ctx, policyARN); err != nil {
			return noSuchPolicy(err, policyARN)
		}
		if slices.Contains(e.Attached, *policyARN) {
			return nil
		}
		e, err = f.update(ctx, name, func(e *entity) error {
			if err := protected(*e); err != nil {
				return err
			}
			if len(e.Attached) >= mostAttached {
				return limit("Cannot exceed quota for PoliciesPer%s: %d", f.title, mostAttached)
			}
			e.Attached = append(e.Attached, *policyARN)
			return nil
		})
		if err != nil {
			return err
		}
		return s.setUse(ctx, *policyARN, attached, f, e)
	})
}

// noSuchPolicy is how an attachment tells that there is no such policy.
func noSuchPolicy(err error, policyARN *string) error {
	if _, ok := err.(*types.NoSuchEntityException); ok {
		return noSuch("Policy %s does not exist or is not attachable.", aws.ToString(policyARN))
	}
	return err
}

// detach ends an attachment.
func (s *Service) detach(ctx context.Context, f family, name, policyARN *string) error {
	if err := checkPolicyARN(policyARN); err != nil {
		return err
	}
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		e, err := f.update(ctx, name, func(e *entity) error {
			if err := protected(*e); err != nil {
				return err
			}
			i := slices.Index(e.Attached, *policyARN)
			if i < 0 {
				return noSuch("Policy %s was not found.", *policyARN)
			}
			e.Attached = slices.Delete(e.Attached, i, i+1)
			return nil
		})
		if err != nil {
			return err
		}
		return s.dropUse(ctx, *policyARN, attached, f, e)
	})
}

// attachedTo lists the managed policies that are attached to an entity and
// whose path begins with the prefix, by ARN.
func (s *Service) attachedTo(ctx context.Context, f family, name, pathPrefix, marker *string, maxItems *int32) (paged[types.AttachedPolicy], error) {
	e, err := f.get(ctx, name)
	if err != nil {
		return paged[types.AttachedPolicy]{}, err
	}
	list := []types.AttachedPolicy{}
	for _, policyARN := range slices.Sorted(slices.Values(e.Attached)) {
		_, path, _ := strings.Cut(policyARN, ":policy")
		if strings.HasPrefix(path, aws.ToString(pathPrefix)) {
			name := path[strings.LastIndexByte(path, '/')+1:]
			list = append(list, types.AttachedPolicy{PolicyArn: aws.String(policyARN), PolicyName: aws.String(name)})
		}
	}
	return page(list, func(p types.AttachedPolicy) string { return *p.PolicyArn }, marker, maxItems)
}

// AttachRolePolicy attaches a managed policy to a role.
func (s *Service) AttachRolePolicy(ctx context.Context, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	return &iam.AttachRolePolicyOutput{}, s.attach(ctx, s.roles, in.RoleName, in.PolicyArn)
}

// AttachUserPolicy attaches a managed policy to a user.
func (s *Service) AttachUserPolicy(ctx context.Context, in *iam.AttachUserPolicyInput) (*iam.AttachUserPolicyOutput, error) {
	return &iam.AttachUserPolicyOutput{}, s.attach(ctx, s.users, in.UserName, in.PolicyArn)
}

// AttachGroupPolicy attaches a managed policy to a group.
func (s *Service) AttachGroupPolicy(ctx context.Context, in *iam.AttachGroupPolicyInput) (*iam.AttachGroupPolicyOutput, error) {
	return &iam.AttachGroupPolicyOutput{}, s.attach(ctx, s.groups, in.GroupName, in.PolicyArn)
}

// DetachRolePolicy detaches a managed policy from a role.
func (s *Service) DetachRolePolicy(ctx context.Context, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	return &iam.DetachRolePolicyOutput{}, s.detach(ctx, s.roles, in.RoleName, in.PolicyArn)
}

// DetachUserPolicy detaches a managed policy from a user.
func (s *Service) DetachUserPolicy(ctx context.Context, in *iam.DetachUserPolicyInput) (*iam.DetachUserPolicyOutput, error) {
	return &iam.DetachUserPolicyOutput{}, s.detach(ctx, s.users, in.UserName, in.PolicyArn)
}

// DetachGroupPolicy detaches a managed policy from a group.
func (s *Service) DetachGroupPolicy(ctx context.Context, in *iam.DetachGroupPolicyInput) (*iam.DetachGroupPolicyOutput, error) {
	return &iam.DetachGroupPolicyOutput{}, s.detach(ctx, s.groups, in.GroupName, in.PolicyArn)
}

// ListAttachedRolePolicies lists a role's managed policies.
func (s *Service) ListAttachedRolePolicies(ctx context.Context, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	p, err := s.attachedTo(ctx, s.roles, in.RoleName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}

// ListAttachedUserPolicies lists a user's managed policies.
func (s *Service) ListAttachedUserPolicies(ctx context.Context, in *iam.ListAttachedUserPoliciesInput) (*iam.ListAttachedUserPoliciesOutput, error) {
	p, err := s.attachedTo(ctx, s.users, in.UserName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iam.ListAttachedUserPoliciesOutput{AttachedPolicies: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}

// ListAttachedGroupPolicies lists a group's managed policies.
func (s *Service) ListAttachedGroupPolicies(ctx context.Context, in *iam.ListAttachedGroupPoliciesInput) (*iam.ListAttachedGroupPoliciesOutput, error) {
	p, err := s.attachedTo(ctx, s.groups, in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
	return &iam.ListAttachedGroupPoliciesOutput{AttachedPolicies: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}
