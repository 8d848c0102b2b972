package publish_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"ouro/publish"
	"ouro/template"
)

// checks counts what it looks at, and finds the word in Description.
type checks struct {
	asked    atomic.Int64
	severity template.Severity
}

func (c *checks) check(t *template.Template) []template.Problem {
	c.asked.Add(1)
	d := t.Root.Get("Description")
	if d == nil || !strings.Contains(d.Text, "wrong") {
		return nil
	}
	return []template.Problem{{Pos: d.Pos, ID: "wrong", Message: "it is wrong", Severity: c.severity}}
}

const (
	outerYAML = "Resources:\n  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: in/a.yaml}}\n"
	innerYAML = "Description: %\nResources: {R: {Type: T::T::T}}\n"
)

func checkedTree(t *testing.T, root string, c *checks, known *publish.Known) (*publish.Tree, error) {
	t.Helper()
	return publish.Load(t.Context(), root, "site.yaml", publish.Options{Check: c.check, Known: known})
}

func TestCheckStopsAndWarns(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "site.yaml", outerYAML)
	write(t, root, "in/a.yaml", strings.ReplaceAll(innerYAML, "%", "wrong"))
	_, err := checkedTree(t, root, &checks{}, nil)
	var refused *publish.Error
	if !errors.As(err, &refused) || len(refused.Problems) != 1 {
		t.Fatal(err)
	}
	want := "in/a.yaml:1:14: error: it is wrong (wrong), referred to by site.yaml:2:67"
	if got := refused.Problems[0].Finding(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	tree, err := checkedTree(t, root, &checks{severity: template.SeverityWarning}, nil)
	if err != nil || len(tree.Warnings) != 1 {
		t.Fatal(tree, err)
	}
	if got, want := tree.Warnings[0].Finding(), strings.Replace(want, "error", "warning", 1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNestedValues: what a nested stack is given has to fit its parameters, and
// a template with a loop in its outputs may have more of them than one sees.
func TestNestedValues(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "site.yaml", `Resources:
  A:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: a.yaml
      Parameters: {Size: huge, Days: "x", Late: "{{resolve:ssm:days}}", Other: 1}
  B:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !GetAtt A.Outputs.Loop1, TopicName: !GetAtt A.Outputs.Topic}
`)
	write(t, root, "a.yaml", `Transform: AWS::LanguageExtensions
Parameters:
  Size: {Type: String, AllowedValues: [small, large]}
  Days: {Type: Number}
  Late: {Type: Number}
Resources: {R: {Type: T::T::T}}
`)
	_, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{})
	var refused *publish.Error
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	var got []string
	for _, p := range refused.Problems {
		got = append(got, p.Finding())
	}
	want := []string{
		`site.yaml:6:20: error: Parameter 'Size' must be one of AllowedValues (parameter-value)`,
		`site.yaml:6:32: error: Parameter 'Days' must be a number (parameter-value)`,
		`site.yaml:6:73: error: nested stack "A" is given the parameter "Other", which a.yaml does not declare (unknown-parameter)`,
		`site.yaml:9:31: error: nested stack "A" has no output "Loop1": a.yaml does not declare it (unresolved-attribute)`,
		`site.yaml:9:67: error: nested stack "A" has no output "Topic": a.yaml does not declare it (unresolved-attribute)`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	write(t, root, "site.yaml", `Resources:
  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: a.yaml, Parameters: {Size: small, Days: 1, Late: 2}}}
  B: {Type: AWS::SNS::Topic, Properties: {DisplayName: !GetAtt A.Outputs.Loop1}}
`)
	write(t, root, "a.yaml", `Transform: AWS::LanguageExtensions
Parameters:
  Size: {Type: String, AllowedValues: [small, large]}
  Days: {Type: Number}
  Late: {Type: Number}
Resources: {R: {Type: T::T::T}}
Outputs:
  Fn::ForEach::Loop: [N, ["1"], {"Loop${N}": {Value: !Ref N}}]
`)
	if _, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{}); err != nil {
		t.Error(err)
	}
}

// TestKnown: what had no fault is not looked at again, in this process or the
// next; what had one, or changed, is.
func TestKnown(t *testing.T) {
	t.Parallel()
	root, name := t.TempDir(), filepath.Join(t.TempDir(), "cache", "checked")
	c := &checks{severity: template.SeverityWarning}
	run := func(body string, want int64, warnings int) {
		t.Helper()
		write(t, root, "site.yaml", outerYAML)
		write(t, root, "in/a.yaml", strings.ReplaceAll(innerYAML, "%", body))
		c.asked.Store(0)
		known := publish.OpenKnown(name)
		tree, err := checkedTree(t, root, c, known)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.asked.Load(); got != want || len(tree.Warnings) != warnings {
			t.Errorf("%q: %d templates were looked at, want %d; warnings %v", body, got, want, tree.Warnings)
		}
		if err := known.Save(); err != nil {
			t.Fatal(err)
		}
	}
	run("right", 2, 0)
	run("right", 0, 0)
	run("wrong", 1, 1)
	run("wrong", 1, 1)
	run("another", 1, 0)
	run("right", 0, 0)

	// A broken memory is an empty one.
	if err := os.WriteFile(name, []byte("nonsense, and no multiple of anything"), 0o600); err != nil {
		t.Fatal(err)
	}
	run("right", 2, 0)
	run("right", 0, 0)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(name), "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestKnownIsBounded: the file does not grow for ever, and what was used last
// stays.
func TestKnownIsBounded(t *testing.T) {
	t.Parallel()
	root, name := t.TempDir(), filepath.Join(t.TempDir(), "checked")
	full := make([]byte, 16<<15)
	for i := range full {
		full[i] = byte(i ^ i>>8 ^ i>>16)
	}
	if err := os.WriteFile(name, full, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, root, "site.yaml", "Resources: {R: {Type: T::T::T}}\n")
	for _, want := range []int64{1, 0} {
		c, known := &checks{}, publish.OpenKnown(name)
		if _, err := checkedTree(t, root, c, known); err != nil {
			t.Fatal(err)
		}
		if got := c.asked.Load(); got != want {
			t.Errorf("%d looks, want %d", got, want)
		}
		if err := known.Save(); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(name)
	if err != nil || info.Size() > int64(len(full)) {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
}

// TestFindingIsPlain: what a template says reaches the terminal as text.
func TestFindingIsPlain(t *testing.T) {
	t.Parallel()
	p := publish.Problem{Problem: template.Problem{Pos: template.Pos{File: "a.yaml", Line: 1, Column: 2}, ID: "x", Message: "it is \x1b]0;wrong\a"}}
	if got, want := p.Finding(), "a.yaml:1:2: error: it is  ]0;wrong  (x)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
