package publish

import (
	"slices"
	"strconv"
	"strings"

	"ouro/template"
)

// facts are what a template has that files around it must agree with.
type facts struct {
	parameters []declared
	outputs    []string
	nested     []nestedStack
	outputUses []outputUse
}

// declared is a parameter; one that is required has no default.
type declared struct {
	name     string
	required bool
}

// nestedStack is a resource that makes a stack of another file.
type nestedStack struct {
	id     template.Pos
	name   string
	target string
	given  []given
	known  bool // given is all; a function may give others
}

// given is a parameter that a nested stack is given a value for.
type given struct {
	pos  template.Pos
	name string
}

// outputUse is a Fn::GetAtt of a nested stack's output.
type outputUse struct {
	pos           template.Pos
	stack, output string
}

func factsOf(t *template.Template, targets map[*template.Node]string) facts {
	var f facts
	for _, p := range t.Parameters() {
		f.parameters = append(f.parameters, declared{name: p.Name, required: p.Default == nil})
	}
	for _, o := range t.Outputs() {
		f.outputs = append(f.outputs, o.Name)
	}
	if len(targets) == 0 {
		return f
	}
	for _, r := range t.Resources() {
		target := targets[r.Properties.Get("TemplateURL")]
		if r.Type != "AWS::CloudFormation::Stack" || target == "" {
			continue
		}
		f.nested = append(f.nested, nestedOf(r, target))
	}
	if len(f.nested) > 0 {
		f.outputUses = usesOf(t.Root, nil)
	}
	return f
}

func nestedOf(r template.Resource, target string) nestedStack {
	s := nestedStack{id: r.Pos, name: r.LogicalID, target: target, known: true}
	parameters := r.Properties.Get("Parameters")
	if name, _ := parameters.Function(); name != "" {
		s.known = false
	} else if parameters != nil {
		for _, k := range parameters.Keys {
			s.given = append(s.given, given{pos: k.Pos, name: k.Text})
		}
	}
	return s
}

// usesOf finds Fn::GetAtt of attributes Outputs.NAME.
func usesOf(n *template.Node, found []outputUse) []outputUse {
	if name, arg := n.Function(); name == "Fn::GetAtt" {
		stack, attribute, _ := strings.Cut(arg.Text, ".") // the form in one text
		if arg.Kind == template.List && len(arg.Items) == 2 {
			stack, attribute = arg.Items[0].Text, arg.Items[1].Text
		}
		if output, ok := strings.CutPrefix(attribute, "Outputs."); ok {
			return append(found, outputUse{pos: arg.Pos, stack: stack, output: output})
		}
	}
	for _, item := range n.Items {
		if item.Kind >= template.List {
			found = usesOf(item, found)
		}
	}
	return found
}

// checkNested holds every nested stack against its template: parameters that
// it does not declare or that are missing, outputs that it does not have.
// CloudFormation finds these when the outer stack is half built.
func (w *walker) checkNested() {
	for _, f := range w.order {
		byName := map[string]*file{}
		for _, s := range f.facts.nested {
			inner := w.files[s.target]
			if inner == nil || !inner.isTemplate {
				continue
			}
			byName[s.name] = inner
			w.checkGiven(s, inner)
		}
		for _, use := range f.facts.outputUses {
			inner := byName[use.stack]
			if inner != nil && !slices.Contains(inner.facts.outputs, use.output) {
				w.problem(use.pos, "undeclared-output", "nested stack "+quoted(use.stack)+" has no output "+quoted(use.output)+": "+inner.path+" does not declare it")
			}
		}
	}
}

func (w *walker) checkGiven(s nestedStack, inner *file) {
	if !s.known {
		return
	}
	for _, g := range s.given {
		if !slices.ContainsFunc(inner.facts.parameters, func(p declared) bool { return p.name == g.name }) {
			w.problem(g.pos, "undeclared-parameter", "nested stack "+quoted(s.name)+" is given the parameter "+quoted(g.name)+", which "+inner.path+" does not declare")
		}
	}
	for _, p := range inner.facts.parameters {
		if p.required && !slices.ContainsFunc(s.given, func(g given) bool { return g.name == p.name }) {
			w.problem(s.id, "missing-parameter", "nested stack "+quoted(s.name)+" must be given the parameter "+quoted(p.name)+" of "+inner.path+", which has no default")
		}
	}
}

func quoted(s string) string { return strconv.Quote(s) }

func lineOf(pos template.Pos) string { return strconv.Itoa(pos.Line) }
