package template

import (
	"strconv"
	"strings"
)

// sub replaces the variables that are known; what remains is a shorter Fn::Sub.
func (r *resolver) sub(n, arg *Node) (*Node, error) {
	text, values, ok := subForm(arg)
	if !ok {
		return nil, evalError(n, "Fn::Sub layout is incorrect")
	}
	if values != nil {
		var err error
		if values, err = r.members(values, false); err != nil {
			return nil, err
		}
	}
	s := subResolver{rest: text.Text, left: &Node{Kind: Map, Pos: arg.Pos}}
	var failure error
	value := values.finder()
	valid := subParts(text.Text, s.literal, func(name string) {
		v := value(name)
		if v == nil {
			v = r.known(text, name)
		}
		if failure == nil && v != nil {
			failure = r.spend(v)
		}
		if failure == nil {
			s.variable(name, v)
		}
	})
	switch {
	case failure != nil:
		return nil, failure
	case !valid:
		return nil, evalError(n, "%s", subNames)
	}
	if !s.open {
		return &Node{Kind: String, Text: s.value.String(), Pos: n.Pos}, nil
	}
	out := &Node{Kind: String, Text: s.source.String() + s.rest, Pos: text.Pos}
	if len(s.left.Keys) > 0 {
		out = &Node{Kind: List, Pos: arg.Pos, Items: []*Node{out, s.left}}
	}
	return n.call(out), nil
}

// subResolver writes the value of Fn::Sub and, as long as something in it is
// open, the source of what remains.
type subResolver struct {
	value, source strings.Builder
	rest          string // of the original source
	open          bool
	left          *Node           // values that remain
	kept          map[string]bool // their names
}

func (s *subResolver) literal(text string) { s.value.WriteString(text) }

func (s *subResolver) variable(name string, v *Node) {
	before, after, _ := strings.Cut(s.rest, "${"+name+"}")
	s.source.WriteString(before)
	s.rest = after
	if v.IsScalar() {
		s.value.WriteString(v.Text)
	} else {
		s.open = true
	}
	// A value that looks like a variable must not become one.
	if v.IsScalar() && !strings.ContainsAny(v.Text, "${}") {
		s.source.WriteString(v.Text)
		return
	}
	s.source.WriteString("${" + name + "}")
	if v != nil && !s.kept[name] {
		if s.kept == nil {
			s.kept = map[string]bool{}
		}
		s.kept[name] = true
		s.left.Keys = append(s.left.Keys, &Node{Kind: String, Text: name, Pos: s.left.Pos})
		s.left.Items = append(s.left.Items, v)
	}
}

// settled evaluates a function that remained although it can be known, such as
// the zones of a region; n itself when it cannot.
func (r *resolver) settled(n *Node) *Node {
	if name, _ := n.Function(); name == "" {
		return n
	}
	v, err := r.eval(n)
	if err != nil {
		return n
	}
	return v
}

func (r *resolver) length(n, arg *Node) (*Node, error) {
	list, err := r.node(arg)
	if err != nil {
		return nil, err
	}
	if list = r.settled(list); list.Kind != List {
		return nil, evalError(n, "Fn::Length layout is incorrect")
	}
	return &Node{Kind: Number, Text: strconv.Itoa(len(list.Items)), Pos: n.Pos}, nil
}

// toJSON writes n's argument as text. Functions that only the stack's operation
// can answer become parts of an Fn::Join around which the text stands.
func (r *resolver) toJSON(n, arg *Node) (*Node, error) {
	if arg.Kind < List {
		return nil, evalError(n, "Fn::ToJsonString layout is incorrect")
	}
	value, err := r.node(arg)
	if err != nil {
		return nil, err
	}
	open := map[*Node]*Node{} // what stands for a function, and the function
	w := canonicalWriter{source: true, leave: func(s *Node) bool { return open[s] != nil }}
	w.node(r.marked(value, open))
	text, holes := w.out, w.holes
	if len(holes) == 0 {
		return &Node{Kind: String, Text: string(text), Pos: n.Pos}, nil
	}
	parts := &Node{Kind: List, Pos: n.Pos}
	at, quote := 0, ""
	for _, hole := range holes {
		parts.Items = append(parts.Items, &Node{Kind: String, Text: quote + string(text[at:hole.At]) + `"`, Pos: n.Pos}, open[hole.Node])
		at, quote = hole.At, `"`
	}
	parts.Items = append(parts.Items, &Node{Kind: String, Text: quote + string(text[at:]), Pos: n.Pos})
	empty := &Node{Kind: String, Pos: n.Pos}
	return &Node{
		Kind: Map, Pos: n.Pos, Keys: []*Node{{Kind: String, Text: "Fn::Join", Pos: n.Pos}},
		Items: []*Node{{Kind: List, Pos: n.Pos, Items: []*Node{empty, parts}}},
	}, nil
}

// marked is n with a string in the place of each function that stays open.
func (r *resolver) marked(n *Node, open map[*Node]*Node) *Node {
	n = r.settled(n)
	if name, _ := n.Function(); name != "" {
		mark := &Node{Kind: String, Pos: n.Pos}
		open[mark] = n
		return mark
	}
	if len(n.Items) == 0 {
		return n
	}
	out := &Node{Kind: n.Kind, Pos: n.Pos, Keys: n.Keys, Items: make([]*Node, len(n.Items))}
	for i, item := range n.Items {
		out.Items[i] = r.marked(item, open)
	}
	return out
}
