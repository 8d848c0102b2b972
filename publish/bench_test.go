package publish_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"ouro/publish"
	"ouro/template"
)

// nestedTree writes a project whose entrypoint nests n templates of about 2 KB.
func nestedTree(tb testing.TB, n int, asJSON bool) string {
	tb.Helper()
	root := tb.TempDir()
	var entry bytes.Buffer
	entry.WriteString("Resources:\n")
	for i := range n {
		name := fmt.Sprintf("templates/t%04d.yaml", i)
		body := []byte(leaf(i))
		if asJSON {
			t, err := template.Parse(name, body)
			if err != nil {
				tb.Fatal(err)
			}
			name, body = name[:len(name)-5]+".json", template.Canonical(t.Root)
		}
		write(tb, root, name, string(body))
		fmt.Fprintf(&entry, "  S%d: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: %s}}\n", i, name)
	}
	if n > 500 { // CloudFormation takes 500 resources: one level more
		return groups(tb, root, n, asJSON)
	}
	write(tb, root, "site.yaml", entry.String())
	return root
}

func groups(tb testing.TB, root string, n int, asJSON bool) string {
	ext := "yaml"
	if asJSON {
		ext = "json"
	}
	var entry bytes.Buffer
	entry.WriteString("Resources:\n")
	for g := 0; g < n; g += 100 {
		var group bytes.Buffer
		group.WriteString("Resources:\n")
		for i := g; i < min(g+100, n); i++ {
			fmt.Fprintf(&group, "  S%d: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: templates/t%04d.%s}}\n", i, i, ext)
		}
		write(tb, root, fmt.Sprintf("g%d.yaml", g), group.String())
		fmt.Fprintf(&entry, "  G%d: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: g%d.yaml}}\n", g, g)
	}
	write(tb, root, "site.yaml", entry.String())
	return root
}

func leaf(i int) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "AWSTemplateFormatVersion: 2010-09-09\nDescription: template number %d\nParameters:\n  Name: {Type: String, Default: n%d}\nResources:\n", i, i)
	for r := range 6 {
		fmt.Fprintf(&b, `  Group%d:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub "/${AWS::StackName}/${Name}/%d"
      RetentionInDays: 14
      Tags:
        - Key: number
          Value: "%d"
        - Key: owner
          Value: !Ref Name
`, r, r, r)
	}
	b.WriteString("Outputs:\n  Arn:\n    Value: !GetAtt Group0.Arn\n")
	return b.String()
}

func write(tb testing.TB, root, name, body string) {
	tb.Helper()
	full := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(body), 0o644); err != nil {
		tb.Fatal(err)
	}
}

func BenchmarkLoad2000(b *testing.B) {
	for _, asJSON := range []bool{true, false} {
		b.Run(map[bool]string{true: "json", false: "yaml"}[asJSON], func(b *testing.B) {
			root := nestedTree(b, 2000, asJSON)
			b.ReportAllocs()
			for b.Loop() {
				tree, err := publish.Load(b.Context(), root, "site.yaml", publish.Options{})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := tree.Plan(publish.Location{Bucket: "b", Region: "eu-west-1"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
