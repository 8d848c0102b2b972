package template

import "strings"

// Use is a name that a function refers to.
type Use struct {
	Name string
	// Attribute is what Fn::GetAtt, or a variable of Fn::Sub with a dot in it,
	// asks of the resource; "" for a plain reference, and for an attribute that
	// a function computes.
	Attribute string
	// At is the node that holds the name; InText says that it stands in a text
	// of Fn::Sub, where only texts can go.
	At     *Node
	InText bool
}

// Uses hands over every name that functions in n refer to, in source order.
// Names that Fn::Sub defines for itself are left out; pseudo parameters are not.
func Uses(n *Node, found func(Use)) {
	if n == nil || n.Kind < List {
		return
	}
	switch name, arg := n.Function(); name {
	case "Ref":
		if arg.IsScalar() {
			found(Use{Name: arg.Text, At: arg})
		} else {
			Uses(arg, found)
		}
	case "Fn::GetAtt":
		id, attribute, ok := getAttParts(arg)
		if !ok {
			Uses(arg, found)
			return
		}
		found(Use{Name: id, Attribute: attribute.Scalar(), At: arg})
		Uses(attribute, found)
	case "Fn::Sub":
		usesInSub(arg, found)
	default:
		for _, item := range n.Items {
			Uses(item, found)
		}
	}
}

func usesInSub(arg *Node, found func(Use)) {
	text, values, ok := subForm(arg)
	if !ok {
		Uses(arg, found)
		return
	}
	value := values.finder()
	subParts(text.Text, ignore, func(name string) {
		if value(name) == nil {
			id, attribute, _ := strings.Cut(name, ".")
			found(Use{Name: id, Attribute: attribute, At: text, InText: true})
		}
	})
	Uses(values, found)
}
