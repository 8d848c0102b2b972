package serverlessrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sar "github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository"
	"github.com/aws/aws-sdk-go-v2/service/serverlessapplicationrepository/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

// application is one application.
type application struct {
	ID          string // its ARN
	Name        string
	Author      string
	Description string
	Created     time.Time
	HomePage    string      `json:",omitempty"`
	Labels      []string    `json:",omitempty"`
	SPDX        string      `json:",omitempty"`
	License     string      `json:",omitempty"` // URL
	Readme      string      `json:",omitempty"` // URL
	Statements  []statement `json:",omitempty"` // of its policy
}

var (
	namePattern   = regex.New(`^[a-zA-Z0-9\-]{1,140}$`)
	authorPattern = regex.New(`^[a-z0-9]([a-z0-9]|-[a-z0-9])*$`)
	labelPattern  = regex.New(`^[a-zA-Z0-9+\-_:/@]{1,127}$`)
)

// maxText is the size in bytes of a licence or a readme.
const maxText = 5 << 20

// check holds an application against the constraints of AWS's model.
func (a *application) check() error {
	switch {
	case !namePattern().MatchString(a.Name):
		return invalid("The name %q must have 1 to 140 letters, digits and hyphens", a.Name)
	case len(a.Author) > 127 || !authorPattern().MatchString(a.Author):
		return invalid("The author %q must have 1 to 127 lower-case letters, digits and single hyphens inside", a.Author)
	case a.Description == "" || len([]rune(a.Description)) > 256:
		return invalid("The description must have 1 to 256 characters")
	case len(a.Labels) > 10:
		return invalid("An application has at most 10 labels")
	}
	for _, label := range a.Labels {
		if !labelPattern().MatchString(label) {
			return invalid("The label %q must have 1 to 127 characters of a-z A-Z 0-9 + - _ : / @", label)
		}
	}
	return nil
}

// CreateApplication publishes an application, with its first version if one is
// given.
func (s *Service) CreateApplication(ctx context.Context, in *sar.CreateApplicationInput) (*sar.CreateApplicationOutput, error) {
	caller := door.CallerFrom(ctx)
	app := application{
		Name: aws.ToString(in.Name), Author: aws.ToString(in.Author), Description: aws.ToString(in.Description),
		HomePage: aws.ToString(in.HomePageUrl), Labels: in.Labels, SPDX: aws.ToString(in.SpdxLicenseId), Created: s.host.Now(),
	}
	app.ID = caller.ResourceARN("serverlessrepo", "applications/"+app.Name)
	if err := app.check(); err != nil {
		return nil, err
	}
	_, err := s.applications.Get(ctx, caller.Scope(), app.Name)
	if err == nil {
		return nil, taken(app)
	} else if !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("looking for application %q: %w", app.Name, err)
	}
	if app.License, err = s.keepText(ctx, app.Name+"/LICENSE", "license", in.LicenseBody, in.LicenseUrl); err != nil {
		return nil, err
	}
	if app.Readme, err = s.keepText(ctx, app.Name+"/README.md", "readme", in.ReadmeBody, in.ReadmeUrl); err != nil {
		return nil, err
	}
	var first *version
	if in.SemanticVersion != nil || in.TemplateBody != nil || in.TemplateUrl != nil {
		if first, err = s.newVersion(ctx, app, publication{in.SemanticVersion, in.TemplateBody, in.TemplateUrl, in.SourceCodeUrl, in.SourceCodeArchiveUrl}); err != nil {
			return nil, err
		}
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if err := s.applications.Insert(ctx, caller.Scope(), app.Name, app); err != nil || first == nil {
			return err
		}
		return s.versions.Put(ctx, caller.Scope(), first.key(app), *first)
	})
	if errors.Is(err, store.ErrExists) {
		return nil, taken(app)
	}
	if err != nil {
		return nil, fmt.Errorf("creating application %q: %w", app.Name, err)
	}
	out := sar.CreateApplicationOutput(app.describe(first))
	return &out, nil
}

// taken is what sam publish reads the application's id from.
func taken(app application) error { return exists("Application with id %s already exists", app.ID) }

// described is an application as all operations answer it.
type described = sar.GetApplicationOutput

