package validate

import (
	"slices"
	"sort"
	"strings"

	"ouro/template"
)

// withoutIgnored takes out the findings of rules that the template turns off,
// for itself or for one resource:
//
//	Metadata:
//	  ouro:
//	    ignore: [unused-parameter]
//
// What is said to cfn-lint in the same place (cfn-lint: config: ignore_checks)
// counts for the rules that look for the same.
func withoutIgnored(t *template.Template, findings []Finding) []Finding {
	everywhere := ignoredIn(t.Root.Get("Metadata"))
	areas := resourceAreas(t)
	if everywhere == nil && areas == nil {
		return findings
	}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		if everywhere.has(f.ID) {
			return true
		}
		// The last area that begins before the finding holds it.
		i := sort.Search(len(areas), func(i int) bool { return before(f.Pos, areas[i].from) }) - 1
		return i >= 0 && areas[i].ignored.has(f.ID)
	})
}

// ignored are rules that are turned off, ours and cfn-lint's.
type ignored struct{ ours, theirs []string }

func ignoredIn(metadata *template.Node) *ignored {
	ours := textsOf(metadata.Get("ouro").Get("ignore"))
	theirs := textsOf(metadata.Get("cfn-lint").Get("config").Get("ignore_checks"))
	if ours == nil && theirs == nil {
		return nil
	}
	return &ignored{ours, theirs}
}

func (i *ignored) has(id string) bool {
	if i == nil {
		return false
	}
	if slices.Contains(i.ours, id) {
		return true
	}
	rule, _ := ruleOf(id)
	return slices.ContainsFunc(i.theirs, func(check string) bool {
		return check != "" && rule.cfnLint != "" && strings.HasPrefix(rule.cfnLint, check)
	})
}

func textsOf(n *template.Node) []string {
	if n == nil {
		return nil
	}
	if n.IsScalar() {
		return []string{n.Text}
	}
	var out []string
	for _, item := range n.Items {
		out = append(out, item.Text)
	}
	return out
}

// area is where something stands in a file: up to the next area.
type area struct {
	from    template.Pos
	ignored *ignored
}

// resourceAreas are the areas of resources and of what lies between them and
// beside their section; nil when no resource turns anything off.
func resourceAreas(t *template.Template) []area {
	var areas []area
	some := false
	for i, k := range t.Root.Keys {
		areas = append(areas, area{from: k.Pos})
		section := t.Root.Items[i]
		if k.Text != "Resources" || section.Kind != template.Map {
			continue
		}
		for j, id := range section.Keys {
			off := ignoredIn(section.Items[j].Get("Metadata"))
			some = some || off != nil
			areas = append(areas, area{from: id.Pos, ignored: off})
		}
	}
	if !some {
		return nil
	}
	slices.SortStableFunc(areas, func(a, b area) int {
		if before(a.from, b.from) {
			return -1
		}
		return 1
	})
	return areas
}

func before(a, b template.Pos) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
}
