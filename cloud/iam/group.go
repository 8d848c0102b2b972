package iam

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/cloud/door"
)

const mostGroups = 10

// group is the record as the API tells it.
func (s *Service) group(caller door.Caller) func(e entity) types.Group {
	return func(e entity) types.Group {
		return types.Group{
			Arn: s.groups.arn(caller, e), GroupName: aws.String(e.Name), GroupId: aws.String(e.ID), Path: aws.String(e.Path),
			CreateDate: aws.Time(e.Created),
		}
	}
}

// isIn tells whether the user is in the group.
func (e entity) isIn(group string) bool {
	return slices.ContainsFunc(e.Groups, func(g string) bool { return id(g) == id(group) })
}

// CreateGroup makes a group.
func (s *Service) CreateGroup(ctx context.Context, in *iam.CreateGroupInput) (*iam.CreateGroupOutput, error) {
	e, err := s.fresh(s.groups, in.GroupName, in.Path)
	if err != nil {
		return nil, err
	}
	if err := s.insert(ctx, s.groups, e); err != nil {
		return nil, err
	}
	group := s.group(door.CallerFrom(ctx))(e)
	return &iam.CreateGroupOutput{Group: &group}, nil
}

// GetGroup gives a group and its users.
func (s *Service) GetGroup(ctx context.Context, in *iam.GetGroupInput) (*iam.GetGroupOutput, error) {
	e, err := s.groups.get(ctx, in.GroupName)
	if err != nil {
		return nil, err
	}
	members, err := s.members(ctx, e)
	if err != nil {
		return nil, err
	}
	p, err := page(members, entityID, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	group := s.group(caller)(e)
	return &iam.GetGroupOutput{
		Group: &group, Users: each(p.items, s.listedUser(caller)), Marker: p.marker, IsTruncated: p.truncated,
	}, nil
}

// members are the users in a group, by name.
func (s *Service) members(ctx context.Context, group entity) ([]entity, error) {
	users, err := s.users.list(ctx, nil)
	return slices.DeleteFunc(users, func(user entity) bool { return !user.isIn(group.Name) }), err
}

// ListGroups lists groups by name.
func (s *Service) ListGroups(ctx context.Context, in *iam.ListGroupsInput) (*iam.ListGroupsOutput, error) {
	list, err := s.groups.list(ctx, in.PathPrefix)
	if err != nil {
		return nil, err
	}
	p, err := page(list, entityID, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	groups := each(p.items, s.group(door.CallerFrom(ctx)))
	return &iam.ListGroupsOutput{Groups: groups, Marker: p.marker, IsTruncated: p.truncated}, nil
}

// ListGroupsForUser lists the groups that a user is in, by name.
func (s *Service) ListGroupsForUser(ctx context.Context, in *iam.ListGroupsForUserInput) (*iam.ListGroupsForUserOutput, error) {
	user, err := s.users.get(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	list, err := s.groups.list(ctx, nil)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(group entity) bool { return !user.isIn(group.Name) })
	p, err := page(list, entityID, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	groups := each(p.items, s.group(door.CallerFrom(ctx)))
	return &iam.ListGroupsForUserOutput{Groups: groups, Marker: p.marker, IsTruncated: p.truncated}, nil
}

// AddUserToGroup puts a user into a group; one who is in it stays so.
func (s *Service) AddUserToGroup(ctx context.Context, in *iam.AddUserToGroupInput) (*iam.AddUserToGroupOutput, error) {
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		group, err := s.groups.get(ctx, in.GroupName)
		if err != nil {
			return err
		}
		_, err = s.users.update(ctx, in.UserName, func(user *entity) error {
			switch {
			case user.isIn(group.Name):
				return nil
			case len(user.Groups) >= mostGroups:
				return limit("Cannot exceed quota for GroupsPerUser: %d", mostGroups)
			}
			user.Groups = append(user.Groups, group.Name)
			return nil
		})
		return err
	})
	return &iam.AddUserToGroupOutput{}, err
}

// RemoveUserFromGroup takes a user out of a group; one who is not in it stays
// so.
func (s *Service) RemoveUserFromGroup(ctx context.Context, in *iam.RemoveUserFromGroupInput) (*iam.RemoveUserFromGroupOutput, error) {
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		group, err := s.groups.get(ctx, in.GroupName)
		if err != nil {
			return err
		}
		_, err = s.users.update(ctx, in.UserName, func(user *entity) error {
			user.Groups = slices.DeleteFunc(user.Groups, func(name string) bool { return id(name) == id(group.Name) })
			return nil
		})
		return err
	})
	return &iam.RemoveUserFromGroupOutput{}, err
}

// UpdateGroup gives a group another name or path.
func (s *Service) UpdateGroup(ctx context.Context, in *iam.UpdateGroupInput) (*iam.UpdateGroupOutput, error) {
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		former, group, err := s.rename(ctx, s.groups, in.GroupName, in.NewGroupName, in.NewPath)
		if err != nil {
			return err
		}
		members, err := s.members(ctx, former)
		if err != nil {
			return err
		}
		for _, member := range members {
			_, err := s.users.update(ctx, &member.Name, func(user *entity) error {
				i := slices.IndexFunc(user.Groups, func(name string) bool { return id(name) == id(former.Name) })
				user.Groups[i] = group.Name
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return &iam.UpdateGroupOutput{}, err
}

// DeleteGroup deletes a group without users and policies.
func (s *Service) DeleteGroup(ctx context.Context, in *iam.DeleteGroupInput) (*iam.DeleteGroupOutput, error) {
	err := s.remove(ctx, s.groups, in.GroupName, func(ctx context.Context, e entity) error {
		members, err := s.members(ctx, e)
		if err == nil && len(members) > 0 {
			err = conflict("Cannot delete entity, must remove users from group first.")
		}
		return err
	})
	return &iam.DeleteGroupOutput{}, err
}
