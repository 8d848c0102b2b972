package iam

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"ouro/cloud/policy"
)

// putInline writes a policy into an entity.
func (f family) putInline(ctx context.Context, name, policyName, document *string) error {
	if err := checkName("policyName", policyName, 128); err != nil {
		return err
	}
	if err := checkDocument(document, policy.Inline, 1<<20, "PolicySize"); err != nil {
		return err
	}
	_, err := f.update(ctx, name, func(e *entity) error {
		if err := protected(*e); err != nil {
			return err
		}
		if e.Inline == nil {
			e.Inline = map[string]string{}
		}
		e.Inline[*policyName] = *document
		total := 0
		for _, text := range e.Inline {
			total += size(text)
		}
		if total > f.inline {
			return limit("Maximum policy size of %d bytes exceeded for %s %s", f.inline, f.word, e.Name)
		}
		return nil
	})
	return err
}

// inlineOf gives the entity and the document of one of its policies, encoded.
func (f family) inlineOf(ctx context.Context, name, policyName *string) (entity, *string, error) {
	e, err := f.get(ctx, name)
	if err != nil {
		return e, nil, err
	}
	document, ok := e.Inline[aws.ToString(policyName)]
	if !ok {
		return e, nil, f.noInline(policyName)
	}
	return e, encode(document), nil
}

func (f family) noInline(policyName *string) error {
	return noSuch("The %s policy with name %s cannot be found.", f.word, aws.ToString(policyName))
}

func (f family) deleteInline(ctx context.Context, name, policyName *string) error {
	_, err := f.update(ctx, name, func(e *entity) error {
		if err := protected(*e); err != nil {
			return err
		}
		if _, ok := e.Inline[aws.ToString(policyName)]; !ok {
			return f.noInline(policyName)
		}
		delete(e.Inline, *policyName)
		return nil
	})
	return err
}

func (f family) listInline(ctx context.Context, name, marker *string, maxItems *int32) (paged[string], error) {
	e, err := f.get(ctx, name)
	if err != nil {
		return paged[string]{}, err
	}
	p, err := page(slices.Sorted(maps.Keys(e.Inline)), itself, marker, maxItems)
	if p.items == nil {
		p.items = []string{}
	}
	return p, err
}

// PutRolePolicy writes a policy into a role.
func (s *Service) PutRolePolicy(ctx context.Context, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	return &iam.PutRolePolicyOutput{}, s.roles.putInline(ctx, in.RoleName, in.PolicyName, in.PolicyDocument)
}

// PutUserPolicy writes a policy into a user.
func (s *Service) PutUserPolicy(ctx context.Context, in *iam.PutUserPolicyInput) (*iam.PutUserPolicyOutput, error) {
	return &iam.PutUserPolicyOutput{}, s.users.putInline(ctx, in.UserName, in.PolicyName, in.PolicyDocument)
}

// PutGroupPolicy writes a policy into a group.
func (s *Service) PutGroupPolicy(ctx context.Context, in *iam.PutGroupPolicyInput) (*iam.PutGroupPolicyOutput, error) {
	return &iam.PutGroupPolicyOutput{}, s.groups.putInline(ctx, in.GroupName, in.PolicyName, in.PolicyDocument)
}

// GetRolePolicy gives a policy that is in a role.
func (s *Service) GetRolePolicy(ctx context.Context, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	e, document, err := s.roles.inlineOf(ctx, in.RoleName, in.PolicyName)
	return &iam.GetRolePolicyOutput{RoleName: aws.String(e.Name), PolicyName: in.PolicyName, PolicyDocument: document}, err
}

// GetUserPolicy gives a policy that is in a user.
func (s *Service) GetUserPolicy(ctx context.Context, in *iam.GetUserPolicyInput) (*iam.GetUserPolicyOutput, error) {
	e, document, err := s.users.inlineOf(ctx, in.UserName, in.PolicyName)
	return &iam.GetUserPolicyOutput{UserName: aws.String(e.Name), PolicyName: in.PolicyName, PolicyDocument: document}, err
}

// GetGroupPolicy gives a policy that is in a group.
func (s *Service) GetGroupPolicy(ctx context.Context, in *iam.GetGroupPolicyInput) (*iam.GetGroupPolicyOutput, error) {
	e, document, err := s.groups.inlineOf(ctx, in.GroupName, in.PolicyName)
	return &iam.GetGroupPolicyOutput{GroupName: aws.String(e.Name), PolicyName: in.PolicyName, PolicyDocument: document}, err
}

// DeleteRolePolicy takes a policy out of a role.
func (s *Service) DeleteRolePolicy(ctx context.Context, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	return &iam.DeleteRolePolicyOutput{}, s.roles.deleteInline(ctx, in.RoleName, in.PolicyName)
}

// DeleteUserPolicy takes a policy out of a user.
func (s *Service) DeleteUserPolicy(ctx context.Context, in *iam.DeleteUserPolicyInput) (*iam.DeleteUserPolicyOutput, error) {
	return &iam.DeleteUserPolicyOutput{}, s.users.deleteInline(ctx, in.UserName, in.PolicyName)
}

// DeleteGroupPolicy takes a policy out of a group.
func (s *Service) DeleteGroupPolicy(ctx context.Context, in *iam.DeleteGroupPolicyInput) (*iam.DeleteGroupPolicyOutput, error) {
	return &iam.DeleteGroupPolicyOutput{}, s.groups.deleteInline(ctx, in.GroupName, in.PolicyName)
}

// ListRolePolicies lists the names of the policies in a role.
func (s *Service) ListRolePolicies(ctx context.Context, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	p, err := s.roles.listInline(ctx, in.RoleName, in.Marker, in.MaxItems)
	return &iam.ListRolePoliciesOutput{PolicyNames: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}

// ListUserPolicies lists the names of the policies in a user.
func (s *Service) ListUserPolicies(ctx context.Context, in *iam.ListUserPoliciesInput) (*iam.ListUserPoliciesOutput, error) {
	p, err := s.users.listInline(ctx, in.UserName, in.Marker, in.MaxItems)
	return &iam.ListUserPoliciesOutput{PolicyNames: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}

// ListGroupPolicies lists the names of the policies in a group.
func (s *Service) ListGroupPolicies(ctx context.Context, in *iam.ListGroupPoliciesInput) (*iam.ListGroupPoliciesOutput, error) {
	p, err := s.groups.listInline(ctx, in.GroupName, in.Marker, in.MaxItems)
	return &iam.ListGroupPoliciesOutput{PolicyNames: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}