func (a application) describe(v *version) described {
	out := described{
		ApplicationId: &a.ID, Name: &a.Name, Author: &a.Author, Description: &a.Description, CreationTime: clock(a.Created),
		HomePageUrl: optional(a.HomePage), SpdxLicenseId: optional(a.SPDX), LicenseUrl: optional(a.License), ReadmeUrl: optional(a.Readme),
		Labels: a.Labels, IsVerifiedAuthor: aws.Bool(false),
	}
	if v != nil {
		described := v.describe(a)
		out.Version = &described
	}
	return out
}

// UpdateApplication changes what is said of an application.
func (s *Service) UpdateApplication(ctx context.Context, in *sar.UpdateApplicationInput) (*sar.UpdateApplicationOutput, error) {
	app, scope, err := s.own(ctx, in.ApplicationId, "UpdateApplication")
	if err != nil {
		return nil, err
	}
	readme, err := s.keepText(ctx, app.Name+"/README.md", "readme", in.ReadmeBody, in.ReadmeUrl)
	if err != nil {
		return nil, err
	}
	app, err = s.applications.Update(ctx, scope, app.Name, func(a *application) error {
		a.Author = cmp.Or(aws.ToString(in.Author), a.Author)
		a.Description = cmp.Or(aws.ToString(in.Description), a.Description)
		a.HomePage = cmp.Or(aws.ToString(in.HomePageUrl), a.HomePage)
		a.Readme = cmp.Or(readme, a.Readme)
		if in.Labels != nil {
			a.Labels = in.Labels
		}
		return a.check()
	})
	if err != nil {
		return nil, err
	}
	newest, err := s.pick(ctx, scope, app, nil)
	if err != nil {
		return nil, err
	}
	out := sar.UpdateApplicationOutput(app.describe(newest))
	return &out, nil
}

// GetApplication describes an application and one of its versions, the newest
// if none is named.
func (s *Service) GetApplication(ctx context.Context, in *sar.GetApplicationInput) (*sar.GetApplicationOutput, error) {
	app, scope, err := s.find(ctx, in.ApplicationId, "GetApplication")
	if err != nil {
		return nil, err
	}
	v, err := s.pick(ctx, scope, app, in.SemanticVersion)
	if err != nil {
		return nil, err
	}
	out := app.describe(v)
	return &out, nil
}

// ListApplications lists the applications of the account in the region.
func (s *Service) ListApplications(ctx context.Context, in *sar.ListApplicationsInput) (*sar.ListApplicationsOutput, error) {
	all, err := s.applications.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, fmt.Errorf("listing applications: %w", err)
	}
	some, next, err := page(all, in.NextToken, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &sar.ListApplicationsOutput{NextToken: next, Applications: []types.ApplicationSummary{}}
	for _, e := range some {
		d := e.Value.describe(nil)
		out.Applications = append(out.Applications, types.ApplicationSummary{
			ApplicationId: d.ApplicationId, Name: d.Name, Author: d.Author, Description: d.Description, CreationTime: d.CreationTime,
			HomePageUrl: d.HomePageUrl, Labels: d.Labels, SpdxLicenseId: d.SpdxLicenseId,
		})
	}
	return out, nil
}

// DeleteApplication deletes an application with all its versions. Stacks that
// were made of it stay.
func (s *Service) DeleteApplication(ctx context.Context, in *sar.DeleteApplicationInput) (*sar.DeleteApplicationOutput, error) {
	app, scope, err := s.own(ctx, in.ApplicationId, "DeleteApplication")
	if err != nil {
		return nil, err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		versions, err := s.versions.List(ctx, scope, store.Query{Prefix: app.Name + "/"})
		if err != nil {
			return err
		}
		for _, v := range versions {
			if err := s.versions.Delete(ctx, scope, v.ID); err != nil {
				return err
			}
		}
		given, err := s.templates.List(ctx, scope, store.Query{Prefix: app.Name + "/"})
		if err != nil {
			return err
		}
		for _, t := range given {
			if err := s.templates.Delete(ctx, scope, t.ID); err != nil {
				return err
			}
		}
		return s.applications.Delete(ctx, scope, app.Name)
	})
	if err != nil {
		return nil, fmt.Errorf("deleting application %q: %w", app.Name, err)
	}
	return &sar.DeleteApplicationOutput{}, s.sweep(ctx, scope, app.Name+"/")
}
