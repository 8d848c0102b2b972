package pattern

import "strings"

// wildcard compiles a filter in which * stands for any characters, none
// included. \* is a star and \\ a backslash; two stars in a row and other
// escapes are refused.
func wildcard(argument any) (test, error) {
	want, ok := argument.(string)
	if !ok {
		return nil, reasonf("wildcard match pattern must be a string")
	}
	parts, err := splitWildcard(want)
	if err != nil {
		return nil, err
	}
	return func(v any) bool {
		s, ok := v.(string)
		return ok && matchParts(s, parts)
	}, nil
}

// splitWildcard cuts a filter at its stars and undoes the escapes.
func splitWildcard(s string) ([]string, error) {
	var parts []string
	var part []byte
	star := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			if i+1 == len(s) || (s[i+1] != '*' && s[i+1] != '\\') {
				return nil, reasonf("Invalid escape character at pos %d", i)
			}
			i++
			part = append(part, s[i])
			star = false
		case s[i] == '*' && star:
			return nil, reasonf("Consecutive wildcard characters at pos %d", i-1)
		case s[i] == '*':
			parts = append(parts, string(part))
			part, star = nil, true
		default:
			part = append(part, s[i])
			star = false
		}
	}
	return append(parts, string(part)), nil
}

// matchParts says whether s is the parts in order with anything between them.
// Taking every middle part at its first place is enough, since what is left
// over only grows by that.
func matchParts(s string, parts []string) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return s == first
	}
	if len(s) < len(first)+len(last) || s[:len(first)] != first || s[len(s)-len(last):] != last {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s = s[at+len(part):]
	}
	return true
}
