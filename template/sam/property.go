package sam

import (
	"slices"
	"strings"

	"ouro/template"
)

// A property is what SAM itself looks at before it rewrites a resource; the
// rest is left to CloudFormation.
type property struct {
	name     string
	shape    shape
	required bool
	literal  bool // an intrinsic function does not excuse a wrong shape
}

// shape is what a value must be.
type shape struct {
	fits func(*node) bool
	said string // how a problem calls it, "" when SAM does not name it
}

// The shapes of properties.
var (
	anything  = shape{fits: func(*node) bool { return true }}
	aMap      = shape{fits: isMap, said: "map"}
	aString   = shape{fits: isString, said: "string"}
	aList     = shape{fits: isList}
	aBool     = shape{fits: func(n *node) bool { return n.Kind == template.Bool }}
	anInt     = shape{fits: isInt}
	textOrMap = either(aString, aMap)
)

// isInt tells whether n counts as an integer for SAM, as booleans do.
func isInt(n *node) bool {
	return n.Kind == template.Bool || n.Kind == template.Number && !strings.ContainsAny(n.Text, ".eE")
}

// either is any of several shapes.
func either(shapes ...shape) shape {
	return shape{fits: func(n *node) bool {
		return slices.ContainsFunc(shapes, func(s shape) bool { return s.fits(n) })
	}}
}

// listOf is a list whose items all have a shape; mapOf is a map whose values
// have it.
func listOf(item shape) shape { return collection(template.List, item) }
func mapOf(item shape) shape  { return collection(template.Map, item) }

func collection(k template.Kind, item shape) shape {
	return shape{fits: func(n *node) bool {
		return n.Kind == k && !slices.ContainsFunc(n.Items, func(i *node) bool { return !item.fits(i) })
	}}
}

// checkProperties refuses properties that the resource's type does not have,
// and those of a wrong shape.
func (c *context) checkProperties(r *resource, known []property) {
	if !isMap(r.props) {
		c.invalid(r.props, r.id, "Properties of a resource must be an object.")
		return
	}
	for i, key := range r.props.Keys {
		if !slices.ContainsFunc(known, func(p property) bool { return p.name == key.Text }) {
			c.invalid(r.props.Items[i], r.id, "property %s not defined for resource of type %s", key.Text, r.typ)
			return
		}
	}
	for _, p := range known {
		if where, message := p.check(r.props); message != "" {
			if where == nil {
				where = r.node
			}
			c.invalid(where, r.id, "%s", message)
			return
		}
	}
}

// check is what is wrong with the property in props, "" when nothing is.
func (p property) check(props *node) (where *node, message string) {
	v := get(props, p.name)
	if v == nil {
		if p.required {
			return nil, "Missing required property '" + p.name + "'."
		}
		return nil, ""
	}
	if !p.literal && isMap(v) && len(v.Keys) == 1 || p.shape.fits(v) {
		return nil, ""
	}
	if p.shape.said == "" {
		return v, "Type of property '" + p.name + "' is invalid."
	}
	return v, "Property '" + p.name + "' should be a " + p.shape.said + "."
}
