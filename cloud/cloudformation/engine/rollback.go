package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
)

// rollback takes an operation back.
func (r *run) rollback(ctx context.Context) error {
	switch r.op.Kind {
	case ledger.Create:
		return r.rollbackCreate(ctx)
	case ledger.Adopt:
		return r.rollbackImport(ctx)
	}
	return r.rollbackUpdate(ctx)
}

// rollbackCreate deletes what a creation made.
func (r *run) rollbackCreate(ctx context.Context) error {
	r.remove(ctx, r.living(r.all()...), r.retainedInVain)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if reason := r.failures(); reason != "" {
		return r.move(ctx, transition{status: types.StackStatusRollbackFailed, reason: reason})
	}
	return r.move(ctx, transition{status: types.StackStatusRollbackComplete, also: r.forgetNewImports})
}

// rollbackUpdate brings every resource that the update touched back to its
// former version; what the update made is deleted afterwards.
func (r *run) rollbackUpdate(ctx context.Context) error {
	var ids []string
	for id, row := range r.rows {
		if row.Operation == r.op.ID && row.Former != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	walk(ids, func(id string) []string { return r.rows[id].Former.DependsOn }, width, never, func(id string) bool {
		return ctx.Err() == nil && r.restore(ctx, r.row(id))
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if reason := r.failures(); reason != "" {
		return r.move(ctx, transition{phase: ledger.Stopped, status: types.StackStatusUpdateRollbackFailed, reason: reason})
	}
	t := transition{phase: ledger.RollbackCleanup, status: types.StackStatusUpdateRollbackCompleteCleanupInProgress}
	outputs := r.stack.Outputs
	if r.op.Hold { // the update had succeeded, and its outputs were in force
		var err error
		if outputs, err = r.formerOutputs(ctx); err != nil {
			return err
		}
	}
	t.change = func(s *ledger.Stack) {
		s.Revision, s.Outputs = *r.op.Before, outputs
	}
	t.also = func(ctx context.Context) error {
		if r.op.Hold {
			if err := r.writeExports(ctx, outputs); err != nil {
				return err
			}
		}
		return r.forgetNewImports(ctx)
	}
	return r.move(ctx, t)
}

// restore brings one resource back.
func (r *run) restore(ctx context.Context, row *ledger.Resource) bool {
	former := *row.Former
	touched := row.Now.Hash != former.Hash || row.Now.Tags != former.Tags || row.Status == types.ResourceStatusUpdateInProgress
	kind, err := r.e.kinds.Find(row.Type)
	switch {
	case err != nil:
	case row.Replaced() && !kind.Moves:
		row.Discard = append(row.Discard, row.Now)
		row.Now, row.Former = former, nil
		r.set(row, types.ResourceStatusUpdateComplete, "")
		return r.recorded(ctx, row, r.event(row, row.Now.Physical, ""))
	case !touched && kind.Revert == nil, r.skips(row.LogicalID):
		row.Now, row.Former = former, nil
		r.set(row, types.ResourceStatusUpdateComplete, "")
		return r.recorded(ctx, row)
	}
	r.set(row, types.ResourceStatusUpdateInProgress, "")
	if !r.recorded(ctx, row, r.event(row, former.Physical, "")) {
		return false
	}
	result := resource.Result{}
	if err == nil {
		result, err = r.revert(ctx, row, kind)
	}
	if err != nil {
		if ctx.Err() != nil {
			return false
		}
		reason := resource.Reason(err, r.op.ID)
		r.set(row, types.ResourceStatusUpdateFailed, reason)
		r.fail("update", row.LogicalID)
		r.recorded(ctx, row, r.event(row, former.Physical, reason))
		return false
	}
	if err == nil && kind.Moves {
		if result.Physical != row.Now.Physical {
			row.Discard = append(row.Discard, row.Now)
		}
		former.Physical, former.Hidden = result.Physical, result.Hidden
	}
	former.Attributes = result.Attributes
	former.Changed()
	row.Now, row.Former = former, nil
	r.set(row, types.ResourceStatusUpdateComplete, "")
	return r.recorded(ctx, row, r.event(row, former.Physical, ""))
}

// revert has the handler set a resource to its former properties.
func (r *run) revert(ctx context.Context, row *ledger.Resource, kind *resource.Kind) (resource.Result, error) {
	target := *row.Former
	target.Attributes = row.Now.Attributes
	req := r.request(row, &target, &row.Now)
	if r.op.Before != nil {
		req.Tags, req.FormerTags = r.tags(row, r.op.Before.Tags), r.tags(row, r.stack.Tags)
	}
	req.Retry, req.Rollback, req.Cancelled, req.Token = true, true, never, req.Token+"-rollback"
	req.Started = func(context.Context, string) error { return nil }
	if kind.Moves {
		req.Physical = row.Now.Physical
	}
	if err := r.revealAll(ctx, req); err != nil {
		return resource.Result{}, err
	}
	if kind.Revert != nil {
		return kind.Revert(ctx, req)
	}
	return kind.Update(ctx, req)
}

// rollbackCleanup deletes what an update made in vain.
func (r *run) rollbackCleanup(ctx context.Context) error {
	var made []string
	for id, row := range r.rows {
		if row.Now.MadeBy == r.op.ID {
			made = append(made, id)
		}
	}
	r.remove(ctx, r.living(slices.Clone(made)...), r.retainedInVain)
	var rows []*ledger.Resource
	for _, id := range slices.Sorted(maps.Keys(r.rows)) {
		row := r.rows[id]
		if len(row.Discard) == 0 || row.Operation != r.op.ID {
			continue
		}
		if !r.discard(ctx, row, unpolicied(row.Discard)) {
			r.fail("delete", id)
		}
		row.Discard = nil
		rows = append(rows, row)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	reason := ""
	if r.failures() != "" {
		reason = "Rollback successful. One or more resources could not be deleted."
	}
	return r.move(ctx, transition{status: types.StackStatusUpdateRollbackComplete, reason: reason, drop: made, rows: rows})
}

// unpolicied are versions without the wish to be kept: an UpdateReplacePolicy
// speaks of what is replaced, and these were the replacements.
func unpolicied(versions []ledger.Version) []ledger.Version {
	out := slices.Clone(versions)
	for i := range out {
		out[i].ReplacePolicy = ""
	}
	return out
}
