package resource

import (
	"crypto/rand"
	"strings"
)

// Naming is how CloudFormation calls a resource that the template does not
// name: stack-logical-SUFFIX, cut where the service takes no more.
type Naming struct {
	Max    int    // longest name that the service takes
	Lower  bool   // lower case only
	Prefix string // in the stack's place
	Stack  int    // letters taken of the stack's name, 0 for all
	ID     int    // letters taken of the logical id, 0 for all
}

const (
	suffixLength  = 12
	suffixLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	// cutLogical is what a logical id keeps when the name is too long.
	cutLogical = 24
)

// NewSuffix is the random end of a generated name.
func NewSuffix() string {
	b := make([]byte, suffixLength)
	rand.Read(b) // never fails
	for i := range b {
		// 256 is no multiple of 36; names need to be different, not evenly spread.
		b[i] = suffixLetters[int(b[i])%len(suffixLetters)]
	}
	return string(b)
}

// Name makes the name for a resource. The logical id gives way first, down to
// 24 letters, then the stack's name; the suffix always stays whole.
func (n Naming) Name(stack, logical, suffix string) string {
	if n.Prefix != "" {
		stack = n.Prefix
	}
	stack, logical = cut(stack, n.Stack), cut(logical, n.ID)
	room := n.Max - len(suffix) - 2
	if n.Max > 0 && len(stack)+len(logical) > room {
		logical = cut(logical, max(cutLogical, room-len(stack)))
		stack = cut(stack, room-len(logical))
	}
	name := strings.TrimRight(stack, "-") + "-" + logical + "-" + suffix
	if n.Lower {
		name = strings.ToLower(name)
	}
	return name
}

func cut(s string, n int) string {
	if n > 0 && len(s) > n {
		return s[:n]
	}
	return s
}

// NameFor returns the name of a resource and whether the template gave it.
func (k *Kind) NameFor(stack, logical, suffix string, properties map[string]any) (name string, given bool) {
	if k.NameProperty != "" {
		if name := text(properties[k.NameProperty]); name != "" {
			return name, true
		}
	}
	if k.Naming == nil {
		return "", false
	}
	return k.Naming.Name(stack, logical, suffix), false
}
