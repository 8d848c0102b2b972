package eventbridge

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"ouro/regex"
)

// step goes from a value to those below it: to the member of that name, to
// the element of that index, or to all of them.
type step struct {
	name  string
	index int
	all   bool
	list  bool // index or all of a list
}

var (
	pathName    = regex.New(`^\.([A-Za-z0-9_*-]+)`)
	pathIndex   = regex.New(`^\[(\d+|\*)\]`)
	pathBracket = regex.New(`^\[(?:'([^']+)'|"([^"]+)")\]`)
)

// parsePath reads the JSON paths that EventBridge takes: dots, quoted names in
// brackets, indices and the star.
func parsePath(text string) ([]step, error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, fmt.Errorf("the JSON path %q does not begin with $", text)
	}
	var steps []step
	for rest != "" {
		if m := pathName().FindStringSubmatch(rest); m != nil {
			steps, rest = append(steps, step{name: m[1], all: m[1] == "*"}), rest[len(m[0]):]
		} else if m := pathBracket().FindStringSubmatch(rest); m != nil {
			steps, rest = append(steps, step{name: m[1] + m[2]}), rest[len(m[0]):]
		} else if m := pathIndex().FindStringSubmatch(rest); m != nil {
			i, err := strconv.Atoi(m[1])
			steps, rest = append(steps, step{index: i, all: err != nil, list: true}), rest[len(m[0]):]
		} else {
			return nil, fmt.Errorf("the JSON path %q cannot be read from %q on", text, rest)
		}
	}
	return steps, nil
}

// follow gives the value at the end of a path. A path with a star gives the
// list of all values that it leads to.
func follow(v any, steps []step) (any, bool) {
	if len(steps) == 0 {
		return v, true
	}
	s, rest := steps[0], steps[1:]
	if s.all {
		return followAll(v, s, rest)
	}
	if list, ok := v.([]any); ok && s.list && s.index < len(list) {
		return follow(list[s.index], rest)
	}
	if object, ok := v.(map[string]any); ok && !s.list {
		if member, ok := object[s.name]; ok {
			return follow(member, rest)
		}
	}
	return nil, false
}

func followAll(v any, s step, rest []step) (any, bool) {
	list, ok := v.([]any)
	if object, is := v.(map[string]any); is && !s.list {
		ok = true
		for _, k := range sortedKeys(object) {
			list = append(list, object[k])
		}
	}
	found := []any{}
	for _, item := range list {
		if x, ok := follow(item, rest); ok {
			found = append(found, x)
		}
	}
	return found, ok
}

// encode writes a value as compact JSON, and leaves <, > and & as they are.
func encode(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// unquote is the text of a JSON string, and any other JSON as it is.
func unquote(text string) string {
	var s string
	if json.Unmarshal([]byte(text), &s) == nil {
		return s
	}
	return text
}
