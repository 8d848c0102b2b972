package codedeploy

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

type application struct {
	Info types.ApplicationInfo
	Tags []types.Tag
}

func (s *Service) application(ctx context.Context, name *string) (application, error) {
	n, err := nameOf("Application", name)
	if err != nil {
		return application{}, err
	}
	a, err := s.applications.Get(ctx, door.CallerFrom(ctx).Scope(), n)
	return a, missing(err, noApplication(n))
}

// CreateApplication makes an application.
func (s *Service) CreateApplication(ctx context.Context, in *codedeploy.CreateApplicationInput) (*codedeploy.CreateApplicationOutput, error) {
	name, err := nameOf("Application", in.ApplicationName)
	if err != nil {
		return nil, err
	}
	platform, err := platformOf(in.ComputePlatform)
	if err != nil {
		return nil, err
	}
	tags, err := setTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	a := application{Tags: tags, Info: types.ApplicationInfo{
		ApplicationId: aws.String(s.host.NewID()), ApplicationName: &name, ComputePlatform: platform, CreateTime: s.now(),
	}}
	err = s.applications.Insert(ctx, door.CallerFrom(ctx).Scope(), name, a)
	if err != nil {
		return nil, exists(err, refuse("ApplicationAlreadyExists", "Application already exists: %s", name))
	}
	return &codedeploy.CreateApplicationOutput{ApplicationId: a.Info.ApplicationId}, nil
}

func platformOf(p types.ComputePlatform) (types.ComputePlatform, error) {
	if p == "" {
		return types.ComputePlatformServer, nil
	}
	if !slices.Contains(p.Values(), p) {
		return "", refuse("InvalidComputePlatform", "The compute platform %q is not valid: it is Server, Lambda or ECS", p)
	}
	return p, nil
}

// GetApplication gives an application.
func (s *Service) GetApplication(ctx context.Context, in *codedeploy.GetApplicationInput) (*codedeploy.GetApplicationOutput, error) {
	a, err := s.application(ctx, in.ApplicationName)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetApplicationOutput{Application: &a.Info}, nil
}

// BatchGetApplications gives applications.
func (s *Service) BatchGetApplications(ctx context.Context, in *codedeploy.BatchGetApplicationsInput) (*codedeploy.BatchGetApplicationsOutput, error) {
	if err := batch(len(in.ApplicationNames)); err != nil {
		return nil, err
	}
	if len(in.ApplicationNames) == 0 {
		return nil, refuse("ApplicationNameRequired", "The application name must be specified")
	}
	out := &codedeploy.BatchGetApplicationsOutput{ApplicationsInfo: []types.ApplicationInfo{}}
	for _, name := range in.ApplicationNames {
		a, err := s.application(ctx, &name)
		if err != nil {
			return nil, err
		}
		out.ApplicationsInfo = append(out.ApplicationsInfo, a.Info)
	}
	return out, nil
}

// ListApplications gives the names of applications.
func (s *Service) ListApplications(ctx context.Context, in *codedeploy.ListApplicationsInput) (*codedeploy.ListApplicationsOutput, error) {
	all, err := s.applications.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, a := range all {
		names = append(names, a.ID)
	}
	names, next, err := page(names, in.NextToken)
	return &codedeploy.ListApplicationsOutput{Applications: names, NextToken: next}, err
}

// UpdateApplication gives an application another name.
func (s *Service) UpdateApplication(ctx context.Context, in *codedeploy.UpdateApplicationInput) (*codedeploy.UpdateApplicationOutput, error) {
	a, err := s.application(ctx, in.ApplicationName)
	if err != nil {
		return nil, err
	}
	from := *a.Info.ApplicationName
	to, err := nameOf("Application", in.NewApplicationName)
	if err != nil || to == from {
		return &codedeploy.UpdateApplicationOutput{}, err
	}
	return &codedeploy.UpdateApplicationOutput{}, s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		scope := door.CallerFrom(ctx).Scope()
		a.Info.ApplicationName = &to
		if err := s.applications.Insert(ctx, scope, to, a); err != nil {
			return exists(err, refuse("ApplicationAlreadyExists", "Application already exists: %s", to))
		}
		if err := s.applications.Delete(ctx, scope, from); err != nil {
			return err
		}
		if err := rename(ctx, scope, s.groups, from, to, func(g *group) { g.Info.ApplicationName = &to }); err != nil {
			return err
		}
		if err := rename(ctx, scope, s.revisions, from, to, func(*revision) {}); err != nil {
			return err
		}
		all, err := s.deployments.List(ctx, scope, store.Query{})
		for _, d := range all {
			if aws.ToString(d.Value.Info.ApplicationName) == from {
				d.Value.Info.ApplicationName = &to
				err = errors.Join(err, s.deployments.Put(ctx, scope, d.ID, d.Value))
			}
		}
		return err
	})
}

// rename moves the records of an application to its new name.
func rename[T any](ctx context.Context, scope store.Scope, table store.Table[T], from, to string, change func(*T)) error {
	all, err := table.List(ctx, scope, store.Query{Prefix: from + "/"})
	if err != nil {
		return err
	}
	for _, e := range all {
		change(&e.Value)
		if err := table.Put(ctx, scope, to+"/"+strings.TrimPrefix(e.ID, from+"/"), e.Value); err != nil {
			return err
		}
		if err := table.Delete(ctx, scope, e.ID); err != nil {
			return err
		}
	}
	return nil
}

// DeleteApplication deletes an application with its groups and revisions; one
// that is not there is no error.
func (s *Service) DeleteApplication(ctx context.Context, in *codedeploy.DeleteApplicationInput) (*codedeploy.DeleteApplicationOutput, error) {
	name, err := nameOf("Application", in.ApplicationName)
	if err != nil {
		return nil, err
	}
	return &codedeploy.DeleteApplicationOutput{}, s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		scope := door.CallerFrom(ctx).Scope()
		if err := s.applications.Delete(ctx, scope, name); err != nil {
			return missing(err, nil)
		}
		return errors.Join(empty(ctx, scope, s.groups, name+"/"), empty(ctx, scope, s.revisions, name+"/"))
	})
}

// empty deletes the records whose names begin with prefix.
func empty[T any](ctx context.Context, scope store.Scope, table store.Table[T], prefix string) error {
	all, err := table.List(ctx, scope, store.Query{Prefix: prefix})
	for _, e := range all {
		err = errors.Join(err, table.Delete(ctx, scope, e.ID))
	}
	return err
}
