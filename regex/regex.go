// Package regex makes regular expressions that are compiled at their first
// use. The packages have dozens; compiled when the program starts they would
// cost every command, and every function and build that calls one, several
// milliseconds.
package regex

import (
	"regexp"
	"sync"
)

// New is the regular expression, which must be a valid one, to be called for.
func New(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
