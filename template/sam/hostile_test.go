package sam_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"ouro/template"
	"ouro/template/sam"
)

// TestHostile puts wrong values into places of the golden templates: whatever
// becomes of them, the transform must come back.
func TestHostile(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range cases(t) {
		source := read(t, name).Files[0]
		for range 40 {
			parsed, err := template.Parse(source.Name, source.Data)
			if err != nil {
				t.Fatal(err)
			}
			nodes := below(parsed.Root)
			for range 1 + random.IntN(3) {
				at := nodes[random.IntN(len(nodes))]
				*at = *wrongValue(random, nodes)
			}
			out, err := sam.Transform(parsed, sam.Options{})
			if err == nil {
				template.Canonical(out.Root)
			}
		}
	}
}

// below are all values below n.
func below(n *template.Node) []*template.Node {
	var out []*template.Node
	for _, item := range n.Items {
		out = append(append(out, item), below(item)...)
	}
	return out
}

// wrongValue is a value of some kind: an empty one, a function without sense,
// or one from elsewhere.
func wrongValue(random *rand.Rand, nodes []*template.Node) *template.Node {
	text := func(s string) *template.Node { return &template.Node{Kind: template.String, Text: s} }
	list := func(items ...*template.Node) *template.Node {
		return &template.Node{Kind: template.List, Items: items}
	}
	function := func(name string, arg *template.Node) *template.Node {
		return &template.Node{Kind: template.Map, Keys: []*template.Node{text(name)}, Items: []*template.Node{arg}}
	}
	elsewhere := copyOf(nodes[random.IntN(len(nodes))])
	values := []*template.Node{
		{Kind: template.Null}, {Kind: template.Map}, {Kind: template.Bool, Text: "true"}, {Kind: template.Number, Text: "1"},
		text(""), list(), list(text("a")), elsewhere, list(elsewhere),
		function("Ref", list()), function("Fn::If", list(text("C"), &template.Node{Kind: template.Null}, elsewhere)),
		function("Fn::If", text("C")), function("Fn::Sub", list()), function("Fn::GetAtt", text("a")),
	}
	return values[random.IntN(len(values))]
}

func copyOf(n *template.Node) *template.Node {
	out := *n
	out.Items = slices.Clone(n.Items)
	for i, item := range out.Items {
		out.Items[i] = copyOf(item)
	}
	return &out
}
