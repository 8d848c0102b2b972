package template

import "strings"

const (
	loopPrefix = "Fn::ForEach::"
	// maxLoops is how deep loops may be nested
	// (https://github.com/aws-cloudformation/cfn-language-discussion/blob/main/RFCs/0009-Fn%3A%3AForEach.md).
	maxLoops = 5
)

// binding is the value that a loop's identifier has, with those of the loops
// around it.
type binding struct {
	outer             *binding
	identifier, value string
	depth             int
}

func (b *binding) lookup(identifier string) (string, bool) {
	for ; b != nil; b = b.outer {
		if b.identifier == identifier {
			return b.value, true
		}
	}
	return "", false
}

// loop is Fn::ForEach::Name: [identifier, collection, body].
type loop struct {
	key              *Node
	name, identifier string
	collection, body *Node
}

// loopOf reads a member of a map; ok is false when it is no loop.
func loopOf(key, n *Node) (l loop, ok bool, err error) {
	name, ok := strings.CutPrefix(key.Text, loopPrefix)
	if !ok {
		return loop{}, false, nil
	}
	if n.Kind != List || len(n.Items) != 3 || n.Items[0].Kind != String || n.Items[0].Text == "" || len(n.Items[0].Text) > maxName || n.Items[2].Kind != Map {
		return loop{}, true, evalError(key, "%s layout is incorrect", key.Text)
	}
	return loop{key: key, name: name, identifier: n.Items[0].Text, collection: n.Items[1], body: n.Items[2]}, true, nil
}

// enter is the scope inside one more loop.
func (b *binding) enter(l loop) (*binding, error) {
	inner := &binding{outer: b, identifier: l.identifier, depth: 1}
	if b != nil {
		inner.depth = b.depth + 1
	}
	if _, taken := b.lookup(l.identifier); taken {
		return nil, evalError(l.key, "%s: the identifier %s is that of a loop around it too", l.key.Text, l.identifier)
	}
	if inner.depth > maxLoops {
		return nil, evalError(l.key, "%s: loops are nested deeper than %d", l.key.Text, maxLoops)
	}
	return inner, nil
}

// loops copies n with its loops written out and identifiers replaced. What no
// loop touches is not copied.
func (r *resolver) loops(n *Node, scope *binding) (*Node, error) {
	if scope == nil && !hasLoop(n) {
		return n, nil
	}
	if scope != nil {
		if err := r.spend(n); err != nil {
			return nil, err
		}
	}
	switch n.Kind {
	case String:
		text, err := r.substitute(n, scope)
		if err != nil || text == n.Text {
			return n, err
		}
		return &Node{Kind: String, Text: text, Pos: n.Pos}, nil
	case List:
		out := &Node{Kind: List, Pos: n.Pos, Items: make([]*Node, len(n.Items))}
		for i, item := range n.Items {
			var err error
			if out.Items[i], err = r.loops(item, scope); err != nil {
				return nil, err
			}
		}
		return out, nil
	case Map:
		if name, arg := n.Function(); name == "Ref" && arg.Kind == String {
			if value, ok := scope.lookup(arg.Text); ok {
				return &Node{Kind: String, Text: value, Pos: n.Pos}, nil
			}
		}
		out := &Node{Kind: Map, Pos: n.Pos}
		seen := map[string]bool{}
		if err := r.merge(out, seen, n, scope); err != nil {
			return nil, err
		}
		return out, nil
	}
	return n, nil
}

// merge adds the members of map n to out, those of its loops in their place.
func (r *resolver) merge(out *Node, seen map[string]bool, n *Node, scope *binding) error {
	for i, k := range n.Keys {
		l, ok, err := loopOf(k, n.Items[i])
		if err != nil {
			return err
		}
		if ok {
			if err := r.repeat(out, seen, l, scope); err != nil {
				return err
			}
			continue
		}
		key, err := r.loops(k, scope)
		if err != nil {
			return err
		}
		if seen[key.Text] {
			return evalError(k, "Duplicate key '%s' when merging keys to parent object in Fn::ForEach", key.Text)
		}
		seen[key.Text] = true
		value, err := r.loops(n.Items[i], scope)
		if err != nil {
			return err
		}
		out.Keys, out.Items = append(out.Keys, key), append(out.Items, value)
	}
	return nil
}

func (r *resolver) repeat(out *Node, seen map[string]bool, l loop, scope *binding) error {
	values, err := r.collection(l, scope)
	if err != nil {
		return err
	}
	inner, err := scope.enter(l)
	if err != nil {
		return err
	}
	for _, inner.value = range values {
		// An empty body is an iteration too.
		if r.left--; r.left < 0 {
			return evalError(l.key, "%s", tooMuch)
		}
		if err := r.merge(out, seen, l.body, inner); err != nil {
			return err
		}
	}
	return nil
}

// collection resolves what a loop runs over.
func (r *resolver) collection(l loop, scope *binding) ([]string, error) {
	if name, arg := l.collection.Function(); name == "Ref" && r.secret[arg.Scalar()] {
		return nil, evalError(l.key, "%s: the collection cannot be the NoEcho parameter %s", l.key.Text, arg.Text)
	}
	bound, err := r.loops(l.collection, scope)
	if err != nil {
		return nil, err
	}
	n, err := r.node(bound)
	if err != nil {
		return nil, err
	}
	if n.Kind != List {
		return nil, evalError(l.key, "%s could not be resolved", l.key.Text)
	}
	out := make([]string, 0, len(n.Items))
	for _, item := range n.Items {
		if !item.IsScalar() {
			return nil, evalError(l.key, "%s could not be resolved", l.key.Text)
		}
		out = append(out, item.Text)
	}
	return out, nil
}

const tooMuch = "Transformation data limit exceeded"

// spend counts what is written.
func (r *resolver) spend(n *Node) error {
	r.left -= 1 + len(n.Items)
	r.bytes -= len(n.Text)
	if r.left < 0 || r.bytes < 0 {
		return evalError(n, "%s", tooMuch)
	}
	return nil
}

// substitute replaces ${Identifier} and &{Identifier} of the loops around: the
// second gives the value's letters and digits only, as names need them.
func (r *resolver) substitute(n *Node, scope *binding) (string, error) {
	s, from := n.Text, 0
	var out strings.Builder
	for i := 0; i+2 < len(s); i++ {
		if s[i+1] != '{' || s[i] != '$' && s[i] != '&' {
			continue
		}
		end := strings.IndexByte(s[i:min(len(s), i+maxName+3)], '}')
		if end < 0 {
			continue
		}
		value, ok := scope.lookup(s[i+2 : i+end])
		if !ok {
			continue
		}
		if s[i] == '&' {
			value = strings.Map(alphanumericRune, value)
		}
		out.WriteString(s[from:i])
		out.WriteString(value)
		if r.bytes -= len(value); r.bytes < 0 {
			return "", evalError(n, "%s", tooMuch)
		}
		from = i + end + 1
		i = from - 1
	}
	if from == 0 {
		return s, nil
	}
	out.WriteString(s[from:])
	return out.String(), nil
}

func alphanumericRune(c rune) rune {
	if c < 128 && alphanumeric(string(c)) {
		return c
	}
	return -1
}

func hasLoop(n *Node) bool {
	for i, item := range n.Items {
		if n.Kind == Map && strings.HasPrefix(n.Keys[i].Text, loopPrefix) || item.Kind >= List && hasLoop(item) {
			return true
		}
	}
	return false
}
