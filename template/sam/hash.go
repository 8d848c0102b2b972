package sam

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"

	"ouro/template"
)

// shortHash is what SAM puts behind a logical id that shall change with a text.
func shortHash(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])[:10]
}

// hashOf is shortHash of a value: of a string itself, of anything else its
// sorted JSON.
func hashOf(n *node) string {
	if isString(n) {
		return shortHash(n.Text)
	}
	return shortHash(sortedJSON(n))
}

// sortedJSON is n with its keys sorted, no space, and everything outside of
// ASCII escaped: the text that SAM takes hashes of.
func sortedJSON(n *node) string { return asciiJSON(string(template.Canonical(n))) }

// asciiJSON escapes what is not ASCII in a JSON text.
func asciiJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}
