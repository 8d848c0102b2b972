package validate

import (
	"slices"
	"strconv"
	"strings"

	"ouro/spec"
	"ouro/template"
)

// object checks the members of a map. n is nil for a resource without
// Properties; at is where to complain of what is missing.
func (c *checker) object(n *template.Node, at template.Pos, props []spec.Property) {
	open := false // some function brings members of its own
	if n != nil {
		for i, k := range n.Keys {
			p := spec.Find(props, k.Text)
			switch {
			case p != nil:
				c.path = append(c.path, k.Text)
				c.value(n.Items[i], &p.Value)
				c.path = c.path[:len(c.path)-1]
			case k.Text == "Fn::Transform", strings.HasPrefix(k.Text, "Fn::ForEach::"):
				open = true
			default:
				c.unknownProperty(k, props)
			}
		}
	}
	for i := range props {
		if p := &props[i]; p.Required && !open && absent(n.Get(p.Name)) {
			c.add(at, "missing-property", "%s must have a property %q", c.place(), p.Name)
		}
	}
}

func (c *checker) unknownProperty(k *template.Node, props []spec.Property) {
	if c.full() {
		return
	}
	if known, ok := spec.Lookup(c.typeName); ok && len(c.path) == 0 {
		if _, ok := known.Attribute(k.Text); ok {
			c.add(k.Pos, "read-only-property", "%s sets %q itself; it is there to be read", c.place(), k.Text)
			return
		}
	}
	c.add(k.Pos, "unknown-property", "%s has no property %q%s", c.place(), k.Text, didYouMean(k.Text, names(props)))
}

func names(props []spec.Property) []string {
	out := make([]string, len(props))
	for i := range props {
		out[i] = props[i].Name
	}
	return out
}

// absent tells whether a member is as good as not there.
func absent(n *template.Node) bool {
	name, arg := n.Function()
	return n == nil || name == "Ref" && arg.Text == "AWS::NoValue"
}

// place is where the walk is, for messages.
func (c *checker) place() string {
	if len(c.path) == 0 {
		return c.typeName
	}
	return c.typeName + " " + strings.Join(c.path, ".")
}

// value checks a value against what a property takes.
func (c *checker) value(n *template.Node, v *spec.Value) {
	if c.steps++; c.full() {
		return
	}
	if name, arg := n.Function(); name != "" {
		c.function(n, name, arg, v)
		return
	}
	switch {
	case n.Kind == template.Null || v.Kind == spec.JSON: // Check tells of nulls
	case v.Kind == spec.Union:
		c.union(n, v)
	case kindOf(n) != wanted(v):
		if n.Kind != template.String || !packaged[c.place()] {
			c.wrong(n, v, "this is a "+n.Kind.String())
		}
	case v.Kind == spec.Object:
		c.object(n, n.Pos, v.Properties())
	case v.Kind == spec.List || v.Kind == spec.Map:
		for i, item := range n.Items {
			if v.Kind == spec.List {
				c.path = append(c.path, strconv.Itoa(i))
			} else {
				c.path = append(c.path, n.Keys[i].Text)
			}
			c.value(item, v.Element)
			c.path = c.path[:len(c.path)-1]
		}
	default:
		c.scalar(n, n.Text, v)
	}
}

// packaged are the maps in whose place a template may have a local path, or the
// URL that publishing puts there
// (https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html).
var packaged = map[string]bool{
	"AWS::ApiGateway::RestApi BodyS3Location":                true,
	"AWS::CodeCommit::Repository Code.S3":                    true,
	"AWS::ElasticBeanstalk::ApplicationVersion SourceBundle": true,
	"AWS::Lambda::Function Code":                             true,
	"AWS::Lambda::LayerVersion Content":                      true,
	"AWS::StepFunctions::StateMachine DefinitionS3Location":  true,
}

// shape is what a value looks like from the outside. CloudFormation turns
// scalars into each other, so that there is only one of them.
type shape uint8

const (
	anything shape = iota
	aScalar
	aList
	aMap
)

func kindOf(n *template.Node) shape {
	switch n.Kind {
	case template.List:
		return aList
	case template.Map:
		return aMap
	}
	return aScalar
}

func wanted(v *spec.Value) shape {
	switch v.Kind {
	case spec.JSON, spec.Union:
		return anything
	case spec.List:
		return aList
	case spec.Map, spec.Object:
		return aMap
	}
	return aScalar
}

var wants = map[spec.Kind]string{
	spec.String: "a text", spec.Number: "a number", spec.Integer: "a whole number", spec.Boolean: "true or false",
	spec.Timestamp: "a time", spec.List: "a list", spec.Map: "a map", spec.Object: "a map", spec.JSON: "anything",
}

func (c *checker) wrong(n *template.Node, v *spec.Value, is string) {
	c.add(n.Pos, "wrong-type", "%s must be %s, %s", c.place(), wants[v.Kind], is)
}

// union looks for an alternative that takes the value. When there is none,
// the complaints of the one that comes nearest are the most useful.
func (c *checker) union(n *template.Node, v *spec.Value) {
	start := len(c.findings)
	var best []Finding
	var kinds []string
	for i := range v.Any {
		alternative := &v.Any[i]
		c.value(n, alternative)
		found := slices.Clone(c.findings[start:])
		c.findings = c.findings[:start]
		if len(found) == 0 {
			return
		}
		fits := wanted(alternative) == kindOf(n)
		if fits && (best == nil || len(found) < len(best)) {
			best = found
		}
		if kind := wants[alternative.Kind]; kind != "" && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if best != nil {
		c.findings = append(c.findings, best...)
		return
	}
	c.add(n.Pos, "wrong-type", "%s must be %s, this is a %s", c.place(), strings.Join(kinds, " or "), n.Kind)
}
