package template_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"ouro/template"
)

var update = flag.Bool("update", false, "write what comes out into the golden files")

// TestCheck reads testdata/check: each file holds a template, the problems
// that Check finds, and the sentence that CloudFormation refuses it with.
func TestCheck(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/check/*.txt")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source := archive.Files[0]
			tpl, err := template.Parse(source.Name, source.Data)
			if err != nil {
				t.Fatal(err)
			}
			var problems strings.Builder
			for _, p := range tpl.Check() {
				problems.WriteString(p.Severity.String() + " " + p.ID + " " + p.String() + "\n")
			}
			refusal := ""
			if err := tpl.Validate(); err != nil {
				refusal = err.Error() + "\n"
			}
			got := &txtar.Archive{Comment: archive.Comment, Files: []txtar.File{
				source, {Name: "problems", Data: []byte(problems.String())}, {Name: "cloudformation", Data: []byte(refusal)},
			}}
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
