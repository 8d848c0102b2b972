package sam

import (
	"slices"
	"strings"

	"ouro/template"
)

// keepWhile gives the implicit API the condition and the policies of the
// resources that need it.
func (m *implicit) keepWhile() {
	var needs []string
	for _, methods := range m.conditions[m.implicit] {
		for _, condition := range methods {
			needs = append(needs, condition)
		}
	}
	p := at(m.root.Pos)
	if name := m.anyOf(needs, m.anyCondition); name != "" {
		set(m.api.node, "Condition", p.text(name))
	}
	for policy, strongest := range map[string][]string{
		"DeletionPolicy":      {"Retain", "Delete"},
		"UpdateReplacePolicy": {"Retain", "Snapshot", "Delete"},
	} {
		for _, strong := range strongest {
			if slices.Contains(m.policies[policy], strong) {
				set(m.api.node, policy, p.text(strong))
				break
			}
		}
	}
}

// anyOf is the name of the condition under which any of those holds: "" if one
// is always true, a condition that is made if there are several.
func (m *implicit) anyOf(conditions []string, name string) string {
	conditions = slices.Compact(slices.Sorted(slices.Values(conditions)))
	switch {
	case len(conditions) == 0 || slices.Contains(conditions, ""):
		return ""
	case len(conditions) == 1:
		return conditions[0]
	}
	section := m.root.Get("Conditions")
	if section == nil || section.Kind != template.Map {
		section = at(m.root.Pos).obj()
		set(m.root, "Conditions", section)
	}
	for id, condition := range entries(combinedCondition(at(section.Pos), conditions, name)) {
		set(section, id, condition)
	}
	return name
}

// conditionalPaths makes paths depend on the conditions of their methods.
func (m *implicit) conditionalPaths() {
	for r := range m.all(m.typ) {
		b := m.bodyOf(r.id)
		if b == nil || !b.managed {
			continue
		}
		d, err := m.edit(b.value)
		if err != nil {
			m.refuse(r.node, "%s", err)
			return
		}
		for path, item := range d.paths.members() {
			var conditions []string
			for _, condition := range m.conditions[r.id][path.text] {
				conditions = append(conditions, condition)
			}
			if name := m.anyOf(conditions, pathCondition(r.id, path.text)); name != "" {
				condition := lit(name)
				condition.given = slices.Contains(conditions, name)
				d.paths.set(path.text, conditional(condition, item))
			}
		}
		m.setBody(r.id, d.done())
	}
}

// combinedCondition is any of several conditions. Fn::Or takes ten, so that
// more of them need conditions in between, which it names too.
func combinedCondition(p at, conditions []string, name string) *node {
	out := p.obj()
	slices.Sort(conditions)
	more := (len(conditions) - 2) / 9
	for len(conditions) > 1 {
		called := name
		if more > 0 {
			called += p.node(more).Text
			more--
		}
		first := min(len(conditions), 10)
		any := p.list()
		for _, condition := range conditions[:first] {
			any.Items = append(any.Items, p.obj("Condition", condition))
		}
		set(out, called, p.obj("Fn::Or", any))
		conditions = append(conditions[first:], called)
	}
	return out
}

// pathCondition is the logical id of the condition under which any method of a
// path exists.
func pathCondition(api, path string) string {
	return api + strings.NewReplacer("/", "SLASH", "{", "OB", "}", "CB").Replace(path) + "PathCondition"
}
