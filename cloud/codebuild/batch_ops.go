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

// BatchGetBuildBatches describes the batch builds.
func (s *Service) BatchGetBuildBatches(ctx context.Context, in *api.BatchGetBuildBatchesInput) (*api.BatchGetBuildBatchesOutput, error) {
	if len(in.Ids) > maxBatch {
		return nil, invalid("Invalid build batch IDs: there must be at most %d", maxBatch)
	}
	out := &api.BatchGetBuildBatchesOutput{BuildBatches: []types.BuildBatch{}, BuildBatchesNotFound: []string{}}
	for _, id := range in.Ids {
		b, err := s.getBatch(ctx, id)
		var missing *types.ResourceNotFoundException
		switch {
		case errors.As(err, &missing):
			out.BuildBatchesNotFound = append(out.BuildBatchesNotFound, id)
		case err != nil:
			return nil, err
		default:
			out.BuildBatches = append(out.BuildBatches, b.Batch)
		}
	}
	return out, nil
}

// ListBuildBatches gives the ids of all batch builds, newest first unless
// asked otherwise.
func (s *Service) ListBuildBatches(ctx context.Context, in *api.ListBuildBatchesInput) (*api.ListBuildBatchesOutput, error) {
	ids, next, err := s.listBatches(ctx, batchQuery{filter: in.Filter, order: in.SortOrder, size: in.MaxResults, token: in.NextToken})
	return &api.ListBuildBatchesOutput{Ids: ids, NextToken: next}, err
}

// ListBuildBatchesForProject gives the ids of a project's batch builds,
// newest first unless asked otherwise.
func (s *Service) ListBuildBatchesForProject(ctx context.Context, in *api.ListBuildBatchesForProjectInput) (*api.ListBuildBatchesForProjectOutput, error) {
	p, err := s.project(ctx, aws.ToString(in.ProjectName))
	if err != nil {
		return nil, err
	}
	ids, next, err := s.listBatches(ctx, batchQuery{prefix: *p.Project.Name + ":", filter: in.Filter, order: in.SortOrder, size: in.MaxResults, token: in.NextToken})
	return &api.ListBuildBatchesForProjectOutput{Ids: ids, NextToken: next}, err
}

// batchQuery is what a list of batches is asked for.
type batchQuery struct {
	prefix string // of ids
	filter *types.BuildBatchFilter
	order  types.SortOrderType
	size   *int32
	token  *string
}

func (s *Service) listBatches(ctx context.Context, q batchQuery) (ids []string, next *string, err error) {
	size := int32(pageSize)
	if q.size != nil {
		size = *q.size
	}
	switch {
	case size < 1 || size > pageSize:
		return nil, nil, invalid("Invalid max results: %d, it must be between 1 and %d", size, pageSize)
	case q.order != "" && !slices.Contains(q.order.Values(), q.order):
		return nil, nil, invalid("Invalid sort order: %s", q.order)
	case q.filter != nil && q.filter.Status != "" && !slices.Contains(q.filter.Status.Values(), q.filter.Status):
		return nil, nil, invalid("Invalid status of build batches: %s", q.filter.Status)
	}
	entries, err := s.batches.kept.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: q.prefix})
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(entries, func(a, b store.Entry[batch]) int {
		return cmp.Or(a.Value.Batch.StartTime.Compare(*b.Value.Batch.StartTime), cmp.Compare(*a.Value.Batch.BuildBatchNumber, *b.Value.Batch.BuildBatchNumber), cmp.Compare(a.ID, b.ID))
	})
	if q.order != types.SortOrderTypeAscending {
		slices.Reverse(entries)
	}
	all := []string{}
	for _, e := range entries {
		if q.filter == nil || q.filter.Status == "" || q.filter.Status == e.Value.Batch.BuildBatchStatus {
			all = append(all, e.ID)
		}
	}
	ids, next, err = paged(all, q.token)
	if len(ids) > int(size) {
		ids = ids[:size]
		next = aws.String(ids[size-1])
	}
	return ids, next, err
}

// StopBuildBatch ends a batch build in progress with all of its builds. The
// answer is the batch as it was at that moment.
func (s *Service) StopBuildBatch(ctx context.Context, in *api.StopBuildBatchInput) (*api.StopBuildBatchOutput, error) {
	kept, err := s.getBatch(ctx, aws.ToString(in.Id))
	if err != nil {
		return nil, err
	}
	if b := s.batches.running(*kept.Batch.Arn); b != nil {
		if err := b.change(ctx, func(rec *batch) { rec.Stopping = !rec.Batch.Complete }); err != nil {
			return nil, err
		}
		b.cancel(errStopped)
		kept = b.snapshot()
	}
	return &api.StopBuildBatchOutput{BuildBatch: &kept.Batch}, nil
}

// DeleteBuildBatch forgets a batch build that has ended, and its builds.
func (s *Service) DeleteBuildBatch(ctx context.Context, in *api.DeleteBuildBatchInput) (*api.DeleteBuildBatchOutput, error) {
	kept, err := s.getBatch(ctx, aws.ToString(in.Id))
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) { // an error that this operation does not have
		return nil, invalid("%s", missing.ErrorMessage())
	} else if err != nil {
		return nil, err
	}
	out := &api.DeleteBuildBatchOutput{StatusCode: aws.String("BATCH_DELETED"), BuildsDeleted: []string{}, BuildsNotDeleted: []types.BuildNotDeleted{}}
	builds := buildsOf(&kept.Batch)
	if !kept.Batch.Complete {
		out.StatusCode = aws.String("BATCH_IN_PROGRESS")
		for _, arn := range builds {
			out.BuildsNotDeleted = append(out.BuildsNotDeleted, types.BuildNotDeleted{Id: &arn, StatusCode: aws.String("BUILD_IN_PROGRESS")})
		}
		return out, nil
	}
	scope := door.CallerFrom(ctx).Scope()
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		for _, arn := range builds {
			rec, err := s.builds.Get(ctx, scope, buildID(arn))
			if errors.Is(err, store.ErrNotFound) {
				continue
			} else if err != nil {
				return err
			}
			if err := s.remove(ctx, scope, &rec.Build); err != nil {
				return err
			}
			out.BuildsDeleted = append(out.BuildsDeleted, arn)
		}
		return s.batches.kept.Delete(ctx, scope, *kept.Batch.Id)
	})
	return out, err
}

// buildsOf are the ARNs of all builds that the batch has had.
func buildsOf(b *types.BuildBatch) []string {
	var out []string
	for _, g := range b.BuildGroups {
		for _, s := range g.PriorBuildSummaryList {
			out = append(out, aws.ToString(s.Arn))
		}
		if now := g.CurrentBuildSummary; now != nil && now.Arn != nil {
			out = append(out, *now.Arn)
		}
	}
	return out
}
