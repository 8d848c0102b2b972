package codebuild

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/store"
)

// startPart starts the build of a group. The batch's record and the build are
// written together, so that no build is lost or started twice.
func (b *batchRun) startPart(ctx context.Context, identifier string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, err := b.start(ctx, identifier, nil)
	return err
}

// repeatPart starts the build that follows a failed one of the same group, as
// the retry limit asks for, and gives its ARN.
func (s *Service) repeatPart(ctx context.Context, of record, following *repetition) (*string, error) {
	b := s.batches.running(of.Part.Batch)
	if b == nil {
		return nil, fmt.Errorf("the batch %s is not in progress", of.Part.Batch)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rec.Stopping {
		return nil, nil
	}
	g := groupOf(&b.rec.Batch, of.Part.Identifier)
	if g == nil || g.CurrentBuildSummary == nil || aws.ToString(g.CurrentBuildSummary.Arn) != *of.Build.Arn {
		return nil, fmt.Errorf("the batch %s has gone on without the build", of.Part.Batch)
	}
	return b.start(ctx, of.Part.Identifier, following)
}

// start starts a build of the group; b.mu is held. A build that the group had
// before goes to its earlier ones.
func (b *batchRun) start(ctx context.Context, identifier string, retry *repetition) (*string, error) {
	scope := b.rec.Caller.Scope()
	name := *b.rec.Batch.ProjectName
	var made record
	number, err := b.s.projects.Update(context.WithoutCancel(ctx), scope, name, func(p *project) error {
		p.Builds++
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, failf("CLIENT_ERROR", "Project cannot be found: %s", name)
	} else if err != nil {
		return nil, err
	}
	made = b.s.newPart(&b.rec, identifier, number.Builds)
	retry.apply(&made)
	err = b.changed(ctx, func(rec *batch) {
		g := groupOf(&rec.Batch, identifier)
		if retry != nil {
			before := *g.CurrentBuildSummary
			before.BuildStatus = types.StatusTypeFailed
			g.PriorBuildSummaryList = append(slices.Clone(g.PriorBuildSummaryList), before)
		}
		g.CurrentBuildSummary = buildSummary(&made)
	}, func(ctx context.Context) error { return b.s.insert(ctx, scope, made) })
	if err != nil {
		return nil, err
	}
	b.s.launch(made)
	return made.Build.Arn, nil
}

// newPart makes a build of a batch.
func (s *Service) newPart(of *batch, identifier string, number int64) record {
	plan := of.Plan[identifier]
	rec := of.record
	rec.Part = &member{Batch: *of.Batch.Arn, Identifier: identifier, Shard: plan.Shard, Shards: plan.Shards}
	rec.Input = plan.Input
	rec.Input.ProjectName = of.Batch.ProjectName
	override(&rec.Project, &rec.Input)
	placeArtifacts(&rec.Project, of, identifier)
	fillDefaults(of.Caller, &rec.Project)
	rec.Build = s.newBuild(of.Caller, &rec, number)
	rec.Build.BuildBatchArn = of.Batch.Arn
	rec.Build.Initiator = of.Batch.Initiator
	if of.Pinned != "" {
		// The version that a build shows is the one that was asked for.
		rec.Project.SourceVersion = aws.String(of.Pinned)
	}
	return rec
}

// settle takes over how the builds have ended that the batch holds to be in
// progress.
func (b *batchRun) settle(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	ended := map[string]*types.BuildSummary{}
	for _, g := range b.rec.Batch.BuildGroups {
		now := g.CurrentBuildSummary
		if now == nil || over(now.BuildStatus) || b.s.running(*now.Arn) != nil {
			continue
		}
		rec, err := b.s.builds.Get(context.WithoutCancel(ctx), b.rec.Caller.Scope(), buildID(*now.Arn))
		switch {
		case errors.Is(err, store.ErrNotFound): // deleted since
			gone := *now
			gone.BuildStatus = types.StatusTypeFault
			ended[*g.Identifier] = &gone
		case err != nil:
			return fmt.Errorf("reading build %q: %w", *now.Arn, err)
		case rec.Build.BuildComplete:
			ended[*g.Identifier] = buildSummary(&rec)
		}
	}
	if len(ended) == 0 {
		return nil
	}
	return b.changed(ctx, func(rec *batch) {
		for identifier, s := range ended {
			groupOf(&rec.Batch, identifier).CurrentBuildSummary = s
		}
	}, func(context.Context) error { return nil })
}

// buildSummary is what a group shows of a build.
func buildSummary(rec *record) *types.BuildSummary {
	identifier := &rec.Part.Identifier
	out := &types.BuildSummary{
		Arn: rec.Build.Arn, RequestedOn: rec.Build.StartTime, BuildStatus: rec.Build.BuildStatus,
		PrimaryArtifact:    resolvedArtifact(rec.Project.Artifacts.Type, rec.Build.Artifacts, identifier),
		SecondaryArtifacts: []types.ResolvedArtifact{},
	}
	for i := range rec.Project.SecondaryArtifacts {
		a := &rec.Build.SecondaryArtifacts[i]
		out.SecondaryArtifacts = append(out.SecondaryArtifacts, *resolvedArtifact(rec.Project.SecondaryArtifacts[i].Type, a, a.ArtifactIdentifier))
	}
	return out
}

// halt ends a batch whose context is over: all of its builds are stopped,
// unless it is the process that ends, and the batch goes on in the next one.
func (b *batchRun) halt(ctx context.Context) error {
	if b.leaving(ctx) {
		return errLeft
	}
	return b.abandon(ctx, context.Cause(ctx))
}

// abandon stops all builds of the batch, waits for their end, and gives why.
func (b *batchRun) abandon(ctx context.Context, why error) error {
	for b.stopParts(ctx) {
		<-b.wake // every build ends after it was told to
		if err := b.settle(ctx); err != nil {
			return errors.Join(why, err)
		}
	}
	return errors.Join(why, b.markUnstarted(ctx))
}

// stopParts tells all builds that run to end, and whether there are any.
func (b *batchRun) stopParts(ctx context.Context) bool {
	if err := b.settle(ctx); err != nil {
		b.s.host.Log().Error("looking at the builds of a batch", "error", err)
	}
	rec := b.snapshot()
	running := false
	for _, g := range rec.Batch.BuildGroups {
		if now := g.CurrentBuildSummary; now != nil && !over(now.BuildStatus) {
			running = true
			if r := b.s.running(*now.Arn); r != nil {
				r.cancel(errStopped)
			}
		}
	}
	return running
}
