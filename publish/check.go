package publish

import (
	"path"
	"strings"
	"unicode"

	"ouro/template"
)

// checker is how each template of the tree is checked as it is read.
func (o Options) checker() func(t *template.Template, body []byte) []template.Problem {
	if o.Check == nil {
		return func(t *template.Template, _ []byte) []template.Problem { return t.Check() }
	}
	return func(t *template.Template, body []byte) (found []template.Problem) {
		o.Known.once(body, func() bool {
			found = o.Check(t)
			return len(found) > 0
		}, "offline", path.Ext(t.File))
		return found
	}
}

// Finding is the problem as a check tells it: position, severity, message and
// rule, and the chain of references if there is one.
func (p Problem) Finding() string {
	line := p.Pos.String() + ": " + p.Severity.String() + ": " + p.Message + " (" + p.ID + ")"
	if len(p.Chain) > 0 {
		line += ", referred to by " + chain(p.Chain)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) { // what a template says must not speak to the terminal
			return ' '
		}
		return r
	}, line)
}
