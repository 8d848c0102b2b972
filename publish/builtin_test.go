package publish_test

import (
	"bytes"
	"strings"
	"testing"

	"ouro/publish"
)

// TestLibrary: templates of the library are published with what they nest,
// and check what they are given.
func TestLibrary(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	const site = "Resources:\n  Net: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: \"ouro://network/vpc.yaml\", Parameters: {%}}}\n"
	write(t, root, "site.yaml", strings.ReplaceAll(site, "%", "EnvironmentName: dev, Nothing: 1"))
	_, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{})
	if want := `is given the parameter "Nothing", which ouro/network/vpc.yaml does not declare`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	write(t, root, "site.yaml", strings.ReplaceAll(site, "%", "EnvironmentName: dev"))
	tree, err := publish.Load(t.Context(), root, "site.yaml", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := tree.Plan(publish.Location{Bucket: "bucket", Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{}
	for i, o := range plan.Objects {
		paths[o.Path] = true
		if f := tree.Files()[i]; !f.Library || !f.Template || o.Kind != publish.KindTemplate || !strings.HasPrefix(o.Key, o.Path+"/") {
			t.Errorf("%s: %+v, %s", o.Path, f, o.Key)
		}
	}
	for _, want := range []string{"ouro/network/vpc.yaml", "ouro/network/zone.yaml", "ouro/network/subnet.yaml"} {
		if !paths[want] {
			t.Errorf("%s is not published: %v", want, paths)
		}
	}
	last := plan.Objects[len(plan.Objects)-1]
	if last.Path != "ouro/network/vpc.yaml" || last.From[0].String() != "site.yaml:2:69" || !bytes.Contains(plan.Body(), []byte(last.URL)) {
		t.Errorf("the last object is %s, from %v", last.Path, last.From)
	}
}
