package validate

import (
	"slices"
	"strings"

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

// nestedStack is a resource that makes a stack of another file.
type nestedStack struct {
	pos      template.Pos // of the logical id
	name     string
	url      string // of the template, as written
	urlPos   template.Pos
	given    []setting
	complete bool // given is all; a function may give others
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
	"AWS::Serverless::Application": "Location",
}

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
		stacks[s.name] = true
	}
	template.Uses(t.Root, func(u template.Use) {
		if output, ok := strings.CutPrefix(u.Attribute, "Outputs."); ok && stacks[u.Name] {
			f.outputUses = append(f.outputUses, outputUse{pos: u.At.Pos, stack: u.Name, output: output})
		}
	})
	return f
}

func nestedOf(r template.Resource, url *template.Node) nestedStack {
	s := nestedStack{pos: r.Pos, name: r.LogicalID, url: url.Text, urlPos: url.Pos, complete: true}
	parameters := r.Properties.Get("Parameters")
	if name, _ := parameters.Function(); name != "" || parameters.Get("Fn::Transform") != nil {
		s.complete = false
	} else if parameters != nil && parameters.Kind == template.Map {
		s.given = settings(parameters)
	}
	return s
}

func settings(n *template.Node) []setting {
	out := make([]setting, len(n.Keys))
	for i, k := range n.Keys {
		v := n.Items[i]
		out[i] = setting{name: k.Text, value: v.Text, known: v.IsScalar() && !strings.Contains(v.Text, dynamic), pos: k.Pos}
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
