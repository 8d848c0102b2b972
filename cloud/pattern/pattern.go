// Package pattern is the language in which events are picked by their content:
// EventBridge's event patterns and SNS's filter policies.
//
// A pattern is an object shaped like the event. Its lists name what a value may
// be, as literals or as operators; all keys have to match, and one entry of
// each list. Arrays of the event stand for each of their items, and keys below
// one key of the pattern have to match within one object.
//
// The time a match takes grows with the pattern times the event, no faster: a
// choice in one array is never tried anew because of another's.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
package pattern

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Bounds on one pattern. $or multiplies; the number of combinations is
// EventBridge's own limit, the others are beyond what a pattern of the
// services' sizes has use for.
const (
	maxAlternatives = 1000
	maxKeys         = 1000
	maxDepth        = 1000
)

// Pattern is a compiled pattern: an event matches if it does so in one way.
// A pattern without $or has exactly one.
type Pattern struct {
	Size Size
	ways []way
}

// Size is what services bound patterns by.
type Size struct {
	Keys         int // those that have lists
	Combinations int // the lengths of all lists multiplied, up to 2^30
	Depth        int
}

// way is fields that all have to match, sorted by path.
type way []field

// field asks that a value at path passes one of the tests or, if it may be
// absent, that the event has none there.
type field struct {
	path   []string
	tests  []test
	absent bool
}

// compiler reads one pattern.
type compiler struct {
	same Numbers
	size Size
}

// Numbers tells whether a number of an event is one of the pattern.
type Numbers func(a, b json.Number) bool

// AsWritten takes 300, 300.0 and 3.0e2 for three numbers, as EventBridge does.
func AsWritten(a, b json.Number) bool { return a == b }

// ByValue takes them for one, as SNS does.
func ByValue(a, b json.Number) bool {
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
}

// reason says what is wrong with a pattern, in the words of AWS's messages.
type reason string

func (r reason) Error() string { return string(r) }

func reasonf(format string, args ...any) error { return reason(fmt.Sprintf(format, args...)) }

// Decode reads exactly one JSON value and keeps numbers as written, which is
// how patterns and events are handed over here.
func Decode(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	switch err := d.Decode(&v); {
	case err == io.EOF:
		return nil, reasonf("No content to map due to end-of-input")
	case err != nil:
		return nil, reason(err.Error())
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, reasonf("unexpected text after the end of the JSON value")
	}
	return v, nil
}

// Compile reads a pattern that was decoded.
func Compile(pattern any, same Numbers) (*Pattern, error) {
	top, ok := pattern.(map[string]any)
	if !ok {
		return nil, reasonf("Filter is not an object")
	}
	c := &compiler{same: same, size: Size{Combinations: 1}}
	ways, err := c.object(nil, top)
	if err != nil {
		return nil, err
	}
	for _, w := range ways {
		slices.SortStableFunc(w, func(a, b field) int { return slices.Compare(a.path, b.path) })
	}
	return &Pattern{c.size, ways}, nil
}

// object multiplies the ways of each key into those of the keys before it.
func (c *compiler) object(path []string, members map[string]any) ([]way, error) {
	c.size.Depth = max(c.size.Depth, len(path))
	switch {
	case len(members) == 0:
		return nil, reasonf("Empty objects are not allowed")
	case len(path) > maxDepth:
		return nil, reasonf("Nesting is deeper than %d", maxDepth)
	}
	all := []way{nil}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		these, err := c.member(path, key, members[key])
		if err != nil {
			return nil, err
		}
		if len(all)*len(these) > maxAlternatives {
			return nil, reasonf("Total rule combinations exceed %d", maxAlternatives)
		}
		all = multiply(all, these)
	}
	return all, nil
}

func multiply(left, right []way) []way {
	product := make([]way, 0, len(left)*len(right))
	for _, l := range left {
		for _, r := range right {
			product = append(product, slices.Concat(l, r))
		}
	}
	return product
}

func (c *compiler) member(path []string, key string, value any) ([]way, error) {
	if branches := c.orBranches(key, value); branches != nil {
		return c.or(path, branches)
	}
	path = append(path[:len(path):len(path)], key)
	switch v := value.(type) {
	case map[string]any:
		return c.object(path, v)
	case []any:
		f, err := c.field(path, v)
		return []way{{f}}, err
	}
	return nil, reasonf("%q must be an object or an array", key)
}

// orBranches are the branches of the $or relation: two or more objects that
// are patterns and not operators. Any other key of that name is a field.
func (c *compiler) orBranches(key string, value any) []map[string]any {
	list, _ := value.([]any)
	if key != "$or" || len(list) < 2 {
		return nil
	}
	var branches []map[string]any
	for _, item := range list {
		object, _ := item.(map[string]any)
		if len(object) == 0 {
			return nil
		}
		for name := range object {
			if c.isOperator(name) {
				return nil
			}
		}
		branches = append(branches, object)
	}
	return branches
}

func (c *compiler) or(path []string, branches []map[string]any) ([]way, error) {
	var all []way
	for _, b := range branches {
		these, err := c.object(path, b)
		if err != nil {
			return nil, err
		}
		all = append(all, these...)
	}
	return all, nil
}

func (c *compiler) field(path []string, list []any) (field, error) {
	f := field{path: path}
	if len(list) == 0 {
		return f, reasonf("Empty arrays are not allowed")
	}
	c.size.Combinations = min(c.size.Combinations*len(list), 1<<30)
	if c.size.Keys++; c.size.Keys > maxKeys {
		return f, reasonf("There are more than %d keys", maxKeys)
	}
	for _, item := range list {
		if err := f.add(c, item); err != nil {
			return f, reasonf("%v, at %s", err, strings.Join(path, "."))
		}
	}
	return f, nil
}
