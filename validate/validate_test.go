package validate_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"ouro/validate"
)

var update = flag.Bool("update", false, "write what comes out into the golden files")

// want is the file of a case that holds what is expected.
const want = "want"

// TestCases runs testdata: each case is a tree of files and, under "want",
// what there is to say about it.
func TestCases(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			expected := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == want })
			if expected < 0 {
				t.Fatalf("%s has no file %q", file, want)
			}
			dir := t.TempDir()
			if err := txtar.Write(archive, dir); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(dir, want)); err != nil {
				t.Fatal(err)
			}
			report, err := validate.Files(context.Background(), []string{dir})
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := report.Write(&got, "text", false); err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(got.String(), dir+string(filepath.Separator), "") + report.Summary() + "\n"
			if *update {
				archive.Files[expected].Data = []byte(text)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(archive.Files[expected].Data), text); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestExamples: our own templates are without a fault.
func TestExamples(t *testing.T) {
	t.Parallel()
	report, err := validate.Files(context.Background(), []string{"../examples"})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Findings) > 0 || report.Templates == 0 || report.Configurations == 0 {
		t.Errorf("%s: %v", report.Summary(), report.Findings)
	}
}

func TestNotThere(t *testing.T) {
	t.Parallel()
	_, err := validate.Files(context.Background(), []string{"testdata/nowhere"})
	if err == nil || err.Error() != `validating "testdata/nowhere": no such file or directory` {
		t.Errorf("got %v", err)
	}
}

// TestBounds: a template without end of mistakes is not reported without end.
func TestBounds(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	body.WriteString("Resources:\n  A:\n    Type: AWS::EC2::Instance\n    Properties:\n")
	for i := range 50_000 {
		fmt.Fprintf(&body, "      InstanceTyp%d: x\n", i)
	}
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte(body.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	report, err := validate.Files(context.Background(), []string{file})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(report.Findings); n != 1000 {
		t.Errorf("%d findings", n)
	}
}
