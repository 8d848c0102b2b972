package publish

import (
	"slices"
	"strings"

	"ouro/template"
)

// fill puts a reference to the template's own folder where a property was left
// out that stands for it. What a function may add, or code in the template
// itself, or a value for all functions, comes first.
func (f *finder) fill(resource, properties *template.Node, u *use) {
	if !u.folder || f.in.library || properties == nil || properties.Kind != template.Map {
		return
	}
	name := u.path[0]
	for _, k := range properties.Keys {
		if k.Text == "InlineCode" || strings.HasPrefix(k.Text, "Fn::") {
			return
		}
	}
	here := &template.Node{Kind: template.String, Text: ".", Pos: resource.Pos}
	switch value := properties.Get(name); {
	case value == nil && f.global(resource, name):
		return
	case value == nil:
		with := *properties
		with.Keys = append(slices.Clip(with.Keys), &template.Node{Kind: template.String, Text: name, Pos: resource.Pos})
		with.Items = append(slices.Clip(with.Items), here)
		f.edit(properties, &with)
	case value.Kind == template.String && value.Text == "":
		here.Pos = value.Pos
		f.edit(value, here)
	default:
		return
	}
	f.takes(here, u)
}

// global tells whether the template has a value for all resources of the type.
func (f *finder) global(resource *template.Node, property string) bool {
	section := strings.TrimPrefix(resource.Get("Type").Scalar(), "AWS::Serverless::")
	return f.globals.Get(section).Get(property) != nil
}

func (f *finder) edit(old, replacement *template.Node) {
	if f.edits == nil {
		f.edits = map[*template.Node]*template.Node{}
	}
	f.edits[old] = replacement
}

// exchanged is n with the nodes in edits in place of others; what holds none
// of them is shared.
func exchanged(n *template.Node, edits map[*template.Node]*template.Node) *template.Node {
	if e, ok := edits[n]; ok {
		return e
	}
	out := n
	for i, item := range n.Items {
		e := exchanged(item, edits)
		if e == item {
			continue
		}
		if out == n {
			clone := *n
			clone.Items = slices.Clone(n.Items)
			out = &clone
		}
		out.Items[i] = e
	}
	return out
}
