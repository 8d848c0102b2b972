package library_test

import (
	"flag"
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	"ouro/library"
	"ouro/template"
)

var update = flag.Bool("update", false, "write the page in docs")

const page = "../docs/library.md"

// head begins the part of the page that the templates write.
const head = "## Which nests which\n\n"

// TestPage holds the page in docs against the templates.
func TestPage(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	written, _, ok := strings.Cut(string(body), head)
	if !ok {
		t.Fatalf("%s has no %q", page, head)
	}
	fresh := written + head + picture()
	for _, tpl := range library.Templates() {
		fresh += describe(tpl)
	}
	if *update {
		if err := os.WriteFile(page, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(body) != fresh {
		t.Errorf("%s is not what the templates say: run go test ./library -update", page)
	}
}

// picture is a graph of the templates that nest or are nested.
func picture() string {
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart LR\n")
	for _, tpl := range library.Templates() {
		for _, nested := range tpl.Nests {
			fmt.Fprintf(&b, "    %s --> %s\n", node(tpl.Name), node(nested))
		}
	}
	b.WriteString("```\n\nThe others nest nothing and are nested by nothing.\n")
	return b.String()
}

func node(name string) string {
	id := strings.NewReplacer("/", "_", "-", "_").Replace(strings.TrimSuffix(name, path.Ext(name)))
	return fmt.Sprintf("%s[%q]", id, name)
}

func describe(tpl library.Template) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| parameter | default | what it means |\n|---|---|---|\n", tpl.Name, tpl.Description)
	for _, p := range tpl.Parsed.Parameters() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p.Name, standard(p), cell(meaning(p)))
	}
	b.WriteString("\n| output | what it is |\n|---|---|\n")
	for _, o := range tpl.Parsed.Outputs() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", o.Name, cell(o.Description))
	}
	return b.String()
}

func standard(p template.Parameter) string {
	switch {
	case p.Default == nil:
		return "required"
	case *p.Default == "":
		return "empty"
	}
	return "`" + cell(*p.Default) + "`"
}

// meaning is the description, and the values that are few.
func meaning(p template.Parameter) string {
	if n := len(p.AllowedValues); n > 0 && n < 8 {
		return p.Description + " One of " + strings.Join(p.AllowedValues, ", ") + "."
	}
	return p.Description
}

// cell is a text in a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
