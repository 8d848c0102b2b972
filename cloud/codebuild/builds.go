package codebuild

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// buildID takes an id, PROJECT:UUID, or the ARN that AWS takes in its place.
func buildID(idOrARN string) string {
	if strings.HasPrefix(idOrARN, "arn:") {
		return idOrARN[strings.LastIndexByte(idOrARN, '/')+1:]
	}
	return idOrARN
}

// build is the build with the id, as it is at this moment.
func (s *Service) build(ctx context.Context, id string) (record, error) {
	if id == "" {
		return record{}, invalid("Build ID is required")
	}
	if name, uuid, ok := strings.Cut(buildID(id), ":"); !ok || name == "" || uuid == "" {
		return record{}, invalid("Invalid build ID provided")
	}
	caller := door.CallerFrom(ctx)
	if r := s.running(caller.ResourceARN("codebuild", "build/"+buildID(id))); r != nil {
		return r.snapshot(), nil
	}
	rec, err := s.builds.Get(ctx, caller.Scope(), buildID(id))
	if errors.Is(err, store.ErrNotFound) {
		return rec, notFound("Build %s does not exist", id)
	}
	return rec, err
}

// BatchGetBuilds describes the builds.
func (s *Service) BatchGetBuilds(ctx context.Context, in *api.BatchGetBuildsInput) (*api.BatchGetBuildsOutput, error) {
	if len(in.Ids) == 0 || len(in.Ids) > maxBatch {
		return nil, invalid("Invalid build IDs: there must be between 1 and %d", maxBatch)
	}
	out := &api.BatchGetBuildsOutput{Builds: []types.Build{}, BuildsNotFound: []string{}}
	for _, id := range in.Ids {
		rec, err := s.build(ctx, id)
		var missing *types.ResourceNotFoundException
		switch {
		case errors.As(err, &missing):
			out.BuildsNotFound = append(out.BuildsNotFound, id)
		case err != nil:
			return nil, err
		default:
			out.Builds = append(out.Builds, rec.Build)
		}
	}
	return out, nil
}

// ListBuilds gives the ids of all builds, newest first unless asked otherwise.
func (s *Service) ListBuilds(ctx context.Context, in *api.ListBuildsInput) (*api.ListBuildsOutput, error) {
	ids, next, err := s.list(ctx, s.recent, "", in.SortOrder, in.NextToken)
	return &api.ListBuildsOutput{Ids: ids, NextToken: next}, err
}

// ListBuildsForProject gives the ids of a project's builds, newest first
// unless asked otherwise.
func (s *Service) ListBuildsForProject(ctx context.Context, in *api.ListBuildsForProjectInput) (*api.ListBuildsForProjectOutput, error) {
	p, err := s.project(ctx, aws.ToString(in.ProjectName))
	if err != nil {
		return nil, err
	}
	ids, next, err := s.list(ctx, s.history, historyPrefix(*p.Project.Name), in.SortOrder, in.NextToken)
	return &api.ListBuildsForProjectOutput{Ids: ids, NextToken: next}, err
}

// list reads a page of an index whose order is newest first.
func (s *Service) list(ctx context.Context, index store.Table[string], prefix string, order types.SortOrderType, token *string) ([]string, *string, error) {
	scope := door.CallerFrom(ctx).Scope()
	if order != types.SortOrderTypeAscending {
		entries, err := index.List(ctx, scope, store.Query{Prefix: prefix, After: aws.ToString(token), Limit: pageSize + 1})
		if err != nil {
			return nil, nil, err
		}
		var next *string
		if len(entries) > pageSize {
			entries = entries[:pageSize]
			next = aws.String(entries[pageSize-1].ID)
		}
		return values(entries), next, nil
	}
	entries, err := index.List(ctx, scope, store.Query{Prefix: prefix})
	if err != nil {
		return nil, nil, err
	}
	slices.Reverse(entries)
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = e.ID
	}
	page, next, err := paged(keys, token)
	if err != nil || len(page) == 0 {
		return []string{}, nil, err
	}
	at := slices.Index(keys, page[0])
	return values(entries[at : at+len(page)]), next, nil
}

func values(entries []store.Entry[string]) []string {
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.Value
	}
	return out
}

// BatchDeleteBuilds forgets builds that have ended.
func (s *Service) BatchDeleteBuilds(ctx context.Context, in *api.BatchDeleteBuildsInput) (*api.BatchDeleteBuildsOutput, error) {
	if len(in.Ids) == 0 || len(in.Ids) > maxBatch {
		return nil, invalid("Invalid build IDs: there must be between 1 and %d", maxBatch)
	}
	out := &api.BatchDeleteBuildsOutput{BuildsDeleted: []string{}, BuildsNotDeleted: []types.BuildNotDeleted{}}
	keep := func(id, why string) {
		out.BuildsNotDeleted = append(out.BuildsNotDeleted, types.BuildNotDeleted{Id: aws.String(id), StatusCode: aws.String(why)})
	}
	for _, id := range in.Ids {
		rec, err := s.build(ctx, id)
		var missing *types.ResourceNotFoundException
		switch {
		case errors.As(err, &missing):
			keep(id, "BUILD_NOT_FOUND")
			continue
		case err != nil:
			return nil, err
		case !rec.Build.BuildComplete:
			keep(id, "BUILD_IN_PROGRESS")
			continue
		}
		err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
			return s.remove(ctx, door.CallerFrom(ctx).Scope(), &rec.Build)
		})
		if err != nil {
			return nil, err
		}
		out.BuildsDeleted = append(out.BuildsDeleted, *rec.Build.Arn)
	}
	return out, nil
}

// StopBuild ends a build in progress, and everything that it has started. The
// answer is the build as it was at that moment; it is complete a little later.
func (s *Service) StopBuild(ctx context.Context, in *api.StopBuildInput) (*api.StopBuildOutput, error) {
	rec, err := s.build(ctx, aws.ToString(in.Id))
	if err != nil {
		return nil, err
	}
	if r := s.running(*rec.Build.Arn); r != nil {
		r.cancel(errStopped)
	}
	return &api.StopBuildOutput{Build: &rec.Build}, nil
}
