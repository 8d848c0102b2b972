package publish

import (
	"slices"
	"strconv"
	"strings"

	"ouro/template"
)

// facts are what a template has that files around it must agree with.
type facts struct {
	parameters []template.Parameter
	outputs    []string
	open       bool // macros and loops may bring more of both
	nested     []nestedStack
	outputUses []outputUse
}

// nestedStack is a resource that makes a stack of another file.
type nestedStack struct {
	id     template.Pos
	name   string
	target source
	given  []given
	known  bool // given is all; a function may give others
}

// given is a parameter that a nested stack is given a value for.
type given struct {
	pos     template.Pos
	name    string
	value   string
	literal bool // value is known before anything is deployed
}

// outputUse is a Fn::GetAtt of a nested stack's output.
type outputUse struct {
	pos           template.Pos
	stack, output string
}

// nestedURL is where resources that take parameters and have outputs of a
// nested stack name its template.
var nestedURL = map[string]string{"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}

func factsOf(t *template.Template, places map[*template.Node]place) facts {
	f := facts{parameters: t.Parameters(), open: opens(t)}
	for _, o := range t.Outputs() {
		f.outputs = append(f.outputs, o.Name)
	}
	if len(places) == 0 {
		return f
	}
	for _, r := range t.Resources() {
		property, ok := nestedURL[r.Type]
		if !ok {
			continue
		}
		target := places[r.Properties.Get(property)].target
		if target.none() {
			continue
		}
		f.nested = append(f.nested, nestedOf(r, target, places))
	}
	if len(f.nested) > 0 {
		f.outputUses = usesOf(t.Root, nil)
	}
	return f
}

// opens tells whether a template's sections may have members in the end that
// its source has not: those of a loop, an include, or an account's own macro.
func opens(t *template.Template) bool {
	brings := func(n *template.Node) bool {
		return n != nil && slices.ContainsFunc(n.Keys, func(k *template.Node) bool { return strings.HasPrefix(k.Text, "Fn::") })
	}
	return brings(t.Root) || brings(t.Root.Get("Parameters")) || brings(t.Root.Get("Outputs")) ||
		slices.ContainsFunc(t.Transforms(), func(name string) bool { return !strings.HasPrefix(name, "AWS::") })
}

func nestedOf(r template.Resource, target source, places map[*template.Node]place) nestedStack {
	s := nestedStack{id: r.Pos, name: r.LogicalID, target: target, known: true}
	parameters := r.Properties.Get("Parameters")
	if name, _ := parameters.Function(); name != "" {
		s.known = false
	} else if parameters != nil {
		for i, k := range parameters.Keys {
			v := parameters.Items[i]
			_, replaced := places[v]
			s.given = append(s.given, given{pos: k.Pos, name: k.Text, value: v.Text, literal: v.IsScalar() && !replaced && !strings.Contains(v.Text, "{{resolve:")})
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
		w.chain = f.chain
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
			if inner != nil && !inner.facts.open && !slices.Contains(inner.facts.outputs, use.output) {
				w.problem(use.pos, "unresolved-attribute", "nested stack "+quoted(use.stack)+" has no output "+quoted(use.output)+": "+inner.path+" does not declare it")
			}
		}
	}
}

func (w *walker) checkGiven(s nestedStack, inner *file) {
	if !s.known {
		return
	}
	for _, g := range s.given {
		at := slices.IndexFunc(inner.facts.parameters, func(p template.Parameter) bool { return p.Name == g.name })
		switch {
		case at < 0 && !inner.facts.open:
			w.problem(g.pos, "unknown-parameter", "nested stack "+quoted(s.name)+" is given the parameter "+quoted(g.name)+", which "+inner.path+" does not declare")
		case at >= 0 && g.literal:
			if err := inner.facts.parameters[at].Validate(g.value); err != nil {
				w.problem(g.pos, "parameter-value", err.Error())
			}
		}
	}
	for _, p := range inner.facts.parameters {
		if p.Default == nil && !slices.ContainsFunc(s.given, func(g given) bool { return g.name == p.Name }) {
			w.problem(s.id, "missing-parameter", "nested stack "+quoted(s.name)+" must be given the parameter "+quoted(p.Name)+" of "+inner.path+", which has no default")
		}
	}
}

func quoted(s string) string { return strconv.Quote(s) }

func lineOf(pos template.Pos) string { return strconv.Itoa(pos.Line) }
