package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/template"
)

// KnownAfterApply stands for values that are known only after the change.
const KnownAfterApply = template.KnownAfterApply

// Plan is what an update would change.
type Plan struct {
	Changes []types.ResourceChange // in template order, removed ones last
	Outputs bool                   // outputs change
	Will    map[string]any         // what the outputs will be, with KnownAfterApply for what is not known
	Types   []string               // logical ids whose type differs, which is not allowed

	outline func() []types.ResourceChange
}

// Outline is Changes without values of properties, and with what may change
// for others; see outline.go.
func (p Plan) Outline() []types.ResourceChange { return p.outline() }

// NestedPlan is a nested stack that is made or changed.
type NestedPlan struct {
	LogicalID  string
	Physical   string         // empty for a new one
	Properties map[string]any // as evaluated
}

// Empty tells whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Changes) == 0 && !p.Outputs && len(p.Types) == 0 }

// planner finds the changes of one revision.
type planner struct {
	run
	ctx   context.Context
	after ledger.Revision
	fresh map[string]bool // gets a new physical resource
	// Resources that perhaps get a new one, resources that change in place,
	// and parameters with another value.
	maybe, modified, moved map[string]bool
	nested                 map[string]map[string]any // the outputs that nested stacks will have; nil for unknown
	mask                   *strings.Replacer
}

// Plan compares a revision of a stack with what is there. It changes nothing.
// The model keeps what was read, for the operation that may follow.
func (e *Engine) Plan(ctx context.Context, caller door.Caller, stack ledger.Stack, rev ledger.Revision, m *Model) (Plan, error) {
	p := &planner{ctx: ctx, after: rev, fresh: map[string]bool{}, maybe: map[string]bool{}, modified: map[string]bool{}, nested: map[string]map[string]any{}}
	p.run = run{e: e, scope: caller.Scope(), stack: stack, model: m, clients: e.clients(caller, rev.RoleARN)}
	p.op.Caller = caller
	var err error
	if p.rows, err = e.ledger.ResourcesOf(ctx, p.scope, stack.UUID); err != nil {
		return Plan{}, err
	}
	m.rows = p.rows
	if p.mask, err = p.secrets(); err != nil {
		return Plan{}, err
	}
	if p.moved, err = p.movedParameters(); err != nil {
		return Plan{}, err
	}
	changes := map[string]types.ResourceChange{}
	var plan Plan
	var failed error
	walk(m.IDs, func(id string) []string { return m.Depends[id] }, 1, never, func(id string) bool {
		if row := p.rows[id]; row != nil && row.Type != m.Resources[id].Type && row.Now.Physical != "" {
			plan.Types = append(plan.Types, id)
			return true
		}
		c, changed, err := p.compare(id)
		if err != nil {
			failed = err
			return false
		}
		if changed {
			changes[id] = c
		}
		return true
	})
	if failed != nil {
		return Plan{}, failed
	}
	plan.Changes = inOrder(m.IDs, changes)
	removals := p.removals()
	plan.outline = func() []types.ResourceChange {
		all := inOrder(m.IDs, p.outline(changes))
		for _, c := range removals {
			all = append(all, withoutValues(c))
		}
		return all
	}
	plan.Changes = append(plan.Changes, removals...)
	outputs, err := m.Outputs(p.answers())
	if err != nil {
		return Plan{}, err
	}
	plan.Outputs, plan.Will = !slices.Equal(byKey(outputs), byKey(stack.Outputs)), map[string]any{}
	for _, o := range outputs {
		plan.Will[o.Key] = o.Value
	}
	return plan, nil
}

// byKey is outputs in an order that does not depend on the template's.
func byKey(outputs []ledger.Output) []ledger.Output {
	return slices.SortedFunc(slices.Values(outputs), func(a, b ledger.Output) int { return strings.Compare(a.Key, b.Key) })
}

func inOrder(ids []string, changes map[string]types.ResourceChange) (out []types.ResourceChange) {
	for _, id := range ids {
		if c, ok := changes[id]; ok {
			out = append(out, c)
		}
	}
	return out
}

