package sam

import (
	"fmt"
	"slices"
	"strings"

	"ouro/regex"
	"ouro/template"
)

// machineDefinition writes the state machine's definition into props: a place in
// S3, or the text of what the template spells out.
func (c *context) machineDefinition(r *resource, props *node) {
	substitutions := clone(r.get("DefinitionSubstitutions"))
	definition, uri := r.get("Definition"), r.get("DefinitionUri")
	switch {
	case truthy(definition) && truthy(uri):
		c.invalid(uri, r.id, "Specify either 'Definition' or 'DefinitionUri' property and not both.")
		return
	case truthy(definition):
		s := &substitution{}
		text := s.replace(clone(definition))
		if !truthy(substitutions) {
			substitutions = r.pos().obj()
		}
		s.addTo(substitutions)
		set(props, "DefinitionString", definitionString(text))
	case truthy(uri):
		location := c.definitionLocation(r, uri)
		if c.failed {
			return
		}
		set(props, "DefinitionS3Location", location)
	default:
		c.invalid(r.node, r.id, "Either 'Definition' or 'DefinitionUri' property must be specified.")
		return
	}
	if truthy(substitutions) {
		set(props, "DefinitionSubstitutions", substitutions)
	}
}

// substitution takes the intrinsic functions out of a definition, which becomes
// a text: Step Functions puts their values in when it reads the text.
type substitution struct {
	values []*node
}

// addTo adds the values to the state machine's own substitutions.
func (s *substitution) addTo(all *node) {
	own := map[string]bool{}
	for key := range entries(all) {
		own[key] = true
	}
	for i, v := range s.values {
		name := substitutionName(i + 1)
		if own[name] {
			set(all, name, v)
			continue
		}
		all.Keys, all.Items = append(all.Keys, at(v.Pos).text(name)), append(all.Items, v)
	}
}

func substitutionName(i int) string { return fmt.Sprintf("definition_substitution_%d", i) }

var dynamicReference = regex.New(`^{{resolve:([a-z-]+):(.+)}}$`)

// replace puts names in place of functions and dynamic references below n, in
// the order of sorted keys.
func (s *substitution) replace(n *node) *node {
	for _, i := range sortedMembers(n) {
		item := n.Items[i]
		if isFunction(item) || isString(item) && dynamicReference().MatchString(item.Text) {
			s.values = append(s.values, item)
			n.Items[i] = at(item.Pos).text("${" + substitutionName(len(s.values)) + "}")
			continue
		}
		s.replace(item)
	}
	return n
}

// definitionString is a definition as the lines of its JSON, joined.
func definitionString(n *node) *node {
	var b strings.Builder
	indentJSON(&b, n, "\n")
	p := at(n.Pos)
	return p.obj("Fn::Join", p.list("\n", p.texts(strings.Split(asciiJSON(b.String()), "\n")...)))
}

// indentJSON writes n as JSON with sorted keys, four spaces a level. newline
// begins a line of n's level.
func indentJSON(b *strings.Builder, n *node, newline string) {
	open, end := "[", "]"
	if n.Kind == template.Map {
		open, end = "{", "}"
	}
	switch {
	case n.Kind == template.Number:
		b.WriteString(pythonNumber(n.Text))
		return
	case n.Kind != template.Map && n.Kind != template.List:
		b.Write(template.Canonical(n))
		return
	case len(n.Items) == 0:
		b.WriteString(open + end)
		return
	}
	b.WriteString(open)
	for i, at := range sortedMembers(n) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(newline + "    ")
		if n.Kind == template.Map {
			b.Write(template.AppendString(nil, n.Keys[at].Text))
			b.WriteString(": ")
		}
		indentJSON(b, n.Items[at], newline+"    ")
	}
	b.WriteString(newline + end)
}

// sortedMembers are the positions of n's items: by key for a map, as they are
// for a list.
func sortedMembers(n *node) []int {
	order := make([]int, len(n.Items))
	for i := range order {
		order[i] = i
	}
	if n.Kind == template.Map {
		slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(n.Keys[a].Text, n.Keys[b].Text) })
	}
	return order
}
