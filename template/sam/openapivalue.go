package sam

import (
	"strings"

	"ouro/template"
)

// value is a piece of an API's definition while it is edited. Besides what a
// template.Node knows it remembers what Python 2.7 would print of it: which
// texts came from the template (printed as u'…') and how the members of a map
// came about (see memberOrder).
type value struct {
	kind  template.Kind
	text  string
	given bool // a text of the template
	items []*value
	dict  *dict // of a map
	pos   template.Pos
}

// Values that the transform makes.

func lit(s string) *value              { return &value{kind: template.String, text: s} }
func givenText(s string) *value        { return &value{kind: template.String, text: s, given: true} }
func listValue(items ...*value) *value { return &value{kind: template.List, items: items} }
func nullValue() *value                { return &value{kind: template.Null} }
func newDict() *value                  { return &value{kind: template.Map, dict: &dict{}} }
func newPlain() *value {
	return &value{kind: template.Map, dict: &dict{names: map[string]int{}}}
}
func boolValue(b bool) *value {
	if b {
		return &value{kind: template.Bool, text: "true"}
	}
	return &value{kind: template.Bool, text: "false"}
}

// plainOf is a map that lists its members as given here. pairs alternates
// between keys (string) and values (*value).
func plainOf(key string, v *value, more ...any) *value {
	m := newPlain()
	m.set(key, v)
	for i := 0; i < len(more); i += 2 {
		m.set(more[i].(string), more[i+1].(*value))
	}
	return m
}

// dictOf is a map in Python 2.7's order.
func dictOf(key string, v *value, more ...any) *value {
	m := newDict()
	m.set(key, v)
	for i := 0; i < len(more); i += 2 {
		m.set(more[i].(string), more[i+1].(*value))
	}
	return m
}

// fromNode is a part of the template as a value; nil stays nil.
func fromNode(n *template.Node) *value {
	if n == nil {
		return nil
	}
	v := &value{kind: n.Kind, text: n.Text, pos: n.Pos, given: n.Kind == template.String}
	switch n.Kind {
	case template.List:
		v.items = make([]*value, len(n.Items))
		for i, item := range n.Items {
			v.items[i] = fromNode(item)
		}
	case template.Map:
		v.dict = &dict{}
		for i, k := range n.Keys {
			v.setKey(fromKey(k), fromNode(n.Items[i]))
		}
	}
	return v
}

// fromKey is a key of the template, which is a text whatever it was written as.
func fromKey(k *template.Node) *value {
	return &value{kind: template.String, text: k.Text, given: true, pos: k.Pos}
}

// node is v as a part of a template. What has no position gets pos.
func (v *value) node(pos template.Pos) *template.Node {
	if v == nil {
		return nil
	}
	n := &template.Node{Kind: v.kind, Text: v.text, Pos: v.pos}
	if v.pos.Line == 0 {
		n.Pos = pos
	}
	for _, item := range v.items {
		n.Items = append(n.Items, item.node(pos))
	}
	for k, member := range v.members() {
		n.Keys = append(n.Keys, k.node(pos))
		n.Items = append(n.Items, member.node(pos))
	}
	return n
}

func (v *value) isMap() bool  { return v != nil && v.kind == template.Map }
func (v *value) isList() bool { return v != nil && v.kind == template.List }
func (v *value) isText() bool { return v != nil && v.kind == template.String }
func (v *value) isBool() bool { return v != nil && v.kind == template.Bool }
func (v *value) isNull() bool { return v == nil || v.kind == template.Null }

// scalar is v's text, "" for maps, lists and nothing at all.
func (v *value) scalar() string {
	if v == nil {
		return ""
	}
	return v.text
}

// isTrue tells whether v is something: not null, false, zero or empty.
func (v *value) isTrue() bool {
	if v == nil {
		return false
	}
	switch v.kind {
	case template.Null:
		return false
	case template.Bool:
		return v.text == "true"
	case template.Number:
		return strings.Trim(v.text, "+-0.") != ""
	case template.String:
		return v.text != ""
	case template.List:
		return len(v.items) > 0
	}
	return v.len() > 0
}

// size is how many values v holds.
func (v *value) size() int {
	n := 1
	for _, item := range v.items {
		n += item.size()
	}
	for _, member := range v.members() {
		n += 1 + member.size()
	}
	return n
}

// isIntrinsic tells whether v is an intrinsic function, a condition included.
func (v *value) isIntrinsic() bool {
	if !v.isMap() || v.len() != 1 {
		return false
	}
	for k := range v.members() {
		return k.text == "Ref" || k.text == "Condition" || strings.HasPrefix(k.text, "Fn::")
	}
	return false
}

// clone copies v and everything below.
func (v *value) clone() *value {
	if v == nil {
		return nil
	}
	c := *v
	if v.items != nil {
		c.items = make([]*value, len(v.items))
		for i, item := range v.items {
			c.items[i] = item.clone()
		}
	}
	if v.isMap() {
		c.dict = v.dict.fresh()
		for k, member := range v.members() {
			c.setKey(k, member.clone())
		}
	}
	return &c
}

// equal tells whether two values mean the same, whatever the order of members.
func equal(a, b *value) bool {
	if a == nil || b == nil || a.kind != b.kind || a.text != b.text || a.len() != b.len() {
		return a == b
	}
	for i, item := range a.items {
		if !equal(item, b.items[i]) {
			return false
		}
	}
	for k, member := range a.members() {
		if !equal(member, b.get(k.text)) {
			return false
		}
	}
	return true
}
