package template

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlReader turns the YAML library's nodes into ours.
type yamlReader struct {
	file  string
	depth int
	count int
	arena *arena
	// done holds what each anchored node became, with its size; a nil value
	// is one that is being read, so that an alias to it would never end.
	done map[*yaml.Node]*anchored
}

type anchored struct {
	node  *Node
	count int
}

func parseYAML(file string, body []byte, a *arena) (*Node, *Error) {
	if root := quickYAML(file, body, a); root != nil {
		return root, nil
	}
	return libraryYAML(file, body, a)
}

func libraryYAML(file string, body []byte, a *arena) (*Node, *Error) {
	decoder := yaml.NewDecoder(bytes.NewReader(body))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errorAt(Pos{File: file, Line: 1, Column: 1}, "the file is empty")
		}
		return nil, locateYAML(file, body, err)
	}
	var next yaml.Node
	switch err := decoder.Decode(&next); {
	case err == nil:
		return nil, errorAt(Pos{File: file, Line: max(next.Line, 1), Column: max(next.Column, 1)}, "a second YAML document begins here; a template is one document")
	case !errors.Is(err, io.EOF):
		return nil, locateYAML(file, body, err)
	}
	r := &yamlReader{file: file, arena: a, done: map[*yaml.Node]*anchored{}}
	if len(document.Content) == 0 {
		return nil, errorAt(Pos{File: file, Line: 1, Column: 1}, "the file is empty")
	}
	root, err := r.node(document.Content[0])
	if err != nil {
		return nil, err
	}
	if at := tooDeep(root, MaxDepth); at != nil {
		return nil, errorAt(at.Pos, "nested too deep")
	}
	return root, nil
}

// tooDeep finds what is nested deeper than so many lists and maps. Short forms
// and aliases nest without showing it, and what is read must be readable again
// when it was written as JSON.
func tooDeep(n *Node, levels int) *Node {
	if n.Kind < List {
		return nil
	}
	if levels == 0 {
		return n
	}
	for _, item := range n.Items {
		if at := tooDeep(item, levels-1); at != nil {
			return at
		}
	}
	return nil
}

func (r *yamlReader) pos(n *yaml.Node) Pos {
	return Pos{File: r.file, Line: n.Line, Column: n.Column}
}

func (r *yamlReader) node(n *yaml.Node) (*Node, *Error) {
	if r.count++; r.count > MaxNodes {
		return nil, errorAt(r.pos(n), "more values than are read from one file, aliases counted where they stand")
	}
	if r.depth++; r.depth > MaxDepth {
		return nil, errorAt(r.pos(n), "nested too deep")
	}
	defer func() { r.depth-- }()
	if n.Kind == yaml.AliasNode {
		return r.alias(n)
	}
	if n.Anchor == "" {
		return r.tagged(n)
	}
	before := r.count
	r.done[n] = nil
	out, err := r.tagged(n)
	r.done[n] = &anchored{node: out, count: r.count - before}
	return out, err
}

// alias gives the anchor's node itself; its size counts again, because
// whoever walks the tree walks it again.
func (r *yamlReader) alias(n *yaml.Node) (*Node, *Error) {
	target, ok := r.done[n.Alias]
	if !ok || target == nil {
		return nil, errorAt(r.pos(n), "alias *%s stands inside its own anchor", n.Value)
	}
	if r.count += target.count; r.count > MaxNodes {
		return nil, errorAt(r.pos(n), "more values than are read from one file, aliases counted where they stand")
	}
	return target.node, nil
}

// tagged reads n and, when it carries a short form's tag, wraps it.
func (r *yamlReader) tagged(n *yaml.Node) (*Node, *Error) {
	if n.Style&yaml.TaggedStyle == 0 || strings.HasPrefix(n.Tag, "!!") {
		return r.plain(n)
	}
	name, ok := shortForms[n.Tag]
	if !ok {
		return nil, errorAt(r.pos(n), "unknown function %s", n.Tag)
	}
	arg, err := r.plain(n)
	if err != nil {
		return nil, err
	}
	if arg.Kind < List { // !Ref 1 names something, it does not count; !GetAZs alone has the empty text
		arg.Kind, arg.Text = String, n.Value
	}
	return r.arena.call(name, arg), nil
}

func (r *yamlReader) plain(n *yaml.Node) (*Node, *Error) {
	switch n.Kind {
	case yaml.MappingNode:
		return r.mapping(n)
	case yaml.SequenceNode:
		out := r.arena.node(List, "", r.pos(n))
		items := make([]*Node, 0, len(n.Content))
		for _, c := range n.Content {
			item, err := r.node(c)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		out.Items = r.arena.list(items)
		return out, nil
	}
	kind, text, ok := taggedScalar(n)
	if !ok {
		return nil, errorAt(r.pos(n), "YAML type %s is not allowed in templates", n.Tag)
	}
	return r.arena.node(kind, text, r.pos(n)), nil
}

func (r *yamlReader) mapping(n *yaml.Node) (*Node, *Error) {
	out := r.arena.node(Map, "", r.pos(n))
	both := make([]*Node, 0, len(n.Content))
	keys, items := both[:0:len(n.Content)/2], both[len(n.Content)/2:len(n.Content)/2]
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Tag == "!!merge" && k.Style == 0 {
			merges = append(merges, v)
			continue
		}
		key, err := r.key(k)
		if err != nil {
			return nil, err
		}
		value, err := r.node(v)
		if err != nil {
			return nil, err
		}
		if key.Text == "Fn::GetAtt" {
			value = r.arena.splitGetAtt(value)
		}
		keys, items = append(keys, key), append(items, value)
	}
	if first, second := duplicate(keys); second != nil {
		return nil, errorAt(second.Pos, "duplicate key %q, first given at line %d", second.Text, first.Pos.Line)
	}
	for _, m := range merges {
		var err *Error
		if keys, items, err = r.merge(m, keys, items); err != nil {
			return nil, err
		}
	}
	out.Keys, out.Items = r.arena.list(keys), r.arena.list(items)
	return out, nil
}

func (r *yamlReader) key(k *yaml.Node) (*Node, *Error) {
	for k.Kind == yaml.AliasNode {
		k = k.Alias
	}
	if k.Kind != yaml.ScalarNode {
		return nil, errorAt(r.pos(k), "a key is a text, this is a list or a map")
	}
	if r.count++; r.count > MaxNodes {
		return nil, errorAt(r.pos(k), "more values than are read from one file, aliases counted where they stand")
	}
	out := r.arena.node(String, k.Value, r.pos(k))
	if k.Anchor != "" {
		r.done[k] = &anchored{node: out, count: 1}
	}
	return out, nil
}

// merge adds the members of a merge key's value (<<: *a, or <<: [*a, *b]) that
// are not there yet: what the map says itself wins, then the earlier source.
func (r *yamlReader) merge(m *yaml.Node, keys, items []*Node) ([]*Node, []*Node, *Error) {
	source, err := r.node(m)
	if err != nil {
		return nil, nil, err
	}
	sources := []*Node{source}
	if source.Kind == List {
		sources = source.Items
	}
	have := make(map[string]bool, len(keys))
	for _, k := range keys {
		have[k.Text] = true
	}
	for _, s := range sources {
		if s.Kind != Map {
			return nil, nil, errorAt(r.pos(m), "a merge key takes a map or a list of maps")
		}
		for i, k := range s.Keys {
			if !have[k.Text] {
				have[k.Text] = true
				keys, items = append(keys, k), append(items, s.Items[i])
			}
		}
	}
	return keys, items, nil
}
