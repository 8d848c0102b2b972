package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/store"
)

// run is one operation on its way.
type run struct {
	e       *Engine
	scope   store.Scope
	op      ledger.Operation
	stack   ledger.Stack // as it is in the ledger, apart from what others may change there meanwhile
	model   *Model       // of the new revision; nil until it is needed
	clients *resource.Clients
	rec     *ledger.Recorder
	halt    *halt
	done    chan struct{} // closed when nothing of this run is left

	mu      sync.RWMutex
	rows    map[string]*ledger.Resource // a row is changed only by the one step that works on it
	imports map[string]bool             // exports that the new revision uses
	failed  map[string][]string         // verb (create, update, delete) → logical ids
}

// errSuperseded says that another operation has taken the stack over.
var errSuperseded = errors.New("superseded by another operation")

// phases are the steps of an operation; each ends by moving to the next phase.
// Phases without a function are where a run ends.
var phases = map[ledger.Phase]func(*run, context.Context) error{
	ledger.Forward:         (*run).forward,
	ledger.Cleanup:         (*run).cleanup,
	ledger.Rollback:        (*run).rollback,
	ledger.RollbackCleanup: (*run).rollbackCleanup,
	ledger.Deleting:        (*run).deleting,
}

func (r *run) run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	var writing sync.WaitGroup
	writing.Go(func() {
		if err := r.rec.Run(ctx); err != nil {
			r.e.host.Log().Error("stack operation ended, its journal stays", "stack", r.stack.Name, "operation", r.op.Kind, "error", err)
		}
	})
	defer writing.Wait()
	defer stop()

	r.imports, r.failed = map[string]bool{}, map[string][]string{}
	err := r.read(ctx)
	for err == nil {
		step, ok := phases[r.op.Phase]
		if !ok {
			return
		}
		err = step(r, ctx)
	}
	if ctx.Err() == nil && !errors.Is(err, errSuperseded) {
		r.e.host.Log().Error("stack operation stopped", "stack", r.stack.Name, "operation", r.op.Kind, "phase", r.op.Phase, "error", err)
	}
}

// read gets the stack's resources: those that the plan found, since nothing
// can have happened to the stack since then, or else from the ledger.
func (r *run) read(ctx context.Context) (err error) {
	if r.model != nil && r.model.rows != nil {
		r.rows = r.model.rows
		return nil
	}
	r.rows, err = r.e.ledger.ResourcesOf(ctx, r.scope, r.stack.UUID)
	return err
}

// transition is a change of the stack as a whole.
type transition struct {
	phase  ledger.Phase // empty: the operation is over
	status types.StackStatus
	reason string
	change func(*ledger.Stack)             // beyond the status
	also   func(ctx context.Context) error // in the same transaction
	drop   []string                        // resources to forget
	rows   []*ledger.Resource              // resources to write
}

