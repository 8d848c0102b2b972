package eventbridge

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// maxCombinations bounds what $or may multiply out to in one pattern.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
const maxCombinations = 1000

// pattern is a compiled event pattern: the event matches if one of the
// alternatives does. A pattern without $or has exactly one.
type pattern struct{ alternatives []alternative }

// alternative is a list of fields that all have to match.
type alternative []field

// field asks that the values at path satisfy any one of the conditions.
type field struct {
	path string
	any  []condition
}

// condition is one entry of a pattern's array. absent ones match when the
// event has no value at the path, and have no test.
type condition struct {
	absent bool
	test   func(scalar) bool
}

// reason says what is wrong with a pattern in the words that follow "Reason: "
// in AWS's own message.
type reason string

func (r reason) Error() string { return string(r) }

func reasonf(format string, args ...any) error { return reason(fmt.Sprintf(format, args...)) }

// compilePattern reads an event pattern; its errors are reasons.
func compilePattern(text string) (*pattern, error) {
	v, err := decodeJSON(text)
	if err != nil {
		return nil, err
	}
	top, ok := v.(map[string]any)
	if !ok {
		return nil, reasonf("Filter is not an object")
	}
	alternatives, err := compileObject("", top)
	if err != nil {
		return nil, err
	}
	return &pattern{alternatives}, nil
}

// decodeJSON reads exactly one JSON value and keeps numbers as written.
func decodeJSON(text string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		if err == io.EOF {
			return nil, reasonf("No content to map due to end-of-input")
		}
		return nil, reason(err.Error())
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, reasonf("unexpected text after the end of the JSON value")
	}
	return v, nil
}

// below is the path of a member. The separator cannot be typed by accident,
// so that a key with a dot in it is not taken for two.
func below(path, key string) string { return path + "\x1f" + key }

// display turns a path into the dotted form that people write.
func display(path string) string {
	return strings.ReplaceAll(strings.TrimPrefix(path, "\x1f"), "\x1f", ".")
}

// compileObject compiles an object of a pattern; every key multiplies the
// alternatives that its own value has into those of the keys before it.
func compileObject(path string, object map[string]any) ([]alternative, error) {
	if len(object) == 0 {
		return nil, reasonf("Empty objects are not allowed")
	}
	all := []alternative{nil}
	for _, k := range sortedKeys(object) {
		these, err := compileMember(path, k, object[k])
		if err != nil {
			return nil, err
		}
		if len(all)*len(these) > maxCombinations {
			return nil, reasonf("Total rule combinations exceed %d", maxCombinations)
		}
		all = multiply(all, these)
	}
	return all, nil
}

func multiply(left, right []alternative) []alternative {
	product := make([]alternative, 0, len(left)*len(right))
	for _, l := range left {
		for _, r := range right {
			product = append(product, append(append(alternative(nil), l...), r...))
		}
	}
	return product
}

func compileMember(path, key string, value any) ([]alternative, error) {
	if branches, ok := orBranches(key, value); ok {
		var all []alternative
		for _, b := range branches {
			these, err := compileObject(path, b)
			if err != nil {
				return nil, err
			}
			all = append(all, these...)
		}
		return all, nil
	}
	path = below(path, key)
	switch v := value.(type) {
	case map[string]any:
		return compileObject(path, v)
	case []any:
		conditions, err := compileConditions(path, v)
		if err != nil {
			return nil, err
		}
		return []alternative{{{path: path, any: conditions}}}, nil
	}
	return nil, reasonf("%q must be an object or an array", key)
}

// orBranches tells whether a member is the $or relation. A field that merely
// has that name stays a field: the relation is a list of two or more objects
// that are patterns and not operators.
func orBranches(key string, value any) ([]map[string]any, bool) {
	list, ok := value.([]any)
	if key != "$or" || !ok || len(list) < 2 {
		return nil, false
	}
	branches := make([]map[string]any, len(list))
	for i, item := range list {
		object, ok := item.(map[string]any)
		if !ok || len(object) == 0 {
			return nil, false
		}
		for k := range object {
			if isOperator(k) {
				return nil, false
			}
		}
		branches[i] = object
	}
	return branches, true
}

func compileConditions(path string, list []any) ([]condition, error) {
	if len(list) == 0 {
		return nil, reasonf("Empty arrays are not allowed")
	}
	conditions := make([]condition, len(list))
	for i, item := range list {
		c, err := compileCondition(item)
		if err != nil {
			return nil, reasonf("%v, at %s", err, display(path))
		}
		conditions[i] = c
	}
	return conditions, nil
}
