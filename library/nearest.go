package library

import (
	"path"
	"strconv"
	"strings"
)

// nearest names the template that name may have been meant for: the
// only one with the same last part, or one that differs in a few letters that
// follow each other.
func nearest(name string) string {
	last := func(name string) string { return strings.TrimSuffix(path.Base(name), path.Ext(name)) }
	best, most, same := "", len(name)*2/3, []string(nil)
	for _, n := range names() {
		if last(n) == last(name) {
			same = append(same, n)
		}
		if shared := alike(n, name); shared > most {
			best, most = n, shared
		}
	}
	if len(same) == 1 {
		best = same[0]
	}
	if best == "" {
		return "; ouro library list names all it has"
	}
	return "; did you mean " + strconv.Quote(Scheme+best) + "?"
}

// alike is how many letters a and b share from their beginnings and ends.
func alike(a, b string) int {
	least, n := min(len(a), len(b)), 0
	for n < least && a[n] == b[n] {
		n++
	}
	for end := 1; n < least && a[len(a)-end] == b[len(b)-end]; end++ {
		n++
	}
	return n
}
