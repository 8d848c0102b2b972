package template_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"ouro/template"
)

// macros answer from the files of a case (AWS::Include), and for some names of
// their own.
type macros struct{ files map[string][]byte }

func (m macros) Transform(_ context.Context, call template.MacroCall) (*template.Node, error) {
	switch call.Name {
	case "AWS::Include":
		location, _ := call.Params["Location"].(string)
		body, ok := m.files[strings.TrimPrefix(location, "s3://b/")]
		if !ok {
			return nil, fmt.Errorf("The specified key %s does not exist.", location)
		}
		return template.ParseFragment(location, body)
	case "Echo": // says what it was given
		params, err := json.Marshal(call.Params)
		if err != nil {
			return nil, err
		}
		text := fmt.Sprintf("%t %s %s", call.Snippet, params, template.Canonical(call.Fragment))
		return &template.Node{Kind: template.String, Text: text, Pos: call.Fragment.Pos}, nil
	case "Same":
		return call.Fragment, nil
	case "Twice":
		return &template.Node{Kind: template.List, Items: []*template.Node{call.Fragment, call.Fragment}}, nil
	case "Null":
		return nil, nil
	case "Broken":
		return nil, errors.New("it broke")
	case "Deep":
		n := &template.Node{Kind: template.List}
		for range template.MaxDepth + 1 {
			n = &template.Node{Kind: template.List, Items: []*template.Node{n}}
		}
		return n, nil
	}
	return nil, template.ErrNoTransform
}

// TestExpand reads testdata/expand: each file holds a template, parameters as
// NAME=VALUE lines, files to include, and what comes out: the expanded template,
// or the error with its position.
func TestExpand(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/expand/*.txt")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			m := macros{files: map[string][]byte{}}
			given := map[string]string{}
			got := &txtar.Archive{Comment: archive.Comment}
			for _, f := range archive.Files {
				switch f.Name {
				case "expanded":
					continue
				case "parameters":
					for line := range strings.Lines(string(f.Data)) {
						k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
						given[k] = v
					}
				default:
					m.files[f.Name] = f.Data
				}
				got.Files = append(got.Files, f)
			}
			out := expand(t, archive.Files[0], given, m)
			got.Files = append(got.Files, txtar.File{Name: "expanded", Data: []byte(out)})
			if *update {
				if err := os.WriteFile(name, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got, want := string(txtar.Format(got)), string(txtar.Format(archive)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func expand(t *testing.T, source txtar.File, given map[string]string, m template.Macros) string {
	t.Helper()
	tpl, err := template.Parse(source.Name, source.Data)
	if err != nil {
		t.Fatal(err)
	}
	env := evalEnv()
	if env.Parameters, err = tpl.ResolveParameters(given, nil); err != nil {
		t.Fatal(err)
	}
	before := template.Canonical(tpl.Root)
	expanded, err := tpl.Expand(t.Context(), env, m)
	if !bytes.Equal(before, template.Canonical(tpl.Root)) {
		t.Error("the template itself was changed")
	}
	if err != nil {
		var failed *template.TransformError
		if !errors.As(err, &failed) {
			t.Fatalf("the error is a %T", err)
		}
		return "error " + failed.Pos.String() + ": " + err.Error() + "\n"
	}
	var indented bytes.Buffer
	canonical := template.Canonical(expanded.Root)
	if err := json.Indent(&indented, canonical, "", "  "); err != nil {
		t.Fatal(err)
	}
	again, err := template.Parse("again.json", canonical)
	if err != nil {
		t.Fatal("the processed template cannot be read again: ", err)
	}
	if !bytes.Equal(canonical, template.Canonical(again.Root)) {
		t.Error("the processed template changes when it is read again")
	}
	out := indented.String() + "\n"
	for _, p := range expanded.Check() {
		out += p.Severity.String() + " " + p.String() + "\n"
	}
	return out
}

// TestExpandNothing: a template without transforms is the same template.
func TestExpandNothing(t *testing.T) {
	t.Parallel()
	tpl, err := template.Parse("t.yaml", []byte(benchYAML))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tpl.Expand(t.Context(), evalEnv(), nil); got != tpl || err != nil {
		t.Errorf("got %p, %v, want %p", got, err, tpl)
	}
}

// TestLoopsAreBounded: what would take for ever is refused at once.
func TestLoopsAreBounded(t *testing.T) {
	t.Parallel()
	digits := "[" + strings.Repeat("x,", 99) + "x]"
	huge := strings.Repeat("v", 4000)
	for name, body := range map[string]string{
		"empty bodies": loops(4, digits, "{}"),
		"many members": loops(4, digits, "{'${a}${b}${c}${d}': {Type: T}}"),
		"large texts":  "Fn::ForEach::L: [a, [" + strings.TrimSuffix(strings.Repeat(huge+",", 20), ",") + "], {'K&{a}': {P: '" + strings.Repeat("${a}", 200) + "'}}]",
	} {
		source := "Transform: AWS::LanguageExtensions\nResources: {" + body + "}\n"
		tpl, err := template.Parse("t.yaml", []byte(source))
		if err != nil {
			t.Fatal(name, err)
		}
		_, err = tpl.Expand(t.Context(), evalEnv(), nil)
		if err == nil || !strings.Contains(err.Error(), "Transformation data limit exceeded") && !strings.Contains(err.Error(), "Duplicate key") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func loops(depth int, collection, body string) string {
	for i := range depth {
		id := string(rune('d' - i))
		body = "{'Fn::ForEach::L" + id + "': [" + id + ", " + collection + ", " + body + "]}"
	}
	return strings.Trim(body, "{}") + strings.Repeat("}", strings.Count(body, "{")-strings.Count(strings.Trim(body, "{}"), "{")-1)
}
