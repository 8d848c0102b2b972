package executeapi

import (
	"net/url"
	"strings"
)

// MatchPath compares a path, escaped as it came, with a pattern such as
// /pets/{id}/{proxy+}. It gives the values of the variables, and a rank: of two
// patterns that fit, the one of the greater rank says more. Text ranks above a
// variable, and that above the rest of a path.
func MatchPath(pattern, path string) (values map[string]string, rank string, ok bool) {
	wanted, given := segments(pattern), segments(path)
	values = map[string]string{}
	var ranks strings.Builder
	for i, w := range wanted {
		name, variable := strings.CutPrefix(w, "{")
		name = strings.TrimSuffix(name, "}")
		if rest, greedy := strings.CutSuffix(name, "+"); variable && greedy {
			if i >= len(given) {
				return nil, "", false
			}
			values[rest] = Unescaped(strings.Join(given[i:], "/"))
			return values, ranks.String() + "a", true
		}
		if i >= len(given) {
			return nil, "", false
		}
		switch {
		case variable:
			if given[i] == "" {
				return nil, "", false
			}
			values[name] = Unescaped(given[i])
			ranks.WriteByte('b')
		case w == Unescaped(given[i]) || w == given[i]:
			ranks.WriteByte('c')
		default:
			return nil, "", false
		}
	}
	return values, ranks.String() + "b", len(wanted) == len(given)
}

// segments are the parts of a path; a slash at its end says nothing.
func segments(path string) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
}

// Unescaped is a path, or a part of one, in the clear.
func Unescaped(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}
