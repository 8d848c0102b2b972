package template_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"ouro/template"
)

// snippets answers every transform with the same snippet.
type snippets struct{ answer *template.Node }

func (s snippets) Transform(context.Context, template.MacroCall) (*template.Node, error) {
	return s.answer, nil
}

func fragment(t *testing.T, source string) *template.Node {
	t.Helper()
	n, err := template.ParseFragment("snippet.json", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func members(n int, prefix string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%s%d":0,`, prefix, i)
	}
	return "{" + strings.TrimSuffix(b.String(), ",") + "}"
}

// TestIncludesAreBounded: a template of a few bytes a piece that includes a
// large snippet again and again is refused long before it fills the memory.
func TestIncludesAreBounded(t *testing.T) {
	t.Parallel()
	const include = `{"Name":"AWS::Include","Parameters":{"Location":"s3://b/k"}}`
	many := strings.TrimSuffix(strings.Repeat(include+",", 5_000), ",")
	apart := strings.TrimSuffix(strings.Repeat(`{"Fn::Transform":`+include+`},`, 5_000), ",")
	for name, properties := range map[string]string{"in one place": `{"Fn::Transform":[` + many + `]}`, "in many places": `{"P":[` + apart + `]}`} {
		tpl, err := template.Parse("t.json", []byte(`{"Resources":{"R":{"Type":"A::B::C","Properties":`+properties+`}}}`))
		if err != nil {
			t.Fatal(err)
		}
		_, err = tpl.Expand(t.Context(), evalEnv(), snippets{fragment(t, members(20_000, "k"))})
		if err == nil || err.Error() != "Transform AWS::Include failed with: Transformation data limit exceeded" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRepeatedExtensions: naming a transform often does not make it work
// without end.
func TestRepeatedExtensions(t *testing.T) {
	t.Parallel()
	names := strings.TrimSuffix(strings.Repeat(`"AWS::LanguageExtensions",`, 20_000), ",")
	tpl, err := template.Parse("t.json", []byte(`{"Transform":[`+names+`],"Resources":{"R":{"Type":"A::B::C","Properties":`+members(20_000, "k")+`}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tpl.Expand(t.Context(), evalEnv(), nil); err == nil || !strings.HasSuffix(err.Error(), "Transformation data limit exceeded") {
		t.Error(err)
	}
}

// TestLargeIncludes: a snippet beside many members takes time in proportion.
func TestLargeIncludes(t *testing.T) {
	t.Parallel()
	source := strings.TrimSuffix(members(60_000, "own"), "}") + `,"Fn::Transform":{"Name":"AWS::Include"}}`
	tpl, err := template.Parse("t.json", []byte(`{"Resources":{"R":{"Type":"A::B::C","Properties":`+source+`}}}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpl.Expand(t.Context(), evalEnv(), snippets{fragment(t, members(60_000, "new"))})
	if err != nil && !strings.Contains(err.Error(), "limit exceeded") {
		t.Error(err)
	}
}

// TestLargeSub: Fn::Sub with many values takes time in proportion.
func TestLargeSub(t *testing.T) {
	t.Parallel()
	var text, values strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "${v%d}", i)
		fmt.Fprintf(&values, `"v%d":{"Fn::GetAtt":["R%d","A"]},`, i, i)
	}
	for _, transform := range []string{"", `"Transform":"AWS::LanguageExtensions",`} {
		tpl, err := template.Parse("t.json", []byte(`{`+transform+`"Resources":{"R":{"Type":"A::B::C","Properties":{"P":{"Fn::Sub":["`+text.String()+`",{`+strings.TrimSuffix(values.String(), ",")+`}]}}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		env := evalEnv()
		env.GetAtt = func(string, string) (any, error) { return "x", nil }
		if tpl, err = tpl.Expand(t.Context(), env, nil); err != nil {
			t.Error(err)
			continue
		}
		tpl.Check()
		r, _ := tpl.Resource("R")
		if _, err := tpl.Eval(r.Properties, env); err != nil {
			t.Error(err)
		}
	}
}

// TestExpandObeysItsContext between transforms.
func TestExpandObeysItsContext(t *testing.T) {
	t.Parallel()
	tpl, err := template.Parse("t.json", []byte(`{"Resources":{"R":{"Type":"A::B::C","Properties":{"Fn::Transform":{"Name":"M"}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tpl.Expand(ctx, evalEnv(), snippets{fragment(t, "{}")}); err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("with a context that ended: %v", err)
	}
}
