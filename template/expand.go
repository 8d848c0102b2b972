package template

import (
	"context"
	"errors"
	"slices"
)

// maxProcessed is the size of a template after its transforms: what
// CloudFormation takes from S3, since a transform's result is subject to the
// limits of a template
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const maxProcessed = 1_000_000

const includeTransform = "AWS::Include"

// Macros answers for the transforms that a template names.
type Macros interface {
	// Transform rewrites m.Fragment. What it returns takes the fragment's
	// place; for AWS::Include it is the included snippet, which Expand puts
	// beside the fragment. The error's text follows "Transform <name> failed
	// with: "; ErrNoTransform says that there is no macro of that name.
	Transform(ctx context.Context, m MacroCall) (*Node, error)
}

// ErrNoTransform is what Macros answer for a name that they do not have.
var ErrNoTransform = errors.New("no such transform")

// MacroCall is one use of a transform.
type MacroCall struct {
	// Name is the macro: AWS::Include, AWS::Serverless-2016-10-31, or an
	// account's own.
	Name string
	// Params are the parameters of the call. Functions of parameters, pseudo
	// parameters and mappings are evaluated, others stand there as written.
	Params map[string]any
	// Fragment is what the macro may rewrite: the whole template without its
	// Transform section, or for a Snippet the siblings of Fn::Transform. It
	// must not be changed.
	Fragment *Node
	// Snippet is true for Fn::Transform somewhere inside, false for the
	// Transform section.
	Snippet bool
	// Template is the template that is being expanded.
	Template *Template
	// Env holds the pseudo parameters and the values of the parameters.
	Env *Env
}

// TransformError is a template that could not be transformed. Message is what
// CloudFormation says; Err is the macro's own error, when that refused.
type TransformError struct {
	Pos     Pos
	Message string
	Err     error
}

func (e *TransformError) Error() string { return e.Message }

func (e *TransformError) Unwrap() error { return e.Err }

// Expand runs the template's transforms: Fn::Transform wherever it stands,
// deepest first, then the Transform section in its order
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros-overview.html).
// AWS::LanguageExtensions is done here, all others by macros, which may be nil.
// env needs the parameters and pseudo parameters. The result is a template
// without transforms, which has yet to be checked; a template that declares
// none is returned as it is. Macros in what a macro returns are not run, as
// CloudFormation does not run them either. The error is a *TransformError.
func (t *Template) Expand(ctx context.Context, env *Env, macros Macros) (*Template, error) {
	if t.Root.Get("Transform") == nil && !hasTransform(t.Root) {
		return t, nil
	}
	x := &expander{ctx: ctx, env: env, macros: macros, out: &Template{Root: t.Root, File: t.File}, left: maxAnswers}
	root, err := x.snippets(t.Root)
	if err != nil {
		return nil, err
	}
	if root.Kind != Map { // a macro stood for the whole template
		return nil, &TransformError{Pos: t.Root.Pos, Message: "Template format error: the result of Fn::Transform is not a template."}
	}
	calls, err := x.section(root.Get("Transform"))
	if err != nil {
		return nil, err
	}
	x.out.Root = without(root, "Transform")
	for _, call := range calls {
		root, err = x.run(call)
		if err != nil {
			return nil, err
		}
		x.out.Root = without(root, "Transform")
	}
	if size := len(Canonical(x.out.Root)); size > maxProcessed {
		return nil, &TransformError{Pos: t.Root.Pos, Message: tooMuch}
	}
	return x.out, nil
}

// expander is one run of Expand.
type expander struct {
	ctx    context.Context
	env    *Env
	macros Macros
	out    *Template // as far as it is done
	left   int       // how many more values its transforms may give
}

// maxAnswers is how many values all transforms of a template may give together:
// a few bytes can ask for a large snippet, again and again.
const maxAnswers = 4 * MaxNodes

// transformCall is a macro to be run on a fragment.
type transformCall struct {
	at       *Node
	name     string
	params   *Node
	fragment *Node // nil for the whole template
}

func hasTransform(n *Node) bool {
	for i, item := range n.Items {
		if n.Kind == Map && n.Keys[i].Text == "Fn::Transform" || item.Kind >= List && hasTransform(item) {
			return true
		}
	}
	return false
}

// snippets runs every Fn::Transform in n, deepest first.
func (x *expander) snippets(n *Node) (*Node, error) {
	if n.Kind < List {
		return n, nil
	}
	var call *Node
	items := n.Items
	touched := false
	for i, item := range n.Items {
		if n.Kind == Map && n.Keys[i].Text == "Fn::Transform" {
			call = item // its parameters are the macro's
			continue
		}
		done, err := x.snippets(item)
		if err != nil {
			return nil, err
		}
		if done != item {
			if !touched {
				items, touched = slices.Clone(items), true
			}
			items[i] = done
		}
	}
	if call == nil && !touched {
		return n, nil
	}
	out := &Node{Kind: n.Kind, Pos: n.Pos, Keys: n.Keys, Items: items}
	if call == nil {
		return out, nil
	}
	calls, err := x.section(call)
	if err != nil {
		return nil, err
	}
	fragment := without(out, "Fn::Transform")
	for _, c := range calls {
		c.fragment = fragment
		if fragment, err = x.run(c); err != nil {
			return nil, err
		}
	}
	return fragment, nil
}

// without is map n without a key, n itself when it has none of that name.
func without(n *Node, key string) *Node {
	at := slices.IndexFunc(n.Keys, func(k *Node) bool { return k.Text == key })
	if at < 0 {
		return n
	}
	return &Node{
		Kind: Map, Pos: n.Pos,
		Keys:  slices.Concat(n.Keys[:at], n.Keys[at+1:]),
		Items: slices.Concat(n.Items[:at], n.Items[at+1:]),
	}
}

// section reads the value of Transform or Fn::Transform: a name, a map of Name
// and Parameters, or a list of these.
func (x *expander) section(n *Node) ([]transformCall, error) {
	if n == nil {
		return nil, nil
	}
	items := []*Node{n}
	if n.Kind == List {
		items = n.Items
	}
	calls := make([]transformCall, 0, len(items))
	for _, item := range items {
		call := transformCall{at: item, name: item.Text}
		if item.Kind == Map {
			call.name, call.params = item.Get("Name").Scalar(), item.Get("Parameters")
		}
		if call.name == "" || call.params != nil && call.params.Kind != Map {
			return nil, &TransformError{Pos: item.Pos, Message: transformShape}
		}
		calls = append(calls, call)
	}
	return calls, nil
}

const transformShape = "Template format error: Transform members must be a string or an object with a Name and optional Parameters."
