package engine

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/template"
)

// outline is the plan as AWS tells it without property values: from the
// template alone, by which an attribute of a changed resource may be another
// one afterwards, and with it everything that uses the attribute.
func (p *planner) outline(exact map[string]types.ResourceChange) map[string]types.ResourceChange {
	out := map[string]types.ResourceChange{}
	changed := map[string]bool{}
	walk(p.model.IDs, func(id string) []string { return p.model.Depends[id] }, 1, never, func(id string) bool {
		c, planned := exact[id]
		c = withoutValues(c)
		if !planned || c.Action == types.ChangeActionModify {
			c = p.speculate(id, c, planned, changed)
		}
		if c.Action != "" {
			out[id] = c
			changed[id] = c.Action == types.ChangeActionModify
		}
		return true
	})
	return out
}

// speculate adds what may change in a resource for others that change.
func (p *planner) speculate(id string, c types.ResourceChange, planned bool, changed map[string]bool) types.ResourceChange {
	res, row := p.model.Resources[id], p.rows[id]
	kind, err := p.e.kinds.Find(res.Type)
	if err != nil || row == nil || res.Properties == nil || res.Properties.Kind != template.Map {
		return c
	}
	for i, key := range res.Properties.Keys {
		template.Uses(res.Properties.Items[i], func(u template.Use) {
			entity := u.Name + "." + u.Attribute
			known := slices.ContainsFunc(c.Details, func(d types.ResourceChangeDetail) bool { return aws.ToString(d.CausingEntity) == entity })
			if u.Attribute == "" || !changed[u.Name] || known {
				return
			}
			c.Details = append(c.Details, types.ResourceChangeDetail{
				ChangeSource: types.ChangeSourceResourceAttribute, Evaluation: types.EvaluationTypeDynamic, CausingEntity: aws.String(entity),
				Target: &types.ResourceTargetDefinition{Attribute: types.ResourceAttributeProperties, Name: aws.String(key.Text), RequiresRecreation: recreation(kind, []string{key.Text}, nil, nil)},
			})
		})
	}
	if len(c.Details) == 0 {
		return c
	}
	if !planned {
		c.Action, c.LogicalResourceId, c.ResourceType = types.ChangeActionModify, aws.String(id), aws.String(res.Type)
		c.PhysicalResourceId = aws.String(row.Now.Physical)
	}
	c.Replacement, c.Scope = replacementOf(c.Details), scopeOf(c.Details)
	return c
}

// withoutValues is a change as it is told unless values are asked for.
func withoutValues(c types.ResourceChange) types.ResourceChange {
	c.BeforeContext, c.AfterContext = nil, nil
	var details []types.ResourceChangeDetail
	for _, d := range c.Details {
		target := *d.Target
		target.BeforeValue, target.AfterValue, target.Path, target.AttributeChangeType = nil, nil, nil, ""
		d.Target = &target
		if !slices.ContainsFunc(details, func(o types.ResourceChangeDetail) bool { return sameDetail(o, d) }) {
			details = append(details, d)
		}
	}
	// That the template itself might say something else is not told where a
	// resource is the reason.
	c.Details = slices.DeleteFunc(details, func(d types.ResourceChangeDetail) bool {
		return d.ChangeSource == types.ChangeSourceDirectModification && d.Evaluation == types.EvaluationTypeDynamic &&
			slices.ContainsFunc(details, func(o types.ResourceChangeDetail) bool { return isResource(o.ChangeSource) && sameTarget(o, d) })
	})
	return c
}

func isResource(s types.ChangeSource) bool {
	return s == types.ChangeSourceResourceReference || s == types.ChangeSourceResourceAttribute
}

func sameTarget(a, b types.ResourceChangeDetail) bool {
	return a.Target.Attribute == b.Target.Attribute && aws.ToString(a.Target.Name) == aws.ToString(b.Target.Name)
}

func sameDetail(a, b types.ResourceChangeDetail) bool {
	return sameTarget(a, b) && a.ChangeSource == b.ChangeSource && a.Evaluation == b.Evaluation && aws.ToString(a.CausingEntity) == aws.ToString(b.CausingEntity)
}

func scopeOf(details []types.ResourceChangeDetail) (scope []types.ResourceAttribute) {
	for _, d := range details {
		if !slices.Contains(scope, d.Target.Attribute) {
			scope = append(scope, d.Target.Attribute)
		}
	}
	return scope
}
