package cloudformation_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// exporting is a template that exports the value under the name.
func exporting(t testing.TB, name, value string) string {
	return template(t, map[string]any{"P": parameter(value)},
		"Outputs", map[string]any{"Out": map[string]any{"Value": value, "Export": map[string]any{"Name": name}}})
}

func importing(t testing.TB, name string) string {
	return template(t, map[string]any{"Copy": parameter(map[string]any{"Fn::ImportValue": name}, "Name", "copy")})
}

func TestExports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("maker", exporting(t, "colour", "red"))
	w.create("user", importing(t, "colour"))
	if got := w.parameters()["copy"]; got != "red" {
		t.Errorf("the import is %q", got)
	}

	list, err := w.cfn.ListExports(t.Context(), &cloudformation.ListExportsInput{})
	if err != nil || len(list.Exports) != 1 || aws.ToString(list.Exports[0].Value) != "red" {
		t.Errorf("exports are %v, %v", list, err)
	}
	imports, err := w.cfn.ListImports(t.Context(), &cloudformation.ListImportsInput{ExportName: aws.String("colour")})
	if err != nil || !slices.Equal(imports.Imports, []string{"user"}) {
		t.Errorf("imports are %v, %v", imports, err)
	}

	for _, c := range []struct {
		name   string
		do     func() types.Stack
		status types.StackStatus
		event  string
	}{
		{"a second export of the name", func() types.Stack { return w.create("thief", exporting(t, "colour", "green")) }, types.StackStatusRollbackComplete,
			"Export with name colour is already exported by stack maker. Rollback requested by user."},
		{"an export that does not exist", func() types.Stack { return w.create("lost", importing(t, "none")) }, types.StackStatusRollbackComplete,
			"No export named none found."},
		{"a change of an export in use", func() types.Stack { return w.update("maker", exporting(t, "colour", "blue")) }, types.StackStatusUpdateRollbackComplete,
			"Export colour cannot be updated as it is in use by user"},
		{"the end of an export in use", func() types.Stack { return w.update("maker", exporting(t, "shade", "red")) }, types.StackStatusUpdateRollbackComplete,
			"Export colour cannot be deleted as it is in use by user"},
		{"a deletion", func() types.Stack { return w.delete("maker") }, types.StackStatusUpdateRollbackComplete,
			"Export colour cannot be deleted as it is in use by user"},
	} {
		s := c.do()
		if s.StackStatus != c.status {
			t.Errorf("%s: the stack is in %s, want %s\n%s", c.name, s.StackStatus, c.status, w.story(*s.StackId))
		}
		if story := w.story(*s.StackId); !strings.Contains(story, c.event) {
			t.Errorf("%s: no event says %q:\n%s", c.name, c.event, story)
		}
	}

	w.update("user", template(t, map[string]any{"Copy": parameter("x", "Name", "copy")}))
	if s := w.update("maker", exporting(t, "shade", "red")); s.StackStatus != types.StackStatusUpdateComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story("maker"))
	}
	_, err = w.cfn.ListImports(t.Context(), &cloudformation.ListImportsInput{ExportName: aws.String("shade")})
	refused(t, err, "ValidationError", "Export 'shade' is not imported by any stack.")
	if s := w.delete("maker"); s.StackStatus != types.StackStatusDeleteComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story(*s.StackId))
	}
}
