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

const intro = `# The template library

Templates that a site is put together from. They come with the program: ` + "`ouro library list`" + ` names them, ` + "`ouro library show NAME`" + ` prints one,
` + "`ouro library export NAME [DIR]`" + ` writes one and all that it nests. ` + "`go test ./library -update`" + ` writes this page from the templates.

Every output is exported as STACK-OUTPUT. The tags of a stack reach everything in it; an environment's or a project's name is among them by itself. What
makes roles takes a permissions boundary for them, and what a deployment may do is a list of policies that its pipeline is given.

## Pipelines

` + "`pipeline/pipeline.yaml`" + ` goes Source, SelfUpdate, Build, Deploy, and then on through up to four further environments. In each of these a change set is
made, a short build tells what it changes, somebody approves or rejects with that summary and a link before them, and the change set that was reviewed
is executed, not a new one. ` + "`pipeline/docker-image.yaml`" + ` builds an image, or promotes the one that an upstream account built from the same commit, and
deploys the template that runs it. Neither nests anything, so that a pipeline can update itself from its source as it is.

The local cloud runs the first, but for two things: filters on paths (SourcePaths) and GitHub by webhook are AWS's alone. The second is created there;
its image needs a real ECR.

`

// TestPage holds the page in docs against the templates.
func TestPage(t *testing.T) {
	t.Parallel()
	fresh := intro + "## Which nests which\n\n" + picture()
	for _, tpl := range library.Templates() {
		fresh += describe(tpl)
	}
	if *update {
		if err := os.WriteFile(page, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	body, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
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
