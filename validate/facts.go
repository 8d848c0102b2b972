package validate

import (
	"slices"
	"strings"

	"ouro/library"
	"ouro/template"
)

// facts are what a template has that other files must agree with. They hold
// none of its nodes.
type facts struct {
	parameters []template.Parameter
	byName     map[string]template.Parameter // the same
	outputs    []string
	open       bool // macros may bring more of both
	nested     []nestedStack
	outputUses []outputUse
	pipeline   bool // has actions that deploy templates
}

// nestedStack is a resource that makes a stack, or many, of another file.
type nestedStack struct {
	pos      template.Pos // of the logical id
	name     string
	set      bool   // it makes many
	url      string // of the template, as written
	urlPos   template.Pos
	given    []setting
	complete bool // given is all; a function may give others
}

func (s nestedStack) what() string {
	if s.set {
		return "stack set"
	}
	return "nested stack"
}

// setting is a value for a parameter.
type setting struct {
	name  string
	value string
	known bool // value is a literal
	pos   template.Pos
}

// outputUse is a reference to a nested stack's output.
type outputUse struct {
	pos           template.Pos
	stack, output string
}

// stackTypes are the resources that make a stack of a template, with the
// property that names it.
var stackTypes = map[string]string{
	"AWS::CloudFormation::Stack":   "TemplateURL",
	stackSetType:                   "TemplateURL",
	"AWS::Serverless::Application": "Location",
}

const stackSetType = "AWS::CloudFormation::StackSet"

func factsOf(t *template.Template) facts {
	f := facts{parameters: t.Parameters(), byName: map[string]template.Parameter{}, open: included(t)}
	for _, p := range f.parameters {
		f.byName[p.Name] = p
	}
	for _, o := range t.Outputs() {
		f.outputs = append(f.outputs, o.Name)
		f.open = f.open || strings.HasPrefix(o.Name, "Fn::")
	}
	for _, name := range t.Transforms() {
		f.open = f.open || !strings.HasPrefix(name, "AWS::")
	}
	for _, r := range t.Resources() {
		f.pipeline = f.pipeline || r.Type == pipelineType
		property, ok := stackTypes[r.Type]
		if !ok {
			continue
		}
		if url := r.Properties.Get(property); url != nil && url.Kind == template.String {
			f.nested = append(f.nested, nestedOf(r, url))
		}
	}
	if f.nested == nil {
		return f
	}
	stacks := map[string]bool{}
	for _, s := range f.nested {
		stacks[s.name] = !s.set // whose stacks' outputs nobody reads
	}
	template.Uses(t.Root, func(u template.Use) {
		if output, ok := strings.CutPrefix(u.Attribute, "Outputs."); ok && stacks[u.Name] {
			f.outputUses = append(f.outputUses, outputUse{pos: u.At.Pos, stack: u.Name, output: output})
		}
	})
	return f
}

func nestedOf(r template.Resource, url *template.Node) nestedStack {
	s := nestedStack{pos: r.Pos, name: r.LogicalID, set: r.Type == stackSetType, url: url.Text, urlPos: url.Pos, complete: true}
	parameters := r.Properties.Get("Parameters")
	switch name, _ := parameters.Function(); {
	case name != "" || parameters.Get("Fn::Transform") != nil:
		s.complete = false
	case parameters == nil:
	case parameters.Kind == template.Map:
		s.given = settings(parameters)
	case parameters.Kind == template.List:
		s.given, s.complete = listedSettings(parameters)
	}
	return s
}

// listedSettings are those of a stack set, which names its parameters in a
// list; false when functions bring some.
func listedSettings(n *template.Node) (given []setting, complete bool) {
	complete = true
	for _, item := range n.Items {
		name, value := item.Get("ParameterKey"), item.Get("ParameterValue")
		if !name.IsScalar() || value == nil {
			complete = complete && absent(item)
			continue
		}
		given = append(given, setting{name: name.Text, value: value.Text, known: literal(value), pos: name.Pos})
	}
	return given, complete
}

// literal tells whether a value is known before anything is deployed. What begins
// with the library's scheme is put in by publishing.
func literal(n *template.Node) bool {
	return n.IsScalar() && !strings.Contains(n.Text, dynamic) && !strings.HasPrefix(n.Text, library.Scheme)
}

func settings(n *template.Node) []setting {
	out := make([]setting, len(n.Keys))
	for i, k := range n.Keys {
		v := n.Items[i]
		out[i] = setting{name: k.Text, value: v.Text, known: literal(v), pos: k.Pos}
		if absent(v) {
			out[i].name = "" // as if it were not there
		}
	}
	return slices.DeleteFunc(out, func(s setting) bool { return s.name == "" })
}

// missing are the parameters without a default that nothing gives a value.
func (f facts) missing(given []setting, besides ...string) []string {
	has := map[string]bool{}
	for _, g := range given {
		has[g.name] = true
	}
	for _, name := range besides {
		has[name] = true
	}
	var out []string
	for _, p := range f.parameters {
		if p.Default == nil && !has[p.Name] {
			out = append(out, p.Name)
		}
	}
	return out
}

func (f facts) parameterNames() []string {
	out := make([]string, len(f.parameters))
	for i, p := range f.parameters {
		out[i] = p.Name
	}
	return out
}
