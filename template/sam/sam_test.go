package sam_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"ouro/template"
	"ouro/template/sam"
)

var update = flag.Bool("update", false, "write what comes out into the golden files")

// TestTransform reads testdata: each file holds a template, and what it turns
// into or why it is refused. TestJudge compares the same files with the
// transform that AWS publishes.
func TestTransform(t *testing.T) {
	t.Parallel()
	for _, name := range cases(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			archive := read(t, name)
			got := &txtar.Archive{Comment: archive.Comment, Files: []txtar.File{archive.Files[0], result(t, archive.Files[0])}}
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

func cases(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no cases", err)
	}
	return names
}

func read(t *testing.T, name string) *txtar.Archive {
	t.Helper()
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

// result is the file that a case ends with: the template as JSON, or the
// problems, each with its place.
func result(t *testing.T, source txtar.File) txtar.File {
	t.Helper()
	parsed, err := template.Parse(source.Name, source.Data)
	if err != nil {
		t.Fatal(err)
	}
	before := template.Hash(template.Canonical(parsed.Root))
	out, err := sam.Transform(parsed, sam.Options{})
	if after := template.Hash(template.Canonical(parsed.Root)); after != before {
		t.Error("the input changed")
	}
	var refused *sam.Error
	if errors.As(err, &refused) {
		var b strings.Builder
		for _, p := range refused.Problems {
			b.WriteString(p.Pos.String() + ": " + p.Message + "\n")
		}
		return txtar.File{Name: "problems", Data: []byte(b.String())}
	}
	var b bytes.Buffer
	if err := json.Indent(&b, template.Canonical(out.Root), "", " "); err != nil {
		t.Fatal(err)
	}
	return txtar.File{Name: "output.json", Data: append(b.Bytes(), '\n')}
}

// judge transforms every file named in its arguments with samtranslator.
const judge = `
import json, sys
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

class Policies:
    def load(self):
        return {}

def result(name):
    source = json.loads(json.dumps(yaml_parse(open(name))))
    try:
        return transform(source, {}, Policies())
    except InvalidDocumentException as e:
        return {"error": " ".join([e.message] + [c.message for c in e.causes])}

print(json.dumps([result(name) for name in sys.argv[1:]]))
`

// TestJudge holds the golden files against the Python package samtranslator,
// where it is installed.
func TestJudge(t *testing.T) {
	t.Parallel()
	if exec.Command("python3", "-c", "import samtranslator").Run() != nil {
		t.Skip("samtranslator is not installed")
	}
	names := cases(t)
	args := []string{"-c", judge}
	for _, name := range names {
		file := filepath.Join(t.TempDir(), "template.yaml")
		if err := os.WriteFile(file, read(t, name).Files[0].Data, 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	command := exec.Command("python3", args...)
	command.Env = append(os.Environ(), "AWS_DEFAULT_REGION=us-east-1")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	answer, err := command.Output()
	if err != nil {
		t.Fatal(err, stderr.String())
	}
	verdicts, err := template.Parse("answer.json", append(append([]byte(`{"all":`), answer...), '}'))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		compareVerdict(t, name, read(t, name), verdicts.Root.Get("all").Items[i])
	}
}

func compareVerdict(t *testing.T, name string, archive *txtar.Archive, verdict *template.Node) {
	t.Helper()
	golden := archive.Files[1]
	if golden.Name == "problems" {
		var got strings.Builder
		for line := range strings.Lines(string(golden.Data)) {
			_, message, _ := strings.Cut(line, ": ")
			got.WriteString(" " + strings.TrimSpace(message))
		}
		if want := verdict.Get("error").Scalar(); !strings.HasSuffix(want, "."+got.String()) {
			t.Errorf("%s: got %s\nwant %s", name, got.String(), want)
		}
		return
	}
	parsed, err := template.Parse(golden.Name, golden.Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, diff := range differences("", normal(verdict), normal(parsed.Root)) {
		t.Errorf("%s: %s", name, diff)
	}
}
