package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/stack"
)

// MetaTeardown is what MetaDown deletes.
type MetaTeardown struct {
	Teardown
	Role string // which the wrapped stack is updated with; empty where it stays
}

// MetaTeardown finds what goes with a meta pipeline: its own stack, and, if that
// is wanted, the wrapped one. Without that the wrapped stack stays, and so does
// the role that it is updated with: it could not be deleted without.
func (u *Up) MetaTeardown(ctx context.Context, wrapped string, wanted bool) (*MetaTeardown, error) {
	if err := u.findPipeline(ctx); err != nil {
		return nil, err
	}
	t, own := &MetaTeardown{}, u.Project.StackName()
	s, err := stack.Describe(ctx, u.Clients.Stacks, wrapped)
	if err != nil {
		return nil, err
	}
	switch {
	case s == nil:
	case wanted:
		if err := u.deploysNothing(ctx, wrapped); err != nil {
			return nil, err
		}
		t.Stacks = append(t.Stacks, StackRef{Name: wrapped})
		if t.Buckets, err = u.buckets(ctx, wrapped); err != nil {
			return nil, err
		}
		if _, role, _ := strings.Cut(aws.ToString(s.RoleARN), "/"); strings.HasPrefix(role, own+"-") {
			t.Role = role
		}
	default:
		t.Left = append(t.Left, "stack "+wrapped)
		if s.RoleARN != nil {
			t.Left = append(t.Left, "role "+*s.RoleARN+", with which stack "+wrapped+" is updated and deleted")
		}
	}
	if s, err = stack.Describe(ctx, u.Clients.Stacks, own); err != nil || s == nil {
		return t, err
	}
	t.Stacks = append(t.Stacks, StackRef{Name: own})
	buckets, err := u.buckets(ctx, own)
	t.Buckets = append(t.Buckets, buckets...)
	return t, err
}

// deploysNothing is an error where stacks are there that the wrapped pipeline
// deployed: their roles would go with it.
func (u *Up) deploysNothing(ctx context.Context, wrapped string) error {
	name, err := Named(ctx, u.Clients, wrapped)
	if err != nil || name == "" {
		return err
	}
	deployed, err := DeployedStacks(ctx, u.Clients, name)
	if err != nil {
		return err
	}
	for _, ref := range deployed {
		if ref.Name == wrapped {
			continue
		}
		s, err := stack.Describe(ctx, u.Clients.in(ref.Region).Stacks, ref.Name)
		if err != nil {
			return err
		}
		if s != nil {
			return fmt.Errorf("stack %s was deployed by pipeline %q, and could not be deleted without it: delete that stack first", ref, name)
		}
	}
	return nil
}

// MetaDown deletes what MetaTeardown found. deleted are the names of what is
// gone now, even when there is an error.
func (u *Up) MetaDown(ctx context.Context, t *MetaTeardown) (deleted []string, err error) {
	if u.Pipeline != "" {
		if err := u.stop(ctx); err != nil {
			return nil, err
		}
	}
	if err := u.empty(ctx, t.Buckets); err != nil {
		return nil, err
	}
	rest := t.Teardown
	rest.Buckets = nil // they are empty, and nothing runs that would fill them
	if deleted, err = u.Down(ctx, &rest); err != nil || t.Role == "" {
		return deleted, err
	}
	if err := deleteRole(ctx, u.Clients.Roles, t.Role); err != nil {
		return deleted, fmt.Errorf("deleting role %q: %w", t.Role, err)
	}
	return append(deleted, "role "+t.Role), nil
}

// deleteRole deletes a role with its policies; one that is not there is deleted
// already.
func deleteRole(ctx context.Context, api *iam.Client, role string) error {
	inline, err := api.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &role})
	if none := (*iamtypes.NoSuchEntityException)(nil); errors.As(err, &none) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range inline.PolicyNames {
		if _, err := api.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: &name}); err != nil {
			return err
		}
	}
	attached, err := api.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &role})
	if err != nil {
		return err
	}
	for _, p := range attached.AttachedPolicies {
		if _, err := api.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &role, PolicyArn: p.PolicyArn}); err != nil {
			return err
		}
	}
	_, err = api.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &role})
	return err
}
