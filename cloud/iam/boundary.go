package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// boundary is the entity's permissions boundary as the API tells it.
func boundary(e entity) *types.AttachedPermissionsBoundary {
	if e.Boundary == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{
		PermissionsBoundaryArn: aws.String(e.Boundary), PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy,
	}
}

// checkBoundary gives the ARN of a boundary, whose policy must exist; empty when
// none is given.
func (s *Service) checkBoundary(ctx context.Context, policyARN *string) (string, error) {
	if policyARN == nil {
		return "", nil
	}
	if _, err := s.policy(ctx, policyARN); err != nil {
		if _, ok := err.(*types.NoSuchEntityException); ok {
			err = noSuch("Scope ARN: %s does not exist or is not attachable.", *policyARN)
		}
		return "", err
	}
	return *policyARN, nil
}

// setBoundary replaces an entity's boundary; nil takes it away.
func (s *Service) setBoundary(ctx context.Context, f family, name, policyARN *string) error {
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		wanted, err := s.checkBoundary(ctx, policyARN)
		if err != nil {
			return err
		}
		former := ""
		e, err := f.update(ctx, name, func(e *entity) error {
			former, e.Boundary = e.Boundary, wanted
			return protected(*e)
		})
		if err != nil {
			return err
		}
		if former != "" {
			if err := s.dropUse(ctx, former, asBoundary, f, e); err != nil {
				return err
			}
		}
		if wanted == "" {
			return nil
		}
		return s.setUse(ctx, wanted, asBoundary, f, e)
	})
}

// PutRolePermissionsBoundary sets a role's boundary.
func (s *Service) PutRolePermissionsBoundary(ctx context.Context, in *iam.PutRolePermissionsBoundaryInput) (*iam.PutRolePermissionsBoundaryOutput, error) {
	return &iam.PutRolePermissionsBoundaryOutput{}, s.setBoundary(ctx, s.roles, in.RoleName, in.PermissionsBoundary)
}

// PutUserPermissionsBoundary sets a user's boundary.
func (s *Service) PutUserPermissionsBoundary(ctx context.Context, in *iam.PutUserPermissionsBoundaryInput) (*iam.PutUserPermissionsBoundaryOutput, error) {
	return &iam.PutUserPermissionsBoundaryOutput{}, s.setBoundary(ctx, s.users, in.UserName, in.PermissionsBoundary)
}

// DeleteRolePermissionsBoundary takes a role's boundary away.
func (s *Service) DeleteRolePermissionsBoundary(ctx context.Context, in *iam.DeleteRolePermissionsBoundaryInput) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	return &iam.DeleteRolePermissionsBoundaryOutput{}, s.setBoundary(ctx, s.roles, in.RoleName, nil)
}

// DeleteUserPermissionsBoundary takes a user's boundary away.
func (s *Service) DeleteUserPermissionsBoundary(ctx context.Context, in *iam.DeleteUserPermissionsBoundaryInput) (*iam.DeleteUserPermissionsBoundaryOutput, error) {
	return &iam.DeleteUserPermissionsBoundaryOutput{}, s.setBoundary(ctx, s.users, in.UserName, nil)
}
