package iam

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/cloud/accesskey"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// profile is an instance profile; it holds one role at most.
type profile struct {
	Name    string
	Path    string
	ID      string
	Role    string `json:",omitempty"`
	Created time.Time
	Tags    map[string]string `json:",omitempty"`
}

func profileMissing(err error, name *string) error {
	if err == store.ErrNotFound {
		return noSuch("Instance Profile %s cannot be found.", aws.ToString(name))
	}
	return err
}

func (s *Service) updateProfile(ctx context.Context, name *string, change func(*profile) error) (profile, error) {
	p, err := s.profiles.Update(ctx, door.CallerFrom(ctx).GlobalScope(), id(aws.ToString(name)), change)
	return p, profileMissing(err, name)
}

// profileOut is the record as the API tells it, with its role.
func (s *Service) profileOut(ctx context.Context, p profile) (types.InstanceProfile, error) {
	caller := door.CallerFrom(ctx)
	out := types.InstanceProfile{
		Arn:                 globalARN(caller, "instance-profile"+p.Path+p.Name),
		InstanceProfileName: aws.String(p.Name), InstanceProfileId: aws.String(p.ID), Path: aws.String(p.Path),
		CreateDate: aws.Time(p.Created), Roles: []types.Role{}, Tags: tagList(p.Tags),
	}
	if p.Role == "" {
		return out, nil
	}
	e, err := s.roles.get(ctx, &p.Role)
	if err == nil {
		out.Roles = append(out.Roles, s.listed(caller, e))
	}
	return out, err
}

// CreateInstanceProfile makes an instance profile without a role.
func (s *Service) CreateInstanceProfile(ctx context.Context, in *iam.CreateInstanceProfileInput) (*iam.CreateInstanceProfileOutput, error) {
	if err := checkName("instanceProfileName", in.InstanceProfileName, 128); err != nil {
		return nil, err
	}
	path, err := checkPath("path", in.Path)
	if err != nil {
		return nil, err
	}
	tags, err := withTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	p := profile{Name: *in.InstanceProfileName, Path: path, ID: accesskey.NewID("AIPA"), Created: s.now(), Tags: tags}
	err = s.profiles.Insert(ctx, door.CallerFrom(ctx).GlobalScope(), id(p.Name), p)
	if err == store.ErrExists {
		err = exists("Instance Profile %s already exists.", p.Name)
	}
	if err != nil {
		return nil, err
	}
	out, err := s.profileOut(ctx, p)
	return &iam.CreateInstanceProfileOutput{InstanceProfile: &out}, err
}

// GetInstanceProfile gives an instance profile with its role.
func (s *Service) GetInstanceProfile(ctx context.Context, in *iam.GetInstanceProfileInput) (*iam.GetInstanceProfileOutput, error) {
	p, err := s.profiles.Get(ctx, door.CallerFrom(ctx).GlobalScope(), id(aws.ToString(in.InstanceProfileName)))
	if err != nil {
		return nil, profileMissing(err, in.InstanceProfileName)
	}
	out, err := s.profileOut(ctx, p)
	return &iam.GetInstanceProfileOutput{InstanceProfile: &out}, err
}

// DeleteInstanceProfile deletes an instance profile that holds no role.
func (s *Service) DeleteInstanceProfile(ctx context.Context, in *iam.DeleteInstanceProfileInput) (*iam.DeleteInstanceProfileOutput, error) {
	scope, name := door.CallerFrom(ctx).GlobalScope(), id(aws.ToString(in.InstanceProfileName))
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		p, err := s.profiles.Get(ctx, scope, name)
		switch {
		case err != nil:
			return profileMissing(err, in.InstanceProfileName)
		case p.Role != "":
			return conflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		return s.profiles.Delete(ctx, scope, name)
	})
	return &iam.DeleteInstanceProfileOutput{}, err
}

// AddRoleToInstanceProfile puts a role into an empty instance profile.
func (s *Service) AddRoleToInstanceProfile(ctx context.Context, in *iam.AddRoleToInstanceProfileInput) (*iam.AddRoleToInstanceProfileOutput, error) {
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		role, err := s.roles.get(ctx, in.RoleName)
		if err != nil {
			return err
		}
		_, err = s.updateProfile(ctx, in.InstanceProfileName, func(p *profile) error {
			if p.Role != "" {
				return limit("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
			}
			p.Role = role.Name
			return protected(role)
		})
		return err
	})
	return &iam.AddRoleToInstanceProfileOutput{}, err
}

// RemoveRoleFromInstanceProfile takes the role out of an instance profile.
func (s *Service) RemoveRoleFromInstanceProfile(ctx context.Context, in *iam.RemoveRoleFromInstanceProfileInput) (*iam.RemoveRoleFromInstanceProfileOutput, error) {
	_, err := s.updateProfile(ctx, in.InstanceProfileName, func(p *profile) error {
		if p.Role == "" || id(p.Role) != id(aws.ToString(in.RoleName)) {
			return s.roles.missing(store.ErrNotFound, in.RoleName)
		}
		p.Role = ""
		return nil
	})
	return &iam.RemoveRoleFromInstanceProfileOutput{}, err
}

// ListInstanceProfiles lists instance profiles by name.
func (s *Service) ListInstanceProfiles(ctx context.Context, in *iam.ListInstanceProfilesInput) (*iam.ListInstanceProfilesOutput, error) {
	all, err := s.profiles.List(ctx, door.CallerFrom(ctx).GlobalScope(), store.Query{})
	if err != nil {
		return nil, err
	}
	var list []profile
	for _, e := range all {
		if strings.HasPrefix(e.Value.Path, aws.ToString(in.PathPrefix)) {
			list = append(list, e.Value)
		}
	}
	p, err := s.profilePage(ctx, list, in.Marker, in.MaxItems)
	return &iam.ListInstanceProfilesOutput{InstanceProfiles: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}

// ListInstanceProfilesForRole lists the instance profiles that hold a role.
func (s *Service) ListInstanceProfilesForRole(ctx context.Context, in *iam.ListInstanceProfilesForRoleInput) (*iam.ListInstanceProfilesForRoleOutput, error) {
	role, err := s.roles.get(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	list, err := s.profilesOf(ctx, role.Name)
	if err != nil {
		return nil, err
	}
	p, err := s.profilePage(ctx, list, in.Marker, in.MaxItems)
	return &iam.ListInstanceProfilesForRoleOutput{InstanceProfiles: p.items, Marker: p.marker, IsTruncated: p.truncated}, err
}

func (s *Service) profilePage(ctx context.Context, list []profile, marker *string, maxItems *int32) (paged[types.InstanceProfile], error) {
	p, err := page(list, func(p profile) string { return id(p.Name) }, marker, maxItems)
	out := paged[types.InstanceProfile]{items: []types.InstanceProfile{}, marker: p.marker, truncated: p.truncated}
	for _, item := range p.items {
		converted, err := s.profileOut(ctx, item)
		if err != nil {
			return out, err
		}
		converted.Tags = nil // as AWS's lists
		out.items = append(out.items, converted)
	}
	return out, err
}
