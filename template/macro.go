package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// title is how CloudFormation calls a macro: an account's own with the account.
func (x *expander) title(name string) string {
	if strings.Contains(name, "::") {
		return name
	}
	return x.env.Account + "::" + name
}

func (x *expander) failed(call transformCall, err error) error {
	pos := call.at.Pos
	if inside, ok := errors.AsType[*EvalError](err); ok {
		pos = inside.Pos
	}
	return &TransformError{Pos: pos, Message: "Transform " + x.title(call.name) + " failed with: " + err.Error(), Err: err}
}

func (x *expander) run(call transformCall) (*Node, error) {
	snippet := call.fragment != nil
	fragment := call.fragment
	if !snippet {
		fragment = x.out.Root
	}
	if call.name == languageExtensions {
		if snippet {
			return nil, x.failed(call, errors.New("AWS::LanguageExtensions must be declared at the top level of the template"))
		}
		root, err := extend(x.out, x.env)
		if err != nil {
			return nil, x.failed(call, err)
		}
		x.out.extended = true
		return x.counted(call, root)
	}
	answer, err := x.ask(call, fragment, snippet)
	if err != nil {
		return nil, err
	}
	if call.name == includeTransform {
		if answer, err = include(fragment, answer); err != nil {
			return nil, x.failed(call, err)
		}
	}
	if !snippet && answer.Kind != Map {
		return nil, x.failed(call, errors.New("the result is not a template"))
	}
	return x.counted(call, answer)
}

// counted is what a transform gave, if that and all before are not too much.
func (x *expander) counted(call transformCall, answer *Node) (*Node, error) {
	count, err := bounded(answer)
	if x.left -= count; err == nil && x.left < 0 {
		err = evalError(call.at, "%s", tooMuch)
	}
	if err != nil {
		return nil, x.failed(call, err)
	}
	return answer, nil
}

func (x *expander) ask(call transformCall, fragment *Node, snippet bool) (*Node, error) {
	var answer *Node
	err := ErrNoTransform
	if x.ctx.Err() != nil {
		err = x.ctx.Err()
	} else if x.macros != nil {
		answer, err = x.macros.Transform(x.ctx, MacroCall{
			Name: call.name, Params: x.params(call.params), Fragment: fragment, Snippet: snippet, Template: x.out, Env: x.env,
		})
	}
	switch {
	case errors.Is(err, ErrNoTransform):
		return nil, &TransformError{Pos: call.at.Pos, Message: "No transform named " + x.title(call.name) + " found.", Err: err}
	case err != nil:
		return nil, x.failed(call, err)
	case answer == nil:
		return nil, &TransformError{Pos: call.at.Pos, Message: "Fragment returned by transform " + x.title(call.name) + " is null."}
	}
	return answer, nil
}

// params evaluates what can be known before there are resources.
func (x *expander) params(n *Node) map[string]any {
	out := map[string]any{}
	if n == nil {
		return out
	}
	e := &evaluator{t: x.out, env: beforeResources(x.env), table: functions}
	for i, k := range n.Keys {
		v, err := e.value(n.Items[i])
		if _, none := v.(noValue); err != nil || none {
			v = plain(n.Items[i])
		}
		out[k.Text] = v
	}
	return out
}

// beforeResources is env without answers for what does not exist yet.
func beforeResources(env *Env) *Env {
	e := *env
	e.Ref, e.GetAtt, e.Import, e.StackOutput, e.Dynamic = nil, nil, nil, nil, nil
	return &e
}

// include puts a snippet beside what stands there; what the template says
// itself wins, and maps that both have become one.
func include(fragment, snippet *Node) (*Node, error) {
	if len(fragment.Keys) == 0 {
		return snippet, nil
	}
	if snippet.Kind != Map {
		return nil, fmt.Errorf("the included snippet is a %s, beside others it must be a map", snippet.Kind)
	}
	out := &Node{Kind: Map, Pos: fragment.Pos, Keys: slices.Clone(fragment.Keys), Items: slices.Clone(fragment.Items)}
	own := make(map[string]int, len(fragment.Keys))
	for i, k := range fragment.Keys {
		own[k.Text] = i
	}
	for i, k := range snippet.Keys {
		at, has := own[k.Text]
		switch {
		case !has:
			out.Keys, out.Items = append(out.Keys, k), append(out.Items, snippet.Items[i])
		case fragment.Items[at].Kind == Map && snippet.Items[i].Kind == Map:
			both, err := include(fragment.Items[at], snippet.Items[i])
			if err != nil {
				return nil, err
			}
			out.Items[at] = both
		}
	}
	return out, nil
}
