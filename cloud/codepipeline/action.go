package codepipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	smithy "github.com/aws/smithy-go"

	"ouro/cloud/store"
)

// runner is what an action of one kind does. run may be called again for an
// action that a dead process had begun: then job.record has what was saved.
type runner interface {
	run(ctx context.Context, j *job) (*outcome, error)
}

// outcome is what an action that succeeded leaves behind.
type outcome struct {
	summary   string
	revision  *revision // of a source
	variables map[string]string
	none      bool // the declared output artifacts were not made
}

// failure is why an action failed, in the words that its state shows.
type failure struct {
	code    types.FailureType
	message string
}

func (f *failure) Error() string { return f.message }

func failed(code types.FailureType, format string, args ...any) error {
	return &failure{code, fmt.Sprintf(format, args...)}
}

// foundError is the failure of a source action that had found its revision
// already: the same revision does not start the pipeline once more.
type foundError struct {
	revision string
	error
}

func (f *foundError) Unwrap() error { return f.error }

// explain gives the code and the message of an action's error details.
func explain(err error) (code, message string) {
	var f *failure
	if errors.As(err, &f) {
		return string(f.code), f.message
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		if denied[api.ErrorCode()] {
			return string(types.FailureTypePermissionError), api.ErrorMessage()
		}
		return string(types.FailureTypeJobFailed), fmt.Sprintf("%s (Error Code: %s)", api.ErrorMessage(), api.ErrorCode())
	}
	return string(types.FailureTypeJobFailed), err.Error()
}

// denied are the codes by which services refuse for lack of permission.
var denied = map[string]bool{
	"AccessDenied": true, "AccessDeniedException": true, "UnauthorizedOperation": true, "NotAuthorized": true,
}

// startAction makes the record of an action and has it run after the turn.
func (t *turn) startAction(e *execution, decl types.ActionDeclaration) {
	key, a := t.newRecord(e, decl)
	if e.Current == nil {
		e.Current = map[string]string{}
	}
	e.Current[a.Name] = key
	st := t.pipe.stage(a.Stage)
	if st.Actions == nil {
		st.Actions = map[string]string{}
	}
	st.Actions[a.Name] = key
	t.startRecord(e, key, a)
}

func (t *turn) newRecord(e *execution, decl types.ActionDeclaration) (key string, a *action) {
	e.Count++
	key = actionKey(t.pipe.Name, e.Number, e.Count)
	a = &action{
		ID: t.s.host.NewID(), Execution: e.ID, Number: e.Number, Version: e.Version,
		Stage: t.plan.stages[e.Stage].name, Name: aws.ToString(decl.Name), Declaration: decl,
		Status: types.ActionExecutionStatusInProgress, Started: t.now, Updated: t.now,
	}
	t.actions[key], e.Updated = a, t.now
	return key, a
}

// startRecord has an action or a rule run after the turn. What makes it
// impossible to run fails it here.
func (t *turn) startRecord(e *execution, key string, a *action) {
	err := t.prepare(e, a)
	t.tellAction(a, "STARTED")
	if err != nil {
		t.conclude(e, a, nil, err)
		return
	}
	t.launches = append(t.launches, key)
}

// prepare settles the action's configuration and artifacts.
func (t *turn) prepare(e *execution, a *action) error {
	k, err := t.s.kind(t.ctx, actionScope(t.scope, &a.Declaration), a.Declaration.ActionTypeId)
	switch {
	case err != nil:
		return err
	case k == nil:
		return failed(types.FailureTypeConfigurationError, "ActionType %s is not available in region '%s'", typeName(a.Declaration.ActionTypeId), regionName(t.region(a)))
	case k.run == nil:
		return failed(types.FailureTypeConfigurationError,
			"actions of category %s with provider %s do not run on the local cloud", a.Declaration.ActionTypeId.Category, aws.ToString(a.Declaration.ActionTypeId.Provider))
	}
	resolved, err := e.resolve(a.Declaration.Configuration)
	if err != nil {
		return failed(types.FailureTypeConfigurationError, "An action in this pipeline failed because one or more variables could not be resolved: Action name=%s: %v", a.Name, err)
	}
	if err := checkResolved(resolved); err != nil {
		return err
	}
	a.Resolved = resolved
	bucket := aws.ToString(t.plan.artifactStore(t.region(a)).Location)
	place := func(name string) location { return location{bucket, objectKey(t.pipe.Name, name, t.s.host.NewID())} }
	for _, in := range a.Declaration.InputArtifacts {
		n := aws.ToString(in.Name)
		at, ok := e.Artifacts[n]
		if !ok {
			return failed(types.FailureTypeConfigurationError, "the input artifact %q was not made by this execution", n)
		}
		if at.Bucket != bucket { // of another region: see fetch
			at = place(n)
		}
		a.Inputs = append(a.Inputs, artifact{n, at})
	}
	for _, out := range a.Declaration.OutputArtifacts {
		n := aws.ToString(out.Name)
		a.Outputs = append(a.Outputs, artifact{n, place(n)})
	}
	if _, ok := k.run.(manualApproval); ok {
		a.Token = t.s.host.NewID()
	}
	return nil
}

// actionScope is where an action of a pipeline is: in the pipeline's account, and
// in its own region if it has one.
func actionScope(pipeline store.Scope, decl *types.ActionDeclaration) store.Scope {
	return store.Scope{Account: pipeline.Account, Region: cmp.Or(aws.ToString(decl.Region), pipeline.Region)}
}

func (t *turn) region(a *action) string { return actionScope(t.scope, &a.Declaration).Region }

