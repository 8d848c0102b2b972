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
)

// later stands for values that are known only after the change, as AWS writes it.
const later = "{{changeSet:KNOWN_AFTER_APPLY}}"

// Plan is what an update would change.
type Plan struct {
	Changes []types.ResourceChange // in template order, removed ones last
	Outputs bool                   // outputs change
	Types   []string               // logical ids whose type differs, which is not allowed
}

// Empty tells whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Changes) == 0 && !p.Outputs && len(p.Types) == 0 }

// planner finds the changes of one revision.
type planner struct {
	run
	ctx   context.Context
	after ledger.Revision
	fresh map[string]bool // gets a new physical resource
	mask  *strings.Replacer
}

// Plan compares a revision of a stack with what is there. It changes nothing.
// The model keeps what was read, for the operation that may follow.
func (e *Engine) Plan(ctx context.Context, caller door.Caller, stack ledger.Stack, rev ledger.Revision, m *Model) (Plan, error) {
	p := &planner{ctx: ctx, after: rev, fresh: map[string]bool{}}
	p.run = run{e: e, scope: caller.Scope(), stack: stack, model: m, cfg: e.Config(caller, rev.RoleARN)}
	p.op.Caller = caller
	var err error
	if p.rows, err = e.ledger.ResourcesOf(ctx, p.scope, stack.UUID); err != nil {
		return Plan{}, err
	}
	m.rows = p.rows
	if p.mask, err = p.secrets(); err != nil {
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
	for _, id := range m.IDs {
		if c, ok := changes[id]; ok {
			plan.Changes = append(plan.Changes, c)
		}
	}
	plan.Changes = append(plan.Changes, p.removals()...)
	outputs, err := m.Outputs(p.answers())
	if err != nil {
		return Plan{}, err
	}
	plan.Outputs = !slices.Equal(outputs, stack.Outputs)
	return plan, nil
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
		c.AfterContext = p.context(want.version.Properties)
		return c, true, nil
	}
	if what == unchanged {
		return c, false, nil
	}
	c.Action, c.PhysicalResourceId = types.ChangeActionModify, aws.String(base.Physical)
	c.Details = p.details(kind, base, want, row)
	if what == quiet && len(c.Details) == 0 {
		return c, false, nil
	}
	c.BeforeContext, c.AfterContext = p.context(base.Properties), p.context(want.version.Properties)
	c.Replacement = replacementOf(c.Details)
	if c.Replacement == types.ReplacementTrue {
		p.fresh[id] = true
		c.PolicyAction = policyAction(base.ReplacePolicy, types.PolicyActionReplaceAndDelete, types.PolicyActionReplaceAndRetain, types.PolicyActionReplaceAndSnapshot)
	}
	for _, d := range c.Details {
		if !slices.Contains(c.Scope, d.Target.Attribute) {
			c.Scope = append(c.Scope, d.Target.Attribute)
		}
	}
	return c, true, nil
}

// details are the properties and attributes that differ.
func (p *planner) details(kind *resource.Kind, base *ledger.Version, want wanted, row *ledger.Resource) []types.ResourceChangeDetail {
	var out []types.ResourceChangeDetail
	for _, name := range changedProperties(base.Properties, want.version.Properties) {
		was, had := base.Properties[name]
		now, has := want.version.Properties[name]
		t := &types.ResourceTargetDefinition{Attribute: types.ResourceAttributeProperties, Name: aws.String(name), Path: aws.String("/Properties/" + name),
			RequiresRecreation: types.RequiresRecreationNever, AttributeChangeType: types.AttributeChangeTypeModify}
		if kind.Replaces(name) {
			t.RequiresRecreation = types.RequiresRecreationAlways
		}
		if had {
			t.BeforeValue = aws.String(p.shown(was))
		} else {
			t.AttributeChangeType = types.AttributeChangeTypeAdd
		}
		if has {
			t.AfterValue = aws.String(p.shown(now))
		} else {
			t.AttributeChangeType = types.AttributeChangeTypeRemove
		}
		d := types.ResourceChangeDetail{Target: t, Evaluation: types.EvaluationTypeStatic, ChangeSource: types.ChangeSourceDirectModification}
		if strings.Contains(aws.ToString(t.AfterValue), later) {
			d.Evaluation, d.ChangeSource = types.EvaluationTypeDynamic, types.ChangeSourceResourceReference
		}
		out = append(out, d)
	}
	other := func(attribute types.ResourceAttribute, differs bool) {
		if differs {
			out = append(out, types.ResourceChangeDetail{Evaluation: types.EvaluationTypeStatic, ChangeSource: types.ChangeSourceDirectModification,
				Target: &types.ResourceTargetDefinition{Attribute: attribute, RequiresRecreation: types.RequiresRecreationNever}})
		}
	}
	other(types.ResourceAttributeTags, base.Tags != want.version.Tags)
	other(types.ResourceAttributeMetadata, row.Metadata != want.metadata)
	other(types.ResourceAttributeDeletionPolicy, base.DeletionPolicy != want.version.DeletionPolicy)
	other(types.ResourceAttributeUpdateReplacePolicy, base.ReplacePolicy != want.version.ReplacePolicy)
	return out
}

func replacementOf(details []types.ResourceChangeDetail) types.Replacement {
	out := types.ReplacementFalse
	for _, d := range details {
		if d.Target.RequiresRecreation == types.RequiresRecreationAlways {
			if d.Evaluation == types.EvaluationTypeStatic {
				return types.ReplacementTrue
			}
			out = types.ReplacementConditional
		}
	}
	return out
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

func policyAction(policy string, gone, kept, snapshot types.PolicyAction) types.PolicyAction {
	switch policy {
	case retain, retainExceptOnCreate:
		return kept
	case "Snapshot":
		return snapshot
	}
	return gone
}

// answers are those of the stack as it is, with a stand-in for what is not
// there yet.
func (p *planner) answers() answers {
	real := p.run.answers(p.ctx)
	return answers{
		ref: func(id string) (any, error) {
			if p.fresh[id] {
				return later, nil
			}
			return real.ref(id)
		},
		getAtt: func(id, attribute string) (any, error) {
			if p.fresh[id] {
				return later, nil
			}
			v, err := real.getAtt(id, attribute)
			if err != nil && p.rows[id] != nil {
				return later, nil // an attribute that comes with the change, such as a nested stack's new output
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
