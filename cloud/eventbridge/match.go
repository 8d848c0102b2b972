package eventbridge

import (
	"encoding/json"
	"slices"
)

// kind tells JSON's scalars apart: the string "5" is not the number 5.
type kind byte

const (
	stringKind kind = 's'
	numberKind kind = 'n'
	boolKind   kind = 'b'
	nullKind   kind = '0'
)

// scalar is one value of an event or a pattern, as written.
type scalar struct {
	kind kind
	text string
}

func scalarOf(v any) (scalar, bool) {
	switch v := v.(type) {
	case string:
		return scalar{stringKind, v}, true
	case json.Number:
		return scalar{numberKind, v.String()}, true
	case bool:
		if v {
			return scalar{boolKind, "true"}, true
		}
		return scalar{boolKind, "false"}, true
	case nil:
		return scalar{kind: nullKind}, true
	}
	return scalar{}, false
}

// leaf is a value of an event, and which elements of which arrays of objects
// it lies in.
type leaf struct {
	value  scalar
	within []element
}

type element struct{ array, index int }

// leaves are an event's values by path. Arrays have no path of their own: each
// of their elements is a value at the array's path.
type leaves struct {
	at     map[string][]leaf
	arrays int
}

// flatten lays an event out for matching.
func flatten(event any) *leaves {
	l := &leaves{at: map[string][]leaf{}}
	l.add("", event, nil)
	return l
}

func (l *leaves) add(path string, v any, within []element) {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			l.add(below(path, k), member, within)
		}
	case []any:
		array := l.arrays
		l.arrays++
		for i, item := range v {
			inside := within
			if _, ok := item.(map[string]any); ok {
				inside = append(within[:len(within):len(within)], element{array, i})
			}
			l.add(path, item, inside)
		}
	default:
		value, _ := scalarOf(v)
		l.at[path] = append(l.at[path], leaf{value, within})
	}
}

// matches says whether the event satisfies the pattern.
func (p *pattern) matches(event *leaves) bool {
	for _, a := range p.alternatives {
		if a.matches(event, nil) {
			return true
		}
	}
	return false
}

// matches tries the fields in order, and for each the values that lie in the
// same elements as those chosen before: two fields of a list of objects match
// only within one and the same object.
func (a alternative) matches(event *leaves, chosen []element) bool {
	if len(a) == 0 {
		return true
	}
	f, rest := a[0], a[1:]
	values := event.at[f.path]
	if len(values) == 0 {
		return f.absent() && rest.matches(event, chosen)
	}
	var tried []element
	for _, v := range values {
		if !f.accepts(v.value) || (tried != nil && slices.Equal(tried, v.within)) {
			continue
		}
		joined, ok := join(chosen, v.within)
		if ok && rest.matches(event, joined) {
			return true
		}
		if len(v.within) == 0 {
			return false // every other value here leads to the same rest
		}
		tried = v.within
	}
	return false
}

func (f field) absent() bool {
	return slices.ContainsFunc(f.any, func(c condition) bool { return c.absent })
}

func (f field) accepts(v scalar) bool {
	return slices.ContainsFunc(f.any, func(c condition) bool { return c.test(v) })
}

// join adds elements to those chosen; it fails if they name another element
// of an array that was chosen from before.
func join(chosen, more []element) ([]element, bool) {
	joined := chosen[:len(chosen):len(chosen)]
next:
	for _, m := range more {
		for _, c := range chosen {
			if c.array != m.array {
				continue
			}
			if c.index != m.index {
				return nil, false
			}
			continue next
		}
		joined = append(joined, m)
	}
	return joined, true
}
