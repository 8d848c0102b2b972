package template

import (
	"slices"
	"strings"
)

// Dependencies are the logical ids that r depends on, sorted: those of its
// DependsOn and those that its functions refer to, in both branches of Fn::If.
func (t *Template) Dependencies(r Resource) []string {
	return t.DependenciesWith(r, nil)
}

// DependenciesWith is Dependencies when the conditions are known: branches of
// Fn::If that are not taken do not count. It may name resources whose own
// condition is false.
func (t *Template) DependenciesWith(r Resource, conditions map[string]bool) []string {
	section := t.Root.Get("Resources")
	ids := slices.Clone(r.DependsOn)
	w := refWalk{conditions: conditions, found: func(id string) {
		if section.Get(id) != nil {
			ids = append(ids, id)
		}
	}}
	for _, n := range []*Node{r.Properties, r.Metadata, r.CreationPolicy, r.UpdatePolicy} {
		w.walk(n)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// refWalk finds the names that functions refer to.
type refWalk struct {
	conditions map[string]bool
	certain    bool // leave out what stands in any Fn::If
	found      func(id string)
}

func (w *refWalk) walk(n *Node) {
	if n == nil || n.Kind < List {
		return
	}
	name, arg := n.Function()
	switch name {
	case "Ref":
		w.found(arg.Text)
		w.walk(arg) // a function under AWS::LanguageExtensions
	case "Fn::GetAtt":
		if id, attribute, ok := getAttParts(arg); ok {
			w.found(id)
			w.walk(attribute)
		}
	case "Fn::Sub":
		w.sub(arg)
	case "Fn::If":
		w.branches(arg)
	default:
		for _, item := range n.Items {
			w.walk(item)
		}
	}
}

func (w *refWalk) sub(arg *Node) {
	text, values, ok := subForm(arg)
	if !ok {
		return
	}
	value := values.finder()
	subParts(text.Text, ignore, func(name string) {
		if value(name) == nil {
			id, _, _ := strings.Cut(name, ".")
			w.found(id)
		}
	})
	w.walk(values)
}

func (w *refWalk) branches(arg *Node) {
	if w.certain || ifArgs(arg) != "" {
		return
	}
	yes, known := w.conditions[arg.Items[0].Text]
	if !known || yes {
		w.walk(arg.Items[1])
	}
	if !known || !yes {
		w.walk(arg.Items[2])
	}
}

// checkCycles finds resources that wait for each other. A cycle through
// branches of Fn::If may never come true and is a warning.
func (c *checker) checkCycles() {
	if c.resources == nil || c.resources.Kind != Map || c.macros { // which may cut it
		return
	}
	chain := c.resourceCycle(false)
	if chain == nil {
		return
	}
	certain := c.resourceCycle(true)
	severity := SeverityWarning
	if certain != nil {
		chain, severity = certain, SeverityError
	}
	members := slices.Clone(chain[:len(chain)-1])
	slices.Sort(members)
	pos := c.t.Root.Pos
	for _, k := range c.resources.Keys {
		if k.Text == chain[0] {
			pos = k.Pos
		}
	}
	c.problem(pos, "circular-dependency", "", "Circular dependency between resources: ["+strings.Join(members, ", ")+"]",
		"resources depend on each other in a circle: %s", strings.Join(chain, " -> "))
	c.problems[len(c.problems)-1].Severity = severity
}

// resourceCycle gives a cycle with its first member at both ends, or nil.
func (c *checker) resourceCycle(certain bool) []string {
	keys := c.resources.Keys
	index := make(map[string]int, len(keys))
	for i, k := range keys {
		index[k.Text] = i
	}
	edges := make([][]int, len(keys))
	at := 0
	w := refWalk{certain: certain, found: func(id string) {
		if to, ok := index[id]; ok {
			edges[at] = append(edges[at], to)
		}
	}}
	for i, n := range c.resources.Items {
		at = i
		for _, id := range dependsOn(n.Get("DependsOn")) {
			w.found(id)
		}
		for _, part := range []string{"Properties", "Metadata", "CreationPolicy", "UpdatePolicy"} {
			w.walk(n.Get(part))
		}
	}
	cycle := findCycle(edges)
	if cycle == nil {
		return nil
	}
	chain := make([]string, len(cycle))
	for i, v := range cycle {
		chain[i] = keys[v].Text
	}
	return chain
}

// findCycle gives the nodes of a cycle, the first again at the end.
func findCycle(edges [][]int) []int {
	state := make([]uint8, len(edges)) // 0 new, 1 open, 2 done
	var open, cycle []int
	var visit func(v int) bool
	visit = func(v int) bool {
		state[v] = 1
		open = append(open, v)
		for _, to := range edges[v] {
			if state[to] == 1 {
				cycle = append(slices.Clone(open[slices.Index(open, to):]), to)
				return true
			}
			if state[to] == 0 && visit(to) {
				return true
			}
		}
		open = open[:len(open)-1]
		state[v] = 2
		return false
	}
	for v := range edges {
		if state[v] == 0 && visit(v) {
			return cycle
		}
	}
	return nil
}

// conditionCycles finds conditions that are defined by each other.
func (c *checker) conditionCycles() {
	if c.conditions == nil || c.conditions.Kind != Map {
		return
	}
	index := make(map[string]int, len(c.conditions.Keys))
	for i, k := range c.conditions.Keys {
		index[k.Text] = i
	}
	edges := make([][]int, len(index))
	at := 0
	var walk func(n *Node)
	walk = func(n *Node) {
		used := ""
		if n.Kind == Map && len(n.Keys) == 1 && n.Keys[0].Text == "Condition" {
			used = n.Items[0].Text
		} else if name, arg := n.Function(); name == "Fn::If" && ifArgs(arg) == "" {
			used = arg.Items[0].Text
		}
		if to, ok := index[used]; ok {
			edges[at] = append(edges[at], to)
		}
		for _, item := range n.Items {
			walk(item)
		}
	}
	for i, n := range c.conditions.Items {
		at = i
		walk(n)
	}
	cycle := findCycle(edges)
	if cycle == nil {
		return
	}
	chain := make([]string, len(cycle))
	for i, v := range cycle {
		chain[i] = c.conditions.Keys[v].Text
	}
	c.problem(c.conditions.Keys[cycle[0]].Pos, "circular-condition", "", "Template error: Found circular condition dependency: "+strings.Join(chain, " -> "),
		"conditions are defined by each other in a circle: %s", strings.Join(chain, " -> "))
}
