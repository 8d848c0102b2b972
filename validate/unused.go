package validate

import (
	"strings"

	"ouro/template"
)

// unused warns of parameters, conditions and mappings of the source that
// nothing in it refers to.
func (c *checker) unused(t *template.Template) {
	u := usage{names: map[string]bool{}, conditions: map[string]bool{}, mappings: map[string]bool{}}
	for i, k := range t.Root.Keys {
		switch section := t.Root.Items[i]; k.Text {
		case "Parameters", "Metadata": // what is said there of parameters does not use them
		default:
			u.walk(section)
			template.Uses(section, func(use template.Use) { u.names[use.Name] = true })
		}
	}
	if u.opaque {
		return
	}
	c.unusedOf(t, "Parameters", "unused-parameter", "parameter", u.names)
	c.unusedOf(t, "Conditions", "unused-condition", "condition", u.conditions)
	if !u.everyMapping {
		c.unusedOf(t, "Mappings", "unused-mapping", "mapping", u.mappings)
	}
}

func (c *checker) unusedOf(t *template.Template, section, id, what string, used map[string]bool) {
	n := t.Root.Get(section)
	if n == nil || n.Kind != template.Map {
		return
	}
	for _, k := range n.Keys {
		if !used[k.Text] && !strings.HasPrefix(k.Text, "Fn::") {
			c.add(k.Pos, id, "the %s %q is not used", what, k.Text)
		}
	}
}

// usage is what a template refers to.
type usage struct {
	names, conditions, mappings map[string]bool
	everyMapping                bool // some mapping's name is computed
	opaque                      bool // a macro's own text may refer to anything
}

func (u *usage) walk(n *template.Node) {
	if n.Kind < template.List {
		return
	}
	for i, item := range n.Items {
		if n.Kind == template.Map {
			u.member(n.Keys[i].Text, item)
		}
		u.walk(item)
	}
}

// member looks at one key of a map. {"Condition": text} is a condition's name
// in Conditions and on resources; in policies it is something else, and a map.
func (u *usage) member(key string, n *template.Node) {
	switch key {
	case "Condition":
		u.conditions[n.Text] = true
	case "Fn::If":
		if len(n.Items) > 0 {
			u.conditions[n.Items[0].Text] = true
		}
	case "Fn::FindInMap":
		if len(n.Items) > 0 && n.Items[0].Kind == template.String {
			u.mappings[n.Items[0].Text] = true
		} else {
			u.everyMapping = true
		}
	case "Fn::ValueOf":
		if len(n.Items) > 0 {
			u.names[n.Items[0].Text] = true
		}
	case "Fn::Transform":
		u.opaque = true
	case "Fn::RefAll", "Fn::ValueOfAll":
		u.opaque = true // of a type, which some parameter will have
	}
	if strings.HasPrefix(key, "Fn::ForEach::") {
		u.everyMapping = true // names inside may be put together
		u.opaque = u.opaque || strings.Contains(string(template.Canonical(n)), "&{")
	}
}