// conclude writes down how an action ended.
func (t *turn) conclude(e *execution, a *action, out *outcome, err error) {
	a.Updated, a.Token, e.Updated = t.now, "", t.now
	if err == nil {
		err = checkProduced(out.variables)
	}
	if err != nil {
		a.Status = types.ActionExecutionStatusFailed
		a.ErrorCode, a.ErrorMessage = explain(err)
		if f := new(foundError); errors.As(err, &f) {
			t.pipe.saw(a.Name, f.revision)
		}
		if a.Summary == "" {
			a.Summary = a.ErrorMessage
		}
		t.tellAction(a, "FAILED")
		return
	}
	a.Status = types.ActionExecutionStatusSucceeded
	a.Summary, a.Variables = out.summary, out.variables
	if out.none {
		a.Outputs = nil
	}
	for _, o := range a.Outputs {
		if e.Artifacts == nil {
			e.Artifacts = map[string]location{}
		}
		e.Artifacts[o.Name] = o.location
	}
	if ns := aws.ToString(a.Declaration.Namespace); ns != "" {
		if e.Outputs == nil {
			e.Outputs = map[string]map[string]string{}
		}
		e.Outputs[ns] = out.variables
	}
	if out.revision != nil {
		t.found(e, a, *out.revision)
	}
	t.tellAction(a, "SUCCEEDED")
}

// found writes down the revision that a source action found.
func (t *turn) found(e *execution, a *action, r revision) {
	r.Action, r.Created = a.Name, t.now
	if len(a.Outputs) > 0 {
		r.Artifact = a.Outputs[0].Name
	}
	a.Revision = &r
	e.Revisions = append(e.Revisions, r)
	if !slices.ContainsFunc(e.Overrides, func(o types.SourceRevisionOverride) bool { return aws.ToString(o.ActionName) == a.Name }) {
		t.pipe.saw(a.Name, r.ID)
	}
}

// launch runs an action in the background, which holds the line as the turn
// does that launches it.
func (s *Service) launch(key lineKey, recordKey string, record action, p *plan, run execution) {
	l := s.lines.hold(key)
	if _, ok := l.running[record.ID]; ok {
		s.lines.release(key)
		return
	}
	called, callOff := context.WithCancel(context.Background())
	l.running[record.ID] = callOff
	s.host.Go("codepipeline action "+recordKey, func(ctx context.Context) {
		defer s.lines.release(key)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(called, cancel)()
		s.run(ctx, key, recordKey, record, p, run)
		l.turns.Lock()
		delete(l.running, record.ID)
		l.turns.Unlock()
		callOff()
	})
}

// run runs an action and writes down how it ended. When the cloud closes, or
// the action was let go, nothing is written: in the first case the next process
// takes it up.
func (s *Service) run(ctx context.Context, key lineKey, recordKey string, record action, p *plan, run execution) {
	k, err := s.kind(ctx, actionScope(key.scope, &record.Declaration), record.Declaration.ActionTypeId)
	if err == nil && (k == nil || k.run == nil) {
		err = failed(types.FailureTypeConfigurationError, "ActionType %s is no longer available", typeName(record.Declaration.ActionTypeId))
	}
	if err != nil {
		if ctx.Err() == nil {
			s.close(ctx, key, recordKey, record.ID, nil, err)
		}
		return
	}
	j := newJob(s, key, recordKey, record, p, run, k)
	runCtx, cancel := context.WithDeadlineCause(ctx, record.Started.Add(j.kind.timeout(record.Declaration)), errTimedOut)
	defer cancel()
	var out *outcome
	if err = j.fetch(runCtx); err == nil {
		out, err = j.kind.run.run(runCtx, j)
	}
	if err != nil && ctx.Err() != nil {
		return
	}
	if ownWords := new(failure); err != nil && errors.Is(context.Cause(runCtx), errTimedOut) && !errors.As(err, &ownWords) {
		err = failed(types.FailureTypeJobFailed, "the action did not end within its timeout of %s", j.kind.timeout(record.Declaration))
	}
	s.close(ctx, key, recordKey, record.ID, out, err)
}

// close concludes an action; nobody is left to tell if that fails.
func (s *Service) close(ctx context.Context, key lineKey, recordKey, id string, out *outcome, err error) {
	if err := s.conclude(ctx, key, recordKey, id, out, err); err != nil {
		s.host.Log().Error("writing how an action ended", slog.String("action", recordKey), slog.Any("error", err))
	}
}

var errTimedOut = errors.New("the action's time is up")

// conclude is a turn that ends an action, if it is still in progress.
func (s *Service) conclude(ctx context.Context, key lineKey, recordKey, id string, out *outcome, failure error) error {
	err := s.turn(context.WithoutCancel(ctx), key.scope, key.name, func(t *turn) error {
		a := t.actions[recordKey]
		if a == nil || a.ID != id || a.Status != types.ActionExecutionStatusInProgress {
			return nil
		}
		t.conclude(t.executions[a.Number], a, out, failure)
		return nil
	})
	if errors.Is(err, errNoPipeline) {
		return nil // it was deleted meanwhile
	}
	return err
}

// takeUp runs the actions that are in progress and that this process does not
// run yet.
func (t *turn) takeUp() {
	for key, a := range t.actions {
		if a.Status == types.ActionExecutionStatusInProgress {
			t.launches = append(t.launches, key)
		}
	}
}

// pause grows with the time that something takes, so that following it costs at
// most a tenth more, and never more than max.
func pause(ctx context.Context, since time.Time, limit time.Duration) error {
	d := min(max(time.Since(since)/10, 5*time.Millisecond), limit)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