// compare finds what changes in one resource.
func (p *planner) compare(id string) (types.ResourceChange, bool, error) {
	res := p.model.Resources[id]
	c := types.ResourceChange{LogicalResourceId: aws.String(id), ResourceType: aws.String(res.Type), Action: types.ChangeActionAdd}
	kind, err := p.e.kinds.Find(res.Type)
	if err != nil {
		return c, false, err
	}
	want, err := p.model.want(id, p.answers())
	if err != nil {
		return c, false, err
	}
	if !kind.Untagged {
		want.version.Tags = tagHash(p.after.Tags)
	}
	row := p.rows[id]
	base, _ := p.base(row)
	what, err := decide(kind, base, want.version, row, want.metadata)
	if err != nil {
		what = replace // the run will say why it cannot be
	}
	if what <= quiet && base != nil && kind.Stale != nil {
		stale, err := kind.Stale(p.ctx, p.request(row, base, nil))
		if err != nil {
			return c, false, err
		}
		if stale {
			what = inPlace
		}
	}
	if what == create {
		p.fresh[id] = true
		if im, ok := p.model.Imports[id]; ok {
			c.Action, c.PhysicalResourceId = types.ChangeActionImport, aws.String(im.Physical())
		}
		c.AfterContext = p.context(want.version.Properties)
		return c, true, p.planNested(id, res.Type, "", want)
	}
	if what == unchanged {
		return c, false, nil
	}
	c.Action, c.PhysicalResourceId = types.ChangeActionModify, aws.String(base.Physical)
	c.Details = p.details(kind, base, want, row)
	if what == quiet && len(c.Details) == 0 {
		return c, false, nil
	}
	if len(c.Details) == 0 { // a nested stack whose template is another one behind the same address
		c.Details = []types.ResourceChangeDetail{{ChangeSource: types.ChangeSourceAutomatic, Evaluation: types.EvaluationTypeDynamic,
			Target: &types.ResourceTargetDefinition{Attribute: types.ResourceAttributeProperties, RequiresRecreation: types.RequiresRecreationNever}}}
	}
	if err := p.planNested(id, res.Type, base.Physical, want); err != nil {
		return c, false, err
	}
	c.BeforeContext, c.AfterContext = p.context(base.Properties), p.context(want.version.Properties)
	c.Replacement, c.Scope = replacementOf(c.Details), scopeOf(c.Details)
	p.modified[id], p.maybe[id] = true, c.Replacement == types.ReplacementConditional
	if c.Replacement == types.ReplacementTrue {
		p.fresh[id] = true
		c.PolicyAction = policyAction(base.ReplacePolicy, types.PolicyActionReplaceAndDelete, types.PolicyActionReplaceAndRetain, types.PolicyActionReplaceAndSnapshot)
	}
	return c, true, nil
}

// planNested plans what is inside a nested stack.
func (p *planner) planNested(id, resourceType, physical string, want wanted) (err error) {
	if resourceType == nestedType && p.model.Nested != nil {
		p.nested[id], err = p.model.Nested(NestedPlan{LogicalID: id, Physical: physical, Properties: want.version.Properties})
	}
	return err
}

func (p *planner) removals() []types.ResourceChange {
	var out []types.ResourceChange
	for _, id := range slices.Sorted(maps.Keys(p.rows)) {
		row := p.rows[id]
		if _, stays := p.model.Resources[id]; stays || row.Status == types.ResourceStatusDeleteComplete || row.Status == types.ResourceStatusDeleteSkipped {
			continue
		}
		out = append(out, types.ResourceChange{Action: types.ChangeActionRemove, LogicalResourceId: aws.String(id), ResourceType: aws.String(row.Type),
			PhysicalResourceId: aws.String(row.Now.Physical), BeforeContext: p.context(row.Now.Properties),
			PolicyAction: policyAction(row.Now.DeletionPolicy, types.PolicyActionDelete, types.PolicyActionRetain, types.PolicyActionSnapshot)})
	}
	return out
}

func policyAction(policy string, gone, kept, taken types.PolicyAction) types.PolicyAction {
	switch policy {
	case retain, retainExceptOnCreate:
		return kept
	case snapshot:
		return taken
	}
	return gone
}

// answers are those of the stack as it is, with a stand-in for what is not
// there yet.
func (p *planner) answers() answers {
	real := p.run.answers(p.ctx)
	return answers{
		hidden: real.hidden,
		ref: func(id string) (any, error) {
			if p.fresh[id] {
				return KnownAfterApply, nil
			}
			return real.ref(id)
		},
		getAtt: func(id, attribute string) (any, error) {
			if outputs, planned := p.nested[id]; planned {
				if v, ok := outputs[strings.TrimPrefix(attribute, "Outputs.")]; ok {
					return v, nil
				}
				return KnownAfterApply, nil
			}
			if p.fresh[id] {
				return KnownAfterApply, nil
			}
			v, err := real.getAtt(id, attribute)
			if err != nil && p.rows[id] != nil {
				return KnownAfterApply, nil // an attribute that comes with the change, such as a nested stack's new output
			}
			return v, err
		},
		imp: func(name string) (string, error) {
			e, err := p.e.ledger.Exports.Get(p.ctx, p.scope, name)
			if errors.Is(err, store.ErrNotFound) {
				return "", resource.Sayf("No export named %s found.", name)
			}
			return e.Value, err
		},
	}
}

// secrets is what takes the values of NoEcho parameters, before and after, out
// of what is shown.
func (p *planner) secrets() (*strings.Replacer, error) {
	var pairs []string
	for _, param := range slices.Concat(p.stack.Parameters, p.after.Parameters) {
		if !param.NoEcho {
			continue
		}
		value, err := p.e.ledger.Reveal(param)
		if err != nil {
			return nil, err
		}
		if value != "" {
			inJSON := strings.Trim(string(canonical(value)), `"`)
			pairs = append(pairs, value, Mask, inJSON, Mask)
		}
	}
	for _, row := range p.rows {
		if row.Now.Hidden {
			pairs = append(pairs, secretsIn(row.Now.Attributes)...)
		}
	}
	return strings.NewReplacer(pairs...), nil
}

func (p *planner) shown(v any) string {
	if s, ok := v.(string); ok {
		return p.mask.Replace(s)
	}
	return p.mask.Replace(string(canonical(v)))
}

func (p *planner) context(properties map[string]any) *string {
	return aws.String(p.mask.Replace(string(canonical(map[string]any{"Properties": properties}))))
}
