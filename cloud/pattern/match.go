package pattern

import "slices"

// Matches tells whether an event, as Decode reads it, has what the pattern
// asks for.
func (p *Pattern) Matches(event any) bool {
	return slices.ContainsFunc(p.ways, func(w way) bool {
		left := slices.DeleteFunc(slices.Clone(w), func(f field) bool { return f.absent && !has(event, f.path) })
		return left.match(event, 0)
	})
}

// has tells whether an event has a value at a path. Objects are no values.
func has(event any, path []string) bool {
	return some(event, func(v any) bool {
		object, isObject := v.(map[string]any)
		if len(path) == 0 {
			return !isObject
		}
		member, ok := object[path[0]]
		return ok && has(member, path[1:])
	})
}

// some asks about each item of an array, and about anything else itself.
func some(v any, holds func(any) bool) bool {
	list, ok := v.([]any)
	if !ok {
		return holds(v)
	}
	return slices.ContainsFunc(list, func(item any) bool { return some(item, holds) })
}

// match tells whether v has what the fields ask for, whose paths agree in
// the first depth keys, those that lead to v.
func (w way) match(v any, depth int) bool {
	for ; len(w) > 0 && len(w[0].path) == depth; w = w[1:] {
		if !some(v, w[0].accepts) {
			return false
		}
	}
	return len(w) == 0 || some(v, func(item any) bool {
		object, ok := item.(map[string]any)
		return ok && w.members(object, depth)
	})
}

// members is match for an object, whose members have nothing to do with each
// other.
func (w way) members(object map[string]any, depth int) bool {
	for len(w) > 0 {
		key := w[0].path[depth]
		n := slices.IndexFunc(w, func(f field) bool { return f.path[depth] != key })
		if n < 0 {
			n = len(w)
		}
		member, ok := object[key]
		if !ok || !w[:n].match(member, depth+1) {
			return false
		}
		w = w[n:]
	}
	return true
}

func (f field) accepts(v any) bool {
	if _, isObject := v.(map[string]any); isObject {
		return false
	}
	return slices.ContainsFunc(f.tests, func(t test) bool { return t(v) })
}
