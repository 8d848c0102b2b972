package template

import (
	"maps"
	"slices"
)

// The transform AWS::LanguageExtensions
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-languageextensions.html)
// writes out the loops in Conditions, Resources and Outputs, then replaces in
// these sections whatever can be known before there are resources: parameters,
// mappings, conditions in Fn::If, and the pseudo parameters of earlyPseudo.
// What remains is left for the stack's operation.

// earlyPseudo are the pseudo parameters that the transform resolves
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/function-refs-in-policy-attributes.html);
// those that name the stack stay.
var earlyPseudo = []string{"AWS::AccountId", "AWS::Partition", "AWS::Region"}

// extendedSections are those that the transform works on.
var extendedSections = []string{"Conditions", "Resources", "Outputs"}

// extend gives the root of t after the transform.
func extend(t *Template, env *Env) (*Node, error) {
	r := &resolver{
		table: resolvers, t: &Template{Root: t.Root, File: t.File}, env: beforeResources(env), secret: map[string]bool{}, numbers: map[string]bool{},
		left: MaxNodes, bytes: MaxSize,
	}
	all := r.env.Parameters
	r.env.Parameters = maps.Clone(all)
	for _, p := range t.Parameters() {
		r.numbers[p.Name] = p.Type == "Number"
		if p.NoEcho {
			r.secret[p.Name] = true
			delete(r.env.Parameters, p.Name)
		}
	}
	if err := r.uniqueLoops(); err != nil {
		return nil, err
	}
	for _, name := range extendedSections {
		section := r.t.Root.Get(name)
		if section == nil || section.Kind != Map {
			continue
		}
		out, err := r.section(name, section)
		if err != nil {
			return nil, err
		}
		r.t.Root = with(r.t.Root, name, out)
		if name != "Conditions" {
			continue
		}
		whole := *r.env
		whole.Parameters = all
		if r.env.Conditions, err = r.t.EvalConditions(&whole); err != nil {
			return nil, err
		}
	}
	return r.t.Root, nil
}

// with is map n with another value under a key, without the key when the value
// is an empty map: a loop over nothing leaves no section behind.
func with(n *Node, key string, value *Node) *Node {
	if value.Kind == Map && len(value.Keys) == 0 {
		return without(n, key)
	}
	at := slices.IndexFunc(n.Keys, func(k *Node) bool { return k.Text == key })
	items := slices.Clone(n.Items)
	items[at] = value
	return &Node{Kind: Map, Pos: n.Pos, Keys: n.Keys, Items: items}
}

// section writes out the loops of a section and resolves its members.
func (r *resolver) section(name string, section *Node) (*Node, error) {
	flat, err := r.loops(section, nil)
	if err != nil {
		return nil, err
	}
	out := &Node{Kind: Map, Pos: flat.Pos, Keys: flat.Keys, Items: make([]*Node, len(flat.Items))}
	for i, k := range flat.Keys {
		if !alphanumeric(k.Text) {
			return nil, evalError(k, "%s is no name in %s: it may hold letters and digits only", k.Text, name)
		}
		if out.Items[i], err = r.member(name, k.Text, flat.Items[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// member resolves a condition, resource or output. One whose own condition is
// false is left as it is when it cannot be resolved, since it is never made.
func (r *resolver) member(section, name string, n *Node) (*Node, error) {
	out, err := r.node(n)
	if err == nil && section == "Resources" {
		err = r.policies(name, n, out)
	}
	if err == nil {
		return out, nil
	}
	if holds, known := r.env.Conditions[n.Get("Condition").Scalar()]; known && !holds {
		return n, nil
	}
	return nil, err
}

// policies wants the deletion policies of a resource, once resolved, to be
// texts.
func (r *resolver) policies(name string, before, after *Node) error {
	for _, attribute := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
		was, policy := before.Get(attribute), after.Get(attribute)
		switch {
		case was == nil || policy != nil && policy.Kind <= String:
		case policy == nil || isNoValue(policy):
			return evalError(was, "AWS::NoValue is not supported for DeletionPolicy or UpdateReplacePolicy")
		case policy.Kind == List:
			return evalError(was, "Every %s member must be a string", attribute)
		default:
			return evalError(was, "Unsupported expression for %s in resource %s", attribute, name)
		}
	}
	return nil
}

func isNoValue(n *Node) bool {
	name, arg := n.Function()
	return name == "Ref" && arg.Scalar() == "AWS::NoValue"
}
