package sns

import (
	"encoding/json"
	"math"
	"net/netip"
	"slices"
	"strings"
)

// compileCondition reads a literal, or an object with one operator.
func compileCondition(item any) (accept, error) {
	if _, isList := item.([]any); isList {
		return nil, badFilter("Match value must be String, number, true, false, or null")
	}
	expression, ok := item.(map[string]any)
	if !ok {
		return equal(item), nil
	}
	if len(expression) != 1 {
		return nil, badFilter("Only one key allowed in match expression")
	}
	for name, argument := range expression {
		if compile := operators()[name]; compile != nil {
			return compile(argument)
		}
		return nil, badFilter("Unrecognized match type %s", name)
	}
	return nil, nil
}

// equal compares numbers by their value, everything else as it is.
func equal(want any) accept {
	n, isNumber := number(want)
	return func(v any) bool {
		if m, ok := number(v); ok && isNumber {
			return m == n
		}
		return v == want
	}
}

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// operators are the conditions on values other than literals.
// https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html
func operators() map[string]func(argument any) (accept, error) {
	return map[string]func(argument any) (accept, error){
		"prefix":             textual("prefix", strings.HasPrefix),
		"suffix":             textual("suffix", strings.HasSuffix),
		"equals-ignore-case": textual("equals-ignore-case", strings.EqualFold),
		"wildcard":           textual("wildcard", wild),
		"numeric":            numeric,
		"cidr":               cidr,
		"anything-but":       anythingBut,
	}
}

func textual(name string, holds func(value, want string) bool) func(any) (accept, error) {
	return func(argument any) (accept, error) {
		want, ok := argument.(string)
		if !ok {
			return nil, badFilter("%s match pattern must be a string", name)
		}
		return func(v any) bool {
			s, ok := v.(string)
			return ok && holds(s, want)
		}, nil
	}
}

// wild compares with a pattern in which * stands for any characters.
func wild(value, pattern string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return value == pattern
	}
	if len(value) < len(first)+len(last) || !strings.HasPrefix(value, first) || !strings.HasSuffix(value, last) {
		return false
	}
	value = value[len(first) : len(value)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, ok := strings.Cut(value, part)
		if !ok {
			return false
		}
		value = rest
	}
	return true
}

func numeric(argument any) (accept, error) {
	list, _ := argument.([]any)
	if len(list) != 2 && len(list) != 4 {
		return nil, badFilter("Value of numeric must be an array of one or two comparisons")
	}
	low, high := math.Inf(-1), math.Inf(1)
	lowIn, highIn := true, true
	for i := 0; i < len(list); i += 2 {
		bound, ok := number(list[i+1])
		if !ok {
			return nil, badFilter("Value of %v must be numeric", list[i])
		}
		switch list[i] {
		case "=":
			low, high = bound, bound
		case ">", ">=":
			low, lowIn = bound, list[i] == ">="
		case "<", "<=":
			high, highIn = bound, list[i] == "<="
		default:
			return nil, badFilter("Unrecognized numeric range operator: %v", list[i])
		}
	}
	return func(v any) bool {
		n, ok := number(v)
		return ok && (n > low || lowIn && n == low) && (n < high || highIn && n == high)
	}, nil
}

func cidr(argument any) (accept, error) {
	text, _ := argument.(string)
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, badFilter("Malformed CIDR, one '/' required: %v", argument)
	}
	return func(v any) bool {
		s, _ := v.(string)
		address, err := netip.ParseAddr(s)
		return err == nil && network.Contains(address)
	}, nil
}

// anythingBut negates a literal, a list of them, or another operator on strings.
func anythingBut(argument any) (accept, error) {
	list, ok := argument.([]any)
	if !ok {
		list = []any{argument}
	}
	var tests []accept
	for _, item := range list {
		if object(item)["numeric"] != nil || object(item)["anything-but"] != nil {
			return nil, badFilter("Unsupported anything-but pattern")
		}
		test, err := compileCondition(item)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return func(v any) bool {
		return !slices.ContainsFunc(tests, func(test accept) bool { return test(v) })
	}, nil
}
