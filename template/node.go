package template

// Kind is what a Node is.
type Kind uint8

// The kinds of JSON, which are CloudFormation's.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Map
)

// String names the kind as a sentence uses it.
func (k Kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "list", "map"}[k]
}

// Node is one value of a template.
type Node struct {
	Kind Kind
	// Text of a scalar as CloudFormation sees it: "true" or "false" for a
	// Bool, digits as written for a Number, "" for Null.
	Text string
	// Items are the members of a List, or the values of a Map.
	Items []*Node
	// Keys are the keys of a Map, String nodes, in source order: Keys[i] has
	// the value Items[i].
	Keys []*Node
	Pos  Pos
}

// Get is the value under key, nil when there is none or n is no map.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Map {
		return nil
	}
	for i, k := range n.Keys {
		if k.Text == key {
			return n.Items[i]
		}
	}
	return nil
}

// finder is Get for whoever asks for many keys: a large map is gone through once.
func (n *Node) finder() func(key string) *Node {
	if n == nil || n.Kind != Map || len(n.Keys) <= 12 {
		return n.Get
	}
	found := make(map[string]*Node, len(n.Keys))
	for i, k := range n.Keys {
		if _, twice := found[k.Text]; !twice {
			found[k.Text] = n.Items[i]
		}
	}
	return func(key string) *Node { return found[key] }
}

// Scalar is the text of a string, number or boolean, "" for everything else;
// n may be nil.
func (n *Node) Scalar() string {
	if n == nil {
		return ""
	}
	return n.Text
}

// IsScalar tells whether n is a string, number or boolean.
func (n *Node) IsScalar() bool {
	return n != nil && (n.Kind == String || n.Kind == Number || n.Kind == Bool)
}

// Function takes an intrinsic function apart: the name of the only key of a
// map and its argument, when that key is one of CloudFormation's functions
// ("Ref", "Fn::Sub", …), otherwise "" and nil. {"Condition": name} counts as a
// function only inside conditions and is not recognised here, because IAM
// policies use the same word.
func (n *Node) Function() (name string, arg *Node) {
	if n == nil || n.Kind != Map || len(n.Keys) != 1 {
		return "", nil
	}
	key := n.Keys[0].Text
	if key == "Ref" || len(key) > 4 && key[:4] == "Fn::" {
		return key, n.Items[0]
	}
	return "", nil
}

// arena hands out nodes and pointer slices from blocks: a template of 2 KB has
// about a hundred nodes, and an allocation for each would be most of the work
// of reading it. After a reset the same blocks are handed out again.
type arena struct {
	nodes blocks[Node]
	refs  blocks[*Node]
}

// blocks is memory for values of one type. It grows by whole blocks.
type blocks[T any] struct {
	all  [][]T
	next int // block to take when free is used up
	free []T
	size int // of the next new block
}

// take gives n values next to each other, as they were left.
func (b *blocks[T]) take(n int) []T {
	for len(b.free) < n {
		if b.next == len(b.all) {
			b.all = append(b.all, make([]T, max(n, b.size)))
		}
		b.free = b.all[b.next]
		b.next++
	}
	out := b.free[:n:n]
	b.free = b.free[n:]
	return out
}

func (b *blocks[T]) reset() { b.next, b.free = 0, nil }

// newArena is an arena for a text of that many bytes.
func newArena(size int) *arena {
	n := min(max(size/12, 16), 512)
	return &arena{nodes: blocks[Node]{size: n}, refs: blocks[*Node]{size: 2 * n}}
}

func (a *arena) reset() {
	a.nodes.reset()
	a.refs.reset()
}

func (a *arena) node(kind Kind, text string, pos Pos) *Node {
	n := &a.nodes.take(1)[0]
	n.Kind, n.Text, n.Pos, n.Items, n.Keys = kind, text, pos, nil, nil
	return n
}

// list copies refs to memory of its own.
func (a *arena) list(refs []*Node) []*Node {
	if len(refs) == 0 {
		return nil
	}
	out := a.refs.take(len(refs))
	copy(out, refs)
	return out
}

// duplicate finds the first key that is there twice.
func duplicate(keys []*Node) (first, second *Node) {
	if len(keys) <= 12 {
		for i := 1; i < len(keys); i++ {
			for j := range i {
				if keys[i].Text == keys[j].Text {
					return keys[j], keys[i]
				}
			}
		}
		return nil, nil
	}
	seen := make(map[string]*Node, len(keys))
	for _, k := range keys {
		if first, ok := seen[k.Text]; ok {
			return first, k
		}
		seen[k.Text] = k
	}
	return nil, nil
}
