package cloudformation_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
)

// put puts a template into S3 and gives its address.
func (w *world) put(key, body string) string {
	w.t.Helper()
	client := s3.NewFromConfig(w.Config)
	if _, err := client.CreateBucket(w.t.Context(), &s3.CreateBucketInput{Bucket: aws.String("templates")}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := client.PutObject(w.t.Context(), &s3.PutObjectInput{Bucket: aws.String("templates"), Key: &key, Body: strings.NewReader(body)}); err != nil {
		w.t.Fatal(err)
	}
	return w.URL + "/templates/" + key
}

func stackOf(url string, parameters map[string]any, more ...any) map[string]any {
	properties := map[string]any{"TemplateURL": url}
	if parameters != nil {
		properties["Parameters"] = parameters
	}
	res := map[string]any{"Type": "AWS::CloudFormation::Stack", "Properties": properties}
	for i := 0; i+1 < len(more); i += 2 {
		res[more[i].(string)] = more[i+1]
	}
	return res
}

const leaf = `
Parameters: {Value: {Type: String}, Name: {Type: String, Default: leaf}}
Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Value, Name: !Ref Name}}
Outputs:
  Name: {Value: !Ref P}
`

func TestNested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	leafURL := w.put("leaf.yaml", leaf)
	middle := func(value, name string) string {
		return template(t, map[string]any{"Leaf": stackOf(leafURL, map[string]any{"Value": value, "Name": name}), "P": parameter("middle", "Name", "middle-"+name)},
			"Outputs", map[string]any{"Name": map[string]any{"Value": map[string]any{"Fn::GetAtt": []string{"Leaf", "Outputs.Name"}}}})
	}
	root := func(url string, more map[string]any) string {
		resources := map[string]any{"Middle": stackOf(url, nil), "Copy": parameter(map[string]any{"Fn::GetAtt": []string{"Middle", "Outputs.Name"}}, "Name", "copy")}
		maps.Copy(resources, more)
		return template(t, resources)
	}

	s := w.create("root", root(w.put("one", middle("1", "a")), nil))
	if s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("root"))
	}
	one := map[string]string{"a": "1", "middle-a": "middle", "copy": "a"}
	if diff := cmp.Diff(one, w.parameters()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	m := w.describe(w.physical("root", "Middle"))
	l := w.describe(w.physical(*m.StackName, "Leaf"))
	if aws.ToString(l.ParentId) != *m.StackId || aws.ToString(l.RootId) != *s.StackId || aws.ToString(m.ParentId) != *s.StackId {
		t.Errorf("the leaf's parent is %s and its root %s", aws.ToString(l.ParentId), aws.ToString(l.RootId))
	}

	// A failure beside the nested stacks takes them back to what they were, with
	// the parameters that were to be replaced still there.
	s = w.update("root", root(w.put("two", middle("2", "b")), map[string]any{"Bad": broken("Middle")}))
	if s.StackStatus != types.StackStatusUpdateRollbackComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("root"))
	}
	if diff := cmp.Diff(one, w.parameters()); diff != "" {
		t.Errorf("parameters after the rollback (-want +got):\n%s", diff)
	}
	if got := w.describe(*l.StackId).StackStatus; got != types.StackStatusUpdateRollbackComplete {
		t.Errorf("the leaf is in %s\n%s", got, w.story(*l.StackId))
	}

	s = w.update("root", root(w.put("two", middle("2", "b")), nil))
	if s.StackStatus != types.StackStatusUpdateComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("root"))
	}
	if diff := cmp.Diff(map[string]string{"b": "2", "middle-b": "middle", "copy": "b"}, w.parameters()); diff != "" {
		t.Errorf("parameters after the update (-want +got):\n%s", diff)
	}
	if got := w.describe(*l.StackId).StackStatus; got != types.StackStatusUpdateComplete {
		t.Errorf("the leaf is in %s", got)
	}

	// The same again changes nothing; another text behind the same address does.
	_, err := w.cfn.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("root"), TemplateBody: aws.String(root(w.URL+"/templates/two", nil))})
	refused(t, err, "ValidationError", "No updates are to be performed.")
	if s = w.update("root", root(w.put("two", middle("3", "b")), nil)); s.StackStatus != types.StackStatusUpdateComplete || w.parameters()["b"] != "3" {
		t.Errorf("%s: %v", s.StackStatus, w.parameters())
	}

	w.delete("root")
	if got := w.describe(*l.StackId).StackStatus; got != types.StackStatusDeleteComplete {
		t.Errorf("the leaf is in %s", got)
	}
	if left := w.parameters(); len(left) > 0 {
		t.Errorf("parameters are left: %v", left)
	}
}

func TestNestedFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad := w.put("bad.json", template(t, map[string]any{"P": parameter("1"), "Bad": broken("P")}))
	s := w.create("root", template(t, map[string]any{"Inner": stackOf(bad, nil)}))
	if s.StackStatus != types.StackStatusRollbackComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("root"))
	}
	want := "was not successfully created: The following resource(s) failed to create: [Bad]."
	if story := w.story("root"); !strings.Contains(story, "Inner CREATE_FAILED: Embedded stack arn:aws:cloudformation:us-east-1:000000000000:stack/root-Inner-") || !strings.Contains(story, want) {
		t.Errorf("events:\n%s", story)
	}
	if left := w.parameters(); len(left) > 0 {
		t.Errorf("parameters are left: %v", left)
	}

	good := w.put("good.json", template(t, map[string]any{"P": parameter("1", "Name", "p")}))
	w.create("other", template(t, map[string]any{"Inner": stackOf(good, nil)}))
	s = w.update("other", template(t, map[string]any{"Inner": stackOf(bad, nil)}))
	if s.StackStatus != types.StackStatusUpdateRollbackComplete {
		t.Fatalf("%s\n%s", s.StackStatus, w.story("other"))
	}
	want = "was not successfully updated. Currently in UPDATE_ROLLBACK_COMPLETE with reason: The following resource(s) failed to create: [Bad]."
	if story := w.story("other"); !strings.Contains(story, want) {
		t.Errorf("events:\n%s", story)
	}
	if diff := cmp.Diff(map[string]string{"p": "1"}, w.parameters()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}
