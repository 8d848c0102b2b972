package validate

import (
	"slices"
	"strconv"
	"strings"

	"ouro/spec"
	"ouro/template"
)

// dynamic begins a reference to a secret or a parameter that only a deployment
// resolves.
const dynamic = "{{resolve:"

// scalar checks a literal against a scalar type. CloudFormation turns "80"
// into a number and 80 into a text where that is wanted.
func (c *checker) scalar(n *template.Node, text string, v *spec.Value) {
	if strings.Contains(text, dynamic) {
		return
	}
	switch v.Kind {
	case spec.Number:
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			c.wrong(n, v, "not "+quoted(text))
			return
		}
	case spec.Integer:
		if !wholeNumber(text) {
			c.wrong(n, v, "not "+quoted(text))
			return
		}
	case spec.Boolean:
		if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
			c.wrong(n, v, "not "+quoted(text))
		}
		return
	}
	if complaint := constraint(text, v); complaint != "" {
		c.add(n.Pos, "enum", "%s %s", c.place(), complaint)
	}
}

func wholeNumber(text string) bool {
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return true
	}
	whole, fraction, _ := strings.Cut(text, ".")
	_, err := strconv.ParseInt(whole, 10, 64)
	return err == nil && strings.Trim(fraction, "0") == ""
}

// constraint tells in what a text is none of the allowed ones, "" when it is.
func constraint(text string, v *spec.Value) string {
	if len(v.Allowed) == 0 || slices.Contains(v.Allowed, text) {
		return ""
	}
	if hint := didYouMean(text, v.Allowed); hint != "" || len(v.Allowed) > 12 {
		return "cannot be " + quoted(text) + hint
	}
	return "must be one of " + strings.Join(v.Allowed, ", ") + ", not " + quoted(text)
}

// quoted is a value as messages show it, cut when it is long.
func quoted(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		text = string(runes[:60]) + "…"
	}
	return strconv.Quote(text)
}
