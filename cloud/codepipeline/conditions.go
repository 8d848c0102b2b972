package codepipeline

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// when tells when a condition of a stage is checked. The first two can be
// overridden, and are called as types.ConditionType calls them.
type when string

const (
	beforeEntry when = when(types.ConditionTypeBeforeEntry)
	onSuccess   when = when(types.ConditionTypeOnSuccess)
	onFailure   when = "ON_FAILURE"
)

// conditionRun is a check of a condition.
type conditionRun struct {
	Status  types.ConditionExecutionStatus
	Summary string `json:",omitempty"`
	Changed time.Time
	Rules   map[string]string `json:",omitempty"` // by rule: its record
}

// condition is the stage's condition of that time, or nil. A stage has one of
// each at most.
func condition(st types.StageDeclaration, at when) *types.Condition {
	list, _ := conditionsOf(st, at)
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

// check has the execution pass the stage's condition of that time before it
// goes on, and tells whether there is one. A rollback passes none: it takes a
// stage back to what had passed them, and must not be turned away or rolled
// back itself.
func (t *turn) check(e *execution, at when) bool {
	if condition(t.declaration(e), at) == nil || e.Target != "" {
		return false
	}
	run := t.runOf(e)
	if run.Conditions == nil {
		run.Conditions = map[when]*conditionRun{}
	}
	run.Conditions[at] = &conditionRun{Status: types.ConditionExecutionStatusInProgress, Changed: t.now}
	e.Checks, e.Updated = at, t.now
	return true
}

// stepCondition moves an execution on that passes a condition.
func (t *turn) stepCondition(e *execution) bool {
	declared, c := condition(t.declaration(e), e.Checks), t.runOf(e).Conditions[e.Checks]
	if c.Status == types.ConditionExecutionStatusOverridden {
		t.concludeCondition(e, true, types.ResultFail)
		return true
	}
	started := false
	if e.Status == types.PipelineExecutionStatusInProgress && c.Rules == nil {
		c.Rules, started = map[string]string{}, true
		for _, decl := range declared.Rules {
			c.Rules[aws.ToString(decl.Name)] = t.startRule(e, decl)
		}
	}
	status := t.judge(c)
	if status == types.ConditionExecutionStatusInProgress {
		return started
	}
	if e.Status == types.PipelineExecutionStatusStopping {
		c.end(t, types.ConditionExecutionStatusAbandoned, "The pipeline execution was stopped.")
		e.Checks = ""
		t.leave(e, types.StageExecutionStatusStopped)
		t.end(e, types.PipelineExecutionStatusStopped)
		return true
	}
	c.end(t, status, t.summary(c))
	t.concludeCondition(e, status == types.ConditionExecutionStatusSucceeded, declared.Result)
	return true
}

// judge is the status that a condition has by its rules. They are evaluated
// together: all have to end, and all to succeed.
func (t *turn) judge(c *conditionRun) types.ConditionExecutionStatus {
	status := types.ConditionExecutionStatusSucceeded
	for _, key := range c.Rules {
		switch r := t.actions[key]; {
		case r.Status == types.ActionExecutionStatusInProgress:
			return types.ConditionExecutionStatusInProgress
		case r.Status == types.ActionExecutionStatusSucceeded:
		case r.ErrorCode != "" && r.ErrorCode != string(types.FailureTypeJobFailed):
			status = types.ConditionExecutionStatusErrored
		case status == types.ConditionExecutionStatusSucceeded:
			status = types.ConditionExecutionStatusFailed
		}
	}
	return status
}

// summary says why a condition is not met: in the words of the first rule, by
// name, that failed.
func (t *turn) summary(c *conditionRun) string {
	for _, name := range sortedKeys(c.Rules) {
		if r := t.actions[c.Rules[name]]; r.Status != types.ActionExecutionStatusSucceeded {
			return "The rule " + name + " failed: " + r.Summary
		}
	}
	return ""
}

func (c *conditionRun) end(t *turn, status types.ConditionExecutionStatus, summary string) {
	c.Status, c.Summary, c.Changed = status, cut(summary, 2048), t.now
}

// concludeCondition takes the execution on from a condition: past it, or to the
// condition's result. A result is engaged when the condition is not met.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html
func (t *turn) concludeCondition(e *execution, met bool, result types.Result) {
	at := e.Checks
	e.Checks, e.Updated = "", t.now
	switch {
	case at == beforeEntry && met:
	case at == onSuccess && met:
		t.pass(e)
	case at == onFailure && met:
		t.fail(e)
	case result == types.ResultSkip:
		t.skip(e)
	case result == types.ResultRollback:
		t.fail(e)
		t.rollBackFrom(e)
	case result == types.ResultRetry:
		if !t.retryByItself(e) {
			t.fail(e)
		}
	default:
		t.fail(e)
	}
}

// stageFailed is what happens when actions of a stage have failed: what
// onFailure says. A retry comes before all else, once.
func (t *turn) stageFailed(e *execution) {
	conf := t.declaration(e).OnFailure
	if conf == nil || e.Target != "" {
		t.fail(e)
		return
	}
	if (conf.Result == types.ResultRetry || conf.RetryConfiguration != nil) && t.retryByItself(e) {
		return
	}
	if t.check(e, onFailure) {
		return
	}
	t.fail(e)
	if conf.Result == types.ResultRollback {
		t.rollBackFrom(e)
	}
}

// retryByItself retries the stage as onFailure says, unless that was done
// already: AWS allows one such attempt.
func (t *turn) retryByItself(e *execution) bool {
	run := t.runOf(e)
	if run.Automatic > 0 {
		return false
	}
	mode := types.StageRetryModeFailedActions
	if conf := t.declaration(e).OnFailure; conf != nil && conf.RetryConfiguration != nil && conf.RetryConfiguration.RetryMode != "" {
		mode = conf.RetryConfiguration.RetryMode
	}
	t.tellStage(e, "FAILED")
	run.Automatic++
	t.again(e, mode, types.RetryTriggerAutomatedStageRetry)
	return true
}

// again starts another attempt at the stage that the execution is in.
func (t *turn) again(e *execution, mode types.StageRetryMode, trigger types.RetryTrigger) {
	run := t.runOf(e)
	entered := run.Conditions[beforeEntry]
	run.Status, run.Retry, run.RetriedAt, run.Conditions = types.StageExecutionStatusInProgress, trigger, t.now, nil
	e.Attempt++
	e.Checks, e.RetriedAt, e.Updated = "", t.now, t.now
	if mode == types.StageRetryModeAllActions {
		e.Group, e.Current = 0, map[string]string{}
	}
	for name, key := range e.Current {
		if t.actions[key].Status != types.ActionExecutionStatusSucceeded {
			delete(e.Current, name)
		}
	}
	if mode == types.StageRetryModeFailedActions && entered.passed() {
		run.Conditions = map[when]*conditionRun{beforeEntry: entered}
	} else {
		t.check(e, beforeEntry)
	}
	t.tellStage(e, "RESUMED")
}

// passed tells whether a condition let the execution through.
func (c *conditionRun) passed() bool {
	return c != nil && slices.Contains([]types.ConditionExecutionStatus{
		types.ConditionExecutionStatusSucceeded, types.ConditionExecutionStatusOverridden,
	}, c.Status)
}

// fail ends an execution whose stage failed.
func (t *turn) fail(e *execution) {
	t.leave(e, types.StageExecutionStatusFailed)
	t.end(e, types.PipelineExecutionStatusFailed)
}

// skip takes an execution past a stage whose condition keeps it out.
func (t *turn) skip(e *execution) {
	t.leave(e, types.StageExecutionStatusSkipped)
	t.next(e)
}
