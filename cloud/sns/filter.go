package sns

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
)

// A filter policy is compiled to functions, one inside the other as its
// objects are. It is asked with the message as JSON: its body, or its
// attributes as an object.
// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
type filter func(message any) bool

// accept tells whether a value that a message has passes one condition.
type accept func(value any) bool

const (
	maxFilterKeys         = 5
	maxFilterCombinations = 150
	maxFilterDepth        = 32
)

func badFilter(format string, a ...any) error { return invalidf("FilterPolicy: "+format, a...) }

// compiler reads one filter policy.
type compiler struct{ keys, combinations int }

func compileFilter(text string) (filter, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, badFilter("failed to parse JSON. %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, badFilter("failed to parse JSON. more follows after its end")
	}
	top, ok := v.(map[string]any)
	if !ok {
		return nil, badFilter("Filter is not an object")
	}
	c := &compiler{combinations: 1}
	f, err := c.object(top, 0)
	switch {
	case err != nil:
		return nil, err
	case c.keys > maxFilterKeys:
		return nil, badFilter("Filter policy can not have more than %d keys", maxFilterKeys)
	case c.combinations > maxFilterCombinations:
		return nil, badFilter("Filter policy is too complex")
	}
	return f, nil
}

// object asks for all of its members.
func (c *compiler) object(members map[string]any, depth int) (filter, error) {
	if depth > maxFilterDepth {
		return nil, badFilter("Filter policy is too complex")
	}
	var all []filter
	for _, key := range slices.Sorted(maps.Keys(members)) {
		f, err := c.member(key, members[key], depth)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return func(message any) bool {
		return !slices.ContainsFunc(all, func(f filter) bool { return !f(message) })
	}, nil
}

func (c *compiler) member(key string, value any, depth int) (filter, error) {
	switch v := value.(type) {
	case map[string]any:
		inner, err := c.object(v, depth+1)
		return func(message any) bool {
			return slices.ContainsFunc(values(message, key), inner)
		}, err
	case []any:
		if branches, ok := alternatives(key, v); ok {
			return c.or(branches, depth)
		}
		return c.conditions(key, v)
	}
	return nil, badFilter("%q must be an object or an array", key)
}

// alternatives are the branches of $or: two or more objects that are filters
// and not conditions. A list that is anything else belongs to a key of that name.
func alternatives(key string, list []any) ([]map[string]any, bool) {
	if key != "$or" || len(list) < 2 {
		return nil, false
	}
	var branches []map[string]any
	for _, item := range list {
		object, ok := item.(map[string]any)
		for name := range object {
			ok = ok && operators()[name] == nil && name != "exists"
		}
		if !ok || len(object) == 0 {
			return nil, false
		}
		branches = append(branches, object)
	}
	return branches, true
}

func (c *compiler) or(branches []map[string]any, depth int) (filter, error) {
	var some []filter
	for _, b := range branches {
		f, err := c.object(b, depth+1)
		if err != nil {
			return nil, err
		}
		some = append(some, f)
	}
	return func(message any) bool {
		return slices.ContainsFunc(some, func(f filter) bool { return f(message) })
	}, nil
}

// conditions asks that the values of a key pass any one of the list.
func (c *compiler) conditions(key string, list []any) (filter, error) {
	if len(list) == 0 {
		return nil, badFilter("Empty arrays are not allowed")
	}
	c.keys++
	c.combinations *= len(list)
	absent := false
	var tests []accept
	for _, item := range list {
		if exists, ok := object(item)["exists"].(bool); ok {
			if absent = absent || !exists; exists {
				tests = append(tests, func(any) bool { return true })
			}
			continue
		}
		test, err := compileCondition(item)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return func(message any) bool {
		have := values(message, key)
		if len(have) == 0 {
			return absent
		}
		return slices.ContainsFunc(have, func(v any) bool {
			return slices.ContainsFunc(tests, func(test accept) bool { return test(v) })
		})
	}, nil
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// values are what a key has in an object, or in the objects of a list; lists
// of values are laid flat.
func values(message any, key string) []any {
	var out []any
	switch m := message.(type) {
	case map[string]any:
		v, ok := m[key]
		if !ok {
			return nil
		}
		return flat(v)
	case []any:
		for _, item := range m {
			out = append(out, values(item, key)...)
		}
	}
	return out
}

func flat(v any) []any {
	list, ok := v.([]any)
	if !ok {
		return []any{v}
	}
	var out []any
	for _, item := range list {
		out = append(out, flat(item)...)
	}
	return out
}
