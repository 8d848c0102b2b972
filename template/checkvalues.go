package template

import "strconv"

// constants are functions that CloudFormation evaluates when it reads a
// template, as far as their arguments are written there.
var constants = map[string]bool{"Fn::Cidr": true, "Fn::Split": true, "Fn::FindInMap": true}

// constant finds a function with literal arguments that can have no value.
func (c *checker) constant(n *Node, name string, arg *Node) {
	if c.macros || len(c.scope) > 0 {
		return
	}
	if name == "Fn::Select" {
		c.selection(arg)
		return
	}
	if !constants[name] || !literal(arg) || c.extended && name == "Fn::FindInMap" {
		return
	}
	if name == "Fn::FindInMap" && (!c.has(c.mappings, arg.Items[0].Text) || hasTransform(c.mappings)) {
		return // said elsewhere
	}
	e := &evaluator{t: c.t, env: &Env{}, table: functions}
	if _, err := e.value(n); err != nil {
		c.problem(arg.Pos, "value", name, err.Error(), "%s", trimAWS(err.Error()))
		if c.maybe && name == "Fn::FindInMap" { // looked up when it is needed
			c.problems[len(c.problems)-1].Severity = SeverityWarning
		}
	}
}

// selection checks the index of Fn::Select: members can only become fewer.
func (c *checker) selection(arg *Node) {
	index, list := arg.Items[0], arg.Items[1]
	if !index.IsScalar() {
		return
	}
	at, err := strconv.Atoi(index.Text)
	switch {
	case err != nil:
		c.problem(index.Pos, "value", "Fn::Select", selectIndex, "%s", trimAWS(selectIndex))
	case at < 0 || list.Kind == List && at >= len(list.Items):
		c.problem(index.Pos, "value", "Fn::Select", "Template error: Fn::Select cannot select nonexistent value at index "+index.Text,
			"Fn::Select cannot select nonexistent value at index %d", at)
	}
}

const importDepends = "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs"

// imported checks that the name of an import is known before there are
// resources.
func (c *checker) imported(arg *Node) {
	if at := c.dependent(arg); at != nil && c.block != "Conditions" {
		c.missing(at.Pos, "misplaced-function", "Fn::ImportValue", importDepends, "%s", trimAWS(importDepends))
	}
}

// dependent finds what in n depends on resources or on the world around: nil
// when nothing does.
func (c *checker) dependent(n *Node) *Node {
	name, _ := n.Function()
	switch name {
	case "Fn::ImportValue", "Fn::GetAZs", "Fn::GetStackOutput":
		return n
	case "Ref", "Fn::GetAtt", "Fn::Sub":
		found := false
		w := refWalk{found: func(id string) { found = found || c.has(c.resources, id) }}
		w.walk(n)
		if found {
			return n
		}
	}
	for _, item := range n.Items {
		if item.Kind < List {
			continue
		}
		if at := c.dependent(item); at != nil {
			return at
		}
	}
	return nil
}
