package template

import (
	"slices"
	"strings"
)

// KnownAfterApply stands for a value that is known only after a change, in what
// a change set tells of it, as AWS writes it. It meets every constraint of a
// parameter, and what functions make of it is known only then as well.
const KnownAfterApply = "{{changeSet:KNOWN_AFTER_APPLY}}"

// later tells whether a value, or a part of a list, is known only then.
func later(v any) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, later)
	}
	s, ok := v.(string)
	return ok && strings.Contains(s, KnownAfterApply)
}
