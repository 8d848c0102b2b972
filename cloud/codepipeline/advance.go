package codepipeline

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// advance moves every active execution on as far as it goes without waiting.
func (t *turn) advance() {
	for moved := true; moved; {
		moved = false
		for _, number := range slices.Clone(t.pipe.Active) {
			moved = t.step(t.executions[number]) || moved
		}
		for i := range t.plan.stages {
			moved = t.admit(i) || moved
		}
	}
}

// step moves an execution on within its stage, and out of it. It tells whether
// anything moved.
func (t *turn) step(e *execution) bool {
	if e.ended() {
		return false
	}
	if !e.Inside {
		if e.Status == types.PipelineExecutionStatusStopping {
			t.end(e, types.PipelineExecutionStatusStopped)
			return true
		}
		return false
	}
	if e.Checks != "" {
		return t.stepCondition(e)
	}
	group := t.plan.stages[e.Stage].groups[e.Group]
	started := false
	if e.Status == types.PipelineExecutionStatusInProgress {
		started = t.start(e, group)
	}
	switch running, failed := t.progress(e, group); {
	case running:
		return started
	case e.Status == types.PipelineExecutionStatusStopping:
		t.leave(e, types.StageExecutionStatusStopped)
		t.end(e, types.PipelineExecutionStatusStopped)
	case failed:
		t.stageFailed(e)
	case e.Group+1 < len(t.plan.stages[e.Stage].groups):
		e.Group++
		e.Updated = t.now
	case !t.check(e, onSuccess):
		t.pass(e)
	}
	return true
}

// start starts the actions of the group that this run of the stage has not
// started yet.
func (t *turn) start(e *execution, group []types.ActionDeclaration) bool {
	started := false
	for _, decl := range group {
		if _, ok := e.Current[aws.ToString(decl.Name)]; !ok {
			t.startAction(e, decl)
			started = true
		}
	}
	return started
}

// progress tells whether some action of the group is still in progress, and
// whether some failed.
func (t *turn) progress(e *execution, group []types.ActionDeclaration) (running, failed bool) {
	for _, decl := range group {
		key, ok := e.Current[aws.ToString(decl.Name)]
		if !ok {
			continue // not started, for the execution is stopping
		}
		switch t.actions[key].Status {
		case types.ActionExecutionStatusInProgress:
			running = true
		case types.ActionExecutionStatusFailed, types.ActionExecutionStatusAbandoned:
			failed = true
		}
	}
	return running, failed
}

// pass takes an execution out of a stage that succeeded and before the next.
func (t *turn) pass(e *execution) {
	t.leave(e, types.StageExecutionStatusSucceeded)
	if name := t.plan.stages[e.Stage].name; !slices.Contains(e.Succeeded, name) {
		e.Succeeded = append(e.Succeeded, name)
	}
	t.next(e)
}

// next takes an execution from a stage that it is done with before the next. A
// rollback is done with the one stage.
func (t *turn) next(e *execution) {
	if e.Stage+1 == len(t.plan.stages) || e.Target != "" {
		t.end(e, types.PipelineExecutionStatusSucceeded)
		return
	}
	e.Stage++
	t.wait(e)
}

// wait puts an execution before its stage.
func (t *turn) wait(e *execution) {
	e.Inside, e.Checks, e.Group, e.Current, e.Updated = false, "", 0, nil, t.now
	st := t.pipe.stage(t.plan.stages[e.Stage].name)
	st.Inbound = append(st.Inbound, e.Number)
	slices.Sort(st.Inbound)
}

// admit lets an execution into a stage if one waits there and the stage is
// free. In SUPERSEDED mode only the newest of those that wait is let in; the
// others are superseded the moment that it arrives.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
func (t *turn) admit(i int) bool {
	st := t.pipe.stage(t.plan.stages[i].name)
	if len(st.Inbound) == 0 {
		return false
	}
	if t.plan.mode == types.ExecutionModeSuperseded {
		for len(st.Inbound) > 1 {
			t.supersede(st)
		}
	}
	if st.Transition.Closed || (len(st.Running) > 0 && t.plan.mode != types.ExecutionModeParallel) {
		return false
	}
	e := t.executions[st.Inbound[0]]
	st.Inbound = st.Inbound[1:]
	t.enter(e, i)
	return true
}

func (t *turn) supersede(st *stage) {
	e := t.executions[st.Inbound[0]]
	newest := t.executions[st.Inbound[len(st.Inbound)-1]]
	e.Summary = "Superseded by execution " + newest.ID + "."
	t.end(e, types.PipelineExecutionStatusSuperseded)
}

// enter starts a run of the stage.
func (t *turn) enter(e *execution, i int) {
	e.Stage, e.Inside, e.Checks, e.Group, e.Updated = i, true, "", 0, t.now
	e.Current = map[string]string{}
	st := t.pipe.stage(t.plan.stages[i].name)
	st.Running = append(st.Running, e.Number)
	st.Newest = e.Number
	*t.runOf(e) = stageRun{Status: types.StageExecutionStatusInProgress, Started: t.now}
	t.tellStage(e, "STARTED")
	t.check(e, beforeEntry)
}

// runOf is how the execution fares in the stage where it is.
func (t *turn) runOf(e *execution) *stageRun { return e.run(t.plan.stages[e.Stage].name) }

// declaration is the stage where the execution is, or before which it waits.
func (t *turn) declaration(e *execution) types.StageDeclaration {
	return t.plan.definition.Stages[e.Stage]
}

// leave ends a run of the stage that the execution is in.
func (t *turn) leave(e *execution, status types.StageExecutionStatus) {
	st := t.pipe.stage(t.plan.stages[e.Stage].name)
	st.Running = slices.DeleteFunc(st.Running, func(n int64) bool { return n == e.Number })
	t.runOf(e).Status = status
	e.Inside, e.Updated = false, t.now
	if state := stageEvents[status]; state != "" {
		t.tellStage(e, state)
	}
}

// end ends an execution.
func (t *turn) end(e *execution, status types.PipelineExecutionStatus) {
	e.Status, e.Updated = status, t.now
	is := func(n int64) bool { return n == e.Number }
	t.pipe.Active = slices.DeleteFunc(t.pipe.Active, is)
	for _, st := range t.pipe.Stages {
		st.Inbound = slices.DeleteFunc(st.Inbound, is)
	}
	t.tellPipeline(e, pipelineEvents[status])
}

// abandon lets the execution's actions and rules that are in progress go: what
// they have started elsewhere goes on, and nobody follows it. state is what the
// events call it.
func (t *turn) abandon(e *execution, state string) {
	for _, key := range e.records() {
		a := t.actions[key]
		if a.Status != types.ActionExecutionStatusInProgress {
			continue
		}
		a.Status, a.Updated, a.Token = types.ActionExecutionStatusAbandoned, t.now, ""
		t.calledOff = append(t.calledOff, a.ID)
		t.tellAction(a, state)
	}
}

// cancel ends an execution whose definition is no longer in force.
func (t *turn) cancel(e *execution) {
	e.Summary = "Pipeline definition was updated."
	t.abandon(e, "CANCELED")
	if e.Inside {
		if c := t.runOf(e).Conditions[e.Checks]; c != nil {
			c.end(t, types.ConditionExecutionStatusCancelled, e.Summary)
		}
		t.leave(e, types.StageExecutionStatusCancelled)
	}
	t.end(e, types.PipelineExecutionStatusCancelled)
}
