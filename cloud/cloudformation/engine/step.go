package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/spec"
	"ouro/template"
)

// step is the work on one resource on the way forward.
type step struct {
	row    *ledger.Resource
	kind   *resource.Kind
	want   wanted
	base   *ledger.Version // what was there before this operation; nil for nothing
	begun  bool            // by a process that died
	change change
}

// change is what has to be done about a resource.
type change uint8

const (
	unchanged change = iota
	quiet            // only what no service needs to hear of: policies, dependencies
	inPlace
	replace
	create
)

// apply brings one resource to what the new revision says, and tells whether
// what depends on it may follow.
func (r *run) apply(ctx context.Context, id string) bool {
	s := &step{row: r.row(id)}
	err := r.prepare(ctx, id, s)
	if err == nil {
		err = r.carryOut(ctx, s)
	}
	if err == nil {
		return true
	}
	if ctx.Err() == nil {
		r.stepFailed(ctx, id, s, err)
	}
	return false
}

func (r *run) row(id string) *ledger.Resource {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.rows[id]
}

// prepare evaluates the resource and decides what is to be done.
func (r *run) prepare(ctx context.Context, id string, s *step) error {
	res := r.model.Resources[id]
	var err error
	if s.kind, err = r.e.kinds.Find(res.Type); err != nil {
		return err
	}
	s.base, s.begun = r.base(s.row)
	if s.row != nil && s.begun && settled(s.row.Status) {
		return nil // done by a process that died later
	}
	if s.want, err = r.model.want(id, r.answers(ctx)); err != nil {
		return err
	}
	if !s.kind.Untagged {
		s.want.version.Tags = tagHash(r.stack.Tags)
	}
	if s.change, err = decide(s.kind, s.base, s.want.version, s.row, s.want.metadata); err != nil {
		return err
	}
	if s.kind.Stale != nil && s.change <= quiet {
		stale, err := s.kind.Stale(ctx, r.request(s.row, s.base, nil))
		if err != nil {
			return err
		}
		if stale {
			s.change = inPlace
		}
	}
	return r.permit(id, res.Type, policyVerbs[s.change])
}

// base is what was there of a resource before this operation, and whether the
// operation has worked on it already.
func (r *run) base(row *ledger.Resource) (base *ledger.Version, begun bool) {
	switch {
	case row == nil:
		return nil, false
	case row.Operation == r.op.ID:
		return row.Former, true
	case row.Now.Physical == "" || row.Status == types.ResourceStatusDeleteComplete || row.Status == types.ResourceStatusDeleteSkipped:
		return nil, false
	}
	v := row.Now
	if row.Status == types.ResourceStatusUpdateFailed || row.Status == types.ResourceStatusCreateFailed {
		v.Hash = "" // of unknown state: to be set again
	}
	return &v, false
}

func settled(s types.ResourceStatus) bool {
	return s == types.ResourceStatusCreateComplete || s == types.ResourceStatusUpdateComplete
}

// decide compares what is there with what is wanted.
func decide(kind *resource.Kind, base *ledger.Version, want ledger.Version, row *ledger.Resource, metadata string) (change, error) {
	if base == nil {
		return create, nil
	}
	if base.Hash == want.Hash {
		switch {
		case base.Tags != want.Tags || row.Metadata != metadata:
			return inPlace, nil
		case base.DeletionPolicy != want.DeletionPolicy || base.ReplacePolicy != want.ReplacePolicy || !slices.Equal(base.DependsOn, want.DependsOn):
			return quiet, nil
		}
		return unchanged, nil
	}
	if !slices.ContainsFunc(differences(base.Properties, want.Properties, nil), func(d difference) bool {
		return kind.ReplacesAt(d.path, d.was, d.now) == spec.ReplaceAlways
	}) {
		return inPlace, nil
	}
	if name, given := kind.NameFor("", "", "", want.Properties); given && name == base.Name && !kind.Shared {
		return replace, resource.Sayf("CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename %s and update the stack again.", base.Physical)
	}
	return replace, nil
}

