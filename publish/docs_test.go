package publish

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestPage holds the table of properties in the documentation against packaged.
func TestPage(t *testing.T) {
	t.Parallel()
	const page, head = "../docs/publish.md", "| type | property | takes | becomes |\n|---|---|---|---|\n"
	body, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, table, ok := strings.Cut(string(body), head)
	if !ok {
		t.Fatalf("%s has no table of properties", page)
	}
	var b strings.Builder
	row := func(kind string, u *use) {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", kind, strings.Join(u.path, "."), u.takes(), u.shape)
	}
	for _, kind := range slices.Sorted(maps.Keys(packaged)) {
		for _, u := range packaged[kind] {
			row("`"+kind+"`", u)
		}
	}
	row("the transform `AWS::Include`", included)
	for _, u := range packagedSections {
		row("the template itself", u)
	}
	_, after, _ := strings.Cut(table, "\n\n")
	fresh := before + head + b.String() + "\n" + strings.TrimPrefix(after, "\n")
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(page, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(body) != fresh {
		t.Errorf("%s is not what the table in packaged.go says: run go test ./publish -update", page)
	}
}

func (u *use) takes() string {
	what := map[form]string{
		plain: "a file as it is", either: "a file as it is, or a directory, zipped", zipped: "a directory or a file, zipped",
	}[u.form]
	if u.template {
		what = "a template"
	}
	if u.folder {
		what += "; left out, the template's directory"
	}
	return what
}

func (s shape) String() string {
	switch {
	case s.uri:
		return "`s3://` URI"
	case s.key == "":
		return "https URL"
	}
	return "`" + s.bucket + "` and `" + s.key + "`"
}
