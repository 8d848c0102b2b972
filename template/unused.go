package template

import (
	"fmt"
	"slices"
	"strings"
)

// openTransforms are transforms that use parameters only as the template itself
// does; what others read from a template cannot be seen.
var openTransforms = []string{
	languageExtensions, serverlessTransform, blueGreenTransform, "AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16",
}

// Unused warns of parameters, conditions and mappings that nothing in the
// template uses. Of a template whose macros may use them it says nothing.
func (t *Template) Unused() []Problem {
	for _, name := range t.Transforms() {
		if !slices.Contains(openTransforms, name) {
			return nil
		}
	}
	u := &usage{
		t: t, parameters: map[string]bool{}, conditions: map[string]bool{}, mappings: map[string]bool{},
		transformed: t.Root.Get("Fn::Transform") != nil,
	}
	for i, k := range t.Root.Keys {
		if k.Text != "Parameters" && k.Text != "Metadata" { // to declare or to describe is no use
			u.walk(t.Root.Items[i])
		}
	}
	if u.transformed {
		return nil
	}
	u.unused("Parameters", "unused-parameter", u.parameters)
	u.unused("Conditions", "unused-condition", u.conditions)
	if !u.allMappings {
		u.unused("Mappings", "unused-mapping", u.mappings)
	}
	return u.problems
}

// usage is what a template uses.
type usage struct {
	t                                *Template
	parameters, conditions, mappings map[string]bool
	patterns                         []pattern // names that loops complete
	allMappings                      bool      // a mapping's name is not written out
	transformed                      bool      // Fn::Transform was met
	problems                         []Problem
}

// unused warns of the members of a section that are not among the used ones.
func (u *usage) unused(section, id string, used map[string]bool) {
	n := u.t.Root.Get(section)
	if n == nil || n.Kind != Map {
		return
	}
	for _, k := range n.Keys {
		if !used[k.Text] && !strings.HasPrefix(k.Text, "Fn::") && !anyMatch(u.patterns, k.Text) {
			u.problems = append(u.problems, Problem{
				Pos: k.Pos, ID: id, Severity: SeverityWarning, Message: fmt.Sprintf("the %s %q is not used", strings.TrimPrefix(id, "unused-"), k.Text),
			})
		}
	}
}

func (u *usage) name(set map[string]bool, name string) {
	if p := patternOf(name); p != nil {
		u.patterns = append(u.patterns, p)
		return
	}
	set[name] = true
}

// walk notes what n uses. {"Condition": name} is an attribute in resources and
// outputs, and a function in conditions; a policy's Condition is a map.
func (u *usage) walk(n *Node) {
	name, arg := n.Function()
	switch name {
	case "Ref":
		u.name(u.parameters, arg.Text)
	case "Fn::Sub":
		if text, values, ok := subForm(arg); ok {
			value := values.finder()
			subParts(text.Text, ignore, func(name string) {
				if value(name) == nil {
					u.name(u.parameters, name)
				}
			})
		}
	case "Fn::If":
		if len(arg.Items) > 0 {
			u.name(u.conditions, arg.Items[0].Text)
		}
	case "Fn::FindInMap":
		u.mapping(arg)
	case "Fn::RefAll", "Fn::ValueOfAll":
		u.types(arg)
	case "Fn::ValueOf":
		if len(arg.Items) > 0 {
			u.name(u.parameters, arg.Items[0].Text)
		}
	}
	for i, item := range n.Items {
		switch {
		case item.Kind >= List:
			u.transformed = u.transformed || n.Kind == Map && n.Keys[i].Text == "Fn::Transform"
			u.walk(item)
		case n.Kind == Map && item.Kind == String && n.Keys[i].Text == "Condition":
			u.name(u.conditions, item.Text)
		}
	}
}

func (u *usage) mapping(arg *Node) {
	if len(arg.Items) == 0 || arg.Items[0].Kind != String {
		u.allMappings = true
		return
	}
	u.name(u.mappings, arg.Items[0].Text)
}

// types uses all parameters of a type.
func (u *usage) types(arg *Node) {
	kind := arg.Text
	if len(arg.Items) > 0 {
		kind = arg.Items[0].Text
	}
	for _, p := range u.t.Parameters() {
		if p.Type == kind {
			u.parameters[p.Name] = true
		}
	}
}
