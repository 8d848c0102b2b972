package template

import (
	"encoding/json"
	"slices"
	"strings"
)

const (
	ifShape     = "Template error: Fn::If requires a list argument with three elements: the name of a condition and two values"
	equalsShape = "Template error: Fn::Equals requires a list argument with two elements"
	andShape    = "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters."
	orShape     = "Template error: every Fn::Or object requires a list of at least 2 and at most 10 boolean parameters."
	notShape    = "Template error: Fn::Not requires a list argument with one element"
	onlyBoolean = "Template format error: Conditions can only be boolean operations on parameters and other conditions"
)

// conditionSet is the Conditions section while it is evaluated.
type conditionSet struct {
	definitions map[string]*Node
	values      map[string]bool
	chain       []string        // conditions that are being evaluated, for cycles
	open        map[string]bool // the same
}

// EvalConditions evaluates the Conditions section; env needs the parameters
// and pseudo parameters only. The result is what env.Conditions takes.
func (t *Template) EvalConditions(env *Env) (map[string]bool, error) {
	set := &conditionSet{values: map[string]bool{}, definitions: map[string]*Node{}, open: map[string]bool{}}
	e := &evaluator{t: t, env: env, table: functions, conditions: set}
	section := t.Root.Get("Conditions")
	if section == nil || section.Kind != Map {
		return set.values, nil
	}
	for i, k := range section.Keys {
		set.definitions[k.Text] = section.Items[i]
	}
	for _, k := range section.Keys {
		if _, err := e.condition(k, k.Text); err != nil {
			return nil, err
		}
	}
	return set.values, nil
}

// condition is the value of a named condition, asked for at n.
func (e *evaluator) condition(n *Node, name string) (bool, error) {
	if e.conditions == nil {
		v, ok := e.env.Conditions[name]
		if !ok {
			return false, evalError(n, "Template error: unresolved condition dependency %s in Fn::If", name)
		}
		return v, nil
	}
	set := e.conditions
	if v, ok := set.values[name]; ok {
		return v, nil
	}
	definition := set.definitions[name]
	if definition == nil {
		return false, evalError(n, "Template format error: Unresolved condition dependency %s in the Conditions block of the template", name)
	}
	if set.open[name] {
		circle := append(set.chain[slices.Index(set.chain, name):], name)
		return false, evalError(n, "Template error: Found circular condition dependency: %s", strings.Join(circle, " -> "))
	}
	set.chain, set.open[name] = append(set.chain, name), true
	v, err := e.boolean(definition)
	set.chain, set.open[name] = set.chain[:len(set.chain)-1], false
	if err != nil {
		return false, err
	}
	set.values[name] = v
	return v, nil
}

// boolean evaluates what stands where a condition is wanted.
func (e *evaluator) boolean(n *Node) (bool, error) {
	if n != nil && n.Kind == Map && len(n.Keys) == 1 && n.Keys[0].Text == "Condition" {
		return e.condition(n, n.Items[0].Scalar())
	}
	if name, _ := n.Function(); !e.table[name].condition {
		return false, evalError(n, "%s", onlyBoolean)
	}
	v, err := e.value(n)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, evalError(n, "%s", onlyBoolean)
	}
	return b, nil
}

func ifArgs(arg *Node) string {
	if arg == nil || arg.Kind != List || len(arg.Items) != 3 || arg.Items[0].Kind != String {
		return ifShape
	}
	return ""
}

func evalIf(e *evaluator, arg *Node) (any, error) {
	yes, err := e.condition(arg.Items[0], arg.Items[0].Text)
	if err != nil {
		return nil, err
	}
	if yes {
		return e.value(arg.Items[1])
	}
	return e.value(arg.Items[2])
}

func evalEquals(e *evaluator, arg *Node) (any, error) {
	a, err := e.value(arg.Items[0])
	if err != nil {
		return nil, err
	}
	b, err := e.value(arg.Items[1])
	if err != nil {
		return nil, err
	}
	return equalValues(a, b), nil
}

// equalValues compares as CloudFormation does: scalars by their text, so that
// the number 1 equals the parameter "1".
func equalValues(a, b any) bool {
	switch a := a.(type) {
	case string, bool, json.Number:
		x, _ := scalarText(a)
		y, ok := scalarText(b)
		return ok && x == y
	case []any:
		other, ok := b.([]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for i := range a {
			if !equalValues(a[i], other[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for k, v := range a {
			if w, ok := other[k]; !ok || !equalValues(v, w) {
				return false
			}
		}
		return true
	}
	return a == b
}

func evalAnd(e *evaluator, arg *Node) (any, error) {
	out := true
	for _, item := range arg.Items {
		v, err := e.boolean(item)
		if err != nil {
			return nil, err
		}
		out = out && v
	}
	return out, nil
}

func evalOr(e *evaluator, arg *Node) (any, error) {
	out := false
	for _, item := range arg.Items {
		v, err := e.boolean(item)
		if err != nil {
			return nil, err
		}
		out = out || v
	}
	return out, nil
}

func evalNot(e *evaluator, arg *Node) (any, error) {
	v, err := e.boolean(arg.Items[0])
	return !v, err
}
