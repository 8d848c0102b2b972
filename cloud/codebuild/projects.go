package codebuild

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

const (
	maxBatch = 100 // names or ids of one request
	pageSize = 100 // answers of one page
)

// BatchGetProjects describes the projects, which may be named by ARN.
func (s *Service) BatchGetProjects(ctx context.Context, in *api.BatchGetProjectsInput) (*api.BatchGetProjectsOutput, error) {
	if len(in.Names) == 0 || len(in.Names) > maxBatch {
		return nil, invalid("Invalid project names: there must be between 1 and %d", maxBatch)
	}
	out := &api.BatchGetProjectsOutput{Projects: []types.Project{}, ProjectsNotFound: []string{}}
	for _, name := range in.Names {
		caller := door.CallerFrom(ctx)
		p, err := s.projects.Get(ctx, caller.Scope(), projectName(name))
		switch {
		case errors.Is(err, store.ErrNotFound):
			out.ProjectsNotFound = append(out.ProjectsNotFound, name)
		case err != nil:
			return nil, err
		default:
			described, err := s.described(caller, p)
			if err != nil {
				return nil, err
			}
			out.Projects = append(out.Projects, described)
		}
	}
	return out, nil
}

// ListProjects gives the names of all projects.
func (s *Service) ListProjects(ctx context.Context, in *api.ListProjectsInput) (*api.ListProjectsOutput, error) {
	entries, err := s.projects.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	order := map[types.ProjectSortByType]func(a, b types.Project) int{
		"":                          func(a, b types.Project) int { return 0 }, // the store sorts by name
		types.ProjectSortByTypeName: func(a, b types.Project) int { return 0 },
		types.ProjectSortByTypeCreatedTime: func(a, b types.Project) int {
			return aws.ToTime(a.Created).Compare(aws.ToTime(b.Created))
		},
		types.ProjectSortByTypeLastModifiedTime: func(a, b types.Project) int {
			return aws.ToTime(a.LastModified).Compare(aws.ToTime(b.LastModified))
		},
	}[in.SortBy]
	if order == nil {
		return nil, invalid("Invalid sort by: %s", in.SortBy)
	}
	slices.SortStableFunc(entries, func(a, b store.Entry[project]) int {
		return cmp.Or(order(a.Value.Project, b.Value.Project), cmp.Compare(a.ID, b.ID))
	})
	if in.SortOrder == types.SortOrderTypeDescending {
		slices.Reverse(entries)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.ID
	}
	page, next, err := paged(names, in.NextToken)
	return &api.ListProjectsOutput{Projects: page, NextToken: next}, err
}

// paged cuts the page after the one that ended with the token from ids. An
// entry that is gone since then makes the token invalid.
func paged(ids []string, token *string) (page []string, next *string, err error) {
	return pagedBy(ids, token, pageSize)
}

func pagedBy(ids []string, token *string, size int) (page []string, next *string, err error) {
	if token != nil && *token != "" {
		at := slices.Index(ids, *token)
		if at < 0 {
			return nil, nil, invalid("Invalid next token")
		}
		ids = ids[at+1:]
	}
	if len(ids) > size {
		ids = ids[:size]
		next = aws.String(ids[size-1])
	}
	return ids, next, nil
}

// project reads a project that a request needs, by name or ARN.
func (s *Service) project(ctx context.Context, name string) (project, error) {
	if name == "" {
		return project{}, invalid("Project name is required")
	}
	caller := door.CallerFrom(ctx)
	p, err := s.projects.Get(ctx, caller.Scope(), projectName(name))
	if errors.Is(err, store.ErrNotFound) {
		return p, notFound("The provided project %s does not exist", caller.ResourceARN("codebuild", "project/"+projectName(name)))
	}
	return p, err
}

// UpdateProjectVisibility keeps whether a project is public. The local cloud
// has no public builds page, so that there is no alias.
func (s *Service) UpdateProjectVisibility(ctx context.Context, in *api.UpdateProjectVisibilityInput) (*api.UpdateProjectVisibilityOutput, error) {
	if !slices.Contains(in.ProjectVisibility.Values(), in.ProjectVisibility) {
		return nil, invalid("Invalid project visibility: %s", in.ProjectVisibility)
	}
	if _, err := s.project(ctx, aws.ToString(in.ProjectArn)); err != nil {
		return nil, err
	}
	p, err := s.projects.Update(ctx, door.CallerFrom(ctx).Scope(), projectName(*in.ProjectArn), func(p *project) error {
		p.Project.ProjectVisibility = in.ProjectVisibility
		replace(&p.Project.ResourceAccessRole, in.ResourceAccessRole)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateProjectVisibilityOutput{ProjectArn: p.Project.Arn, ProjectVisibility: p.Project.ProjectVisibility}, nil
}
