package template

import (
	"slices"
	"strings"
)

const (
	containsShape = "Template error: every Fn::Contains object requires two parameters, (1) a list of strings and (2) a string"
	eachShape     = "Template error: every Fn::EachMemberEquals object requires two parameters, (1) a list of strings and (2) a string"
	eachInShape   = "Template error: every Fn::EachMemberIn object requires two parameters, both lists of strings"
	valueOfShape  = "Template error: Fn::ValueOf and Fn::ValueOfAll require two parameters, (1) a parameter or a parameter type and (2) an attribute"
	refAllShape   = "Template error: every Fn::RefAll object requires the name of a parameter type"
)

// ruleFunctions are what the Rules section may use
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html).
var ruleFunctions = map[string]function{
	"Ref":                  functions["Ref"],
	"Fn::And":              functions["Fn::And"],
	"Fn::Or":               functions["Fn::Or"],
	"Fn::Not":              functions["Fn::Not"],
	"Fn::Equals":           functions["Fn::Equals"],
	"Fn::Contains":         {args: wantList(2, 2, containsShape), eval: evalContains, condition: true},
	"Fn::EachMemberEquals": {args: wantList(2, 2, eachShape), eval: evalEachEquals, condition: true},
	"Fn::EachMemberIn":     {args: wantList(2, 2, eachInShape), eval: evalEachIn, condition: true},
	"Fn::RefAll":           {args: wantString(refAllShape), eval: evalRefAll},
	"Fn::ValueOf":          {args: wantList(2, 2, valueOfShape), eval: evalValueOf},
	"Fn::ValueOfAll":       {args: wantList(2, 2, valueOfShape), eval: evalValueOf},
}

// CheckRules holds the parameters in env against the Rules section: the error
// is the AssertDescription of the first assertion that is false, in source
// order. Rules whose RuleCondition is false do not count.
func (t *Template) CheckRules(env *Env) error {
	section := t.Root.Get("Rules")
	if section == nil || section.Kind != Map {
		return nil
	}
	e := &evaluator{t: t, env: env, table: ruleFunctions, conditions: &conditionSet{}}
	for i, name := range section.Keys {
		rule := section.Items[i]
		if condition := rule.Get("RuleCondition"); condition != nil {
			holds, err := e.boolean(condition)
			if err != nil {
				return err
			}
			if !holds {
				continue
			}
		}
		assertions := rule.Get("Assertions")
		if assertions == nil {
			continue
		}
		for _, a := range assertions.Items {
			holds, err := e.boolean(a.Get("Assert"))
			if err != nil {
				return err
			}
			if !holds {
				return evalError(a, "%s", description(name.Text, a))
			}
		}
	}
	return nil
}

func description(rule string, assertion *Node) string {
	if text := assertion.Get("AssertDescription").Scalar(); text != "" {
		return text
	}
	return "An assertion of rule " + rule + " is false"
}

// texts evaluates n and wants a list of scalars.
func (e *evaluator) texts(n *Node, wrong string) ([]string, error) {
	v, err := e.value(n)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, evalError(n, "%s", wrong)
	}
	out := make([]string, len(list))
	for i, item := range list {
		if out[i], ok = scalarText(item); !ok {
			return nil, evalError(n, "%s", wrong)
		}
	}
	return out, nil
}

func evalContains(e *evaluator, arg *Node) (any, error) {
	list, err := e.texts(arg.Items[0], containsShape)
	if err != nil {
		return nil, err
	}
	text, err := e.text(arg.Items[1], containsShape)
	return slices.Contains(list, text), err
}

func evalEachEquals(e *evaluator, arg *Node) (any, error) {
	list, err := e.texts(arg.Items[0], eachShape)
	if err != nil {
		return nil, err
	}
	text, err := e.text(arg.Items[1], eachShape)
	return !slices.ContainsFunc(list, func(item string) bool { return item != text }), err
}

func evalEachIn(e *evaluator, arg *Node) (any, error) {
	list, err := e.texts(arg.Items[0], eachInShape)
	if err != nil {
		return nil, err
	}
	allowed, err := e.texts(arg.Items[1], eachInShape)
	return !slices.ContainsFunc(list, func(item string) bool { return !slices.Contains(allowed, item) }), err
}

// evalRefAll gives the values of all parameters of a type.
func evalRefAll(e *evaluator, arg *Node) (any, error) {
	out := []any{}
	for _, p := range e.t.Parameters() {
		if p.Type != arg.Text {
			continue
		}
		v, err := e.ref(arg, p.Name)
		if err != nil {
			return nil, err
		}
		if list, ok := v.([]any); ok {
			out = append(out, list...)
		} else {
			out = append(out, v)
		}
	}
	return out, nil
}

// evalValueOf would need the attributes of what the parameters name, such as
// the VPC of a subnet.
func evalValueOf(_ *evaluator, arg *Node) (any, error) {
	return nil, evalError(arg, "Template error: Fn::ValueOf and Fn::ValueOfAll cannot be evaluated: attributes of parameter values are not known")
}

// checkRules checks the Rules section.
func (c *checker) checkRules() {
	c.members(c.t.Root.Get("Rules"), "Rules", maxMembers, func(k, n *Node) {
		if !c.attributes(k, n, []string{"RuleCondition", "Assertions"}, "Invalid template rule property '%'") {
			return
		}
		c.path = append(c.path[:0], "", "Rules", k.Text)
		if condition := n.Get("RuleCondition"); condition != nil {
			c.rule(condition)
		}
		assertions := n.Get("Assertions")
		if assertions == nil || assertions.Kind != List {
			c.problem(k.Pos, "rule-shape", k.Text, "Template format error: Every Rules member must contain Assertions.", "rule %q has no list of Assertions", k.Text)
			return
		}
		for _, a := range assertions.Items {
			if assert := a.Get("Assert"); assert != nil {
				c.rule(assert)
			} else {
				c.problem(a.Pos, "rule-shape", k.Text, "Template format error: Every Assertions member must contain an Assert.", "an assertion of rule %q has no Assert", k.Text)
			}
		}
	})
}

// rule checks the functions in a rule.
func (c *checker) rule(n *Node) {
	name, arg := n.Function()
	if name == "" {
		for _, item := range n.Items {
			c.rule(item)
		}
		return
	}
	f, ok := ruleFunctions[name]
	if !ok {
		c.problem(n.Pos, "misplaced-function", name, "Template format error: Following functions are not supported in the Rules block of the template: [].",
			"%s cannot be used in Rules", name)
		return
	}
	if message := f.args(arg); message != "" {
		c.problem(arg.Pos, "arguments", name, message, "%s", trimAWS(message))
		return
	}
	if name == "Ref" {
		if _, pseudo := pseudoParameters[arg.Text]; !pseudo && c.parameters.Get(arg.Text) == nil {
			c.problem(arg.Pos, "unresolved-reference", arg.Text, strings.Replace(resourcesInConditions, "Conditions", "Rules", 1), "Ref to %q: a rule knows only parameters, and there is none of that name", arg.Text)
		}
		return
	}
	c.rule(arg)
}
