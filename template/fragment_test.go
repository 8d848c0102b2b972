package template_test

import (
	"testing"

	"ouro/template"
)

func TestParseFragment(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`{"a": [1, {"Fn::GetAtt": ["A", "Arn"]}]}`: `{"a":[1,{"Fn::GetAtt":["A","Arn"]}]}`,
		"a: {Fn::GetAtt: A.Arn}\n":                 `{"a":{"Fn::GetAtt":["A","Arn"]}}`,
		"- 1\n- b\n":                               `[1,"b"]`,
		"just a text":                              `"just a text"`,
		"a:\n  - !Ref B\n":                         "f:2:5: the short form !Ref is not taken in a snippet, write Ref",
		"a: !Sub\n  - x\n":                         "f:1:4: the short form !Sub is not taken in a snippet, write Fn::Sub",
		`{"a": [1`:                                 "f:1:9: JSON not well-formed: a comma or ] is expected here",
		"":                                         "f:1:1: the file is empty",
	} {
		n, err := template.ParseFragment("f", []byte(source))
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = string(template.Canonical(n))
		}
		if got != want {
			t.Errorf("%q\n got %s\nwant %s", source, got, want)
		}
	}
}

// TestReadAgain: what is nested as deep as it may be, short forms included, can
// be read again when it was written as JSON.
func TestReadAgain(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]func(string) string{
		"flow":  func(s string) string { return "!If [C, " + s + ", x]" },
		"plain": func(s string) string { return "[" + s + "]" },
		"map":   func(s string) string { return "{a: !GetAtt b.c, d: " + s + "}" },
	} {
		body, deepest := "!GetAtt a.b", 0
		for depth := range template.MaxDepth + 2 {
			tpl, err := template.Parse("t.yaml", []byte("K: "+body+"\n"))
			if err == nil {
				deepest = depth
				if _, err := template.Parse("c.json", template.Canonical(tpl.Root)); err != nil {
					t.Fatalf("%s, %d deep: %v", name, depth, err)
				}
			}
			body = step(body)
		}
		if deepest < template.MaxDepth/2-4 || deepest > template.MaxDepth {
			t.Errorf("%s: %d deep is the deepest that is read", name, deepest)
		}
	}
	// An alias nests what stands elsewhere.
	source := "a: &a " + deep("x", 100) + "\nb: " + deep("*a", 100) + "\n"
	if _, err := template.Parse("t.yaml", []byte(source)); err == nil {
		t.Error("200 levels by way of an alias are read")
	}
}

func deep(s string, levels int) string {
	for range levels {
		s = "[" + s + "]"
	}
	return s
}
