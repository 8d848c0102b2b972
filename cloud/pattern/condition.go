package pattern

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
)

// test says whether one value of an event satisfies a condition.
type test func(value any) bool

// operator compiles what an operator is given.
type operator func(argument any) (test, error)

// operators are those that test a value. "exists" is not among them, since it
// is about there being one.
func (c *compiler) operators() map[string]operator {
	return map[string]operator{
		"prefix":             affix("prefix", strings.HasPrefix),
		"suffix":             affix("suffix", strings.HasSuffix),
		"equals-ignore-case": text("equals-ignore-case", strings.EqualFold),
		"wildcard":           wildcard,
		"numeric":            numeric,
		"cidr":               cidr,
		"anything-but":       c.anythingBut,
	}
}

func (c *compiler) isOperator(name string) bool {
	return name == "exists" || c.operators()[name] != nil
}

// add reads one entry of a list: a literal, or an object with one operator.
func (f *field) add(c *compiler, item any) error {
	object, ok := item.(map[string]any)
	if !ok {
		return f.take(c.literal(item))
	}
	name, argument, err := single(object)
	switch op := c.operators()[name]; {
	case err != nil:
		return err
	case name == "exists":
		return f.exists(argument)
	case op == nil:
		return reasonf("Unrecognized match type %s", name)
	default:
		return f.take(op(argument))
	}
}

func (f *field) take(t test, err error) error {
	f.tests = append(f.tests, t)
	return err
}

func (f *field) exists(argument any) error {
	exists, ok := argument.(bool)
	switch {
	case !ok:
		return reasonf("exists match pattern must be either true or false.")
	case exists:
		return f.take(func(any) bool { return true }, nil)
	}
	f.absent = true
	return nil
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

// literal matches a value of its own kind: the string "5" is not the number 5.
func (c *compiler) literal(want any) (test, error) {
	if _, isList := want.([]any); isList {
		return nil, reasonf("Match value must be String, number, true, false, or null")
	}
	number, ok := want.(json.Number)
	if !ok {
		return func(v any) bool { return v == want }, nil
	}
	return func(v any) bool {
		n, ok := v.(json.Number)
		return ok && c.same(n, number)
	}, nil
}

// text is an operator that takes a string and compares strings.
func text(name string, holds func(s, want string) bool) operator {
	return func(argument any) (test, error) {
		want, ok := argument.(string)
		if !ok {
			return nil, reasonf("%s match pattern must be a string", name)
		}
		return func(v any) bool {
			s, ok := v.(string)
			return ok && holds(s, want)
		}, nil
	}
}

// affix is prefix or suffix; its argument may ask for the case to be ignored.
func affix(name string, holds func(s, want string) bool) operator {
	plain := text(name, holds)
	folded := text(name, func(s, want string) bool { return holds(strings.ToLower(s), strings.ToLower(want)) })
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

func cidr(argument any) (test, error) {
	want, _ := argument.(string)
	network, err := netip.ParsePrefix(want)
	if err != nil {
		return nil, reasonf("Malformed CIDR, one '/' required: %v", argument)
	}
	return func(v any) bool {
		s, _ := v.(string)
		address, err := netip.ParseAddr(s)
		return err == nil && network.Contains(address)
	}, nil
}

// anythingBut negates a literal, a list of literals of one kind, or one of
// the string operators with one argument or a list of them.
func (c *compiler) anythingBut(argument any) (test, error) {
	if object, ok := argument.(map[string]any); ok {
		name, inner, err := single(object)
		if err != nil {
			return nil, err
		}
		op := c.operators()[name]
		if op == nil || name == "numeric" || name == "cidr" || name == "anything-but" {
			return nil, reasonf("Unsupported anything-but pattern: %s", name)
		}
		return none(inner, op)
	}
	if list, ok := argument.([]any); ok && mixed(list) {
		return nil, reasonf("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return none(argument, func(item any) (test, error) {
		if !isText(item) && !isNumber(item) {
			return nil, reasonf("Inside anything but list, start|null|boolean is not supported.")
		}
		return c.literal(item)
	})
}

func isText(v any) bool   { _, ok := v.(string); return ok }
func isNumber(v any) bool { _, ok := v.(json.Number); return ok }

func mixed(list []any) bool {
	return slices.ContainsFunc(list, isText) && slices.ContainsFunc(list, isNumber)
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
	var tests []test
	for _, item := range list {
		t, err := op(item)
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	return func(v any) bool {
		return !slices.ContainsFunc(tests, func(t test) bool { return t(v) })
	}, nil
}
