package validate

import (
	"context"

	"ouro/template"
)

// Template finds what there is to say about a template without other files, for
// those who have read it already. What it returns holds none of its nodes.
func Template(ctx context.Context, t *template.Template) []template.Problem {
	return problems(checkTemplate(ctx, t))
}

// Configuration finds what is wrong with a template configuration, and how it
// does not fit its template; a nil t is a template that nobody knows. given are
// parameters that have their values from elsewhere. The configuration is read by
// template.Parse, too: it is JSON in the same way.
func Configuration(config, t *template.Template, given ...string) []template.Problem {
	p := pair{config: &file{path: config.File, config: readConfiguration(config)}, given: given}
	if t != nil {
		p.template = &file{path: t.File, facts: factsOf(t)}
	}
	p.check()
	return problems(p.config.findings)
}

func problems(findings []Finding) []template.Problem {
	var out []template.Problem
	for _, f := range findings {
		out = append(out, template.Problem{Pos: f.Pos, ID: f.ID, Message: f.Message, Severity: f.Severity})
	}
	return out
}
