package validate

import (
	"slices"
	"strings"

	"ouro/regex"
	"ouro/template"
)

// opening tells for a template which of its structural problems may come from
// parts that only AWS can see: what Fn::Transform brings, and the resources
// inside modules.
func opening(t *template.Template) func(template.Problem) bool {
	brought := included(t)
	inModules, beyond := insideModules(t), javaPatterns(t)
	return func(p template.Problem) bool {
		switch {
		case p.ID == "allowed-pattern":
			return beyond[p.Pos]
		case !strings.HasPrefix(p.ID, "unresolved-") && p.ID != "unsupported-function":
			return false
		case brought:
			return true
		}
		return inModules[p.Pos]
	}
}

// javaPatterns are the places of parameters whose AllowedPattern has something
// that Java's expressions have and ours do not, which is no mistake.
func javaPatterns(t *template.Template) map[template.Pos]bool {
	places := map[template.Pos]bool{}
	for _, p := range t.Parameters() {
		if p.AllowedPattern != "" && beyondRE2().MatchString(p.AllowedPattern) {
			places[p.Pos] = true
		}
	}
	return places
}

// Look-around, references back, groups and repetitions that give nothing back.
var beyondRE2 = regex.New(`\(\?(?:[=!>]|<[=!])|\\[1-9]|[*+?}]\+`)

// insideModules are the places that refer to a resource in a module, which is
// called Module.Resource or ModuleResource.
func insideModules(t *template.Template) map[template.Pos]bool {
	var modules []string
	for _, r := range t.Resources() {
		if strings.HasSuffix(r.Type, "::MODULE") {
			modules = append(modules, r.LogicalID)
		}
	}
	if modules == nil {
		return nil
	}
	places := map[template.Pos]bool{}
	template.Uses(t.Root, func(u template.Use) {
		for _, m := range modules {
			if strings.HasPrefix(u.Name, m) {
				places[u.At.Pos] = true
			}
		}
	})
	return places
}

// brings tells whether a macro's snippet stands somewhere in n.
func brings(n *template.Node) bool {
	return n != nil && (n.Get("Fn::Transform") != nil || slices.ContainsFunc(n.Items, brings))
}

// included tells whether Fn::Transform brings whole declarations.
func included(t *template.Template) bool {
	inserts := func(n *template.Node) bool { return n.Get("Fn::Transform") != nil }
	return inserts(t.Root) || slices.ContainsFunc(t.Root.Items, inserts)
}
