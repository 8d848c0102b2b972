package publish_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"ouro/publish"
	"ouro/template"
)

var update = flag.Bool("update", false, "write what comes out into the golden files")

// lay writes the files of an archive below a new directory; files named want
// or below want/ are expectations and stay out.
func lay(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range archive.Files {
		if f.Name != "want" {
			write(t, root, f.Name, string(f.Data))
		}
	}
	return root
}

// TestTrees reads testdata/trees: each file holds a project whose entrypoint
// is site.yaml or site.json, and what its publication gives: problems, or
// every object's key and the finished entrypoint.
func TestTrees(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/trees/*.txt")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			root := lay(t, archive)
			got := publication(t, root, archive.Files[0].Name)
			for i, f := range archive.Files {
				if f.Name != "want" {
					continue
				}
				if *update {
					archive.Files[i].Data = []byte(got)
					if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
						t.Fatal(err)
					}
				} else if got != string(f.Data) {
					t.Errorf("got\n%s\nwant\n%s", got, f.Data)
				}
			}
		})
	}
}

func publication(t *testing.T, root, entrypoint string) string {
	t.Helper()
	tree, err := publish.Load(t.Context(), root, entrypoint, publish.Options{})
	if err != nil {
		return err.Error() + "\n"
	}
	plan, err := tree.Plan(publish.Location{Bucket: "bucket", Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, w := range tree.Warnings {
		out.WriteString("warning: " + w.String() + "\n")
	}
	for _, o := range plan.Objects {
		out.WriteString(o.Key + "\n")
	}
	out.Write(plan.Body())
	return out.String() + "\n"
}

func TestSymbolicLinks(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "outside.yaml", "Resources: {R: {Type: T::T::T}}")
	write(t, root, "p/site.yaml", "Resources:\n  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: in.yaml}}\n")
	write(t, root, "p/real/in.yaml", "Resources: {R: {Type: T::T::T}}")
	if err := os.Symlink("real/in.yaml", filepath.Join(root, "p/in.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Load(t.Context(), filepath.Join(root, "p"), "site.yaml", publish.Options{}); err != nil {
		t.Errorf("a link inside the project: %v", err)
	}
	for _, target := range []string{"../outside.yaml", filepath.Join(root, "outside.yaml")} {
		if err := os.Remove(filepath.Join(root, "p/in.yaml")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(root, "p/in.yaml")); err != nil {
			t.Fatal(err)
		}
		_, err := publish.Load(t.Context(), filepath.Join(root, "p"), "site.yaml", publish.Options{})
		want := `site.yaml:2:67: "in.yaml" leads out of the project's directory`
		if err == nil || err.Error() != want {
			t.Errorf("link to %s: %v, want %s", target, err, want)
		}
	}
}

func TestEntrypointPath(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "deployments/site.yaml", "Resources: {R: {Type: T::T::T}}")
	tree, err := publish.Load(t.Context(), root, filepath.Join(root, "deployments", "site.yaml"), publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if tree.Path != "deployments/site.yaml" {
		t.Errorf("path is %q", tree.Path)
	}
	if _, err := publish.Load(t.Context(), root, "../x.yaml", publish.Options{}); err == nil {
		t.Error("an entrypoint outside the root was taken")
	}
	var refused *publish.Error
	if _, err := publish.Load(t.Context(), root, "no.yaml", publish.Options{}); !errors.As(err, &refused) || err.Error() != `no.yaml: "no.yaml" does not exist` {
		t.Errorf("missing entrypoint: %v", err)
	}
}

// TestLargeArtifact: a file that is no template is not held in memory.
func TestLargeArtifact(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "site.yaml", "Resources:\n  A: {Type: T::T::T, Properties: {Code: file://big.bin}}\n")
	f, err := os.Create(filepath.Join(root, "big.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(64<<20), f.Close()); err != nil {
		t.Fatal(err)
	}
	tree, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []publish.File{{Path: "big.bin", Size: 64 << 20}, {Path: "site.yaml", Template: true, Size: 68}}
	if got := tree.Files(); !reflect.DeepEqual(got, want) {
		t.Errorf("files are %+v", got)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "site.yaml", "Resources:\n  A: {Type: T::T::T, Properties: {Code: file://a b/é+&.bin}}\n")
	write(t, root, "a b/é+&.bin", "x")
	sum := template.Hash([]byte("x"))
	tree, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   publish.Location
		want string
	}{
		{publish.Location{Bucket: "bucket", Region: "us-east-1"}, "https://bucket.s3.us-east-1.amazonaws.com/"},
		{publish.Location{Bucket: "bucket", Region: "cn-north-1"}, "https://bucket.s3.cn-north-1.amazonaws.com.cn/"},
		{publish.Location{Bucket: "bucket", Region: "us-gov-west-1"}, "https://bucket.s3.us-gov-west-1.amazonaws.com/"},
		{publish.Location{Bucket: "bucket", Region: "us-iso-east-1"}, "https://bucket.s3.us-iso-east-1.c2s.ic.gov/"},
		{publish.Location{Bucket: "bucket", Region: "us-isob-east-1"}, "https://bucket.s3.us-isob-east-1.sc2s.sgov.gov/"},
		{publish.Location{Bucket: "bucket", Region: "eu-isoe-west-1"}, "https://bucket.s3.eu-isoe-west-1.cloud.adc-e.uk/"},
		{publish.Location{Bucket: "bucket", Region: "us-isof-south-1"}, "https://bucket.s3.us-isof-south-1.csp.hci.ic.gov/"},
		{publish.Location{Bucket: "bucket", Region: "eusc-de-east-1"}, "https://bucket.s3.eusc-de-east-1.amazonaws.eu/"},
		{publish.Location{Bucket: "b.c", Region: "eu-west-1"}, "https://s3.eu-west-1.amazonaws.com/b.c/"},
		{publish.Location{Bucket: "b.c", Region: "cn-northwest-1"}, "https://s3.cn-northwest-1.amazonaws.com.cn/b.c/"},
		{publish.Location{Bucket: "b.c", Region: "us-gov-east-1", KeyStyle: publish.KeyPath}, "https://s3.us-gov-east-1.amazonaws.com/b.c/"},
		{publish.Location{Bucket: "bucket", Region: "us-east-1", Endpoint: "http://127.0.0.1:4566/"}, "http://127.0.0.1:4566/bucket/"},
		{publish.Location{Bucket: "bucket", Region: "us-east-1", Prefix: "x/"}, "https://bucket.s3.us-east-1.amazonaws.com/x/"},
	} {
		plan, err := tree.Plan(c.at)
		if err != nil {
			t.Fatal(err)
		}
		o := plan.Objects[0]
		if want := c.want + "a%20b/%C3%A9%2B%26.bin/" + sum; o.URL != want {
			t.Errorf("%+v: URL is %s, want %s", c.at, o.URL, want)
		}
		if want := c.at.Prefix + "a b/é+&.bin/" + sum; o.Key != want {
			t.Errorf("%+v: key is %s, want %s", c.at, o.Key, want)
		}
	}
	if _, err := tree.Plan(publish.Location{Region: "us-east-1"}); err == nil {
		t.Error("a plan without a bucket was made")
	}
	if _, err := tree.Plan(publish.Location{Bucket: "bucket"}); err == nil {
		t.Error("a plan without a region was made")
	}
}

func TestFlatKeys(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "site.yaml", `
Resources:
  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: a.yaml}}
  B: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: b.yaml}}
  F: {Type: AWS::Lambda::Function, Properties: {Code: "odd?"}}
  G: {Type: AWS::Glue::Job, Properties: {Command: {ScriptLocation: "odd?/job.py"}}}
`)
	for name, body := range map[string]string{"a.yaml": "Resources: {R: {Type: T::T::T}}", "b.yaml": "Resources: {'R': {Type: T::T::T}}", "odd?/job.py": "x"} {
		write(t, root, name, body)
	}
	tree, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := tree.Plan(publish.Location{Bucket: "bucket", Region: "us-east-1", Prefix: "p/", KeyStyle: publish.KeyFlat})
	if err != nil {
		t.Fatal(err)
	}
	for i, suffix := range []string{".template", ".template", ".zip", ".py"} {
		o := plan.Objects[i]
		if want := "p/" + o.SHA256 + suffix; o.Key != want || o.URL != "https://bucket.s3.us-east-1.amazonaws.com/"+want {
			t.Errorf("%s: key is %s, URL %s", o.Path, o.Key, o.URL)
		}
	}
	if got, want := upload(t, newBucket(), plan, publish.UploadOptions{}), (publish.Result{Objects: 3, Uploaded: 3}); got != want {
		t.Errorf("the same content goes twice: %+v", got)
	}
	for style, want := range map[publish.KeyStyle]string{
		"":     `has a ? or #, where the path in an s3:// URI ends; flat keys have none`,
		"wide": `key style "wide": there are "path" and "flat"`,
	} {
		if _, err := tree.Plan(publish.Location{Bucket: "bucket", Region: "us-east-1", KeyStyle: style}); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", style, err, want)
		}
	}
}
