package codebuild

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// retriedPhase is the status that AWS gives the last phase of a batch that is
// tried again; the SDK's enumeration does not have it.
const retriedPhase types.StatusType = "RETRY"

// RetryBuildBatch lets a batch build that has failed go on: it keeps its id,
// its phases and its earlier builds. Without a type, what failed is retried.
func (s *Service) RetryBuildBatch(ctx context.Context, in *api.RetryBuildBatchInput) (*api.RetryBuildBatchOutput, error) {
	if in.RetryType != "" && !slices.Contains(in.RetryType.Values(), in.RetryType) {
		return nil, invalid("Invalid retry type: %s", in.RetryType)
	}
	id := aws.ToString(in.Id)
	request, err := fingerprint(api.RetryBuildBatchInput{Id: in.Id, RetryType: in.RetryType})
	if err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	key := tokenOf("RetryBuildBatch", in.IdempotencyToken)
	s.batches.mu.Lock()
	defer s.batches.mu.Unlock()
	again := true
	var b batch
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if b, err = s.getBatch(ctx, id); err != nil {
			return err
		}
		earlier, err := s.earlier(ctx, caller, key, request)
		if err != nil || earlier != "" {
			again = false
			return err
		}
		switch {
		case !b.Batch.Complete:
			return invalid("Build batch %s cannot be retried while it is in progress", *b.Batch.Id)
		case b.Batch.BuildBatchStatus == types.StatusTypeSucceeded:
			return invalid("Build batch %s cannot be retried: only batch builds that have failed can be retried", *b.Batch.Id)
		}
		b.reopen(in.RetryType == types.RetryBuildBatchTypeRetryAllBuilds, s)
		if err := s.keepToken(ctx, caller.Scope(), key, request, *b.Batch.Id); err != nil {
			return err
		}
		return s.batches.kept.Put(ctx, caller.Scope(), *b.Batch.Id, b)
	})
	if err != nil {
		return nil, err
	}
	answer := b.Batch
	answer.Phases = slices.Clone(answer.Phases)
	if again {
		s.launchBatch(b)
	}
	return &api.RetryBuildBatchOutput{BuildBatch: &answer}, nil
}

// reopen makes a batch that has ended one that begins again: with all builds,
// or those that have not succeeded.
func (b *batch) reopen(all bool, s *Service) {
	now := s.now()
	endBatchPhase(&b.Batch, retriedPhase, now)
	beginBatchPhase(&b.Batch, types.BuildBatchPhaseTypeSubmitted, now)
	b.Batch.BuildBatchStatus, b.Batch.Complete, b.Batch.EndTime, b.Stopping = types.StatusTypeInProgress, false, nil, false
	for i := range b.Batch.BuildGroups {
		g := &b.Batch.BuildGroups[i]
		last := g.CurrentBuildSummary
		if last == nil || !all && last.BuildStatus == types.StatusTypeSucceeded {
			continue
		}
		if last.Arn != nil {
			g.PriorBuildSummaryList = append(g.PriorBuildSummaryList, *last)
		}
		g.CurrentBuildSummary = nil
	}
}

// resumeBatches lets the batches go on that a process has left, when what
// became of its builds is known.
func (s *Service) resumeBatches(ctx context.Context) error {
	kept, err := s.batches.kept.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("looking for batch builds in progress: %w", err)
	}
	s.batches.mu.Lock()
	defer s.batches.mu.Unlock()
	for _, e := range kept {
		if !e.Value.Batch.Complete {
			s.launchBatch(e.Value)
		}
	}
	return nil
}

// errOfBatch refuses a retry of a single build of a batch, which would not
// know what the batch has changed in the project.
func errOfBatch(rec *record) error {
	if rec.Part == nil {
		return nil
	}
	return invalid("Build %s is part of the batch build %s: retry the batch build", *rec.Build.Id, rec.Part.Batch)
}
