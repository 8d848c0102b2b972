package validate

import (
	"strings"

	"ouro/spec"
	"ouro/template"
)

// results are the shapes of what functions give, where that does not depend
// on their arguments.
var results = map[string]shape{
	"Fn::Base64": aScalar, "Fn::Join": aScalar, "Fn::Sub": aScalar, "Fn::ImportValue": aScalar,
	"Fn::ToJsonString": aScalar, "Fn::Length": aScalar,
	"Fn::Split": aList, "Fn::GetAZs": aList, "Fn::Cidr": aList,
}

// function checks that what a function gives fits, as far as it is known.
func (c *checker) function(n *template.Node, name string, arg *template.Node, v *spec.Value) {
	switch name {
	case "Fn::If":
		if arg.Kind == template.List && len(arg.Items) == 3 {
			c.value(arg.Items[1], v)
			c.value(arg.Items[2], v)
		}
	case "Ref":
		c.ref(n, arg.Text, v)
	case "Fn::GetAtt":
		c.getAtt(n, v)
	case "Fn::Sub":
		if arg.Kind == template.String && !strings.Contains(arg.Text, "${") && wanted(v) == aScalar {
			c.scalar(arg, arg.Text, v)
			return
		}
		c.gives(n, name, aScalar, v)
	default:
		c.gives(n, name, results[name], v)
	}
}

// gives compares the shape of a result with what is wanted.
func (c *checker) gives(n *template.Node, what string, is shape, v *spec.Value) {
	if takes(v, is) {
		return
	}
	word, want := words[is], wants[v.Kind]
	switch {
	case v.Kind == spec.Union:
		want = "something else"
	case v.Kind == spec.List && wanted(v.Element) == aMap:
		want = "a list of maps"
		if is == aList {
			word = "a list of texts"
		}
	}
	c.add(n.Pos, "wrong-type", "%s must be %s, %s gives %s", c.place(), want, what, word)
}

var words = map[shape]string{aScalar: "a text", aList: "a list", aMap: "a map"}

func takes(v *spec.Value, is shape) bool {
	switch {
	case is == anything || v.Kind == spec.JSON:
		return true
	case v.Kind == spec.Union:
		for i := range v.Any {
			if takes(&v.Any[i], is) {
				return true
			}
		}
		return len(v.Any) == 0
	case v.Kind == spec.List && is == aList:
		return takes(v.Element, aScalar) // functions give lists of texts
	}
	return wanted(v) == is
}

// ref checks a Ref: a parameter gives a text or a list, a resource a text.
func (c *checker) ref(n *template.Node, name string, v *spec.Value) {
	p, isParameter := c.declared[name]
	switch {
	case name == "AWS::NoValue":
	case name == "AWS::NotificationARNs":
		c.gives(n, name, aList, v)
	case isParameter && p.IsList():
		c.gives(n, "the parameter "+name, aList, v)
		if v.Kind == spec.List {
			c.parameterValues(n, p, v.Element)
		}
	case isParameter:
		c.gives(n, "the parameter "+name, aScalar, v)
		c.parameterValues(n, p, v)
	case strings.HasPrefix(name, "AWS::") || c.types[name] != nil:
		c.gives(n, "Ref to "+name, aScalar, v)
	}
}

// parameterValues warns of values that a parameter may have and the property
// does not take.
func (c *checker) parameterValues(n *template.Node, p template.Parameter, v *spec.Value) {
	if _, fetched := p.SSM(); fetched || len(v.Allowed) == 0 {
		return
	}
	values := p.AllowedValues
	if len(values) == 0 && p.Default != nil && *p.Default != "" {
		values = []string{*p.Default}
		if p.IsList() {
			values = strings.Split(*p.Default, ",")
		}
	}
	for _, value := range values {
		if value = strings.TrimSpace(value); strings.Contains(value, dynamic) {
			continue
		}
		if complaint := constraint(value, v); complaint != "" {
			c.add(n.Pos, "parameter-enum", "the parameter %q may be %s, but %s %s", p.Name, quoted(value), c.place(), complaint)
			return
		}
	}
}

// getAtt compares the type of an attribute with what is wanted.
func (c *checker) getAtt(n *template.Node, v *spec.Value) {
	template.Uses(n, func(u template.Use) {
		known := c.types[u.Name]
		if u.Attribute == "" || known == nil {
			return
		}
		a, ok := known.Attribute(u.Attribute)
		if ok && (a.Value.Kind != spec.List || v.Kind != spec.List) { // lists may be of the same things
			c.gives(n, u.Name+"."+u.Attribute, wanted(&a.Value), v)
		}
	})
}
