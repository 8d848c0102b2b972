package codebuild

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/smithy-go"

	"ouro/buildspec"
	"ouro/cloud/door"
)

// Why a build ends before its work is done.
var (
	errStopped  = errors.New("the build was stopped")
	errTimedOut = errors.New("the build has timed out")
	errShutdown = errors.New("the local cloud was shut down while the build ran")
)

// run is a build in progress.
type run struct {
	s      *Service
	cancel context.CancelCauseFunc
	saver  *saver
	events *events

	mu  sync.Mutex // guards rec
	rec record

	// Set as the build goes on, by the goroutine that runs it.
	status   types.StatusType // SUCCEEDED until something else happens
	retry    *buildspec.OnFailure
	role     *role
	log      *buildLog
	work     *workspace
	primary  remote   // where the primary source was cloned from, if it was
	resolved []string // versions of the secondary sources
	spec     *buildspec.Spec
	shell    *shell
	cache    *cache // nil for none
}

// launch sets a build that the store has going.
func (s *Service) launch(rec record) {
	ctx, cancel := context.WithCancelCause(door.WithCaller(context.Background(), rec.Caller))
	r := &run{s: s, cancel: cancel, rec: rec, status: types.StatusTypeSucceeded}
	s.mu.Lock()
	s.live[*rec.Build.Arn] = r
	s.mu.Unlock()
	s.host.Go("codebuild build "+*rec.Build.Id, func(host context.Context) {
		defer cancel(nil)
		stop := context.AfterFunc(host, func() { cancel(errShutdown) })
		defer stop()
		r.saver = startSaver(s, r)
		r.events = startEvents(s, rec.Caller)
		r.events.state(r.snapshot())
		r.events.phase(r.snapshot(), types.BuildPhaseTypeSubmitted)
		r.steps(ctx)
		r.finish(ctx)
	})
}

// uuid is the part of the build's id behind the project's name.
func (r *run) uuid() string {
	_, uuid, _ := strings.Cut(*r.rec.Build.Id, ":")
	return uuid
}

// snapshot is the build as it is now.
func (r *run) snapshot() record {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.rec
	rec.Build.Phases = slices.Clone(rec.Build.Phases)
	return rec
}

// change changes the build's record and has it saved soon.
func (r *run) change(f func(b *types.Build)) {
	r.mu.Lock()
	// Readers hold slices of earlier snapshots.
	r.rec.Build.Phases = slices.Clone(r.rec.Build.Phases)
	f(&r.rec.Build)
	r.mu.Unlock()
	r.saver.save()
}

// phase does the work of a phase and records how it went.
func (r *run) phase(ctx context.Context, kind types.BuildPhaseType, work func(ctx context.Context) error) error {
	now := r.s.now()
	r.change(func(b *types.Build) {
		if *b.CurrentPhase != string(kind) {
			beginPhase(b, kind, now)
		}
	})
	err := work(ctx)
	status, why := r.verdict(ctx, err)
	if status != types.StatusTypeSucceeded && r.status == types.StatusTypeSucceeded {
		r.status = status
	}
	if told[kind] {
		r.log.say("Phase complete: %s State: %s", kind, status)
		r.log.say("Phase context status code: %s Message: %s", aws.ToString(why.StatusCode), aws.ToString(why.Message))
	}
	now = r.s.now()
	r.change(func(b *types.Build) {
		var contexts []types.PhaseContext
		if err != nil || told[kind] || kind == types.BuildPhaseTypeFinalizing {
			contexts = []types.PhaseContext{why}
		}
		endPhase(b, status, now, contexts...)
	})
	r.events.phase(r.snapshot(), kind)
	return err
}

// told are the phases that the log tells of, and whose record has a context
// even when they succeed.
var told = map[types.BuildPhaseType]bool{
	types.BuildPhaseTypeDownloadSource: true, types.BuildPhaseTypeInstall: true, types.BuildPhaseTypePreBuild: true,
	types.BuildPhaseTypeBuild: true, types.BuildPhaseTypePostBuild: true, types.BuildPhaseTypeUploadArtifacts: true,
}

// failure is why a phase did not succeed, in the words that the build shows.
type failure struct{ code, message string }

func (f *failure) Error() string { return f.code + ": " + f.message }

func failf(code, format string, args ...any) error {
	return &failure{code: code, message: fmt.Sprintf(format, args...)}
}

// verdict turns the error of a phase into its status and context.
func (r *run) verdict(ctx context.Context, err error) (types.StatusType, types.PhaseContext) {
	say := func(status types.StatusType, code, message string) (types.StatusType, types.PhaseContext) {
		message = r.log.mask(message)
		return status, types.PhaseContext{StatusCode: aws.String(code), Message: aws.String(message)}
	}
	if err == nil {
		return say(types.StatusTypeSucceeded, "", "")
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStopped):
		return say(types.StatusTypeStopped, "STOPPED_BUILD", "Build was stopped")
	case errors.Is(cause, errTimedOut):
		return say(types.StatusTypeTimedOut, "BUILD_TIMED_OUT", "Build has timed out. ")
	case cause != nil:
		return say(types.StatusTypeFault, "INTERNAL_SERVICE_ERROR", "The build's host was lost: "+cause.Error())
	}
	var f *failure
	if errors.As(err, &f) {
		return say(types.StatusTypeFailed, f.code, f.message)
	}
	var denied smithy.APIError
	if errors.As(err, &denied) && strings.Contains(denied.ErrorCode(), "AccessDenied") {
		return say(types.StatusTypeFailed, "ACCESS_DENIED", err.Error())
	}
	return say(types.StatusTypeFailed, "CLIENT_ERROR", err.Error())
}

// finish records the build's end, when everything that belongs to it is done.
func (r *run) finish(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	next := r.again(ctx)
	r.saver.close()
	rec := r.snapshot()
	complete(&rec.Build, r.status, r.s.now())
	if next != nil {
		config := *rec.Build.AutoRetryConfig
		config.NextAutoRetry = next
		rec.Build.AutoRetryConfig = &config
	}
	if err := r.s.builds.Put(ctx, rec.Caller.Scope(), *rec.Build.Id, rec); err != nil {
		// The next start finds the build in progress and marks it FAULT.
		r.s.host.Log().Error("recording the end of a build", "build", *rec.Build.Id, "error", err)
	}
	r.mu.Lock()
	r.rec = rec
	r.mu.Unlock()
	r.s.mu.Lock()
	delete(r.s.live, *rec.Build.Arn)
	r.s.mu.Unlock()
	r.events.state(rec)
	r.events.close()
	r.work.remove()
	r.s.partEnded(rec.Part)
}

// saver keeps the record of a build in progress, the newest state only: when
// writing takes longer than a phase, the phase's states in between are not
// written.
type saver struct {
	wake chan struct{}
	done chan struct{}
}

func startSaver(s *Service, r *run) *saver {
	v := &saver{wake: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(v.done)
		for range v.wake {
			rec := r.snapshot()
			if err := s.builds.Put(context.Background(), rec.Caller.Scope(), *rec.Build.Id, rec); err != nil {
				s.host.Log().Error("recording the progress of a build", "build", *rec.Build.Id, "error", err)
			}
		}
	}()
	return v
}

func (v *saver) save() {
	select {
	case v.wake <- struct{}{}:
	default: // a write that is to come has this change too
	}
}

// close waits for a write in progress. What is not written yet is left to the
// build's last write, which follows.
func (v *saver) close() {
	select {
	case <-v.wake:
	default:
	}
	close(v.wake)
	<-v.done
}
