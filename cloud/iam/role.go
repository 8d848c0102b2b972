package iam

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/cloud/door"
	"ouro/cloud/policy"
	"ouro/cloud/store"
)

const (
	linkedPath     = "/aws-service-role/"
	longestTrust   = 2048
	usualSession   = 3600
	longestSession = 43200
)

// CreateRole makes a role that its trust policy allows to be assumed.
func (s *Service) CreateRole(ctx context.Context, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	e, err := s.fresh(s.roles, in.RoleName, in.Path)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(e.Path, linkedPath) {
		return nil, invalid("Invalid path: %s. Paths beginning with %s are reserved for service-linked roles.", e.Path, linkedPath)
	}
	if err := checkTrust(in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	if e.MaxSession, err = checkSession(in.MaxSessionDuration); err != nil {
		return nil, err
	}
	if e.Tags, err = withTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if e.Boundary, err = s.checkBoundary(ctx, in.PermissionsBoundary); err != nil {
		return nil, err
	}
	e.Trust, e.Description = *in.AssumeRolePolicyDocument, aws.ToString(in.Description)
	if err := s.insert(ctx, s.roles, e); err != nil {
		return nil, err
	}
	role := s.role(door.CallerFrom(ctx), e)
	return &iam.CreateRoleOutput{Role: &role}, nil
}

func checkTrust(document *string) error {
	if aws.ToString(document) == "" {
		return violated("assumeRolePolicyDocument", "", "have length greater than or equal to 1")
	}
	return checkDocument(document, policy.Trust, longestTrust, "ACLSizePerRole")
}

func checkSession(seconds *int32) (int32, error) {
	switch {
	case seconds == nil:
		return usualSession, nil
	case *seconds < usualSession:
		return 0, violated("maxSessionDuration", strconv.Itoa(int(*seconds)), "have value greater than or equal to 3600")
	case *seconds > longestSession:
		return 0, violated("maxSessionDuration", strconv.Itoa(int(*seconds)), "have value less than or equal to 43200")
	}
	return *seconds, nil
}

// role is the record as the API tells it.
func (s *Service) role(caller door.Caller, e entity) types.Role {
	return types.Role{
		Arn: s.roles.arn(caller, e), RoleName: aws.String(e.Name), RoleId: aws.String(e.ID), Path: aws.String(e.Path),
		CreateDate: aws.Time(e.Created), AssumeRolePolicyDocument: encode(e.Trust),
		Description: optional(e.Description), MaxSessionDuration: aws.Int32(e.MaxSession),
		PermissionsBoundary: boundary(e), Tags: tagList(e.Tags),
	}
}

// listed is the record as lists tell it: AWS leaves out what takes longer to
// find.
func (s *Service) listed(caller door.Caller, e entity) types.Role {
	role := s.role(caller, e)
	role.Tags, role.PermissionsBoundary = nil, nil
	return role
}

// optional is a member that is left out when it is empty.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// GetRole gives a role.
func (s *Service) GetRole(ctx context.Context, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	e, err := s.roles.get(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	role := s.role(door.CallerFrom(ctx), e)
	role.RoleLastUsed = &types.RoleLastUsed{}
	return &iam.GetRoleOutput{Role: &role}, nil
}

// ListRoles lists roles by name.
func (s *Service) ListRoles(ctx context.Context, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	list, err := s.roles.list(ctx, in.PathPrefix)
	if err != nil {
		return nil, err
	}
	p, err := page(list, entityID, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	roles := each(p.items, func(e entity) types.Role { return s.listed(caller, e) })
	return &iam.ListRolesOutput{Roles: roles, Marker: p.marker, IsTruncated: p.truncated}, nil
}

// UpdateRole changes what is given.
func (s *Service) UpdateRole(ctx context.Context, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	longest, err := checkSession(in.MaxSessionDuration)
	if err != nil {
		return nil, err
	}
	_, err = s.updateRole(ctx, in.RoleName, func(e *entity) {
		if in.Description != nil {
			e.Description = *in.Description
		}
		if in.MaxSessionDuration != nil {
			e.MaxSession = longest
		}
	})
	if err != nil {
		return nil, err
	}
	return &iam.UpdateRoleOutput{}, nil
}

// UpdateRoleDescription is UpdateRole of former days.
func (s *Service) UpdateRoleDescription(ctx context.Context, in *iam.UpdateRoleDescriptionInput) (*iam.UpdateRoleDescriptionOutput, error) {
	e, err := s.updateRole(ctx, in.RoleName, func(e *entity) { e.Description = aws.ToString(in.Description) })
	if err != nil {
		return nil, err
	}
	role := s.role(door.CallerFrom(ctx), e)
	return &iam.UpdateRoleDescriptionOutput{Role: &role}, nil
}

// UpdateAssumeRolePolicy replaces a role's trust.
func (s *Service) UpdateAssumeRolePolicy(ctx context.Context, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	if err := checkTrust(in.PolicyDocument); err != nil {
		return nil, err
	}
	if _, err := s.updateRole(ctx, in.RoleName, func(e *entity) { e.Trust = *in.PolicyDocument }); err != nil {
		return nil, err
	}
	return &iam.UpdateAssumeRolePolicyOutput{}, nil
}

// updateRole changes a role that is the account's own.
func (s *Service) updateRole(ctx context.Context, name *string, change func(*entity)) (entity, error) {
	return s.roles.update(ctx, name, func(e *entity) error {
		if err := protected(*e); err != nil {
			return err
		}
		change(e)
		return nil
	})
}

// protected is the error for a change of a role that only AWS may change.
func protected(e entity) error {
	if !strings.HasPrefix(e.Path, linkedPath) {
		return nil
	}
	return &types.UnmodifiableEntityException{Message: aws.String(
		"Cannot perform the operation on the protected role '" + e.Name + "' - this role is only modifiable by AWS")}
}

// DeleteRole deletes a role that has no policies and is in no instance profile.
func (s *Service) DeleteRole(ctx context.Context, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	err := s.remove(ctx, s.roles, in.RoleName, func(ctx context.Context, e entity) error {
		if err := protected(e); err != nil {
			return err
		}
		profiles, err := s.profilesOf(ctx, e.Name)
		if err == nil && len(profiles) > 0 {
			err = conflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeleteRoleOutput{}, nil
}

// profilesOf are the instance profiles that hold the role.
func (s *Service) profilesOf(ctx context.Context, role string) ([]profile, error) {
	all, err := s.profiles.List(ctx, door.CallerFrom(ctx).GlobalScope(), store.Query{})
	if err != nil {
		return nil, err
	}
	var list []profile
	for _, p := range all {
		if p.Value.Role != "" && id(p.Value.Role) == id(role) {
			list = append(list, p.Value)
		}
	}
	return list, nil
}
