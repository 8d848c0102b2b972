package engine

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/spec"
	"ouro/template"
)

// difference is a place in the properties where before and after differ: as
// deep as both have something there.
type difference struct {
	path     []string // of map keys and list positions
	was, now any      // nil for nothing
}

// differences are in the order of their paths. Lists are compared by position.
func differences(was, now any, path []string) []difference {
	at := func(key string) []string { return append(slices.Clone(path), key) }
	var out []difference
	switch w := was.(type) {
	case map[string]any:
		n, ok := now.(map[string]any)
		if !ok {
			break
		}
		both := maps.Clone(w)
		maps.Copy(both, n)
		for _, key := range slices.Sorted(maps.Keys(both)) {
			out = append(out, differences(w[key], n[key], at(key))...)
		}
		return out
	case []any:
		n, ok := now.([]any)
		if !ok {
			break
		}
		for i := range max(len(w), len(n)) {
			out = append(out, differences(item(w, i), item(n, i), at(strconv.Itoa(i)))...)
		}
		return out
	}
	if string(canonical(was)) == string(canonical(now)) {
		return nil
	}
	return []difference{{path, was, now}}
}

func item(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// details are the properties and attributes that differ, each with what it
// differs for.
func (p *planner) details(kind *resource.Kind, base *ledger.Version, want wanted, row *ledger.Resource) []types.ResourceChangeDetail {
	res := p.model.Resources[want.id]
	var out []types.ResourceChangeDetail
	for _, d := range differences(base.Properties, want.version.Properties, nil) {
		if len(d.path) == 0 {
			continue
		}
		out = append(out, p.explain(p.target(kind, d), descend(res.Properties, d.path))...)
	}
	other := func(attribute types.ResourceAttribute, differs bool, n *template.Node) {
		if differs {
			out = append(out, p.explain(types.ResourceTargetDefinition{Attribute: attribute, RequiresRecreation: types.RequiresRecreationNever}, n)...)
		}
	}
	other(types.ResourceAttributeTags, base.Tags != want.version.Tags, nil)
	other(types.ResourceAttributeMetadata, row.Metadata != want.metadata, res.Metadata)
	other(types.ResourceAttributeDeletionPolicy, base.DeletionPolicy != want.version.DeletionPolicy, res.DeletionPolicy)
	other(types.ResourceAttributeUpdateReplacePolicy, base.ReplacePolicy != want.version.ReplacePolicy, res.UpdateReplacePolicy)
	return out
}

func (p *planner) target(kind *resource.Kind, d difference) types.ResourceTargetDefinition {
	t := types.ResourceTargetDefinition{
		Attribute: types.ResourceAttributeProperties, Name: aws.String(d.path[0]), Path: aws.String("/Properties/" + strings.Join(d.path, "/")),
		RequiresRecreation: recreation(kind, d.path, d.was, d.now), AttributeChangeType: types.AttributeChangeTypeModify,
	}
	if d.was != nil {
		t.BeforeValue = aws.String(p.shown(d.was))
	} else {
		t.AttributeChangeType = types.AttributeChangeTypeAdd
	}
	if d.now != nil {
		t.AfterValue = aws.String(p.shown(d.now))
	} else {
		t.AttributeChangeType = types.AttributeChangeTypeRemove
	}
	return t
}

func recreation(kind *resource.Kind, path []string, was, now any) types.RequiresRecreation {
	return [...]types.RequiresRecreation{
		spec.ReplaceNever: types.RequiresRecreationNever, spec.ReplaceMaybe: types.RequiresRecreationConditionally, spec.ReplaceAlways: types.RequiresRecreationAlways,
	}[kind.ReplacesAt(path, was, now)]
}

// descend finds the part of a template that a path of evaluated properties
// leads to, or the function that made everything from there on.
func descend(n *template.Node, path []string) *template.Node {
	for _, key := range path {
		if n == nil {
			return nil
		}
		if name, _ := n.Function(); name != "" {
			return n
		}
		switch n.Kind {
		case template.Map:
			n = n.Get(key)
		case template.List:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(n.Items) {
				return nil
			}
			n = n.Items[i]
		default:
			return n
		}
	}
	return n
}

// explain tells of a target once for each entity that it changes for. As on
// AWS, what the template says itself then counts as uncertain; without such an
// entity it is the reason.
func (p *planner) explain(target types.ResourceTargetDefinition, n *template.Node) []types.ResourceChangeDetail {
	detail := func(source types.ChangeSource, evaluation types.EvaluationType, entity string) types.ResourceChangeDetail {
		d := types.ResourceChangeDetail{Target: &target, ChangeSource: source, Evaluation: evaluation}
		if entity != "" {
			d.CausingEntity = aws.String(entity)
		}
		return d
	}
	var out []types.ResourceChangeDetail
	template.Uses(n, func(u template.Use) {
		source, evaluation, entity := p.cause(u)
		if source == "" || slices.ContainsFunc(out, func(d types.ResourceChangeDetail) bool { return *d.CausingEntity == entity }) {
			return
		}
		out = append(out, detail(source, evaluation, entity))
	})
	if len(out) == 0 {
		return append(out, detail(types.ChangeSourceDirectModification, types.EvaluationTypeStatic, ""))
	}
	return append(out, detail(types.ChangeSourceDirectModification, types.EvaluationTypeDynamic, ""))
}

// cause tells what a use of a name means for a value that changed, if anything.
func (p *planner) cause(u template.Use) (types.ChangeSource, types.EvaluationType, string) {
	evaluation := types.EvaluationTypeDynamic
	if p.fresh[u.Name] {
		evaluation = types.EvaluationTypeStatic
	}
	switch {
	case p.moved[u.Name]:
		return types.ChangeSourceParameterReference, types.EvaluationTypeStatic, u.Name
	case u.Attribute == "" && (p.fresh[u.Name] || p.maybe[u.Name]):
		return types.ChangeSourceResourceReference, evaluation, u.Name
	case u.Attribute != "" && (p.fresh[u.Name] || p.modified[u.Name]):
		return types.ChangeSourceResourceAttribute, evaluation, u.Name + "." + u.Attribute
	}
	return "", "", ""
}

// movedParameters are the parameters whose value is another one, or new.
func (p *planner) movedParameters() (map[string]bool, error) {
	moved := map[string]bool{}
	before := map[string]string{}
	for _, param := range p.stack.Parameters {
		value, err := p.e.ledger.Reveal(param)
		if err != nil {
			return nil, err
		}
		before[param.Key] = value + "\x00" + param.Resolved
	}
	for _, param := range p.after.Parameters {
		value, err := p.e.ledger.Reveal(param)
		if err != nil {
			return nil, err
		}
		was, had := before[param.Key]
		moved[param.Key] = !had || was != value+"\x00"+param.Resolved
	}
	return moved, nil
}

func replacementOf(details []types.ResourceChangeDetail) types.Replacement {
	out := types.ReplacementFalse
	for _, d := range details {
		switch {
		case d.Target.RequiresRecreation == types.RequiresRecreationNever || d.Target.RequiresRecreation == "":
		case d.Target.RequiresRecreation == types.RequiresRecreationAlways && d.Evaluation == types.EvaluationTypeStatic:
			return types.ReplacementTrue
		default:
			out = types.ReplacementConditional
		}
	}
	return out
}