func (r *run) move(ctx context.Context, t transition) error {
	op := r.op
	op.Phase = t.phase
	var stack ledger.Stack
	write := func(ctx context.Context) error {
		l := r.e.ledger
		if now, err := l.Operations.Get(ctx, r.scope, r.stack.UUID); err != nil || now.ID != op.ID {
			return errSuperseded
		}
		var err error
		stack, err = l.Stacks.Update(ctx, r.scope, op.Stack, func(s *ledger.Stack) error {
			s.Status, s.Reason = t.status, t.reason
			if t.change != nil {
				t.change(s)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if t.also != nil {
			if err := t.also(ctx); err != nil {
				return err
			}
		}
		if t.phase == "" {
			return l.Operations.Delete(ctx, r.scope, r.stack.UUID)
		}
		return l.Operations.Put(ctx, r.scope, r.stack.UUID, op)
	}
	err := r.rec.Record(ctx, ledger.Entry{Rows: t.rows, Drop: t.drop, Last: t.phase.Rests(), Events: []ledger.Event{StackEvent(r.stack, op, t.status, t.reason, r.e.host)}, Also: write})
	if err != nil {
		return err
	}
	r.op, r.stack = op, stack
	return nil
}

// forward makes and changes resources until the stack is what the new
// revision says.
func (r *run) forward(ctx context.Context) error {
	if r.op.Refused != "" {
		return r.giveUp(ctx, r.op.Refused)
	}
	if r.op.Cancel {
		r.halt.stop("User Initiated", false)
	}
	if r.model == nil {
		model, err := r.e.Load(ctx, r.op.Caller, r.stack, r.stack.Revision)
		if err != nil {
			return r.giveUp(ctx, err.Error())
		}
		r.model = model
	}
	if err := r.settleLeft(ctx); err != nil {
		return err
	}
	if !r.permitRemovals(ctx) {
		return r.giveUp(ctx, "")
	}
	defer r.timeout(ctx)()
	defer r.watch(ctx)()
	walk(r.model.IDs, func(id string) []string { return r.model.Depends[id] }, width, r.halt.C, func(id string) bool {
		return r.apply(ctx, id)
	})
	if err := r.monitor(ctx); err != nil {
		return err
	}
	switch {
	case r.halt.stopped() && r.halt.superseded:
		return errSuperseded
	case r.halt.stopped():
		return r.giveUp(ctx, r.halt.reason)
	}
	return r.succeed(ctx)
}

// timeout halts a creation at its deadline. The result ends the watch.
func (r *run) timeout(ctx context.Context) (end func()) {
	if r.op.Deadline.IsZero() {
		return func() {}
	}
	timer := time.NewTimer(r.op.Deadline.Sub(r.e.host.Now()))
	over := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-timer.C:
			r.halt.stop("Stack creation time exceeded the specified timeout", false)
		case <-over:
		case <-ctx.Done():
		}
	})
	return func() {
		close(over)
		timer.Stop()
		watching.Wait()
	}
}

// fail notes a resource that could not be made, changed or deleted.
func (r *run) fail(verb, id string) {
	r.mu.Lock()
	r.failed[verb] = append(r.failed[verb], id)
	r.mu.Unlock()
}

// failures is the sentence about the resources that failed, and forgets them.
func (r *run) failures() string {
	var parts []string
	for _, verb := range []string{"create", "update", "delete", "import"} {
		if ids := r.failed[verb]; len(ids) > 0 {
			slices.Sort(ids)
			parts = append(parts, "The following resource(s) failed to "+verb+": ["+strings.Join(ids, ", ")+"]. ")
		}
	}
	r.failed = map[string][]string{}
	return strings.Join(parts, "")
}

// giveUp ends the way forward; what follows depends on what was asked for.
func (r *run) giveUp(ctx context.Context, reason string) error {
	if reason != "" && !strings.HasSuffix(reason, ".") && reason != "User Initiated" {
		reason += ". "
	}
	reason += r.failures()
	creating := r.op.Kind == ledger.Create
	switch {
	case r.op.Kind == ledger.Adopt:
		return r.move(ctx, transition{phase: ledger.Rollback, status: types.StackStatusImportRollbackInProgress, reason: reason})
	case creating && r.op.OnFailure == types.OnFailureDoNothing:
		return r.move(ctx, transition{status: types.StackStatusCreateFailed, reason: reason})
	case creating && r.op.OnFailure == types.OnFailureDelete:
		return r.move(ctx, transition{phase: ledger.Deleting, status: types.StackStatusDeleteInProgress, reason: strings.TrimSpace(reason) + " Delete requested by user."})
	case creating:
		return r.move(ctx, transition{phase: ledger.Rollback, status: types.StackStatusRollbackInProgress, reason: strings.TrimSpace(reason) + " Rollback requested by user."})
	case r.op.OnFailure == types.OnFailureDoNothing:
		return r.move(ctx, transition{phase: ledger.Failed, status: types.StackStatusUpdateFailed, reason: reason})
	}
	return r.move(ctx, transition{phase: ledger.Rollback, status: types.StackStatusUpdateRollbackInProgress, reason: reason})
}

// settleLeft keeps what an update has done that failed and was not rolled back,
// before the next one: replaced resources wait for the cleanup of that.
func (r *run) settleLeft(ctx context.Context) error {
	var rows []*ledger.Resource
	for _, row := range r.rows {
		if row.Former == nil || row.Operation == r.op.ID {
			continue
		}
		if row.Replaced() {
			row.Discard = append(row.Discard, *row.Former)
		}
		row.Former = nil
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil
	}
	return r.rec.Record(ctx, ledger.Entry{Rows: rows})
}
