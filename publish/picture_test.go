package publish_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"ouro/publish"
)

// TestPictures reads testdata/pictures: each file holds a project and, below
// names that begin with want, its graphs and its manifest.
func TestPictures(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/pictures/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			root := t.TempDir()
			for _, f := range archive.Files {
				if !strings.HasPrefix(f.Name, "want.") {
					write(t, root, f.Name, string(f.Data))
				}
			}
			tree, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range archive.Files {
				form, ok := strings.CutPrefix(f.Name, "want.")
				if !ok {
					continue
				}
				got := picture(t, tree, form)
				if *update {
					archive.Files[i].Data = got
				} else if !bytes.Equal(got, f.Data) {
					t.Errorf("%s: got\n%s\nwant\n%s", form, got, f.Data)
				}
			}
			if *update {
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func picture(t *testing.T, tree *publish.Tree, form string) []byte {
	t.Helper()
	var out bytes.Buffer
	if form != "json" {
		if err := tree.WriteGraph(&out, form); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	plan, err := tree.Plan(publish.Location{Bucket: "bucket", Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Manifest().Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
