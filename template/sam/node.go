package sam

import (
	"fmt"
	"slices"
	"strconv"

	"ouro/template"
)

// at makes nodes that say they come from one place of the source.
type at template.Pos

func (p at) scalar(k template.Kind, text string) *node {
	return &node{Kind: k, Text: text, Pos: template.Pos(p)}
}

// text is a string.
func (p at) text(s string) *node { return p.scalar(template.String, s) }

// obj is a map of keys and values in turn. A value is anything that node
// takes; a key whose value is a nil node is left out.
func (p at) obj(pairs ...any) *node {
	out := p.scalar(template.Map, "")
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := p.node(pairs[i+1]); v != nil {
			set(out, pairs[i].(string), v)
		}
	}
	return out
}

// list is a list of anything that node takes, without nil nodes.
func (p at) list(items ...any) *node {
	out := p.scalar(template.List, "")
	for _, item := range items {
		if n := p.node(item); n != nil {
			out.Items = append(out.Items, n)
		}
	}
	return out
}

// texts is a list of strings.
func (p at) texts(items ...string) *node {
	out := p.scalar(template.List, "")
	for _, item := range items {
		out.Items = append(out.Items, p.text(item))
	}
	return out
}

// node is a Go value as a node. A node stays what and where it is.
func (p at) node(v any) *node {
	switch v := v.(type) {
	case *node:
		return v
	case nil:
		return nil
	case string:
		return p.text(v)
	case bool:
		return p.scalar(template.Bool, strconv.FormatBool(v))
	case int, int64, float64:
		return p.scalar(template.Number, fmt.Sprint(v))
	case []*node:
		out := p.scalar(template.List, "")
		out.Items = v
		return out
	case []string:
		return p.texts(v...)
	case []any:
		return p.list(v...)
	case map[string]any:
		out := p.obj()
		for _, key := range slices.Sorted(mapKeys(v)) {
			set(out, key, p.node(v[key]))
		}
		return out
	}
	return p.text(fmt.Sprint(v))
}

func mapKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// ref is {"Ref": id}.
func (p at) ref(id string) *node { return p.obj("Ref", id) }

// getAtt is {"Fn::GetAtt": [id, attribute]}.
func (p at) getAtt(id, attribute string) *node { return p.obj("Fn::GetAtt", p.texts(id, attribute)) }

// sub is {"Fn::Sub": text}, with variables in pairs of name and value if any.
func (p at) sub(text string, vars ...any) *node {
	if len(vars) == 0 {
		return p.obj("Fn::Sub", text)
	}
	return p.obj("Fn::Sub", p.list(text, p.obj(vars...)))
}

// join is {"Fn::Join": [separator, parts]}.
func (p at) join(separator string, parts ...any) *node {
	return p.obj("Fn::Join", p.list(separator, p.list(parts...)))
}

// choose is {"Fn::If": [condition, yes, no]}.
func (p at) choose(condition string, yes, no any) *node {
	return p.obj("Fn::If", p.list(condition, yes, no))
}

// noValue is {"Ref": "AWS::NoValue"}.
func (p at) noValue() *node { return p.ref("AWS::NoValue") }

// get is the value under key, nil when it is absent or null: SAM does not tell
// the two apart.
func get(n *node, key string) *node {
	if v := n.Get(key); v != nil && v.Kind != template.Null {
		return v
	}
	return nil
}

// dig is get along a path.
func dig(n *node, path ...string) *node {
	for _, key := range path {
		n = get(n, key)
	}
	return n
}

// set puts v under key, in place of what was there. No value leaves the map as
// it is.
func set(n *node, key string, v *node) {
	if n == nil || v == nil {
		return
	}
	for i, k := range n.Keys {
		if k.Text == key {
			n.Items[i] = v
			return
		}
	}
	n.Keys = append(n.Keys, &node{Kind: template.String, Text: key, Pos: v.Pos})
	n.Items = append(n.Items, v)
}

// remove takes key out.
func remove(n *node, key string) {
	for i, k := range n.Keys {
		if k.Text == key {
			n.Keys, n.Items = slices.Delete(n.Keys, i, i+1), slices.Delete(n.Items, i, i+1)
			return
		}
	}
}

// has tells whether key is there, null or not.
func has(n *node, key string) bool { return n.Get(key) != nil }

// entries are the keys and values of a map.
func entries(n *node) func(func(string, *node) bool) {
	return func(yield func(string, *node) bool) {
		if n == nil || n.Kind != template.Map {
			return
		}
		for i, k := range n.Keys {
			if !yield(k.Text, n.Items[i]) {
				return
			}
		}
	}
}

// clone is a deep copy.
func clone(n *node) *node {
	if n == nil {
		return nil
	}
	out := *n
	out.Items = make([]*node, len(n.Items))
	for i, item := range n.Items {
		out.Items[i] = clone(item)
	}
	out.Keys = make([]*node, len(n.Keys))
	for i, key := range n.Keys {
		k := *key
		out.Keys[i] = &k
	}
	return &out
}

func isMap(n *node) bool    { return n != nil && n.Kind == template.Map }
func isList(n *node) bool   { return n != nil && n.Kind == template.List }
func isString(n *node) bool { return n != nil && n.Kind == template.String }
func isTrue(n *node) bool   { return n != nil && n.Kind == template.Bool && n.Text == "true" }

// isFunction tells whether n is an intrinsic function, a condition included.
func isFunction(n *node) bool {
	if name, _ := n.Function(); name != "" {
		return true
	}
	return isMap(n) && len(n.Keys) == 1 && n.Keys[0].Text == "Condition"
}

// truthy is what an if in SAM's own language makes of a value: absent, null,
// false, 0, and empty strings, lists and maps count as nothing.
func truthy(n *node) bool {
	if n == nil {
		return false
	}
	switch n.Kind {
	case template.Null:
		return false
	case template.Bool:
		return n.Text == "true"
	case template.Number:
		f, err := strconv.ParseFloat(n.Text, 64)
		return err != nil || f != 0
	case template.String:
		return n.Text != ""
	}
	return len(n.Items) > 0
}
