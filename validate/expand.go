package validate

import (
	"context"
	"errors"
	"slices"
	"strings"

	"ouro/template"
	"ouro/template/sam"
)

// additive are AWS's macros that add resources and leave alone what is there,
// so that a template can be checked without running them.
var additive = []string{
	"AWS::CodeDeployBlueGreen", "AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16",
}

const languageExtensions = "AWS::LanguageExtensions"

// expansion is a template as CloudFormation would see it.
type expansion struct {
	t *template.Template
	// whole is false when some account's own macro is to rewrite the
	// template: then nobody can know what will be in it.
	whole bool
	// oneWay is set when t was made with the defaults of parameters where
	// others would have made something else, as in branches of Fn::If.
	oneWay bool
	// failed are the reasons for which a transform refuses the template.
	failed []Finding
}

// expand runs the transforms that can be run here.
func expand(ctx context.Context, t *template.Template) expansion {
	extended := false
	for _, name := range t.Transforms() {
		switch {
		case name == languageExtensions:
			extended = true
		case name != sam.Name && !slices.Contains(additive, name):
			return expansion{t: t}
		}
	}
	out, err := t.Expand(ctx, environment(t, nil), macros{})
	if err == nil {
		return expansion{t: out, whole: true, oneWay: extended}
	}
	var refusal *sam.Error
	if !errors.As(err, &refusal) {
		// Loops and look-ups may hang on parameters that have no value yet.
		// What is certainly wrong with them, Check finds.
		return expansion{t: t, whole: !slices.Contains(t.Transforms(), sam.Name)}
	}
	var failed []Finding
	for _, p := range refusal.Problems {
		if p.Pos.Line == 0 {
			p.Pos = t.Root.Pos
		}
		if !brings(t.Root.Get("Resources").Get(p.ID)) {
			failed = append(failed, Finding{Pos: p.Pos, ID: "transform", Severity: severityOf("transform"), Message: p.Message})
		}
	}
	return expansion{t: t, failed: failed}
}

// environment is what functions see of a deployment that nobody has planned:
// parameters have what a configuration gives them, or their defaults; others
// have no value.
func environment(t *template.Template, config *configuration) *template.Env {
	return &template.Env{
		Account: "123456789012", Region: "us-east-1", StackName: "stack",
		StackID:    "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/00000000-0000-0000-0000-000000000000",
		Parameters: values(t, config),
	}
}

func values(t *template.Template, config *configuration) map[string]any {
	out, given := map[string]any{}, map[string]string{}
	if config != nil {
		for _, g := range config.given {
			given[g.name] = g.value
		}
	}
	for _, p := range t.Parameters() {
		if text, ok := given[p.Name]; ok {
			out[p.Name] = parameterValue(p, text)
		} else if p.Default != nil {
			out[p.Name] = parameterValue(p, *p.Default)
		}
	}
	return out
}

// parameterValue is a text as functions see it: lists are taken apart.
func parameterValue(p template.Parameter, text string) any {
	if !p.IsList() {
		return text
	}
	items := strings.Split(text, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// macros runs what can be run offline.
type macros struct{}

// Transform runs SAM. What a snippet's macro would write cannot be known; the
// call stays where it is, and the checks take it as fitting.
func (macros) Transform(_ context.Context, m template.MacroCall) (*template.Node, error) {
	switch {
	case m.Name == sam.Name && !m.Snippet:
		source := afterPackaging(m.Fragment)
		out, err := sam.Transform(&template.Template{Root: source, File: m.Template.File}, sam.Options{
			Region: m.Env.Region, AccountID: m.Env.Account, Parameters: published(source, m.Env.Parameters),
		})
		if err != nil {
			return nil, err
		}
		return out.Root, nil
	case m.Snippet:
		pos := m.Fragment.Pos
		return &template.Node{
			Kind: template.Map, Pos: pos,
			Keys:  []*template.Node{{Kind: template.String, Text: "Fn::Transform", Pos: pos}},
			Items: []*template.Node{{Kind: template.Map, Pos: pos}},
		}, nil
	}
	return m.Fragment, nil
}
