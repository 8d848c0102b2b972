package report_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ouro/cloud/codebuild/report"
)

// Each file of testdata is named for its format and holds a file of a test
// runner and, below a line, what it says.
func TestFormats(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, ok := strings.Cut(string(body), "-- want --\n")
			if !ok {
				t.Fatal("the case has no line -- want --")
			}
			format, _, _ := strings.Cut(name, "-")
			got, err := report.Parse(format, strings.NewReader(input))
			if diff := cmp.Diff(want, say(got, err)); diff != "" {
				t.Error(diff)
			}
			if err == nil && report.IsCoverage(format) != (got.Files != nil) {
				t.Errorf("%s is of the other kind", format)
			}
		})
	}
}

func say(r report.Result, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	for _, c := range r.Cases {
		fmt.Fprintf(&b, "%s | %s | %s | %s | %s | %q\n", c.Suite, c.Prefix, c.Name, c.Status, c.Duration, c.Message)
	}
	for _, f := range r.Files {
		fmt.Fprintf(&b, "%s lines %d/%d branches %d/%d\n", f.Path, f.LinesCovered, f.LinesCovered+f.LinesMissed, f.BranchesCovered, f.BranchesCovered+f.BranchesMissed)
	}
	return b.String()
}

// endless repeats a text.
type endless struct{ text, rest string }

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		e.rest = e.text
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// Files without end are refused where a bound is met.
func TestHostile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ format, head, rest, want string }{
		"deep":   {"JUNITXML", "", "<testsuite>", "nested more than 100 deep"},
		"long":   {"JUNITXML", "<testsuite>", " ", "more than 33554432 bytes"},
		"wide":   {"JUNITXML", "<testsuite>", "<a/>", "more than 2000000 elements"},
		"json":   {"CUCUMBERJSON", "", "[", "exceeded max depth"},
		"blanks": {"SIMPLECOV", "", "          ", "more than 33554432 bytes"},
		"many":   {"CUCUMBERJSON", `[{"elements": [{}`, ",{}", "more than 2000000 elements"},
		"nulls":  {"CUCUMBERJSON", "[null", ",null", "more than 2000000 elements"},
		"broad":  {"TESTNGXML", "<testng-results" + strings.Repeat(" a=''", 101) + "/>", "", "more than 100 attributes"},
		"files":  {"JACOCOXML", "<report>", "", "more than 100000 source files"},
		"path":   {"JACOCOXML", "<report><package name='" + strings.Repeat("x", 5000) + "'><sourcefile name='y'/></package></report>", "", "the path of a source file has more than 4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := []io.Reader{strings.NewReader(c.head)}
			switch {
			case name == "files":
				var body strings.Builder
				for i := range 100_001 {
					fmt.Fprintf(&body, "<sourcefile name='%d'/>", i)
				}
				in = append(in, strings.NewReader(body.String()+"</report>"))
			case c.rest != "":
				in = append(in, &endless{text: strings.Repeat(c.rest, 1000)})
			}
			_, err := report.Parse(c.format, io.MultiReader(in...))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// A name that is long and stands for many cases is not copied for each.
func TestNamesAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 1<<16)
	trx := "<TestRun name='" + long + "'><UnitTest id='1'><TestMethod className='" + long + "'/></UnitTest>" + strings.Repeat("<UnitTestResult testId='1' testName='n'/>", 100_000) + "</TestRun>"
	r, err := report.Parse("VISUALSTUDIOTRX", strings.NewReader(trx))
	if err != nil || len(r.Cases) != 100_000 {
		t.Fatalf("%d cases, %v", len(r.Cases), err)
	}
	if c := r.Cases[0]; len(c.Suite) != report.MaxName || len(c.Prefix) != report.MaxName || c.Name != "n" {
		t.Errorf("names of %d and %d bytes, %q", len(c.Suite), len(c.Prefix), c.Name)
	}
}

func TestMessageIsCut(t *testing.T) {
	t.Parallel()
	r, err := report.Parse("JUNITXML", strings.NewReader("<testsuite><testcase><failure>"+strings.Repeat("ä", 50_000)+"</failure></testcase></testsuite>"))
	if err != nil || len(r.Cases) != 1 || len(r.Cases[0].Message) > report.MaxMessage || strings.Contains(r.Cases[0].Message, "\uFFFD") {
		t.Errorf("%d cases, %v", len(r.Cases), err)
	}
}
