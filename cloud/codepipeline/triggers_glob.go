package codepipeline

import (
	"errors"
	"regexp"
	"strings"
)

// The glob patterns of triggers are AWS's own: ** crosses directories wherever
// it stands, and braces do not nest.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html

var errGlob = errors.New("malformed glob pattern")

// globMatches tells whether a pattern matches the whole name. A malformed one,
// which is refused when a pipeline is made, matches nothing.
func globMatches(pattern, name string) bool {
	expression, err := globExpression(pattern)
	return err == nil && expression.MatchString(name)
}

// globExpression is a pattern as a regular expression.
func globExpression(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	group := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "**/") && (i == 0 || pattern[i-1] == '/'):
			b.WriteString(`(?:.*/)?`) // any number of directories, none among them
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(`.*`)
			i++
		case c == '*':
			b.WriteString(`[^/]*`)
		case c == '?':
			b.WriteString(`[^/]`)
		case c == '[':
			end := strings.IndexByte(pattern[i:], ']')
			if end < 2 {
				return nil, errGlob
			}
			b.WriteString(globSet(pattern[i+1 : i+end]))
			i += end
		case c == '{' && group, c == '\\' && i+1 == len(pattern):
			return nil, errGlob
		case c == '{':
			group = true
			b.WriteString(`(?:`)
		case c == '}' && group:
			group = false
			b.WriteString(`)`)
		case c == ',' && group:
			b.WriteString(`|`)
		case c == '\\':
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	if group {
		return nil, errGlob
	}
	b.WriteString(`$`)
	return regexp.Compile(b.String())
}

// globSet is what stands between brackets as a regular expression. There only a
// hyphen and a leading exclamation mark mean more than themselves.
func globSet(set string) string {
	set, not := strings.CutPrefix(set, "!")
	set = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `^`, `\^`).Replace(set)
	if rest, ok := strings.CutPrefix(set, "-"); ok {
		set = `\-` + rest
	}
	if not {
		return `[^/` + set + `]`
	}
	return `[` + set + `]`
}
