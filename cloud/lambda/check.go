package lambda

import (
	"fmt"
	"regexp"
	"strings"

	"ouro/cloud/wire"
)

// violations are the constraints of the API's model that a request breaks.
type violations []string

func (v *violations) add(value any, member, constraint string) {
	*v = append(*v, fmt.Sprintf("Value '%v' at '%s' failed to satisfy constraint: Member must %s", value, member, constraint))
}

// text checks a string that may be absent: its length, and its pattern if
// there is one.
func (v *violations) text(member string, value *string, least, most int, pattern *regexp.Regexp) {
	if value == nil {
		return
	}
	if pattern != nil && !pattern.MatchString(*value) {
		v.add(*value, member, "satisfy regular expression pattern: "+shown(pattern))
	}
	switch {
	case len(*value) < least:
		v.add(*value, member, fmt.Sprintf("have length greater than or equal to %d", least))
	case len(*value) > most:
		v.add(*value, member, fmt.Sprintf("have length less than or equal to %d", most))
	}
}

// shown is a pattern as AWS shows it, without our anchors.
func shown(p *regexp.Regexp) string {
	return strings.TrimSuffix(strings.TrimPrefix(p.String(), "^(?:"), ")$")
}

// number checks a number that may be absent.
func (v *violations) number(member string, value *int32, least, most int32) {
	switch {
	case value == nil:
	case *value < least:
		v.add(*value, member, fmt.Sprintf("have value greater than or equal to %d", least))
	case *value > most:
		v.add(*value, member, fmt.Sprintf("have value less than or equal to %d", most))
	}
}

// present checks that a member that is needed is there.
func (v *violations) present(member string, there bool) {
	if !there {
		*v = append(*v, "Value null at '"+member+"' failed to satisfy constraint: Member must not be null")
	}
}

// among checks an enumeration's value that may be absent.
func among[E ~string](v *violations, member string, value E, set []E) {
	if value == "" {
		return
	}
	names := make([]string, len(set))
	for i, e := range set {
		if e == value {
			return
		}
		names[i] = string(e)
	}
	v.add(value, member, "satisfy enum value set: ["+strings.Join(names, ", ")+"]")
}

// err is the ValidationException of what was found, if anything was.
func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}
	return validation(v.message())
}

func (v violations) message() string {
	errors := "errors"
	if len(v) == 1 {
		errors = "error"
	}
	return fmt.Sprintf("%d validation %s detected: %s", len(v), errors, strings.Join(v, "; "))
}

func validation(message string) error {
	return &wire.Error{Code: "ValidationException", Message: message}
}

// maxPage is the most that one answer of a list holds.
const maxPage = 50

// page cuts the items, sorted by key, that come after the one in marker.
func page[T any](items []T, key func(T) string, marker *string, most *int32) ([]T, *string, error) {
	var v violations
	v.number("maxItems", most, 1, 10000)
	if err := v.err(); err != nil {
		return nil, nil, err
	}
	size := maxPage
	if most != nil {
		size = min(size, int(*most))
	}
	if marker != nil && *marker != "" {
		after, err := unmark(*marker)
		if err != nil {
			return nil, nil, err
		}
		for len(items) > 0 && key(items[0]) <= after {
			items = items[1:]
		}
	}
	if items == nil {
		items = []T{} // an empty list, not none
	}
	if len(items) <= size {
		return items, nil, nil
	}
	next := mark(key(items[size-1]))
	return items[:size], &next, nil
}
