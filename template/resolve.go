package template

import "slices"

// resolver replaces what AWS::LanguageExtensions can know. Nodes that do not
// change are kept as they are.
type resolver struct {
	table   map[string]func(r *resolver, n, arg *Node) (*Node, error)
	t       *Template
	env     *Env            // without answers for resources, and without secrets
	secret  map[string]bool // NoEcho parameters, whose values must not be written down
	numbers map[string]bool // parameters of type Number
	left    int             // how many more nodes may be written
	bytes   int             // and how much text
}

// resolvers are the functions that the transform looks into; all others only
// have their arguments resolved. A resolver carries the table with it, because
// resolving one function leads to others.
var resolvers = map[string]func(r *resolver, n, arg *Node) (*Node, error){
	"Ref":              (*resolver).ref,
	"Fn::If":           (*resolver).branch,
	"Fn::FindInMap":    (*resolver).find,
	"Fn::Sub":          (*resolver).sub,
	"Fn::Length":       (*resolver).length,
	"Fn::ToJsonString": (*resolver).toJSON,
	"Fn::Join":         (*resolver).pure,
	"Fn::Select":       (*resolver).pure,
	"Fn::Split":        (*resolver).pure,
	"Fn::Base64":       (*resolver).pure,
	"Fn::Transform":    func(_ *resolver, n, _ *Node) (*Node, error) { return n, nil },
}

// node resolves n and everything in it.
func (r *resolver) node(n *Node) (*Node, error) {
	if n.Kind < List {
		return n, nil
	}
	name, arg := n.Function()
	if resolve, ok := r.table[name]; ok {
		out, err := resolve(r, n, arg)
		if err == nil && out != n {
			err = r.spend(out)
		}
		return out, err
	}
	if name != "" {
		arg, err := r.argument(arg)
		return n.call(arg), err
	}
	return r.members(n, false)
}

// argument resolves the argument of a function, whose parts keep their places.
func (r *resolver) argument(n *Node) (*Node, error) {
	if n.Kind == List {
		return r.members(n, true)
	}
	return r.node(n)
}

// members resolves what is in a list or map. Unless all are to be kept, those
// that turn out to be AWS::NoValue go.
func (r *resolver) members(n *Node, all bool) (*Node, error) {
	var keys, items []*Node
	for i, item := range n.Items {
		done, err := r.node(item)
		if err != nil {
			return nil, err
		}
		none := !all && isNoValue(done)
		if items == nil && done == item && !none {
			continue
		}
		if items == nil {
			keys, items = slices.Clone(n.Keys[:min(i, len(n.Keys))]), slices.Clone(n.Items[:i])
		}
		if none {
			continue
		}
		if n.Kind == Map {
			keys = append(keys, n.Keys[i])
		}
		items = append(items, done)
	}
	if items == nil {
		return n, nil
	}
	return &Node{Kind: n.Kind, Pos: n.Pos, Keys: keys, Items: items}, nil
}

// call is n with another argument, n itself when that has not changed.
func (n *Node) call(arg *Node) *Node {
	if arg == n.Items[0] {
		return n
	}
	return &Node{Kind: Map, Pos: n.Pos, Keys: n.Keys, Items: []*Node{arg}}
}

// literal tells whether there are no functions in n.
func literal(n *Node) bool {
	if name, _ := n.Function(); name != "" {
		return false
	}
	return !slices.ContainsFunc(n.Items, func(item *Node) bool { return item.Kind >= List && !literal(item) })
}

// eval is the value of a function whose argument is literal.
func (r *resolver) eval(n *Node) (*Node, error) {
	e := &evaluator{t: r.t, env: r.env, table: functions}
	v, err := e.value(n)
	if err != nil {
		return nil, err
	}
	return fromValue(n.Pos, v), nil
}

// pure is for functions whose value depends on nothing but their argument.
func (r *resolver) pure(n, arg *Node) (*Node, error) {
	arg, err := r.argument(arg)
	if err != nil {
		return nil, err
	}
	if n = n.call(arg); literal(arg) {
		return r.eval(n)
	}
	return n, nil
}

// name resolves a name given by functions, which only this transform allows.
func (r *resolver) name(n *Node, function string) (*Node, error) {
	out, err := r.node(n)
	if err == nil && !out.IsScalar() {
		err = evalError(n, "%s layout is incorrect", function)
	}
	return out, err
}

