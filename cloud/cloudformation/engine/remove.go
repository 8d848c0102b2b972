package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
)

// never is a stop that does not come: deletions go on as far as they can.
var never = make(chan struct{})

// removal decides whether a resource that has to go is deleted or kept.
type removal func(row *ledger.Resource) (keep bool)

// remove deletes resources, each after those that depend on it.
func (r *run) remove(ctx context.Context, ids []string, keep removal) {
	slices.Sort(ids)
	dependsOn := func(id string) []string { return r.rows[id].Now.DependsOn }
	walk(ids, reversed(ids, dependsOn), width, never, func(id string) bool {
		return ctx.Err() == nil && r.removeOne(ctx, r.row(id), keep(r.row(id)))
	})
}

func (r *run) removeOne(ctx context.Context, row *ledger.Resource, keep bool) bool {
	before := row.Status
	physical := row.Now.Physical
	if physical == "" && (before == types.ResourceStatusCreateInProgress || before == types.ResourceStatusDeleteInProgress) {
		physical = row.Now.Name // the process died during the call that made it
	}
	if keep && physical != "" {
		r.set(row, types.ResourceStatusDeleteSkipped, "")
		return r.recorded(ctx, row, r.event(row, physical, ""))
	}
	if physical != "" {
		reason := snapshotReason(row.Now.DeletionPolicy)
		r.set(row, types.ResourceStatusDeleteInProgress, reason)
		if !r.recorded(ctx, row, r.event(row, physical, reason)) {
			return false
		}
		v := row.Now
		v.Physical = physical
		if err := r.destroy(ctx, row, &v); err != nil {
			if ctx.Err() != nil {
				return false
			}
			reason := resource.Reason(err, r.op.ID)
			r.set(row, types.ResourceStatusDeleteFailed, reason)
			r.fail("delete", row.LogicalID)
			r.recorded(ctx, row, r.event(row, physical, reason))
			return false
		}
	}
	r.set(row, types.ResourceStatusDeleteComplete, "")
	return r.recorded(ctx, row, r.event(row, physical, ""))
}

func (r *run) recorded(ctx context.Context, row *ledger.Resource, events ...ledger.Event) bool {
	err := r.rec.Record(ctx, ledger.Entry{Rows: []*ledger.Resource{row}, Events: events})
	if err != nil && ctx.Err() == nil {
		r.e.host.Log().Error("recording a resource", "stack", r.stack.Name, "resource", row.LogicalID, "error", err)
	}
	return err == nil
}

// destroy has the handler delete a physical resource.
func (r *run) destroy(ctx context.Context, row *ledger.Resource, v *ledger.Version) error {
	kind, err := r.e.kinds.Find(row.Type)
	if err != nil {
		return err
	}
	// Properties stay unrevealed: a secret that is gone must not keep a resource alive.
	return kind.Delete(ctx, r.request(row, v, nil))
}

// discard deletes physical resources that are no longer a row's own; they were
// replaced, or made for a replacement that was taken back.
func (r *run) discard(ctx context.Context, row *ledger.Resource, versions []ledger.Version) bool {
	ok := true
	for i := range versions {
		v := &versions[i]
		if v.Physical == "" {
			continue
		}
		shadow := *row // the row itself keeps its status
		if v.ReplacePolicy == retain {
			r.set(&shadow, types.ResourceStatusDeleteSkipped, "")
			ok = r.recorded(ctx, row, r.event(&shadow, v.Physical, "")) && ok
			continue
		}
		reason := snapshotReason(v.ReplacePolicy)
		r.set(&shadow, types.ResourceStatusDeleteInProgress, reason)
		ok = r.recorded(ctx, row, r.event(&shadow, v.Physical, reason)) && ok
		if err := r.destroy(ctx, row, v); err != nil {
			reason := resource.Reason(err, r.op.ID)
			r.set(&shadow, types.ResourceStatusDeleteFailed, reason)
			r.recorded(ctx, row, r.event(&shadow, v.Physical, reason))
			ok = false
			continue
		}
		r.set(&shadow, types.ResourceStatusDeleteComplete, "")
		ok = r.recorded(ctx, row, r.event(&shadow, v.Physical, "")) && ok
	}
	return ok
}

const (
	retain               = "Retain"
	retainExceptOnCreate = "RetainExceptOnCreate"
	snapshot             = "Snapshot"
)

// snapshotReason says what becomes of the wish for a snapshot: all types that
// have them are recorded, and there is nothing to take one of.
func snapshotReason(policy string) string {
	if policy == snapshot {
		return "The policy asks for a snapshot, and the local cloud takes none."
	}
	return ""
}

// retained is the rule for resources that have proven themselves.
func retained(row *ledger.Resource) bool {
	return row.Now.DeletionPolicy == retain || row.Now.DeletionPolicy == retainExceptOnCreate
}

// retainedInVain is the rule for resources of an operation that is taken back.
// What it had taken over instead of making stays where it was.
func (r *run) retainedInVain(row *ledger.Resource) bool {
	return row.Now.Imported == r.op.ID || row.Now.DeletionPolicy == retain && !r.op.RetainExceptOnCreate
}

// living are those of the resources that have not been deleted, or left behind, yet.
func (r *run) living(of ...string) []string {
	return slices.DeleteFunc(of, func(id string) bool {
		status := r.rows[id].Status
		return status == types.ResourceStatusDeleteComplete || status == types.ResourceStatusDeleteSkipped
	})
}

func (r *run) all() []string { return slices.Collect(maps.Keys(r.rows)) }

// deleting is the whole of a deletion.
func (r *run) deleting(ctx context.Context) error {
	if used := r.exportInUse(ctx); used != "" && r.op.Kind == ledger.Delete {
		return r.move(ctx, transition{status: r.op.Was, reason: used})
	}
	r.remove(ctx, r.living(r.all()...), func(row *ledger.Resource) bool {
		if r.op.Kind == ledger.Create {
			return r.retainedInVain(row)
		}
		return retained(row) || slices.Contains(r.op.Retain, row.LogicalID)
	})
	for _, id := range slices.Sorted(maps.Keys(r.rows)) {
		row := r.rows[id]
		stale := row.Discard
		if row.Former != nil && row.Replaced() {
			stale = append(stale, *row.Former)
		}
		if len(stale) > 0 && !r.discard(ctx, row, stale) {
			r.fail("delete", id)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if reason := r.failures(); reason != "" {
		return r.move(ctx, transition{status: types.StackStatusDeleteFailed, reason: reason})
	}
	return r.move(ctx, transition{
		status: types.StackStatusDeleteComplete,
		change: func(s *ledger.Stack) { s.Deleted, s.Imports = r.e.host.Now(), nil },
		also:   r.forget,
	})
}

// forget gives back what a deleted stack held: its name, exports and imports.
func (r *run) forget(ctx context.Context) error {
	l := r.e.ledger
	if err := l.Names.Delete(ctx, r.scope, r.stack.Name); err != nil {
		return err
	}
	for _, o := range r.stack.Outputs {
		if o.Export != "" {
			if err := l.Exports.Delete(ctx, r.scope, o.Export); err != nil {
				return err
			}
		}
	}
	imports := maps.Clone(r.imports)
	for _, name := range r.stack.Imports {
		imports[name] = true
	}
	for name := range imports {
		if err := l.ForgetImport(ctx, r.scope, name, r.stack); err != nil {
			return err
		}
	}
	if r.stack.Parent != "" {
		return l.Nested.Delete(ctx, r.scope, r.stack.Name)
	}
	return nil
}
