package validate_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ouro/validate"
)

const page = "../docs/validate.md"

// TestPage holds the table of rules in the documentation against the rules.
func TestPage(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const head = "| rule | severity | what it means |\n|---|---|---|\n"
	before, table, ok := strings.Cut(string(body), head)
	if !ok {
		t.Fatalf("%s has no table of rules", page)
	}
	var b strings.Builder
	for _, r := range validate.Rules() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.ID, r.Severity, r.Meaning)
	}
	_, after, _ := strings.Cut(table, "\n\n")
	fresh := before + head + b.String() + "\n" + after
	if *update {
		if err := os.WriteFile(page, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(body) != fresh {
		t.Errorf("%s is not what the rules say: run go test ./validate -update", page)
	}
}

// TestEveryRule: the rules are sorted, and every id that anybody notes has one.
func TestEveryRule(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, r := range validate.Rules() {
		ids = append(ids, r.ID)
	}
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Error("the rules are not sorted, or not unique")
	}
	noted := map[string]bool{}
	for _, dir := range []string{".", "../template"} {
		idsIn(t, dir, noted)
	}
	for id := range noted {
		if !slices.Contains(ids, id) {
			t.Errorf("there is no rule %q", id)
		}
	}
	for _, id := range ids {
		if !noted[id] {
			t.Errorf("nobody notes %q", id)
		}
	}
}

// idsIn finds the ids in calls of the methods that note problems, whose second
// argument they are, and in literals of Finding.
func idsIn(t *testing.T, dir string, noted map[string]bool) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	note := func(n ast.Expr) {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
			id, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			noted[id] = true
		}
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				method, ok := n.Fun.(*ast.SelectorExpr)
				if ok && len(n.Args) > 2 && slices.Contains([]string{"add", "problem", "missing", "warn", "unused"}, method.Sel.Name) {
					note(n.Args[1])
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "ID" {
					note(n.Value)
				}
			}
			return true
		})
	}
}
