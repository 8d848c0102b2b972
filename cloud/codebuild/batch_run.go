package codebuild

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
)

// batchRun is a batch build in progress. Its record is in the store after
// every change, so that a process that dies is followed by one that goes on.
type batchRun struct {
	s      *Service
	cancel context.CancelCauseFunc
	wake   chan struct{}   // a build of the batch has ended
	host   context.Context // over when the process ends

	mu  sync.Mutex // guards rec
	rec batch
}

// launchBatch sets a batch that the store has going, or going again;
// s.batches.mu is held.
func (s *Service) launchBatch(rec batch) {
	b := &batchRun{s: s, rec: rec, wake: make(chan struct{}, 1)}
	arn := *rec.Batch.Arn
	ctx, cancel := context.WithCancelCause(door.WithCaller(context.Background(), rec.Caller))
	b.cancel = cancel
	if rec.Stopping {
		cancel(errStopped)
	}
	s.batches.live[arn] = b
	s.host.Go("codebuild batch "+*rec.Batch.Id, func(host context.Context) {
		defer cancel(nil)
		stop := context.AfterFunc(host, func() { cancel(errShutdown) })
		defer stop()
		b.host = host
		b.follow(ctx)
		s.batches.mu.Lock()
		defer s.batches.mu.Unlock()
		if s.batches.live[arn] == b { // not one that RetryBuildBatch has put there since
			delete(s.batches.live, arn)
		}
	})
}

// partEnded tells the batch of a build that the build has ended.
func (s *Service) partEnded(p *member) {
	if p == nil {
		return
	}
	if b := s.batches.running(p.Batch); b != nil {
		select {
		case b.wake <- struct{}{}:
		default: // it is to look again anyway
		}
	}
}

// change changes the batch's record, in the store too.
func (b *batchRun) change(ctx context.Context, f func(rec *batch)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed(ctx, f, func(context.Context) error { return nil })
}

// changed is change for who holds b.mu; also is done in the same transaction.
func (b *batchRun) changed(ctx context.Context, f func(rec *batch), also func(ctx context.Context) error) error {
	next := b.rec
	next.Batch.Phases = slices.Clone(next.Batch.Phases)
	next.Batch.BuildGroups = slices.Clone(next.Batch.BuildGroups)
	f(&next)
	err := b.s.host.Store().Atomically(context.WithoutCancel(ctx), func(ctx context.Context) error {
		if err := also(ctx); err != nil {
			return err
		}
		return b.s.batches.kept.Put(ctx, next.Caller.Scope(), *next.Batch.Id, next)
	})
	if err == nil {
		b.rec = next
	}
	return err
}

// snapshot is the batch as it is now. It is not to be changed.
func (b *batchRun) snapshot() batch {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rec
}

// errLeft is what becomes of a batch whose process ends: nothing, the next
// process goes on with it.
var errLeft = errors.New("the local cloud was shut down while the batch ran")

// follow takes the batch through its phases, from where it is.
func (b *batchRun) follow(ctx context.Context) {
	rec := b.snapshot()
	since := *rec.Batch.Phases[attempt(&rec.Batch)].StartTime
	left := b.s.minutes(rec.Batch.BuildBatchConfig.TimeoutInMins, defaultBatchTimeout) - b.s.now().Sub(since)
	ctx, cancel := context.WithTimeoutCause(ctx, left, errTimedOut)
	defer cancel()
	err := b.steps(ctx)
	if b.leaving(ctx) {
		return
	}
	if err := b.finish(ctx, err); err != nil {
		b.s.host.Log().Error("recording the end of a batch build", "batch", *rec.Batch.Id, "error", err)
	}
}

// leaving tells whether whatever happens now happens because the process ends.
func (b *batchRun) leaving(ctx context.Context) bool {
	cause := context.Cause(ctx)
	return b.host.Err() != nil && !errors.Is(cause, errStopped) && !errors.Is(cause, errTimedOut)
}

// steps are the phases of a batch. One that has ended, before the process
// that follows it began, is not done again.
func (b *batchRun) steps(ctx context.Context) error {
	for _, step := range []struct {
		kind types.BuildBatchPhaseType
		work func(ctx context.Context) error
	}{
		{types.BuildBatchPhaseTypeDownloadBatchspec, b.downloadSpec},
		{types.BuildBatchPhaseTypeInProgress, b.runGroups},
		{types.BuildBatchPhaseTypeCombineArtifacts, b.combine},
	} {
		if err := b.phase(ctx, step.kind, step.work); err != nil {
			return err
		}
	}
	return nil
}

