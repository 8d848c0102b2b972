package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ouro/spec"
)

// The $ids given to the object that the source calls tag, and to the one in
// which nothing is required.
const (
	tagID      = "tag"
	looseTagID = "loose tag"
)

var kinds = map[string]spec.Kind{
	"string": spec.String, "number": spec.Number, "integer": spec.Integer, "boolean": spec.Boolean, "date-time": spec.Timestamp,
	"json": spec.JSON, "array": spec.List, "map": spec.Map, "ref": spec.Object, tagID: spec.Object, "union": spec.Union,
}

// value is a type of the source, in the terms of package spec.
type value struct {
	kind    spec.Kind
	element *value
	any     []*value
	allowed []string
	object  string // $id
}

func (t *typ) value() *value {
	kind, ok := kinds[t.Type]
	if !ok {
		panic(fmt.Sprintf("the source has a type %q", t.Type)) // a new release says what is new in it
	}
	v := &value{kind: kind, object: t.Reference.ID}
	switch kind {
	case spec.List, spec.Map:
		v.element = t.Element.value()
	case spec.Union:
		for _, one := range t.Types {
			v.any = append(v.any, one.value())
		}
	case spec.Object:
		if t.Type == tagID {
			v.object = tagID
		}
	}
	for _, a := range t.Allowed {
		var s string
		if json.Unmarshal(a, &s) != nil {
			s = string(a)
		}
		v.allowed = append(v.allowed, s)
	}
	return v
}

// value of a property whose type the source has changed takes the former types
// too: templates with them go on working.
func (p *property) value() *value {
	if len(p.Previous) == 0 {
		return p.Type.value()
	}
	all := &typ{Type: "union", Types: []*typ{p.Type}}
	for _, t := range slices.Backward(p.Previous) {
		all.Types = append(all.Types, t)
	}
	return all.value()
}

// classes tell which objects are the same but for their $id. Objects may hold
// themselves, so they are taken to be all the same at first, and told apart
// until nothing more can be.
type classes map[string]int

func classify(src *source) classes {
	ids := slices.Sorted(maps.Keys(src.objects))
	class := classes{}
	for known := 1; ; {
		next, seen := classes{}, map[string]int{}
		for _, id := range ids {
			key := class.properties(src.objects[id].Properties)
			if _, ok := seen[key]; !ok {
				seen[key] = len(seen)
			}
			next[id] = seen[key]
		}
		class = next
		if len(seen) == known {
			return class
		}
		known = len(seen)
	}
}

// properties writes what tells two objects apart.
func (c classes) properties(all map[string]*property) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p := all[name]
		fmt.Fprintf(&b, "%q %d %s\n", name, p.flags(), c.value(p.value()))
	}
	return b.String()
}

func (c classes) value(v *value) string {
	s := strconv.Itoa(int(v.kind))
	switch v.kind {
	case spec.List, spec.Map:
		return s + "(" + c.value(v.element) + ")"
	case spec.Object:
		return s + "#" + strconv.Itoa(c[v.object])
	case spec.Union:
		for _, one := range c.choices(v) {
			s += "(" + c.value(one) + ")"
		}
		return s
	}
	return s + fmt.Sprintf("%q", v.allowed)
}

// choices are the different members of a union, and of unions in it.
func (c classes) choices(v *value) []*value {
	var all, out []*value
	for _, one := range v.any {
		if one.kind == spec.Union {
			all = append(all, c.choices(one)...)
		} else {
			all = append(all, one)
		}
	}
	seen := map[string]bool{}
	for _, one := range all {
		if key := c.value(one); !seen[key] {
			seen[key] = true
			out = append(out, one)
		}
	}
	return out
}

var replacements = map[string]spec.Replacement{"": spec.ReplaceNever, "no": spec.ReplaceNever, "maybe": spec.ReplaceMaybe, "yes": spec.ReplaceAlways}

func (p *property) flags() int {
	flags := int(replacements[p.Replace]) * spec.FlagReplace
	if p.Required {
		flags |= spec.FlagRequired
	}
	if p.Deprecated == "WARN" {
		flags |= spec.FlagDeprecated
	}
	return flags
}
