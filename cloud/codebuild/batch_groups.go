package codebuild

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// untilDone runs the builds of the groups that mine picks, each when those
// that it depends on have ended well, and waits for the last one.
func (b *batchRun) untilDone(ctx context.Context, mine func(g *types.BuildGroup) bool) error {
	for {
		if err := b.settle(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return b.halt(ctx)
		}
		rec := b.snapshot()
		state := survey(&rec.Batch, mine)
		if len(state.failed) == 0 {
			for _, identifier := range state.ready {
				if err := b.startPart(ctx, identifier); err != nil {
					return b.abandon(ctx, err)
				}
				state.running = append(state.running, identifier)
			}
		} else if rec.FastFail {
			b.stopParts(ctx)
		}
		if len(state.running) == 0 {
			return b.verdict(ctx, state)
		}
		select {
		case <-b.wake:
		case <-ctx.Done():
		}
	}
}

// groups is how far the groups of a batch are.
type groups struct {
	ready   []string // could start now
	running []string
	failed  []string // and that matters
}

func survey(b *types.BuildBatch, mine func(g *types.BuildGroup) bool) groups {
	var out groups
	passed := func(identifier string) bool {
		g := groupOf(b, identifier)
		return g.CurrentBuildSummary != nil && over(g.CurrentBuildSummary.BuildStatus) && !failing(g)
	}
	for i := range b.BuildGroups {
		g := &b.BuildGroups[i]
		name := *g.Identifier
		switch {
		case !mine(g):
		case g.CurrentBuildSummary == nil && !slices.ContainsFunc(g.DependsOn, func(on string) bool { return !passed(on) }):
			out.ready = append(out.ready, name)
		case g.CurrentBuildSummary == nil: // waits for others
		case !over(g.CurrentBuildSummary.BuildStatus):
			out.running = append(out.running, name)
		case failing(g):
			out.failed = append(out.failed, name)
		}
	}
	return out
}

func over(status types.StatusType) bool { return status != types.StatusTypeInProgress }

// failing tells of a group whose build is over whether the batch fails by it.
func failing(g *types.BuildGroup) bool {
	return !g.IgnoreFailure && g.CurrentBuildSummary.BuildStatus != types.StatusTypeSucceeded
}

// verdict is the outcome of a phase none of whose builds runs any more.
// Groups whose turn never came show as stopped, as on AWS.
func (b *batchRun) verdict(ctx context.Context, state groups) error {
	if len(state.failed) == 0 {
		return nil
	}
	if err := b.markUnstarted(ctx); err != nil {
		return err
	}
	rec := b.snapshot()
	if state.failed[0] == batchSpec {
		return b.specFailure(ctx, *groupOf(&rec.Batch, batchSpec).CurrentBuildSummary.Arn)
	}
	var told []string
	for _, name := range state.failed {
		told = append(told, fmt.Sprintf("%s (%s)", name, groupOf(&rec.Batch, name).CurrentBuildSummary.BuildStatus))
	}
	return failf("CLIENT_ERROR", "Builds of the batch did not succeed: %s", strings.Join(told, ", "))
}

func (b *batchRun) markUnstarted(ctx context.Context) error {
	return b.change(ctx, func(rec *batch) {
		for i := range rec.Batch.BuildGroups {
			if g := &rec.Batch.BuildGroups[i]; g.CurrentBuildSummary == nil {
				g.CurrentBuildSummary = &types.BuildSummary{BuildStatus: types.StatusTypeStopped}
			}
		}
	})
}

// specFailure tells why the build failed that reads the batch specification.
func (b *batchRun) specFailure(ctx context.Context, arn string) error {
	rec, err := b.s.builds.Get(ctx, b.snapshot().Caller.Scope(), buildID(arn))
	if err != nil {
		return fmt.Errorf("reading build %q: %w", arn, err)
	}
	for _, p := range rec.Build.Phases {
		if p.PhaseStatus != types.StatusTypeSucceeded && len(p.Contexts) > 0 {
			return failf(aws.ToString(p.Contexts[0].StatusCode), "%s", aws.ToString(p.Contexts[0].Message))
		}
	}
	return failf("CLIENT_ERROR", "The build that reads the batch specification ended as %s", rec.Build.BuildStatus)
}
