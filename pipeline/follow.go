package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/stack"
)

// Observer is told what happens, in the order it happened.
type Observer interface {
	// Step tells what is being done by Up or Down itself.
	Step(text string)
	// StackEvent tells an event of a stack that Up or Down changes.
	StackEvent(e cfntypes.StackEvent)
	// Execution tells that an execution is followed from now on.
	Execution(pipeline, id string)
	// Action tells that an action started, or ended.
	Action(a Action)
	// Log tells a line of a build's log.
	Log(a Action, line string)
}

// follower follows one execution.
type follower struct {
	c        *Clients
	pipeline string
	id       string
	obs      Observer
	actions  []Action
	logs     map[string]*buildLog                   // by build id
	told     map[string]types.ActionExecutionStatus // by action execution id
	failures map[string][]stack.Failure             // by action execution id

	wants      func(Action) bool // which actions are told; nil for all
	since      time.Time         // from when on log lines are told
	atApproval bool              // whether the end is also where only approvals are left
	moved      bool              // whether there was news
	doubt      time.Time         // until then, an end without news is not believed
}

func newFollower(c *Clients, pipeline, id string, obs Observer) *follower {
	return &follower{
		c: c, pipeline: pipeline, id: id, obs: obs,
		logs: map[string]*buildLog{}, told: map[string]types.ActionExecutionStatus{}, failures: map[string][]stack.Failure{},
	}
}

// follow tells what the execution does until it has ended.
func (f *follower) follow(ctx context.Context) (*Outcome, error) {
	f.obs.Execution(f.pipeline, f.id)
	for poll := stack.NewPoll(); ; {
		believed := f.moved || time.Now().After(f.doubt)
		out, news, err := f.once(ctx)
		if err != nil {
			return nil, err
		}
		f.moved = f.moved || news
		if believed && (Ended(out.Status) || f.atApproval && f.onlyWaits()) {
			return out, nil
		}
		if err := poll.Wait(ctx, news); err != nil {
			return nil, err
		}
	}
}

// once tells what is new.
func (f *follower) once(ctx context.Context) (out *Outcome, news bool, err error) {
	got, err := f.c.Pipelines.GetPipelineExecution(ctx, &codepipeline.GetPipelineExecutionInput{PipelineName: &f.pipeline, PipelineExecutionId: &f.id})
	if err == nil {
		// The status is read before the actions, so that none of them is
		// missing once it says that the execution has ended.
		news, err = f.look(ctx)
	}
	if err != nil {
		return nil, news, fmt.Errorf("following execution %s of pipeline %q: %w", f.id, f.pipeline, err)
	}
	e := got.PipelineExecution
	return &Outcome{ID: f.id, Status: e.Status, Version: aws.ToInt32(e.PipelineVersion), Actions: f.actions}, news, nil
}

// onlyWaits tells whether all that is in progress are approvals.
func (f *follower) onlyWaits() bool {
	waits := false
	for _, a := range f.actions {
		if a.Status == types.ActionExecutionStatusInProgress {
			if !a.waits() {
				return false
			}
			waits = true
		}
	}
	return waits
}

// Ended tells whether an execution with that status will not go on by itself.
func Ended(s types.PipelineExecutionStatus) bool {
	return s != types.PipelineExecutionStatusInProgress && s != types.PipelineExecutionStatusStopping
}

// look tells what is new of the actions.
func (f *follower) look(ctx context.Context) (news bool, err error) {
	details, err := actionExecutions(ctx, f.c, f.pipeline, f.id)
	if err != nil {
		return false, err
	}
	f.actions = f.actions[:0]
	for _, d := range details {
		f.actions = append(f.actions, newAction(d))
		a := &f.actions[len(f.actions)-1]
		if a.Failures = f.failures[a.ID]; f.wants != nil && !f.wants(*a) {
			continue
		}
		more, err := f.tell(ctx, a)
		if err != nil {
			return news, err
		}
		news = news || more
	}
	return news, nil
}

// straggling is how long after a build's end lines of its log may still come.
const straggling = 10 * time.Second

// tell tells what is new of one action.
func (f *follower) tell(ctx context.Context, a *Action) (news bool, err error) {
	told, known := f.told[a.ID]
	if known && told != types.ActionExecutionStatusInProgress {
		if log := f.logs[a.BuildID]; log == nil || time.Since(a.Updated) > straggling {
			return false, nil
		}
		return f.readLog(ctx, *a)
	}
	if !known && (a.Provider != "Manual" || a.waits()) { // who waits no longer is told of once
		started := *a
		started.Status, started.Reason, started.Summary = types.ActionExecutionStatusInProgress, "", ""
		f.obs.Action(started)
	}
	more, err := f.readLog(ctx, *a)
	if err != nil {
		return more, err
	}
	if a.Status != types.ActionExecutionStatusInProgress {
		if err := f.explain(ctx, a); err != nil {
			return more, err
		}
		f.obs.Action(*a)
	}
	f.told[a.ID] = a.Status
	return more || !known || told != a.Status, nil
}

// explain looks up what failed in the stack of an action that failed.
func (f *follower) explain(ctx context.Context, a *Action) (err error) {
	if a.Status != types.ActionExecutionStatusFailed || a.Provider != "CloudFormation" || a.StackName == "" {
		return nil
	}
	a.Failures, err = stack.Failures(ctx, f.c.in(a.Region).Stacks, a.StackName, a.Started, a.Updated)
	f.failures[a.ID] = a.Failures
	return err
}

// hesitation is how long AWS may take to show that an execution goes on.
const hesitation = 30 * time.Second

// onward follows an execution that act sets going again, to its end or to the
// next approval. What had ended before is not told.
func onward(ctx context.Context, c *Clients, pipeline, id string, obs Observer, act func() error) (*Outcome, error) {
	f := newFollower(c, pipeline, id, obs)
	before, err := actionExecutions(ctx, c, pipeline, id)
	if err != nil {
		return nil, fmt.Errorf("reading execution %s of pipeline %q: %w", id, pipeline, err)
	}
	for _, d := range before {
		f.told[aws.ToString(d.ActionExecutionId)] = d.Status
	}
	if err := act(); err != nil {
		return nil, err
	}
	f.atApproval, f.doubt = true, time.Now().Add(hesitation)
	return f.toEnd(ctx)
}

// toEnd follows the execution, and when a newer one took its place, because
// the pipeline changed itself or another push came, that one, to the end of
// the last.
func (f *follower) toEnd(ctx context.Context) (*Outcome, error) {
	for {
		out, err := f.follow(ctx)
		if err != nil || out.Status != types.PipelineExecutionStatusCancelled && out.Status != types.PipelineExecutionStatusSuperseded {
			return out, err
		}
		next, err := newer(ctx, f.c, f.pipeline, f.id, patience)
		if err != nil || next == "" {
			return out, err
		}
		f.id, f.moved, f.doubt = next, false, time.Time{}
	}
}
