package executeapi

import (
	"crypto/rand"
	"maps"
	"slices"
)

const idLetters = "abcdefghijklmnopqrstuvwxyz0123456789"

// NewID makes an id of n letters and digits.
func NewID(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	for i := range b {
		// 256 is no multiple of 36; ids need to be different, not evenly spread.
		b[i] = idLetters[int(b[i])%len(idLetters)]
	}
	return string(b)
}

// Page cuts the members after a token, in the order of their names, to at most
// limit of them.
func Page[T any](all map[string]T, token string, limit int) (items []T, next *string) {
	items = []T{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name <= token {
			continue
		}
		if len(items) == limit {
			return items, next
		}
		items, next = append(items, all[name]), &name
	}
	return items, nil
}
