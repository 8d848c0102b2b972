package codebuild

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/buildspec"
	"ouro/cloud/door"
)

// steps takes the build through its phases
// (https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details.html).
// It returns when nothing of the build runs any more.
func (r *run) steps(ctx context.Context) {
	var release func()
	err := r.phase(ctx, types.BuildPhaseTypeQueued, func(ctx context.Context) (err error) {
		release, err = r.wait(ctx)
		return err
	})
	if err != nil {
		return
	}
	defer release()
	ctx, cancel := context.WithTimeoutCause(ctx, r.s.minutes(r.rec.Build.TimeoutInMinutes, defaultTimeout), errTimedOut)
	defer cancel()
	if r.phase(ctx, types.BuildPhaseTypeProvisioning, r.provision) == nil {
		if r.rec.Part.plans() {
			_ = r.phase(ctx, types.BuildPhaseTypeDownloadSource, r.planBatch)
		} else if r.phase(ctx, types.BuildPhaseTypeDownloadSource, r.download) == nil {
			r.commandPhases(ctx)
		}
	}
	// What must end in any case ends outside the time that the build has.
	_ = r.phase(context.WithoutCancel(ctx), types.BuildPhaseTypeFinalizing, r.finalize)
	r.log.close()
}

// wait is the phase QUEUED.
func (r *run) wait(ctx context.Context) (release func(), err error) {
	b := &r.rec.Build
	// A build that waits too long ends with a status of its own.
	late, stop := context.WithTimeoutCause(ctx, r.s.minutes(b.QueuedTimeoutInMinutes, defaultQueuedTimeout), errTimedOut)
	defer stop()
	release, err = r.s.queue.acquire(late, r.rec.Caller.ResourceARN("codebuild", "project/"+*b.ProjectName), int(aws.ToInt32(r.rec.Project.ConcurrentBuildLimit)))
	if errors.Is(err, errTimedOut) && ctx.Err() == nil {
		r.cancel(errTimedOut)
	}
	return release, err
}

// commandPhases runs INSTALL to UPLOAD_ARTIFACTS. A failed BUILD still runs
// POST_BUILD and uploads what there is; a failed INSTALL or PRE_BUILD ends the
// build, unless the phase's on-failure says otherwise.
func (r *run) commandPhases(ctx context.Context) {
	for _, name := range buildspec.PhaseNames {
		p := r.spec.Phase(name)
		if p == nil {
			p = &buildspec.Phase{Name: name}
		}
		err := r.phase(ctx, types.BuildPhaseType(strings.ToUpper(name)), func(ctx context.Context) error { return r.runPhase(ctx, p) })
		if err == nil {
			continue
		}
		r.shell.succeeding = false
		switch {
		case ctx.Err() != nil:
			return
		case p.OnFailure.Action == "CONTINUE":
		case p.OnFailure.Action == "ABORT":
			return
		case p.OnFailure.Action == "RETRY":
			if p.OnFailure.Pattern == nil || p.OnFailure.Pattern.MatchString(err.Error()) {
				r.retry = &p.OnFailure
			}
			return
		case name == "install" || name == "pre_build":
			return
		}
	}
	if err := r.regain(ctx); err != nil {
		r.log.say("Uploading what can be read: %v", err)
	}
	if err := r.phase(ctx, types.BuildPhaseTypeUploadArtifacts, r.upload); err != nil {
		r.shell.succeeding = false
	}
}

// runPhase runs the commands of a phase up to the first that fails, then
// those that run finally.
func (r *run) runPhase(ctx context.Context, p *buildspec.Phase) error {
	r.log.say("Entering phase %s", strings.ToUpper(p.Name))
	if err := r.become(ctx, cmp.Or(p.RunAs, r.spec.RunAs)); err != nil {
		return err
	}
	r.tellRuntimes(ctx, p.RuntimeVersions)
	err := r.runCommands(ctx, p.Commands)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if last := r.runCommands(ctx, p.Finally); err == nil {
		err = last
	}
	return err
}

func (r *run) runCommands(ctx context.Context, commands []buildspec.Command) error {
	for _, c := range commands {
		text := strings.TrimSpace(c.Text)
		r.log.say("Running command %s", text)
		reason, err := r.shell.run(ctx, c.Text)
		if err != nil {
			return err
		}
		if reason != "" {
			r.log.say("Command did not exit successfully %s %s", text, reason)
			return failf("COMMAND_EXECUTION_ERROR", "Error while executing command: %s. Reason: %s", text, reason)
		}
	}
	return nil
}

// finalize ends every process of the build and gathers what it exports.
func (r *run) finalize(ctx context.Context) error {
	if r.shell != nil {
		exported := r.exported(ctx)
		r.change(func(b *types.Build) { b.ExportedEnvironmentVariables = exported })
	}
	if err := r.regain(ctx); err != nil {
		r.s.host.Log().Warn("clearing up after a build", "build", *r.rec.Build.Id, "error", err)
	}
	if err := r.work.end(r.marker()); err != nil {
		r.s.host.Log().Error("ending a build", "build", *r.rec.Build.Id, "error", err)
	}
	return nil
}

// exported are the values that the build's last shell left of the variables
// that the buildspec exports.
func (r *run) exported(ctx context.Context) []types.ExportedEnvironmentVariable {
	var out []types.ExportedEnvironmentVariable
	if len(r.spec.Env.Exported) == 0 {
		return out
	}
	values, err := r.shell.values(ctx, r.spec.Env.Exported)
	if err != nil {
		r.log.say("Exporting variables: %v", err)
		return out
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(r.spec.Env.Exported))) {
		if value, ok := values[name]; ok {
			out = append(out, types.ExportedEnvironmentVariable{Name: aws.String(name), Value: aws.String(r.log.mask(value))})
		}
	}
	return out
}

// again starts the build that follows a failed one, when the project's retry
// limit or the phase that failed asks for it, and gives its ARN.
func (r *run) again(ctx context.Context) *string {
	if r.status != types.StatusTypeFailed {
		return nil
	}
	config := types.AutoRetryConfig{AutoRetryLimit: aws.Int32(0), AutoRetryNumber: aws.Int32(0)}
	if c := r.rec.Build.AutoRetryConfig; c != nil {
		config = *c
	}
	if r.retry != nil && int32(r.retry.Retries) > *config.AutoRetryLimit {
		config.AutoRetryLimit = aws.Int32(int32(r.retry.Retries))
	}
	if *config.AutoRetryNumber >= *config.AutoRetryLimit {
		return nil
	}
	r.change(func(b *types.Build) { limit := config; b.AutoRetryConfig = &limit })
	in := r.rec.Input
	in.IdempotencyToken = nil
	following := repetition{initiator: r.rec.Build.Initiator, config: types.AutoRetryConfig{
		AutoRetryLimit: config.AutoRetryLimit, AutoRetryNumber: aws.Int32(*config.AutoRetryNumber + 1), PreviousAutoRetry: r.rec.Build.Arn,
	}}
	if r.rec.Part != nil {
		next, err := r.s.repeatPart(ctx, r.rec, &following)
		if err != nil {
			r.s.host.Log().Error("retrying a build of a batch", "build", *r.rec.Build.Id, "error", err)
		}
		return next
	}
	b, err := r.s.start(door.WithCaller(ctx, r.rec.Caller), &in, &following)
	if err != nil {
		r.s.host.Log().Error("retrying a build", "build", *r.rec.Build.Id, "error", err)
		return nil
	}
	return b.Arn
}
