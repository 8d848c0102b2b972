package template_test

import (
	"fmt"
	"strings"
	"testing"

	"ouro/template"
)

// many is a map of so many members, each with the same value.
func many(n int, name, value string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%d: %s, ", name, i, value)
	}
	return "{" + strings.TrimSuffix(b.String(), ", ") + "}"
}

// TestLimits: what is one over a limit is refused, what is at it is not.
func TestLimits(t *testing.T) {
	t.Parallel()
	const one = "\nResources: {R: {Type: T::T::T}}\n"
	for name, c := range map[string]struct {
		most    int
		source  func(n int) string
		refusal string
	}{
		"resources": {500, func(n int) string { return "Resources: " + many(n, "R", "{Type: T::T::T}") },
			"Template format error: Number of resources, 501, is greater than maximum allowed, 500"},
		"parameters": {200, func(n int) string { return "Parameters: " + many(n, "P", "{Type: String}") + one },
			"Template format error: Number of parameters, 201, is greater than maximum allowed, 200"},
		"mappings": {200, func(n int) string { return "Mappings: " + many(n, "M", "{a: {b: c}}") + one },
			"Template format error: Number of mappings, 201, is greater than maximum allowed, 200"},
		"attributes": {200, func(n int) string { return "Mappings: {M: " + many(n, "a", "{b: c}") + "}" + one },
			"Template format error: Number of attributes in mapping M, 201, is greater than maximum allowed, 200"},
		"outputs": {200, func(n int) string { return "Outputs: " + many(n, "O", "{Value: x}") + one },
			"Template format error: Number of outputs, 201, is greater than maximum allowed, 200"},
		"name": {255, func(n int) string { return "Resources: {" + strings.Repeat("r", n) + ": {Type: T::T::T}}" },
			"Template format error: Resource name " + strings.Repeat("r", 256) + " is longer than 255 characters."},
		"description": {1024, func(n int) string { return "Description: " + strings.Repeat("d", n) + one },
			"Template format error: 'Description' length is greater than 1024."},
		"dynamic references": {60, func(n int) string {
			return "Resources: {R: {Type: T::T::T, Properties: {P: \"" + strings.Repeat("{{resolve:ssm:a}}", n) + "\"}}}"
		}, "Template error: 61 dynamic references, at most 60 are allowed"},
		"conditions in a list": {10, func(n int) string {
			return "Conditions: {C: !And [" + strings.Repeat("!Equals [a, b], ", n-1) + "!Equals [a, b]]}" + one
		}, "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters."},
	} {
		for over, want := range []string{"", c.refusal} {
			tpl, err := template.Parse("t.yaml", []byte(c.source(c.most+over)))
			if err != nil {
				t.Fatal(name, err)
			}
			got := ""
			if err := tpl.Validate(); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s: %d is refused with %q, want %q", name, c.most+over, got, want)
			}
		}
	}
}

// TestLargeTemplates: checking takes time in proportion to the template.
func TestLargeTemplates(t *testing.T) {
	t.Parallel()
	const n = 5_000
	source := "Parameters: " + many(n, "P", "{Type: String}") + "\nConditions: " + many(n, "C", "!Equals [a, b]") +
		"\nResources: " + many(n, "R", "{Type: T::T::T, Condition: C1, Properties: {P: !If [C4999, !Ref P4999, !GetAtt R0.Arn]}}")
	tpl, err := template.Parse("t.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range tpl.Check() {
		if p.ID != "too-many" && p.ID != "circular-dependency" {
			t.Fatal(p)
		}
	}
	if _, err := tpl.EvalConditions(evalEnv()); err != nil {
		t.Fatal(err)
	}
}
