package iam

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/cloud/door"
)

// user is the record as the API tells it.
func (s *Service) user(caller door.Caller, e entity) types.User {
	return types.User{
		Arn: s.users.arn(caller, e), UserName: aws.String(e.Name), UserId: aws.String(e.ID), Path: aws.String(e.Path),
		CreateDate: aws.Time(e.Created), PermissionsBoundary: boundary(e), Tags: tagList(e.Tags),
	}
}

// listedUser is the record as lists tell it.
func (s *Service) listedUser(caller door.Caller) func(e entity) types.User {
	return func(e entity) types.User {
		user := s.user(caller, e)
		user.Tags, user.PermissionsBoundary = nil, nil
		return user
	}
}

// CreateUser makes a user.
func (s *Service) CreateUser(ctx context.Context, in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	e, err := s.fresh(s.users, in.UserName, in.Path)
	if err != nil {
		return nil, err
	}
	if e.Tags, err = withTags(nil, in.Tags); err != nil {
		return nil, err
	}
	if e.Boundary, err = s.checkBoundary(ctx, in.PermissionsBoundary); err != nil {
		return nil, err
	}
	if err := s.insert(ctx, s.users, e); err != nil {
		return nil, err
	}
	user := s.user(door.CallerFrom(ctx), e)
	return &iam.CreateUserOutput{User: &user}, nil
}

// GetUser gives a user: the caller, when no name is given.
func (s *Service) GetUser(ctx context.Context, in *iam.GetUserInput) (*iam.GetUserOutput, error) {
	caller := door.CallerFrom(ctx)
	name := in.UserName
	if name == nil {
		own, isUser := userName(caller)
		if !isUser {
			return s.root(caller)
		}
		name = &own
	}
	e, err := s.users.get(ctx, name)
	if err != nil {
		return nil, err
	}
	user := s.user(caller, e)
	return &iam.GetUserOutput{User: &user}, nil
}

// userName is the name of the user who calls.
func userName(caller door.Caller) (string, bool) {
	_, path, ok := strings.Cut(caller.ARN, ":user/")
	return path[strings.LastIndexByte(path, '/')+1:], ok
}

// root is the answer to an account's root who asks who it is.
func (s *Service) root(caller door.Caller) (*iam.GetUserOutput, error) {
	if !strings.HasSuffix(caller.ARN, ":root") {
		return nil, invalid("Must specify userName when calling with non-User credentials")
	}
	return &iam.GetUserOutput{User: &types.User{
		Arn: aws.String(caller.ARN), UserId: aws.String(caller.Account), UserName: aws.String("root"), Path: aws.String("/"),
		CreateDate: aws.Time(s.now()),
	}}, nil
}

// ListUsers lists users by name.
func (s *Service) ListUsers(ctx context.Context, in *iam.ListUsersInput) (*iam.ListUsersOutput, error) {
	list, err := s.users.list(ctx, in.PathPrefix)
	if err != nil {
		return nil, err
	}
	p, err := page(list, entityID, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	users := each(p.items, s.listedUser(door.CallerFrom(ctx)))
	return &iam.ListUsersOutput{Users: users, Marker: p.marker, IsTruncated: p.truncated}, nil
}

// UpdateUser gives a user another name or path.
func (s *Service) UpdateUser(ctx context.Context, in *iam.UpdateUserInput) (*iam.UpdateUserOutput, error) {
	_, _, err := s.rename(ctx, s.users, in.UserName, in.NewUserName, in.NewPath)
	return &iam.UpdateUserOutput{}, err
}

// rename gives an entity another name, path or both, and moves what knows it by
// its name. It gives the former record and the new one.
func (s *Service) rename(ctx context.Context, f family, name, newName, newPath *string) (former, e entity, err error) {
	if newName == nil {
		newName = name
	}
	if err := checkName("new"+f.title+"Name", newName, f.longest); err != nil {
		return former, e, err
	}
	path, err := checkPath("newPath", newPath)
	if err != nil {
		return former, e, err
	}
	scope := door.CallerFrom(ctx).GlobalScope()
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if former, err = f.get(ctx, name); err != nil {
			return err
		}
		if e = former; newPath != nil {
			e.Path = path
		}
		if id(*newName) == id(former.Name) {
			e.Name = *newName
			return f.table.Put(ctx, scope, id(e.Name), e)
		}
		e.Name = *newName
		if err := s.moveUses(ctx, f, former, e); err != nil {
			return err
		}
		if err := f.table.Delete(ctx, scope, id(former.Name)); err != nil {
			return err
		}
		bare := e
		bare.Boundary = "" // its use is moved already
		if err := s.insert(ctx, f, bare); err != nil {
			return err
		}
		return f.table.Put(ctx, scope, id(e.Name), e)
	})
	return former, e, err
}

// moveUses makes the uses of managed policies those of the new name.
func (s *Service) moveUses(ctx context.Context, f family, former, e entity) error {
	move := func(policyARN, how string) error {
		if err := s.dropUse(ctx, policyARN, how, f, former); err != nil {
			return err
		}
		return s.setUse(ctx, policyARN, how, f, e)
	}
	for _, policyARN := range e.Attached {
		if err := move(policyARN, attached); err != nil {
			return err
		}
	}
	if e.Boundary == "" {
		return nil
	}
	return move(e.Boundary, asBoundary)
}

// DeleteUser deletes a user who has nothing any more.
func (s *Service) DeleteUser(ctx context.Context, in *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
	err := s.remove(ctx, s.users, in.UserName, func(ctx context.Context, e entity) error {
		if len(e.Groups) > 0 {
			return conflict("Cannot delete entity, must remove users from group first.")
		}
		keys, err := s.keysOf(ctx, e)
		if err == nil && len(keys) > 0 {
			err = conflict("Cannot delete entity, must delete access keys first.")
		}
		return err
	})
	return &iam.DeleteUserOutput{}, err
}
