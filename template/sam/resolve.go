package sam

import (
	"strings"

	"ouro/regex"
	"ouro/template"
)

// longestValue is how many characters the value of a parameter may have
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const longestValue = 4096

// parameterValues are what references can be seen through to: the values
// given, the defaults of the others, the region and the partition.
func parameterValues(root *node, o Options) map[string]*node {
	p := at(root.Pos)
	values := map[string]*node{"AWS::Region": p.text(o.Region), "AWS::Partition": p.text(o.Partition)}
	for name, definition := range entries(root.Get("Parameters")) {
		if v := definition.Get("Default"); isPlain(v) {
			values[name] = v
		}
	}
	for name, v := range o.Parameters {
		values[name] = p.node(v)
	}
	return values
}

// isPlain tells whether n can be the value of a parameter: a scalar, or a list
// of scalars.
func isPlain(n *node) bool {
	if !isList(n) {
		return n.IsScalar() && len(n.Text) <= longestValue
	}
	for _, item := range n.Items {
		if !item.IsScalar() {
			return false
		}
	}
	return true
}

// value is what a parameter is known to be, nil when it is not known.
// CloudFormation gives placeholders for values that nested stacks do not have
// yet; those are as good as unknown.
func (c *context) value(name string) *node {
	v := c.values[name]
	if isString(v) && strings.HasPrefix(v.Text, "{{IntrinsicFunction:") {
		return nil
	}
	return v
}

// resolve is n with the values of parameters in place of references to them.
// It is for decisions and hashes only, never for the output.
func (c *context) resolve(n *node) *node {
	return rewrite(n, func(name string, arg *node) *node {
		switch {
		case name == "Ref" && isString(arg):
			if v := c.value(arg.Text); v != nil {
				return v
			}
		case name == "Fn::Sub":
			room := template.MaxSize
			return at(arg.Pos).obj(name, substitute(arg, func(reference string) string {
				v := c.value(reference)
				if isList(v) {
					c.refuse(arg, "Invalid Fn::Sub variable value %s. Fn::Sub expects all variables to be strings.", said(fromNode(v)))
				}
				if v.IsScalar() && len(v.Text) <= room {
					room -= len(v.Text)
					return v.Text
				}
				return "${" + reference + "}"
			}))
		}
		return nil
	})
}

// settled is n as SAM leaves a property in the output once it has looked into
// it: with values in place of the references inside, but for a reference that
// is the whole of it.
func (c *context) settled(n *node) *node {
	if name, _ := n.Function(); name == "Ref" {
		return clone(n)
	}
	return c.resolve(n)
}

// findInMap is n with the values of Fn::FindInMap in place of those that are
// known by now: whose arguments are strings, the inner ones looked up first.
func (c *context) findInMap(n *node) *node {
	if n == nil {
		return nil
	}
	out := *n
	out.Items = make([]*node, len(n.Items))
	for i, item := range n.Items {
		out.Items[i] = c.findInMap(item)
	}
	name, arg := out.Function()
	if name != "Fn::FindInMap" {
		return &out
	}
	if len(itemsOf(arg)) != 3 {
		c.refuse(arg, "Invalid FindInMap value %s. FindInMap expects an array with 3 values.", said(fromNode(arg)))
		return &out
	}
	found := c.root.Get("Mappings")
	for _, key := range arg.Items {
		if !isString(key) {
			return &out
		}
		if found != nil && found.Kind != template.Map {
			c.refuse(arg, "Cannot use Fn::FindInMap on Mapping '%s' which is not a a two-level map.", arg.Items[0].Text)
			return &out
		}
		found = found.Get(key.Text)
	}
	if !found.IsScalar() {
		return &out
	}
	return found
}

// rewrite is a copy of n in which change was asked for every Ref, Fn::Sub and
// Fn::GetAtt, the outer ones first. A nil answer keeps the
// function.
func rewrite(n *node, change func(name string, arg *node) *node) *node {
	if n == nil {
		return nil
	}
	switch name, arg := n.Function(); name {
	case "Ref", "Fn::Sub", "Fn::GetAtt":
		if v := change(name, arg); v != nil {
			n = v
		}
	}
	out := *n
	out.Items = make([]*node, len(n.Items))
	for i, item := range n.Items {
		out.Items[i] = rewrite(item, change)
	}
	return &out
}

var subReference = regex.New(`\$\{([A-Za-z0-9.]+|AWS::[A-Z][A-Za-z]*)\}`)

// substitute is the argument of Fn::Sub with every ${reference} replaced by
// what with says.
func substitute(arg *node, with func(reference string) string) *node {
	switch {
	case isString(arg):
		return at(arg.Pos).text(subReference().ReplaceAllStringFunc(arg.Text, func(m string) string { return with(m[2 : len(m)-1]) }))
	case isList(arg) && len(arg.Items) > 0 && isString(arg.Items[0]):
		out := *arg
		out.Items = append([]*node{substitute(arg.Items[0], with)}, arg.Items[1:]...)
		return &out
	}
	return arg
}

// resolveReferences makes what refers to parts of SAM's resources refer to the
// generated ones: MyFunction.Alias, and layers whose id got a hash.
func resolveReferences(c *context) {
	c.renameDependencies()
	c.root = rewrite(c.root, func(name string, arg *node) *node {
		p := at(arg.Pos)
		switch name {
		case "Ref":
			if isString(arg) {
				return p.ref(c.target(arg.Text))
			}
		case "Fn::Sub":
			return p.obj(name, substitute(arg, func(reference string) string { return "${" + c.target(reference) + "}" }))
		case "Fn::GetAtt":
			if path := getAttPath(arg); path != "" {
				if to := c.target(path); to != path {
					id, attribute, _ := strings.Cut(to, ".")
					return p.getAtt(id, attribute)
				}
			}
		}
		return nil
	})
	c.resources = c.root.Get("Resources")
}

// getAttPath is the argument of Fn::GetAtt as one text, "" when it has
// functions in it.
func getAttPath(arg *node) string {
	if !isList(arg) || len(arg.Items) < 2 {
		return ""
	}
	var parts []string
	for _, item := range arg.Items {
		if !isString(item) {
			return ""
		}
		parts = append(parts, item.Text)
	}
	return strings.Join(parts, ".")
}

// target is a reference (Id, Id.Word, Id.Word.Attribute) with the names that
// the generated resources have.
func (c *context) target(reference string) string {
	id, rest, dotted := strings.Cut(reference, ".")
	if dotted {
		word, attribute, more := strings.Cut(rest, ".")
		if to := c.references[id][word]; to != "" {
			if more {
				return to + "." + attribute
			}
			return to
		}
	}
	if to := c.renamed[id]; to != "" {
		return to + strings.TrimPrefix(reference, id)
	}
	return reference
}

// renameDependencies follows renamed resources in DependsOn.
func (c *context) renameDependencies() {
	for _, r := range c.resources.Items {
		on := r.Get("DependsOn")
		if on == nil {
			continue
		}
		names := on.Items
		if on.Kind == template.String {
			names = []*node{on}
		}
		for _, name := range names {
			if to := c.renamed[name.Text]; to != "" && isString(name) {
				name.Text = to
			}
		}
	}
}
