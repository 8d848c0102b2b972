package template

import (
	"slices"
	"strings"
)

// checkRules checks the Rules section.
func (c *checker) checkRules() {
	c.members(c.t.Root.Get("Rules"), "Rules", func(c *checker, k, n *Node) {
		if !c.attributes(k, n, []string{"RuleCondition", "Assertions"}, "Invalid template rule property '%'") {
			return
		}
		c.path = append(c.path[:0], "", "Rules", k.Text)
		if condition := n.Get("RuleCondition"); condition != nil {
			c.assertion(condition)
		}
		assertions := n.Get("Assertions")
		if assertions == nil || assertions.Kind != List {
			c.problem(k.Pos, "rule-shape", k.Text, "Template format error: Every Rules member must contain Assertions.", "rule %q has no list of Assertions", k.Text)
			return
		}
		for _, a := range assertions.Items {
			if assert := a.Get("Assert"); assert != nil {
				c.assertion(assert)
			} else {
				c.problem(a.Pos, "rule-shape", k.Text, assertShape, "an assertion of rule %q has no Assert", k.Text)
			}
		}
	})
}

// assertion checks what must be true or false.
func (c *checker) assertion(n *Node) {
	if name, _ := n.Function(); name == "" || ruleFunctions[name].eval != nil && !ruleFunctions[name].condition {
		c.problem(n.Pos, "rule-shape", "", "", "a rule's condition is one of %s", strings.Join(ruleConditions(), ", "))
		return
	}
	c.rule(n)
}

// ruleConditions are the functions that are true or false.
func ruleConditions() []string {
	var out []string
	for name, f := range ruleFunctions {
		if f.condition {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
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
	if name == "Fn::ValueOf" || name == "Fn::ValueOfAll" {
		c.valueOf(name, arg)
		return
	}
	if name == "Fn::RefAll" && !parameterType(arg.Text) {
		c.problem(arg.Pos, "parameter-type", arg.Text, refAllShape, "Fn::RefAll of %q, which is no type of parameters", arg.Text)
	}
	if name == "Ref" {
		if !c.isParameter(arg.Text) {
			c.problem(arg.Pos, "unresolved-reference", arg.Text, strings.Replace(resourcesInConditions, "Conditions", "Rules", 1), "Ref to %q: a rule knows only parameters, and there is none of that name", arg.Text)
		}
		return
	}
	c.rule(arg)
}

// valueOf checks a parameter or type and the attribute asked for; neither may
// be given by a function.
func (c *checker) valueOf(name string, arg *Node) {
	of, attribute := arg.Items[0], arg.Items[1]
	if of.Kind != String || attribute.Kind != String {
		c.problem(arg.Pos, "arguments", name, valueOfShape, "%s", trimAWS(valueOfShape))
		return
	}
	kind := of.Text
	if name == "Fn::ValueOf" {
		p, ok := c.t.Parameter(of.Text)
		if !ok {
			c.problem(of.Pos, "unresolved-reference", of.Text, strings.Replace(resourcesInConditions, "Conditions", "Rules", 1), "Fn::ValueOf %q: there is no parameter of that name", of.Text)
			return
		}
		kind = p.Type
	}
	known := valueAttributes[elementType(kind)]
	asked, _, tag := strings.Cut(attribute.Text, ".")
	if tag {
		asked += "."
	}
	if !slices.Contains(known, asked) {
		c.problem(attribute.Pos, "arguments", name, valueOfShape, "%s knows no attribute %q of %s", name, attribute.Text, kind)
	}
}
