package regex

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// javaForms are what RE2 has under other names.
var javaForms = strings.NewReplacer(
	`\\`, `\\`, // an escaped backslash begins no other escape
	`\Z`, `\z`,
	`\h`, `[ \t]`,
	`\R`, `(?:\r\n|[\n\r\x0b\x0c\x{85}\x{2028}\x{2029}])`,
	`\p{Alpha}`, `[[:alpha:]]`, `\p{Digit}`, `[[:digit:]]`, `\p{Alnum}`, `[[:alnum:]]`,
	`\p{Lower}`, `[[:lower:]]`, `\p{Upper}`, `[[:upper:]]`, `\p{Punct}`, `[[:punct:]]`,
	`\p{ASCII}`, `[[:ascii:]]`, `\p{Space}`, `[[:space:]]`, `\p{XDigit}`, `[[:xdigit:]]`,
)

// patience bounds a match of an expression that RE2 does not have, whose work
// may grow exponentially with the text.
const patience = 250 * time.Millisecond

var errClassSets = errors.New("character classes within character classes, and their intersections (&&), cannot be matched here")

// Java reads a regular expression of java.util.regex, and gives what tells
// whether a whole text matches it. RE2, which is linear, does that where it has
// the expression; for look-around and back-references a library that tries, and
// gives up with an error after a quarter of a second. What Java alone has, such
// as possessive quantifiers, is an error.
func Java(pattern string) (func(text string) (bool, error), error) {
	if classSets(pattern) {
		return nil, errClassSets // which others read as something else
	}
	for _, form := range []string{pattern, javaForms.Replace(pattern)} {
		if re, err := regexp.Compile(`\A(?:` + form + `)\z`); err == nil {
			return func(text string) (bool, error) { return re.MatchString(text), nil }, nil
		}
	}
	re, err := regexp2.Compile(`\A(?:`+pattern+`)\z`, regexp2.None)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = patience
	return re.MatchString, nil
}

// classSets tells whether a character class holds another one, or an
// intersection.
func classSets(pattern string) bool {
	start := -1 // of the class's members
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], `\Q`):
			end := strings.Index(pattern[i:], `\E`)
			if end < 0 {
				return false
			}
			i += end + 1
		case c == '\\':
			i++
		case start < 0 && c == '[':
			if start = i + 1; strings.HasPrefix(pattern[start:], "^") {
				start, i = start+1, i+1
			}
		case start < 0:
		case c == '[', strings.HasPrefix(pattern[i:], "&&"):
			return true
		case c == ']' && i > start:
			start = -1
		}
	}
	return false
}