func tagHash(tags []ledger.Tag) string {
	if len(tags) == 0 {
		return ""
	}
	m := map[string]string{}
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return template.Hash(canonical(m))
}

// carryOut does what prepare decided.
func (r *run) carryOut(ctx context.Context, s *step) error {
	switch s.change {
	case unchanged:
		return nil
	case quiet:
		s.row.Former, s.row.Operation = s.base, r.op.ID
		s.row.Now.DeletionPolicy, s.row.Now.ReplacePolicy, s.row.Now.DependsOn = s.want.version.DeletionPolicy, s.want.version.ReplacePolicy, s.want.version.DependsOn
		return r.rec.Record(ctx, ledger.Entry{Rows: []*ledger.Resource{s.row}})
	case inPlace:
		return r.update(ctx, s)
	}
	if im, exists := r.op.Imports[s.want.id]; exists && s.change == create {
		return r.adopt(ctx, s, im)
	}
	return r.create(ctx, s)
}

// create makes a resource, a new one or one that takes another's place.
func (r *run) create(ctx context.Context, s *step) error {
	id, next := s.want.id, s.want.version
	next.MadeBy = r.op.ID
	retry := s.begun && s.row.Now.MadeBy == r.op.ID && s.row.Now.Suffix != ""
	if retry {
		next.Suffix, next.Name, next.Physical = s.row.Now.Suffix, s.row.Now.Name, s.row.Now.Physical
	} else {
		next.Suffix = cmp.Or(r.op.Suffixes[id], resource.NewSuffix())
		next.Name, _ = s.kind.NameFor(r.stack.Name, id, next.Suffix, next.Properties)
	}
	row := &ledger.Resource{LogicalID: id, Type: s.kind.Type, Now: next, Former: s.base, Metadata: s.want.metadata}
	if s.row != nil {
		row.Discard = s.row.Discard
	}
	began, ended, reason := types.ResourceStatusCreateInProgress, types.ResourceStatusCreateComplete, ""
	if s.change == replace {
		began, ended = types.ResourceStatusUpdateInProgress, types.ResourceStatusUpdateComplete
		reason = "Requested update requires the creation of a new physical resource; hence creating one."
	}
	s.row = row
	r.mu.Lock()
	r.rows[id] = row
	r.mu.Unlock()
	r.set(row, began, reason)
	event := r.event(row, "", reason)
	event.Properties = s.want.shown
	if err := r.rec.Record(ctx, ledger.Entry{Rows: []*ledger.Resource{row}, Events: []ledger.Event{event}}); err != nil {
		return err
	}
	result, err := r.call(ctx, s, s.kind.Create, retry)
	if err == nil {
		err = r.awaitSignals(ctx, s, result, began)
	}
	if err != nil {
		return err
	}
	return r.complete(ctx, s, result, ended, began)
}

// update changes a resource in place.
func (r *run) update(ctx context.Context, s *step) error {
	row := s.row
	former := *s.base
	next := s.want.version
	next.Suffix, next.Name, next.Physical, next.Attributes, next.MadeBy = former.Suffix, former.Name, former.Physical, former.Attributes, former.MadeBy
	row.Former, row.Now, row.Metadata = &former, next, s.want.metadata
	r.set(row, types.ResourceStatusUpdateInProgress, "")
	event := r.event(row, row.Now.Physical, "")
	event.Properties = s.want.shown
	if err := r.rec.Record(ctx, ledger.Entry{Rows: []*ledger.Resource{row}, Events: []ledger.Event{event}}); err != nil {
		return err
	}
	result := resource.Result{Physical: row.Now.Physical, Attributes: row.Now.Attributes}
	if former.Hash != next.Hash || former.Tags != next.Tags || s.kind.Stale != nil {
		var err error
		if result, err = r.call(ctx, s, s.kind.Update, s.begun); err != nil {
			return err
		}
	}
	return r.complete(ctx, s, result, types.ResourceStatusUpdateComplete, "")
}

