package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"ouro/cli"
)

// TestDryRunFitsTheTerminal: names and keys are cut in front, so that their
// ends, which tell them apart, can be read.
func TestDryRunFitsTheTerminal(t *testing.T) {
	t.Parallel()
	root, deep := t.TempDir(), strings.Repeat("a-long-folder/", 6)
	for name, body := range map[string]string{
		"site.yaml": "Resources:\n  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: a.yaml}}\n" +
			"  B: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: " + deep + "b.yaml}}\n",
		"a.yaml":        "Resources: {T: {Type: AWS::SNS::Topic}}\n",
		deep + "b.yaml": "Resources: {T: {Type: AWS::SNS::Topic}}\n",
	} {
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, width := range []int{40, 80, 400} {
		var out, errs bytes.Buffer
		code := cli.Main(t.Context(), []string{"publish", "site.yaml", "--root", root, "--dry-run", "--bucket", "b", "--endpoint-url", "http://127.0.0.1:1"},
			cli.IO{Out: &out, Err: &errs, Terminal: true, Color: true, Width: width, Env: func(string) string { return "" }})
		lines := strings.Split(strings.TrimSpace(ansi.Strip(out.String())), "\n")
		if code != 0 || len(lines) != 2 {
			t.Fatalf("%d columns: exit %d: %s%s", width, code, &out, &errs)
		}
		for i, name := range []string{"b.yaml ", "a.yaml "} {
			if !strings.Contains(lines[i], name) || ansi.StringWidth(lines[i]) > width || strings.HasSuffix(lines[i], "…") != (width < 400) {
				t.Errorf("%d columns: %q", width, lines[i])
			}
		}
	}
}
