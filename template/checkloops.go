package template

import (
	"fmt"
	"slices"
	"strings"
)

// pattern is a name with parts that loops fill in: what stands between them.
type pattern []string

// patternOf takes a name apart at its ${Identifier} and &{Identifier}; a name
// without any is nil.
func patternOf(name string) pattern {
	var out pattern
	for from := 0; ; {
		at := placeholder(name[from:])
		end := -1
		if at >= 0 {
			end = strings.IndexByte(name[from+at:], '}')
		}
		if end < 0 {
			if out == nil {
				return nil
			}
			return append(out, name[from:])
		}
		out = append(out, name[from:from+at])
		from += at + end + 1
	}
}

func placeholder(s string) int {
	for i := 0; i+1 < len(s); i++ {
		if s[i+1] == '{' && (s[i] == '$' || s[i] == '&') {
			return i
		}
	}
	return -1
}

func (p pattern) match(name string) bool {
	rest, ok := strings.CutPrefix(name, p[0])
	if !ok {
		return false
	}
	last := p[len(p)-1]
	for _, part := range p[1 : len(p)-1] {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, last)
}

// made gathers the names that the loops of a section make.
func made(section *Node, out []pattern) []pattern {
	for i, k := range section.Keys {
		n := section.Items[i]
		if !strings.HasPrefix(k.Text, loopPrefix) || n.Kind != List || len(n.Items) != 3 {
			continue
		}
		body := n.Items[2]
		for _, name := range body.Keys {
			if p := patternOf(name.Text); p != nil {
				out = append(out, p)
			} else if !strings.HasPrefix(name.Text, loopPrefix) {
				out = append(out, pattern{name.Text, ""})
			}
		}
		out = made(body, out)
	}
	return out
}

// gatherLoops prepares for references to what loops make.
func (c *checker) gatherLoops() {
	if !c.extended {
		return
	}
	if c.resources != nil {
		c.madeResources = made(c.resources, nil)
	}
	if c.conditions != nil {
		c.madeConditions = made(c.conditions, nil)
	}
}

// open tells whether a name is one that only the loop around it can tell.
func (c *checker) open(name string) bool {
	return len(c.scope) > 0 && (slices.Contains(c.scope, name) || patternOf(name) != nil)
}

// anyMatch tells whether a loop may make a name. Of more loops than anybody
// writes it is not said.
func anyMatch(patterns []pattern, name string) bool {
	return len(patterns) > 1000 || slices.ContainsFunc(patterns, func(p pattern) bool { return p.match(name) })
}

// loop checks Fn::ForEach::Name and hands over the members of its body, those
// of loops inside too.
func (c *checker) loop(k, n *Node, each memberCheck) {
	if !c.extended {
		c.missing(k.Pos, "unsupported-function", k.Text, "", "Fn::ForEach is a language extension: the template must declare Transform: %s", languageExtensions)
		return
	}
	l, _, err := loopOf(k, n)
	if err != nil {
		c.badLoop(k, "%s layout is incorrect: it takes an identifier, a collection and a map", k.Text)
		return
	}
	for _, name := range []string{l.name, l.identifier} {
		if c.has(c.parameters, name) || c.has(c.resources, name) {
			c.badLoop(k, "%s: %s is the name of a parameter or resource too", k.Text, name)
			return
		}
	}
	switch {
	case slices.Contains(c.scope, l.identifier):
		c.badLoop(k, "%s: the identifier %s is that of a loop around it too", k.Text, l.identifier)
		return
	case len(c.scope) == maxLoops:
		c.badLoop(k, "%s: loops are nested deeper than %d", k.Text, maxLoops)
		return
	case l.collection.Kind < List:
		c.badLoop(l.collection, "the collection of %s must be a list, this is a %s", k.Text, l.collection.Kind)
	}
	c.walk(l.collection)
	c.scope = append(c.scope, l.identifier)
	for i, key := range l.body.Keys {
		each(c, key, l.body.Items[i])
	}
	c.scope = c.scope[:len(c.scope)-1]
}

// badLoop notes what the transform will refuse.
func (c *checker) badLoop(at *Node, format string, args ...any) {
	c.problem(at.Pos, "loop", "", "Transform "+languageExtensions+" failed with: "+fmt.Sprintf(format, args...), format, args...)
}
