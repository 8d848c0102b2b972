package logs

import (
	"strings"

	"ouro/regex"
)

// pattern is a filter pattern of terms: all of must, none of not, and, where
// there are some, one of any is in the message.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
type pattern struct {
	must, not, any []string
}

var plainTerm = regex.New(`^[\w]+$`)

// parsePattern reads a pattern of terms: words, "quoted phrases", both perhaps
// behind - (not) or ? (any).
func parsePattern(text string) (pattern, error) {
	var p pattern
	rest := strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(rest, "{"):
		return p, invalid("Invalid filter pattern: patterns of JSON fields are not supported by the local cloud; only terms and quoted phrases are.")
	case strings.HasPrefix(rest, "["):
		return p, invalid("Invalid filter pattern: patterns of space-delimited fields are not supported by the local cloud; only terms and quoted phrases are.")
	case strings.HasPrefix(rest, "%"):
		return p, invalid("Invalid filter pattern: regular expressions are not supported by the local cloud; only terms and quoted phrases are.")
	}
	for rest != "" {
		list := &p.must
		switch rest[0] {
		case '-':
			list, rest = &p.not, rest[1:]
		case '?':
			list, rest = &p.any, rest[1:]
		}
		term, behind, err := nextTerm(rest)
		if err != nil {
			return p, err
		}
		*list = append(*list, term)
		rest = strings.TrimSpace(behind)
	}
	return p, nil
}

// nextTerm cuts the first term off.
func nextTerm(text string) (term, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, " \t\r\n")
		if end < 0 {
			end = len(text)
		}
		if term = text[:end]; !plainTerm().MatchString(term) {
			return "", "", invalid("Invalid filter pattern: Invalid character(s) in term '%s'", term)
		}
		return term, text[end:], nil
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case text[i] == '"':
			return b.String(), text[i+1:], nil
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", invalid("Invalid filter pattern: a quoted term has no end in '%s'", text)
}

func (p pattern) matches(message string) bool {
	for _, term := range p.must {
		if !strings.Contains(message, term) {
			return false
		}
	}
	for _, term := range p.not {
		if strings.Contains(message, term) {
			return false
		}
	}
	for _, term := range p.any {
		if strings.Contains(message, term) {
			return true
		}
	}
	return len(p.any) == 0
}
