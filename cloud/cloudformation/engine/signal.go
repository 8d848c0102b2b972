package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/store"
)

// signals are those that came for a resource which its CreationPolicy holds up.
type signals struct {
	Deadline time.Time                             `json:",omitzero"` // set when the wait begins
	By       map[string]types.ResourceSignalStatus // unique id → what it said first
}

func (e *Engine) signals() store.Table[signals] {
	return store.NewTable[signals](e.ledger.Store, "cloudformation", "awaited")
}

func signalKey(uuid, logicalID string) string { return uuid + "/" + logicalID }

// Signal takes a signal for a resource of a stack that is being worked on. One
// that comes again from the same sender counts once.
func (e *Engine) Signal(ctx context.Context, scope store.Scope, stack ledger.Stack, logicalID, uniqueID string, status types.ResourceSignalStatus) error {
	rows, err := e.ledger.ResourcesOf(ctx, scope, stack.UUID)
	if err != nil {
		return err
	}
	row := rows[logicalID]
	if row == nil {
		return resource.Sayf("Resource %s does not exist for stack %s", logicalID, stack.Name)
	}
	return e.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		key := signalKey(stack.UUID, logicalID)
		s, err := e.signals().Get(ctx, scope, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if _, again := s.By[uniqueID]; again {
			return nil
		}
		if s.By == nil {
			s.By = map[string]types.ResourceSignalStatus{}
		}
		s.By[uniqueID] = status
		if err := e.signals().Put(ctx, scope, key, s); err != nil {
			return err
		}
		return e.ledger.AppendEvents(ctx, scope, stack.UUID, []ledger.Event{{
			ID: e.host.NewID(), Time: e.host.Now(), LogicalID: logicalID, Physical: row.Now.Physical, Type: row.Type, Status: row.Status,
			Reason: fmt.Sprintf("Received %s signal with UniqueId %s", status, uniqueID), Operation: row.Operation,
		}})
	})
}

// awaitSignals holds a resource up that was made until the signals came that
// its CreationPolicy wants. What was made is recorded first, so that the wait
// goes on, to the same deadline, when the process dies.
func (r *run) awaitSignals(ctx context.Context, s *step, result resource.Result, began types.ResourceStatus) error {
	policy, err := r.model.creationPolicy(s.want.id, r.answers(ctx))
	if err != nil || policy.count == 0 {
		return err
	}
	row, key := s.row, signalKey(r.stack.UUID, s.want.id)
	row.Now.Physical, row.Now.Attributes = result.Physical, result.Attributes
	row.Now.Changed()
	if row.Reason != initiated {
		r.set(row, began, initiated)
		if err := r.rec.Record(ctx, ledger.Entry{Rows: []*ledger.Resource{row}, Events: []ledger.Event{r.event(row, result.Physical, initiated)}}); err != nil {
			return err
		}
	}
	deadline, err := r.beginWait(ctx, key, policy.timeout)
	if err != nil {
		return err
	}
	var got signals
	late, err := resource.Await(ctx, r.e.host.Now, deadline, r.halt.C, func() (bool, error) {
		var err error
		if got, err = r.e.signals().Get(ctx, r.scope, key); err != nil {
			return false, err
		}
		return policy.decided(got.By)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if gone := r.e.signals().Delete(context.WithoutCancel(ctx), r.scope, key); gone != nil && err == nil {
		err = gone
	}
	if late && err == nil {
		err = policy.late(got.By)
	}
	return err
}

// beginWait gives the deadline of a wait: the one that a process set which
// died, or a new one. Signals that came before the wait count.
func (r *run) beginWait(ctx context.Context, key string, timeout time.Duration) (time.Time, error) {
	var deadline time.Time
	err := r.e.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		s, err := r.e.signals().Get(ctx, r.scope, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if s.Deadline.IsZero() {
			s.Deadline = r.e.host.Now().Add(timeout)
		}
		deadline = s.Deadline
		return r.e.signals().Put(ctx, r.scope, key, s)
	})
	return deadline, err
}
