package spec

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// ReplacesAt tells whether it takes a new resource to change what lies at a
// path of property names, map keys and list positions from was to now; nil is
// nothing.
func (t *Type) ReplacesAt(path []string, was, now any) Replacement {
	return replacesAt(t.Properties, path, was, now)
}

func replacesAt(properties []Property, path []string, was, now any) Replacement {
	p := Find(properties, path[0])
	if p == nil {
		return ReplaceNever
	}
	return max(p.Replace, p.Value.replacesAt(path[1:], was, now))
}

func (v Value) replacesAt(path []string, was, now any) Replacement {
	if len(path) == 0 {
		return max(v.holds(was), v.holds(now))
	}
	switch v.Kind {
	case Object:
		return replacesAt(v.Properties(), path, was, now)
	case List, Map:
		return v.Element.replacesAt(path[1:], was, now)
	case Union:
		return highest(v.Any, func(one Value) Replacement { return one.replacesAt(path, was, now) })
	}
	return ReplaceNever
}

// holds tells whether there is something in x that cannot come or go without
// a new resource.
func (v Value) holds(x any) Replacement {
	r := ReplaceNever
	switch x := x.(type) {
	case map[string]any:
		if v.Kind == Object {
			properties := v.Properties()
			for name, inner := range x {
				if p := Find(properties, name); p != nil {
					r = max(r, p.Replace, p.Value.holds(inner))
				}
			}
		} else if v.Kind == Map {
			for _, inner := range x {
				r = max(r, v.Element.holds(inner))
			}
		}
	case []any:
		if v.Kind == List {
			for _, inner := range x {
				r = max(r, v.Element.holds(inner))
			}
		}
	}
	if v.Kind == Union {
		r = highest(v.Any, func(one Value) Replacement { return one.holds(x) })
	}
	return r
}

func highest(all []Value, of func(Value) Replacement) Replacement {
	r := ReplaceNever
	for _, one := range all {
		r = max(r, of(one))
	}
	return r
}

// Replaced lists the paths, as A/B, at which two sets of properties differ and
// which cannot change without a new resource, sorted.
func (t *Type) Replaced(was, now map[string]any) []string {
	var out []string
	between(nil, was, now, func(path []string, was, now any) {
		if t.ReplacesAt(path, was, now) == ReplaceAlways {
			out = append(out, t.guard(path))
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// guard is the property on the path that must not change.
func (t *Type) guard(path []string) string {
	properties, name := t.Properties, ""
	for _, key := range path {
		if name != "" {
			name += "/"
		}
		name += key
		p := Find(properties, key)
		if p == nil {
			continue
		}
		if p.Replace == ReplaceAlways {
			return name
		}
		v := p.Value
		for v.Element != nil {
			v = *v.Element
		}
		properties = v.Properties()
	}
	return name
}

// between calls each for the places where two values differ: as deep as both
// have something there. Lists are compared by position.
func between(path []string, was, now any, each func(path []string, was, now any)) {
	at := func(key string) []string { return append(slices.Clone(path), key) }
	switch w := was.(type) {
	case map[string]any:
		if n, ok := now.(map[string]any); ok {
			keys := maps.Clone(w)
			maps.Copy(keys, n)
			for _, key := range slices.Sorted(maps.Keys(keys)) {
				between(at(key), w[key], n[key], each)
			}
			return
		}
	case []any:
		if n, ok := now.([]any); ok {
			for i := range max(len(w), len(n)) {
				between(at(strconv.Itoa(i)), item(w, i), item(n, i), each)
			}
			return
		}
	}
	if !reflect.DeepEqual(was, now) {
		each(path, was, now)
	}
}

func item(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}
