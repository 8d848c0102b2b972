package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/store"
)

// exportError is an export that cannot be made, changed or taken away.
type exportError struct{ message string }

func (e *exportError) Error() string { return e.message }

// succeed ends the way forward: outputs and exports come into force.
func (r *run) succeed(ctx context.Context) error {
	outputs, err := r.model.Outputs(r.answers(ctx))
	if err != nil {
		return r.giveUp(ctx, err.Error())
	}
	t := transition{
		status: types.StackStatusCreateComplete,
		change: func(s *ledger.Stack) {
			s.Outputs, s.Imports = outputs, slices.Sorted(maps.Keys(r.imports))
		},
		also: func(ctx context.Context) error {
			if err := r.checkExports(ctx, outputs); err != nil {
				return err
			}
			if err := r.writeExports(ctx, outputs); err != nil {
				return err
			}
			return r.forgetOldImports(ctx)
		},
	}
	if r.op.Kind == ledger.Adopt {
		t.status = types.StackStatusImportComplete
	}
	if r.op.Kind == ledger.Update {
		t.phase, t.status = ledger.Cleanup, types.StackStatusUpdateCompleteCleanupInProgress
		if r.op.Hold {
			t.phase = ledger.Held
		}
	}
	err = r.move(ctx, t)
	var refused *exportError
	if errors.As(err, &refused) {
		return r.giveUp(ctx, refused.message)
	}
	return err
}

// Outputs evaluates the outputs that the conditions leave.
func (m *Model) Outputs(a answers) ([]ledger.Output, error) {
	env := m.env
	env.Ref, env.GetAtt, env.Import = a.ref, a.shown, a.imp
	var out []ledger.Output
	for _, o := range m.Template.Outputs() {
		if o.Condition != "" && !env.Conditions[o.Condition] {
			continue
		}
		value, err := m.Template.Eval(o.Value, &env)
		if err != nil {
			return nil, err
		}
		output := ledger.Output{Key: o.Name, Value: outputText(value), Description: o.Description}
		if o.Export != nil {
			name, err := m.Template.Eval(o.Export, &env)
			if err != nil {
				return nil, err
			}
			output.Export = outputText(name)
		}
		out = append(out, output)
	}
	return out, nil
}

func outputText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any: // CloudFormation wants strings, and joins what is a list
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = outputText(item)
		}
		return strings.Join(parts, ",")
	}
	return strings.Trim(string(canonical(v)), `"`)
}

func exportsOf(outputs []ledger.Output) map[string]string {
	m := map[string]string{}
	for _, o := range outputs {
		if o.Export != "" {
			m[o.Export] = o.Value
		}
	}
	return m
}

