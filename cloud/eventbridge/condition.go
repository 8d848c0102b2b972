package eventbridge

import (
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
)

// test says whether one value of an event satisfies a condition.
type test func(scalar) bool

// operator compiles the argument of a content filter.
type operator func(argument any) (test, error)

// operators are the content filters that test a value. "exists" is not among
// them, since it is about there being one.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
func operators() map[string]operator {
	return map[string]operator{
		"prefix":             affix("prefix", strings.HasPrefix),
		"suffix":             affix("suffix", strings.HasSuffix),
		"equals-ignore-case": text("equals-ignore-case", foldEqual),
		"wildcard":           wildcard,
		"numeric":            numeric,
		"cidr":               cidr,
		"anything-but":       anythingBut,
	}
}

func isOperator(name string) bool {
	_, ok := operators()[name]
	return ok || name == "exists"
}

// compileCondition compiles one entry of a pattern's array: a literal, or an
// object with one content filter.
func compileCondition(item any) (condition, error) {
	object, ok := item.(map[string]any)
	if !ok {
		t, err := literal(item)
		return condition{test: t}, err
	}
	name, argument, err := single(object)
	if err != nil {
		return condition{}, err
	}
	if name == "exists" {
		want, ok := argument.(bool)
		if !ok {
			return condition{}, reasonf("exists match pattern must be either true or false.")
		}
		return condition{absent: !want, test: func(scalar) bool { return want }}, nil
	}
	op, ok := operators()[name]
	if !ok {
		return condition{}, reasonf("Unrecognized match type %s", name)
	}
	t, err := op(argument)
	return condition{test: t}, err
}

// single takes the only member of an object.
func single(object map[string]any) (string, any, error) {
	if len(object) != 1 {
		return "", nil, reasonf("Only one key allowed in match expression")
	}
	for k, v := range object {
		return k, v, nil
	}
	return "", nil, nil
}

// literal matches a value by its kind and its text. Numbers are equal when
// they are written alike: 300, 300.0 and 3.0e2 are three values.
func literal(item any) (test, error) {
	want, ok := scalarOf(item)
	if !ok {
		return nil, reasonf("Match value must be String, number, true, false, or null")
	}
	return func(v scalar) bool { return v == want }, nil
}

func foldEqual(s, want string) bool { return strings.EqualFold(s, want) }

// text is an operator that takes a string and compares strings.
func text(name string, holds func(s, want string) bool) operator {
	return func(argument any) (test, error) {
		want, ok := argument.(string)
		if !ok {
			return nil, reasonf("%s match pattern must be a string", name)
		}
		return func(v scalar) bool { return v.kind == stringKind && holds(v.text, want) }, nil
	}
}

// affix is prefix or suffix; its argument may ask for the case to be ignored.
func affix(name string, holds func(s, want string) bool) operator {
	plain := text(name, nonEmpty(holds))
	folded := text(name, nonEmpty(func(s, want string) bool { return holds(strings.ToLower(s), strings.ToLower(want)) }))
	return func(argument any) (test, error) {
		object, ok := argument.(map[string]any)
		if !ok {
			return plain(argument)
		}
		inner, want, err := single(object)
		if err != nil {
			return nil, err
		}
		if inner != "equals-ignore-case" {
			return nil, reasonf("Unsupported %s match pattern: %s", name, inner)
		}
		return folded(want)
	}
}

func nonEmpty(holds func(s, want string) bool) func(s, want string) bool {
	return func(s, want string) bool { return want == "" || holds(s, want) }
}

// numericRange is the largest magnitude that numeric matching takes.
const numericRange = 5e9

func numeric(argument any) (test, error) {
	list, ok := argument.([]any)
	if !ok || len(list) == 0 || len(list)%2 != 0 || len(list) > 4 {
		return nil, reasonf("Value of numeric must be an array of one or two comparisons")
	}
	var tests []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		sign, _ := list[i].(string)
		compare, ok := comparisons()[sign]
		if !ok || (sign == "=" && len(list) > 2) {
			return nil, reasonf("Unrecognized numeric range operator: %v", list[i])
		}
		number, ok := list[i+1].(json.Number)
		if !ok {
			return nil, reasonf("Value of %s must be numeric", sign)
		}
		bound, err := number.Float64()
		if err != nil || bound < -numericRange || bound > numericRange {
			return nil, reasonf("Value must be between -5.0E9 and 5.0E9, inclusive")
		}
		tests = append(tests, func(f float64) bool { return compare(f, bound) })
	}
	return func(v scalar) bool {
		f, err := strconv.ParseFloat(v.text, 64)
		if v.kind != numberKind || err != nil {
			return false
		}
		for _, t := range tests {
			if !t(f) {
				return false
			}
		}
		return true
	}, nil
}

func comparisons() map[string]func(a, b float64) bool {
	return map[string]func(a, b float64) bool{
		"=":  func(a, b float64) bool { return a == b },
		"<":  func(a, b float64) bool { return a < b },
		"<=": func(a, b float64) bool { return a <= b },
		">":  func(a, b float64) bool { return a > b },
		">=": func(a, b float64) bool { return a >= b },
	}
}

func cidr(argument any) (test, error) {
	want, _ := argument.(string)
	network, err := netip.ParsePrefix(want)
	if err != nil {
		return nil, reasonf("Malformed CIDR, one '/' required: %v", argument)
	}
	network = network.Masked()
	return func(v scalar) bool {
		address, err := netip.ParseAddr(v.text)
		return v.kind == stringKind && err == nil && network.Contains(address)
	}, nil
}

// anythingBut negates a literal, a list of literals of one kind, or one of
// the string filters with one argument or a list of them.
func anythingBut(argument any) (test, error) {
	if object, ok := argument.(map[string]any); ok {
		name, inner, err := single(object)
		if err != nil {
			return nil, err
		}
		op, ok := operators()[name]
		if !ok || name == "numeric" || name == "cidr" || name == "anything-but" {
			return nil, reasonf("Unsupported anything-but pattern: %s", name)
		}
		return none(inner, op)
	}
	if list, ok := argument.([]any); ok && mixed(list) {
		return nil, reasonf("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return none(argument, func(item any) (test, error) {
		if v, ok := scalarOf(item); !ok || (v.kind != stringKind && v.kind != numberKind) {
			return nil, reasonf("Inside anything but list, start|null|boolean is not supported.")
		}
		return literal(item)
	})
}

func mixed(list []any) bool {
	for _, item := range list {
		first, _ := scalarOf(list[0])
		v, _ := scalarOf(item)
		if v.kind != first.kind {
			return true
		}
	}
	return false
}

// none is satisfied when op fails for the argument, or for all of its items.
func none(argument any, op operator) (test, error) {
	list, ok := argument.([]any)
	if !ok {
		list = []any{argument}
	}
	if len(list) == 0 {
		return nil, reasonf("Empty arrays are not allowed")
	}
	tests := make([]test, len(list))
	for i, item := range list {
		t, err := op(item)
		if err != nil {
			return nil, err
		}
		tests[i] = t
	}
	return func(v scalar) bool {
		for _, t := range tests {
			if t(v) {
				return false
			}
		}
		return true
	}, nil
}
