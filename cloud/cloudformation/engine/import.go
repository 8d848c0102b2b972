package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/door"
)

// adopt takes a resource over that exists instead of making it. An operation
// that fails leaves it behind as it was, apart from the stack's tags.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html
func (r *run) adopt(ctx context.Context, s *step, im ledger.Import) error {
	next := s.want.version
	next.MadeBy, next.Imported, next.Suffix = r.op.ID, r.op.ID, resource.NewSuffix()
	row := &ledger.Resource{LogicalID: s.want.id, Type: s.kind.Type, Now: next, Metadata: s.want.metadata}
	if s.row != nil {
		row.Discard = s.row.Discard
	}
	s.row = row
	r.mu.Lock()
	r.rows[s.want.id] = row
	r.mu.Unlock()
	r.set(row, types.ResourceStatusImportInProgress, "Resource import started.")
	event := r.event(row, im.Physical(), row.Reason)
	event.Properties = s.want.shown
	if err := r.rec.Record(ctx, ledger.Entry{Rows: []*ledger.Resource{row}, Events: []ledger.Event{event}}); err != nil {
		return err
	}
	physical, err := resource.Find(ctx, r.clients.Config, s.kind.Type, im.Identifier)
	if err != nil {
		return err
	}
	row.Now.Physical = physical
	row.Now.Name = physical
	if name, given := s.kind.NameFor("", "", "", next.Properties); given {
		row.Now.Name = name
	}
	r.set(row, types.ResourceStatusImportComplete, "Resource import completed.")
	if !r.recorded(ctx, row, r.event(row, physical, row.Reason)) {
		return ctx.Err()
	}
	return r.settleImport(ctx, s)
}

// settleImport sets the stack's tags on an imported resource, by an update
// that changes nothing else, which also tells its attributes.
func (r *run) settleImport(ctx context.Context, s *step) error {
	row := s.row
	r.set(row, types.ResourceStatusUpdateInProgress, "Apply stack-level tags to imported resource if applicable.")
	if !r.recorded(ctx, row, r.event(row, row.Now.Physical, row.Reason)) {
		return ctx.Err()
	}
	s.change = inPlace
	former := row.Now
	former.Tags = ""
	row.Former = &former
	result, err := r.call(ctx, s, s.kind.Update, false)
	row.Former = nil
	if err != nil {
		return err
	}
	row.Now.Physical, row.Now.Attributes = result.Physical, result.Attributes
	row.Now.Changed()
	r.set(row, types.ResourceStatusUpdateComplete, "")
	return r.rec.Record(ctx, ledger.Entry{Rows: []*ledger.Resource{row}, Events: []ledger.Event{r.event(row, row.Now.Physical, "")}})
}

// disown forgets what an operation had taken over.
func (r *run) disown(ctx context.Context) (dropped []string) {
	for _, id := range slices.Sorted(maps.Keys(r.rows)) {
		row := r.rows[id]
		if row.Now.Imported != r.op.ID || row.Now.MadeBy != r.op.ID {
			continue
		}
		r.set(row, types.ResourceStatusImportRollbackInProgress, "")
		begun := r.event(row, row.Now.Physical, "")
		r.set(row, types.ResourceStatusImportRollbackComplete, "")
		r.recorded(ctx, row, begun, r.event(row, row.Now.Physical, ""))
		dropped = append(dropped, id)
	}
	return dropped
}

// rollbackImport ends an operation that only imports: nothing else was changed.
func (r *run) rollbackImport(ctx context.Context) error {
	dropped := r.disown(ctx)
	for id, row := range r.rows {
		if row.Operation == r.op.ID && row.Former == nil && !slices.Contains(dropped, id) && row.Now.Physical == "" {
			dropped = append(dropped, id)
		}
	}
	slices.Sort(dropped)
	change := func(s *ledger.Stack) {
		if r.op.Before != nil {
			s.Revision = *r.op.Before
		}
	}
	return r.move(ctx, transition{status: types.StackStatusImportRollbackComplete, change: change, drop: dropped})
}

// Existing finds, of the resources that a plan adds, those that are there
// already under the names that the template gives them.
func (e *Engine) Existing(ctx context.Context, caller door.Caller, rev ledger.Revision, m *Model, plan Plan) (map[string]ledger.Import, error) {
	cfg := e.Config(caller, rev.RoleARN)
	found := map[string]ledger.Import{}
	for _, c := range plan.Changes {
		id, name := *c.LogicalResourceId, *c.ResourceType
		if c.Action != types.ChangeActionAdd {
			continue
		}
		identifier, ok := resource.CanBeNamed(name, m.known(id))
		if !ok {
			continue
		}
		if _, err := resource.Find(ctx, cfg, name, identifier); err == nil {
			found[id] = ledger.Import{Type: name, Identifier: identifier}
		} else if ctx.Err() != nil {
			return nil, fmt.Errorf("looking for %q: %w", id, ctx.Err())
		}
	}
	return found, nil
}

// known are the properties of a resource that can be told before there are resources.
func (m *Model) known(id string) map[string]any {
	res := m.Resources[id]
	known := map[string]any{}
	if res.Properties == nil {
		return known
	}
	for i, key := range res.Properties.Keys {
		if v, err := m.Template.Eval(res.Properties.Items[i], &m.env); err == nil && v != nil {
			known[key.Text] = v
		}
	}
	return known
}