// complete records the end of a step. began is set for resources that were
// made, whose existence is news of its own.
func (r *run) complete(ctx context.Context, s *step, result resource.Result, ended, began types.ResourceStatus) error {
	row := s.row
	var events []ledger.Event
	if began != "" && row.Reason != initiated {
		r.set(row, began, initiated)
		events = append(events, r.event(row, result.Physical, initiated))
	}
	if s.kind.Moves && began == "" && result.Physical != row.Now.Physical {
		row.Now.Suffix, row.Now.MadeBy = resource.NewSuffix(), r.op.ID
		r.set(row, types.ResourceStatusUpdateInProgress, moved)
		events = append(events, r.event(row, result.Physical, moved))
	}
	row.Now.Physical, row.Now.Attributes, row.Now.Hidden = result.Physical, result.Attributes, result.Hidden
	row.Now.Changed()
	r.set(row, ended, "")
	events = append(events, r.event(row, result.Physical, ""))
	return r.rec.Record(ctx, ledger.Entry{Rows: []*ledger.Resource{row}, Events: events})
}

const (
	initiated = "Resource creation Initiated"
	moved     = "Requested update required the provider to create a new physical resource"
)

// call has the handler make or change the resource of a step.
func (r *run) call(ctx context.Context, s *step, do func(context.Context, *resource.Request) (resource.Result, error), retry bool) (resource.Result, error) {
	former := s.row.Former
	if s.change == replace {
		former = nil // the new one starts from nothing
	}
	req := r.request(s.row, &s.row.Now, former)
	req.Retry, req.Cancelled = retry, r.halt.C
	began := s.row.Status
	req.Started = func(ctx context.Context, physical string) error {
		s.row.Now.Physical = physical
		if s.change < replace || s.row.Reason == initiated {
			return nil
		}
		r.set(s.row, began, initiated)
		return r.rec.Record(ctx, ledger.Entry{Rows: []*ledger.Resource{s.row}, Events: []ledger.Event{r.event(s.row, physical, initiated)}})
	}
	if err := r.revealAll(ctx, req); err != nil {
		return resource.Result{}, err
	}
	result, err := do(ctx, req)
	if err != nil {
		s.row.Now.Physical = req.Physical
	}
	return result, err
}

// stepFailed records why a resource could not be made or changed, and stops
// the way forward.
func (r *run) stepFailed(ctx context.Context, id string, s *step, err error) {
	verb, status := "create", types.ResourceStatusCreateFailed
	if s.base != nil {
		verb, status = "update", types.ResourceStatusUpdateFailed
	}
	reason := resource.Reason(err, r.op.ID)
	if errors.Is(err, resource.ErrCancelled) {
		reason = "Resource " + map[string]string{"create": "creation", "update": "update"}[verb] + " cancelled"
	}
	row := s.row
	if row != nil && row.Now.Imported == r.op.ID {
		verb, status = "import", types.ResourceStatusImportFailed
	}
	if row == nil {
		res := r.model.Resources[id]
		row = &ledger.Resource{LogicalID: id, Type: res.Type, Now: ledger.Version{MadeBy: r.op.ID}}
		r.mu.Lock()
		r.rows[id] = row
		r.mu.Unlock()
	}
	if row.Operation != r.op.ID { // it failed before it began
		row.Former = s.base
	}
	r.set(row, status, reason)
	// AWS lists what it cancelled along with what it was cancelled for.
	if !errors.Is(err, resource.ErrCancelled) || r.halt.reason == "" {
		r.fail(verb, id)
	}
	r.halt.stop("", false)
	if err := r.rec.Record(ctx, ledger.Entry{Rows: []*ledger.Resource{row}, Events: []ledger.Event{r.event(row, row.Now.Physical, reason)}}); err != nil && ctx.Err() == nil {
		r.e.host.Log().Error("recording a failed resource", "stack", r.stack.Name, "resource", id, "error", err)
	}
}
