package template_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"ouro/template"
)

// seeds are the templates of the golden files.
func seeds(f *testing.F) [][]byte {
	out := [][]byte{[]byte(benchYAML)}
	for _, folder := range []string{"check", "expand"} {
		files, err := filepath.Glob("testdata/" + folder + "/*.txt")
		if err != nil || len(files) == 0 {
			f.Fatal("no seeds", err)
		}
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				f.Fatal(err)
			}
			out = append(out, archive.Files[0].Data)
		}
	}
	return out
}

// FuzzParse: whatever the text, reading ends; what was read can be written as
// JSON and read again, the same.
func FuzzParse(f *testing.F) {
	for _, seed := range append(seeds(f),
		[]byte(`{"Resources":{"R":{"Type":"X","P":[1,-2.5e3,"\u00e9",null]}}}`), []byte("a: &a {b: *a}"),
		[]byte("<<: {a: 1}\nb: !GetAtt x.y"), []byte("a: |\n  x\n b: ["), []byte("a: !GetAZs\nb: !Sub ''\n"),
	) {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		file := "t.yaml"
		if isJSON {
			file = "t.json"
		}
		if _, err := template.ParseFragment(file, body); err != nil {
			var failed *template.Error
			if !errors.As(err, &failed) {
				t.Fatalf("the error is a %T", err)
			}
		}
		tpl, err := template.Parse(file, body)
		if err != nil {
			return
		}
		out := template.Canonical(tpl.Root)
		if !json.Valid(out) {
			t.Fatalf("canonical form is no JSON: %s", out)
		}
		again, err := template.Parse("c.json", out)
		if err != nil {
			t.Fatalf("canonical form does not read: %v\n%s", err, out)
		}
		if twice := template.Canonical(again.Root); string(twice) != string(out) {
			t.Fatalf("canonical form changes:\n%s\n%s", out, twice)
		}
		if got, want := len(again.Check()), len(tpl.Check()); got != want {
			t.Fatalf("%d problems when read again, %d before:\n%s", got, want, out)
		}
	})
}

// FuzzEvaluate: whatever the template, checking, expanding and evaluating it
// end, and what comes out is made of JSON's types.
func FuzzEvaluate(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(string(seed))
	}
	for _, property := range []string{
		`!Sub "${Env}${Bucket.Arn}${!x}"`, `!Join [",", !Ref Zones]`, `!Cidr ["::/0", 256, 128]`, `!If [IsDev, a, !Select [1, [2]]]`,
		`!FindInMap [Sizes, dev, Type]`, `"{{resolve:ssm:a:1}}"`, `{"Fn::ToJsonString": [!Ref "AWS::NoValue"]}`, `!Select [0, [!Ref "AWS::NoValue"]]`,
	} {
		f.Add(evalHead + property + "}}\n")
	}
	f.Fuzz(func(t *testing.T, source string) {
		tpl, err := template.Parse("t.yaml", []byte(source))
		if err != nil {
			return
		}
		tpl.Check()
		tpl.Unused()
		env := evalEnv()
		given := map[string]string{}
		for _, p := range tpl.Parameters() {
			if p.Default == nil {
				given[p.Name] = "1"
			}
		}
		ssm := func(name string) (string, error) { return name, nil }
		if env.Parameters, err = tpl.ResolveParameters(given, ssm); err != nil {
			return
		}
		_ = tpl.CheckRules(env)
		if tpl, err = tpl.Expand(t.Context(), env, macros{}); err != nil {
			var failed *template.TransformError
			if !errors.As(err, &failed) {
				t.Fatalf("the error is a %T", err)
			}
			return
		}
		evaluate(t, tpl, env)
	})
}

// evaluate goes through a template as a stack's operation does.
func evaluate(t *testing.T, tpl *template.Template, env *template.Env) {
	tpl.Check()
	if _, err := template.Parse("processed.json", template.Canonical(tpl.Root)); err != nil {
		t.Fatalf("what was expanded cannot be read again: %v", err)
	}
	var err error
	if env.Conditions, err = tpl.EvalConditions(env); err != nil {
		return
	}
	for _, r := range tpl.Resources() {
		for _, n := range []*template.Node{r.Properties, r.Metadata, r.CreationPolicy, r.UpdatePolicy, r.DeletionPolicy} {
			if v, err := tpl.Eval(n, env); err == nil {
				onlyJSON(t, v)
			}
		}
		tpl.DependenciesWith(r, env.Conditions)
	}
	for _, o := range tpl.Outputs() {
		for _, n := range []*template.Node{o.Value, o.Export} {
			if v, err := tpl.Eval(n, env); err == nil {
				onlyJSON(t, v)
			}
		}
	}
}

func onlyJSON(t *testing.T, v any) {
	switch v := v.(type) {
	case nil, string, bool, json.Number:
	case []any:
		for _, item := range v {
			onlyJSON(t, item)
		}
	case map[string]any:
		for _, item := range v {
			onlyJSON(t, item)
		}
	default:
		t.Fatalf("a %T came out", v)
	}
}

// TestEvaluationIsBounded: a value that would fill the memory is refused.
func TestEvaluationIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 4000)
	base64 := "x"
	for range 60 {
		base64 = `{"Fn::Base64": ` + base64 + `}`
	}
	for name, property := range map[string]string{
		"Fn::Sub":    `!Sub "` + strings.Repeat("${Long}", 10_000) + `"`,
		"Fn::Join":   `!Join ["", [` + strings.Repeat("!Ref Long, ", 10_000) + `x]]`,
		"Fn::Base64": strings.Replace(base64, "x", `{"Ref": Long}`, 1),
		"list":       `[` + strings.Repeat("!Ref List, ", 600) + `x]`,
		"Fn::Split":  `[` + strings.Repeat(`!Split ["x", !Ref Long], `, 600) + `x]`,
	} {
		source := "Parameters:\n  Long: {Type: String, Default: " + long + "}\n  List: {Type: CommaDelimitedList, Default: '" +
			strings.Repeat("a,", 2000) + "'}\nResources: {R: {Type: T::T::T, Properties: {P: " + property + "}}}\n"
		for _, transform := range []string{"", "Transform: AWS::LanguageExtensions\n"} {
			tpl, err := template.Parse("t.yaml", []byte(transform+source))
			if err != nil {
				t.Fatal(name, err)
			}
			env := evalEnv()
			if env.Parameters, err = tpl.ResolveParameters(nil, nil); err != nil {
				t.Fatal(err)
			}
			if tpl, err = tpl.Expand(t.Context(), env, nil); err == nil {
				r, _ := tpl.Resource("R")
				_, err = tpl.Eval(r.Properties, env)
			}
			if err == nil || !strings.Contains(err.Error(), "too large") && !strings.Contains(err.Error(), "limit exceeded") {
				t.Errorf("%s %s: got %v", name, transform, err)
			}
		}
	}
}