// phase does the work of a phase and records how it went.
func (b *batchRun) phase(ctx context.Context, kind types.BuildBatchPhaseType, work func(ctx context.Context) error) error {
	rec := b.snapshot()
	phases := rec.Batch.Phases[attempt(&rec.Batch):]
	at := slices.IndexFunc(phases, func(p types.BuildBatchPhase) bool { return p.PhaseType == kind })
	if at >= 0 && phases[at].EndTime != nil {
		return endedPhase(&phases[at])
	}
	if at < 0 {
		now := b.s.now()
		err := b.change(ctx, func(rec *batch) {
			if rec.Batch.Phases[len(rec.Batch.Phases)-1].EndTime == nil {
				endBatchPhase(&rec.Batch, types.StatusTypeSucceeded, now)
			}
			beginBatchPhase(&rec.Batch, kind, now)
		})
		if err != nil {
			return err
		}
	}
	err := work(ctx)
	if err != nil && b.leaving(ctx) {
		return errLeft
	}
	status, contexts := batchVerdict(ctx, err)
	if saved := b.change(ctx, func(rec *batch) { endBatchPhase(&rec.Batch, status, b.s.now(), contexts...) }); err == nil {
		err = saved
	}
	return err
}

// endedPhase is the error with which a phase has ended.
func endedPhase(p *types.BuildBatchPhase) error {
	if p.PhaseStatus == types.StatusTypeSucceeded || len(p.Contexts) == 0 {
		return nil
	}
	code, message := aws.ToString(p.Contexts[0].StatusCode), aws.ToString(p.Contexts[0].Message)
	if p.PhaseStatus == types.StatusTypeFault {
		return errors.New(message)
	}
	return failf(code, "%s", message)
}

// batchVerdict is how a phase that ended with err is recorded.
func batchVerdict(ctx context.Context, err error) (types.StatusType, []types.PhaseContext) {
	say := func(status types.StatusType, code, message string) (types.StatusType, []types.PhaseContext) {
		return status, []types.PhaseContext{{StatusCode: aws.String(code), Message: aws.String(message)}}
	}
	var f *failure
	switch cause := context.Cause(ctx); {
	case err == nil:
		return types.StatusTypeSucceeded, nil
	case errors.Is(cause, errStopped):
		return say(types.StatusTypeStopped, "STOPPED_BUILD", "Build batch was stopped")
	case errors.Is(cause, errTimedOut):
		return say(types.StatusTypeTimedOut, "BUILD_TIMED_OUT", "Build batch has timed out. ")
	case errors.As(err, &f):
		return say(types.StatusTypeFailed, f.code, f.message)
	}
	return say(types.StatusTypeFault, "INTERNAL_SERVICE_ERROR", err.Error())
}

// finish records the batch's end.
func (b *batchRun) finish(ctx context.Context, err error) error {
	now := b.s.now()
	status, _ := batchVerdict(ctx, err)
	last := map[types.StatusType]types.BuildBatchPhaseType{
		types.StatusTypeSucceeded: types.BuildBatchPhaseTypeSucceeded,
		types.StatusTypeStopped:   types.BuildBatchPhaseTypeStopped,
	}[status]
	if last == "" {
		last = types.BuildBatchPhaseTypeFailed
	}
	return b.change(ctx, func(rec *batch) {
		beginBatchPhase(&rec.Batch, last, now)
		rec.Batch.BuildBatchStatus, rec.Batch.Complete, rec.Batch.EndTime = status, true, &now
	})
}

// downloadSpec is the phase DOWNLOAD_BATCHSPEC: a build of its own reads the
// source and plans the others.
func (b *batchRun) downloadSpec(ctx context.Context) error {
	rec := b.snapshot()
	role := aws.ToString(rec.Batch.BuildBatchConfig.ServiceRole)
	// It is the batch's role that starts the builds on AWS.
	config := b.s.host.Assume(rec.Caller, role, "AWSCodeBuild-"+(*rec.Batch.Id)[strings.IndexByte(*rec.Batch.Id, ':')+1:])
	if _, err := config.Credentials.Retrieve(ctx); err != nil {
		if ctx.Err() != nil {
			return b.halt(ctx)
		}
		return failf("ACCESS_DENIED", "CodeBuild is not authorized to perform: sts:AssumeRole on %s: %v", role, err)
	}
	if groupOf(&rec.Batch, batchSpec) == nil {
		add := types.BuildGroup{Identifier: aws.String(batchSpec)}
		if err := b.change(ctx, func(rec *batch) { rec.Batch.BuildGroups = append([]types.BuildGroup{add}, rec.Batch.BuildGroups...) }); err != nil {
			return err
		}
	}
	return b.untilDone(ctx, func(g *types.BuildGroup) bool { return *g.Identifier == batchSpec })
}

// runGroups is the phase IN_PROGRESS.
func (b *batchRun) runGroups(ctx context.Context) error {
	return b.untilDone(ctx, func(g *types.BuildGroup) bool { return *g.Identifier != batchSpec })
}