// checkExports holds the new outputs against the exports of other stacks and
// against those who use the present ones.
func (r *run) checkExports(ctx context.Context, outputs []ledger.Output) error {
	now, was := exportsOf(outputs), exportsOf(r.stack.Outputs)
	for _, name := range slices.Sorted(maps.Keys(now)) {
		e, err := r.e.ledger.Exports.Get(ctx, r.scope, name)
		if err == nil && e.StackID != r.stack.ID {
			return &exportError{fmt.Sprintf("Export with name %s is already exported by stack %s", name, e.StackName)}
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		value, kept := now[name]
		if kept && value == was[name] {
			continue
		}
		verb := "deleted"
		if kept {
			verb = "updated"
		}
		users, err := r.users(ctx, name)
		if err != nil {
			return err
		}
		if users != "" {
			return &exportError{fmt.Sprintf("Export %s cannot be %s as it is in use by %s", name, verb, users)}
		}
	}
	return nil
}

// users are the names of the stacks that use an export: "a, b and c".
func (r *run) users(ctx context.Context, export string) (string, error) {
	importers, err := r.e.ledger.Importers(ctx, r.scope, export, 0)
	if err != nil || len(importers) == 0 {
		return "", err
	}
	names := make([]string, len(importers))
	for i, im := range importers {
		names[i] = im.StackName
	}
	slices.Sort(names)
	last := len(names) - 1
	if last == 0 {
		return names[0], nil
	}
	return strings.Join(names[:last], ", ") + " and " + names[last], nil
}

// exportInUse says which export keeps the stack from being deleted, or nothing.
func (r *run) exportInUse(ctx context.Context) string {
	err := r.checkExports(ctx, nil)
	var refused *exportError
	if errors.As(err, &refused) {
		return refused.message
	}
	return ""
}

// writeExports brings the table of exports from the stack's outputs to others.
func (r *run) writeExports(ctx context.Context, outputs []ledger.Output) error {
	now, was := exportsOf(outputs), exportsOf(r.stack.Outputs)
	for name := range was {
		if _, kept := now[name]; !kept {
			if err := r.e.ledger.Exports.Delete(ctx, r.scope, name); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
	}
	for name, value := range now {
		e := ledger.Export{Name: name, Value: value, StackID: r.stack.ID, StackName: r.stack.Name}
		if err := r.e.ledger.Exports.Put(ctx, r.scope, name, e); err != nil {
			return err
		}
	}
	return nil
}

// forgetOldImports drops the imports that the new revision does without.
func (r *run) forgetOldImports(ctx context.Context) error {
	for _, name := range r.stack.Imports {
		if !r.imports[name] {
			if err := r.e.ledger.ForgetImport(ctx, r.scope, name, r.stack); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetNewImports drops the imports that only the revision had that is taken back.
func (r *run) forgetNewImports(ctx context.Context) error {
	for name := range r.imports {
		if !slices.Contains(r.stack.Imports, name) {
			if err := r.e.ledger.ForgetImport(ctx, r.scope, name, r.stack); err != nil {
				return err
			}
		}
	}
	return nil
}

// formerOutputs evaluates the outputs of the revision that an update started from.
func (r *run) formerOutputs(ctx context.Context) ([]ledger.Output, error) {
	model, err := r.e.Load(ctx, r.op.Caller, r.stack, *r.op.Before)
	if err != nil {
		return nil, err
	}
	return model.Outputs(r.answers(ctx))
}

// cleanup deletes what an update replaced or removed, and forgets the former
// versions. What cannot be deleted does not undo the update.
func (r *run) cleanup(ctx context.Context) error {
	if r.model == nil {
		model, err := r.e.Load(ctx, r.op.Caller, r.stack, r.stack.Revision)
		if err != nil {
			return err
		}
		r.model = model
	}
	var removed, touched []string
	for id, row := range r.rows {
		switch _, stays := r.model.Resources[id]; {
		case !stays:
			removed = append(removed, id)
		case row.Former != nil || len(row.Discard) > 0:
			touched = append(touched, id)
		}
	}
	r.remove(ctx, r.living(slices.Clone(removed)...), retained)
	slices.Sort(touched)
	before := func(id string) []string {
		if former := r.rows[id].Former; former != nil {
			return former.DependsOn
		}
		return nil
	}
	walk(touched, reversed(touched, before), width, never, func(id string) bool {
		return ctx.Err() == nil && r.settle(ctx, r.row(id))
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	reason := ""
	if r.failures() != "" {
		reason = "Update successful. One or more resources could not be deleted."
	}
	var rows []*ledger.Resource
	for _, id := range touched {
		row := r.rows[id]
		row.Former, row.Discard = nil, nil
		rows = append(rows, row)
	}
	return r.move(ctx, transition{status: types.StackStatusUpdateComplete, reason: reason, drop: removed, rows: rows})
}

// settle makes an updated resource's new version the only one. It always lets
// others go on.
func (r *run) settle(ctx context.Context, row *ledger.Resource) bool {
	stale := slices.Clone(row.Discard)
	if row.Replaced() {
		stale = append(stale, *row.Former)
	}
	if len(stale) > 0 && !r.discard(ctx, row, stale) {
		r.fail("delete", row.LogicalID)
	}
	kind, err := r.e.kinds.Find(row.Type)
	if err == nil && kind.Commit != nil && row.Former != nil && !row.Replaced() {
		if err := kind.Commit(ctx, r.request(row, &row.Now, nil)); err != nil && ctx.Err() == nil {
			r.fail("update", row.LogicalID)
		}
	}
	return true
}
