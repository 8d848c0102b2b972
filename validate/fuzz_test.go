package validate

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"ouro/template"
)

// FuzzTemplate: no template makes the checks fail, and every finding has a rule.
func FuzzTemplate(f *testing.F) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range cases {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range txtar.Parse(body).Files {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		parsed, err := template.Parse("fuzz", body)
		if err != nil {
			return
		}
		factsOf(parsed)
		readConfiguration(parsed)
		for _, finding := range checkTemplate(context.Background(), parsed) {
			if _, ok := ruleOf(finding.ID); !ok {
				t.Errorf("no rule %q", finding.ID)
			}
		}
	})
}
