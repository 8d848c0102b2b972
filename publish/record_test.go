package publish_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/publish"
	"ouro/template"
)

// published uploads the project and remembers it in cache.
func published(t *testing.T, b *bucket, cache, root string, options publish.Options) *publish.Plan {
	t.Helper()
	tree, err := publish.Load(t.Context(), root, "site.yaml", options)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := tree.Plan(publish.Location{Region: "eu-west-1", Bucket: "bucket"})
	if err != nil {
		t.Fatal(err)
	}
	upload(t, b, plan, publish.UploadOptions{})
	if err := tree.Remember(cache, plan); err != nil {
		t.Fatal(err)
	}
	return plan
}

const recordedSite = `Resources:
  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: in/a.yaml}}
  L: {Type: AWS::SNS::Topic, Properties: {A: "file://data/one.bin", B: "file://data/two.bin"}}
`

func recordedProject(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "site.yaml", recordedSite)
	write(t, root, "in/a.yaml", "Resources: {R: {Type: AWS::SNS::Topic}}\n")
	write(t, root, "data/one.bin", "one")
	write(t, root, "data/two.bin", strings.Repeat("two", 100_000))
	return root
}

func TestRecordHolds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(t *testing.T, root string, b *bucket)
		want   bool
	}{
		{"nothing", func(*testing.T, string, *bucket) {}, true},
		{"the same again", func(t *testing.T, root string, _ *bucket) { write(t, root, "data/one.bin", "one") }, true},
		{"another file", func(t *testing.T, root string, _ *bucket) { write(t, root, "in/b.yaml", "x") }, true},
		{"a byte", func(t *testing.T, root string, _ *bucket) { write(t, root, "data/one.bin", "onE") }, false},
		{"longer", func(t *testing.T, root string, _ *bucket) { write(t, root, "data/one.bin", "one ") }, false},
		{"shorter", func(t *testing.T, root string, _ *bucket) { write(t, root, "data/one.bin", "on") }, false},
		{"a comment", func(t *testing.T, root string, _ *bucket) { write(t, root, "site.yaml", recordedSite+"# new\n") }, false},
		{"a file gone", func(t *testing.T, root string, _ *bucket) {
			if err := os.Remove(filepath.Join(root, "in/a.yaml")); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"an object gone", func(_ *testing.T, _ string, b *bucket) { delete(b.objects, b.order[0]) }, false},
		{"no right to list", func(_ *testing.T, _ string, b *bucket) { b.refuse["List"] = refusal(403) }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root, cache, b := recordedProject(t), t.TempDir(), newBucket()
			plan := published(t, b, cache, root, publish.Options{})
			r := publish.Recall(cache, root, filepath.Join(root, "site.yaml"), "bucket")
			if r == nil || r.Location != plan.Location || string(r.Body()) != string(plan.Body()) || r.Objects() != len(plan.Objects) {
				t.Fatalf("%+v", r)
			}
			test.change(t, root, b)
			if holds, err := r.Holds(t.Context(), b); holds != test.want || err != nil {
				t.Errorf("%v, %v", holds, err)
			}
		})
	}
}

func TestRecordFails(t *testing.T) {
	t.Parallel()
	root, cache, b := recordedProject(t), t.TempDir(), newBucket()
	published(t, b, cache, root, publish.Options{})
	b.refuse["List"] = refusal(500)
	if _, err := publish.Recall(cache, root, "site.yaml", "bucket").Holds(t.Context(), b); err == nil || err.Error() != `list bucket "bucket": status 500` {
		t.Error(err)
	}
}

func TestNoRecord(t *testing.T) {
	t.Parallel()
	root, cache, b := recordedProject(t), t.TempDir(), newBucket()
	if publish.Recall(cache, root, "site.yaml", "bucket") != nil {
		t.Error("there is a record before anything was published")
	}
	published(t, b, cache, root, publish.Options{})
	for _, other := range [][3]string{{root, "in/a.yaml", "bucket"}, {root, "site.yaml", "bucket2"}, {t.TempDir(), "site.yaml", "bucket"}, {root, "../site.yaml", "bucket"}} {
		if publish.Recall(cache, other[0], other[1], other[2]) != nil {
			t.Errorf("%v has the record of another", other)
		}
	}
	files, err := filepath.Glob(filepath.Join(cache, "published", "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range []string{"", string(whole[:40]), string(whole[:len(whole)-1]), strings.Replace(string(whole), "in/a.yaml", "in/b.yaml", 1)} {
		write(t, filepath.Dir(files[0]), filepath.Base(files[0]), broken)
		if publish.Recall(cache, root, "site.yaml", "bucket") != nil {
			t.Errorf("a file of %d bytes, of %d, is a record", len(broken), len(whole))
		}
	}
}

func TestTreesWithoutRecord(t *testing.T) {
	t.Parallel()
	warning := (&checks{severity: template.SeverityWarning}).check
	tests := []struct{ name, entry, file string }{
		{"a warning", "Description: wrong\n" + recordedSite, "in/a.yaml"},
		{"a directory", "Resources: {F: {Type: AWS::Lambda::LayerVersion, Properties: {Content: data}}}\n", ""},
		{"another's type", "Resources: {F: {Type: Their::Own::Type}}\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root, cache := recordedProject(t), t.TempDir()
			write(t, root, "site.yaml", test.entry)
			published(t, newBucket(), cache, root, publish.Options{Check: warning})
			if publish.Recall(cache, root, "site.yaml", "bucket") != nil {
				t.Error("there is a record")
			}
		})
	}
}

// Keys that XML escapes come through listings as well as plain ones.
func TestListedKeys(t *testing.T) {
	t.Parallel()
	client, root := localS3(t), t.TempDir()
	names := []string{"plain", "a&b", "a<b>", `"quoted"`, "ümläut", "a b+c%20"}
	site := "Resources:\n"
	for i, name := range names {
		site += "  R" + string(rune('A'+i)) + ": {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: '" + name + "/a.yaml'}}\n"
		write(t, root, name+"/a.yaml", "Resources: {R: {Type: AWS::SNS::Topic}}\n")
	}
	write(t, root, "site.yaml", site)
	plan, first := publishTo(t, client, root)
	if first.Uploaded != len(names)+1 {
		t.Fatal(first)
	}
	if _, again := publishTo(t, client, root); again.Kept != len(names)+1 || again.Uploaded != 0 {
		t.Errorf("%+v", again)
	}
	if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("bucket"), Key: &plan.Objects[0].Key}); err != nil {
		t.Fatal(err)
	}
	if _, again := publishTo(t, client, root); again.Kept != len(names) || again.Uploaded != 1 {
		t.Errorf("%+v", again)
	}
}