func (r *resolver) ref(n, arg *Node) (*Node, error) {
	name, err := r.name(arg, "Ref")
	if err != nil {
		return nil, err
	}
	v := r.known(n, name.Text)
	if v == nil {
		return n.call(name), nil
	}
	return v, nil
}

// known is the value of a parameter or pseudo parameter, nil when it is not
// to be resolved.
func (r *resolver) known(at *Node, name string) *Node {
	if slices.Contains(earlyPseudo, name) {
		return fromValue(at.Pos, pseudoParameters[name](r.env))
	}
	v, ok := r.env.Parameters[name]
	if !ok {
		return nil
	}
	if list, ok := v.([]string); ok {
		return fromValue(at.Pos, anyList(list))
	}
	out := fromValue(at.Pos, v)
	if r.numbers[name] && out.Text != "" && numberLength(out.Text) == len(out.Text) {
		out.Kind = Number
	}
	return out
}

// branch is the branch of Fn::If that is taken; nothing is said about the
// other.
func (r *resolver) branch(n, arg *Node) (*Node, error) {
	if message := ifArgs(arg); message != "" {
		return nil, evalError(n, "Fn::If layout is incorrect")
	}
	yes, known := r.env.Conditions[arg.Items[0].Text]
	if !known {
		return nil, evalError(n, "Template error: unresolved condition dependency %s in Fn::If", arg.Items[0].Text)
	}
	if yes {
		return r.node(arg.Items[1])
	}
	return r.node(arg.Items[2])
}

// find looks into a mapping as soon as its three names are known. Those that
// hold the stack's name or a secret are left to the stack's operation.
func (r *resolver) find(n, arg *Node) (*Node, error) {
	if arg.Kind != List || len(arg.Items) < 3 || len(arg.Items) > 4 {
		return nil, evalError(n, "Fn::FindInMap layout is incorrect")
	}
	names := &Node{Kind: List, Pos: arg.Pos}
	for _, item := range arg.Items[:3] {
		name, err := r.node(item)
		if err != nil {
			return nil, err
		}
		if name.Kind == List || name.Kind == Null || !literal(name) && !r.late(name) {
			return nil, evalError(n, "Fn::FindInMap layout is incorrect")
		}
		names.Items = append(names.Items, name)
	}
	if literal(names) {
		if v := mapped(r.t, names.Items); v != nil {
			return r.moved(v, n.Pos)
		}
	}
	if len(arg.Items) == 3 {
		if literal(names) {
			return nil, evalError(n, "Template error: Unable to get mapping for %s::%s::%s", names.Items[0].Text, names.Items[1].Text, names.Items[2].Text)
		}
		return n.call(names), nil
	}
	fallback := arg.Items[3].Get("DefaultValue")
	if fallback == nil {
		return nil, evalError(n, "Fn::FindInMap layout is incorrect")
	}
	if !literal(names) {
		return nil, evalError(n, "Fn::FindInMap with DefaultValue could not be resolved: its keys must be known before there are resources")
	}
	return r.node(fallback)
}

// late tells whether n is a Ref that the stack's operation can answer in the
// keys of Fn::FindInMap.
func (r *resolver) late(n *Node) bool {
	name, arg := n.Function()
	if name != "Ref" {
		return false
	}
	_, pseudo := pseudoParameters[arg.Text]
	return pseudo && !isNoValue(n) || r.secret[arg.Text]
}

// mapped is the value of a mapping, nil when there is none.
func mapped(t *Template, names []*Node) *Node {
	return t.Root.Get("Mappings").Get(names[0].Text).Get(names[1].Text).Get(names[2].Text)
}

// moved is a copy of n that stands at pos.
func (r *resolver) moved(n *Node, pos Pos) (*Node, error) {
	if err := r.spend(n); err != nil {
		return nil, err
	}
	out := &Node{Kind: n.Kind, Text: n.Text, Keys: n.Keys, Pos: pos, Items: make([]*Node, len(n.Items))}
	for i, item := range n.Items {
		var err error
		if out.Items[i], err = r.moved(item, pos); err != nil {
			return nil, err
		}
	}
	return out, nil
}
