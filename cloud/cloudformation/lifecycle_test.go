package cloudformation_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"
)

var changing = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|-[A-Z0-9]{12}\b`)

// tells compares the events of a stack with those expected, apart from what is
// different each time.
func (w *world) tells(id, want string) {
	w.t.Helper()
	story := strings.TrimSpace(changing.ReplaceAllString(w.story(id), "…"))
	story = regexp.MustCompile(`Resource handler returned message: .*`).ReplaceAllString(story, "Resource handler returned message")
	if diff := cmp.Diff(strings.TrimSpace(want), story); diff != "" {
		w.t.Errorf("events (-want +got):\n%s", diff)
	}
}

// chain is two parameters, the second of which follows the first.
func chain(first, second any) map[string]any {
	return map[string]any{"A": parameter(first), "B": parameter(second, "!DependsOn", "A")}
}

func TestCreateUpdateDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.create("s", template(t, chain("1", ref("A")), "Outputs", map[string]any{"A": map[string]any{"Value": ref("A")}}))
	w.tells("s", `
s CREATE_IN_PROGRESS: User Initiated
A CREATE_IN_PROGRESS
A CREATE_IN_PROGRESS: Resource creation Initiated
A CREATE_COMPLETE
B CREATE_IN_PROGRESS
B CREATE_IN_PROGRESS: Resource creation Initiated
B CREATE_COMPLETE
s CREATE_COMPLETE`)
	name := outputs(s)["A"]
	if !regexp.MustCompile(`^CFN-A-[A-Z0-9]{12}$`).MatchString(name) {
		t.Errorf("the parameter is called %q", name)
	}
	// A is replaced, since it gets a name; B follows; C is new; then B goes.
	w.update("s", template(t, map[string]any{"A": parameter("1", "Name", "a"), "B": parameter(ref("A")), "C": parameter("3", "!DependsOn", "B")}))
	w.update("s", template(t, map[string]any{"A": parameter("1", "Name", "a"), "C": parameter("3")}))
	id := aws.ToString(w.delete("s").StackId)
	story := w.story(id)
	w.tells(id, story[:strings.Index(story, "s UPDATE_IN_PROGRESS")]+`s UPDATE_IN_PROGRESS: User Initiated
A UPDATE_IN_PROGRESS: Requested update requires the creation of a new physical resource; hence creating one.
A UPDATE_IN_PROGRESS: Resource creation Initiated
A UPDATE_COMPLETE
B UPDATE_IN_PROGRESS
B UPDATE_COMPLETE
C CREATE_IN_PROGRESS
C CREATE_IN_PROGRESS: Resource creation Initiated
C CREATE_COMPLETE
s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
A DELETE_IN_PROGRESS
A DELETE_COMPLETE
s UPDATE_COMPLETE
s UPDATE_IN_PROGRESS: User Initiated
s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
B DELETE_IN_PROGRESS
B DELETE_COMPLETE
s UPDATE_COMPLETE
s DELETE_IN_PROGRESS: User Initiated
`+story[strings.Index(story, "s DELETE_IN_PROGRESS: User Initiated\n")+len("s DELETE_IN_PROGRESS: User Initiated\n"):])
	if strings.Count(story, "DELETE_COMPLETE") != 5 { // A's first, B, A, C, and the stack
		t.Errorf("events:\n%s", story)
	}
	if left := w.parameters(); len(left) > 0 {
		t.Errorf("parameters are left: %v", left)
	}
}

// parameters are all parameters there are, by name.
func (w *world) parameters() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	client := ssm.NewFromConfig(w.Config)
	pages := ssm.NewDescribeParametersPaginator(client, &ssm.DescribeParametersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, p := range page.Parameters {
			v, err := client.GetParameter(w.t.Context(), &ssm.GetParameterInput{Name: p.Name})
			if err != nil {
				w.t.Fatal(err)
			}
			out[*p.Name] = aws.ToString(v.Parameter.Value)
		}
	}
	return out
}

func TestFailedCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begin := `
s CREATE_IN_PROGRESS: User Initiated
A CREATE_IN_PROGRESS
A CREATE_IN_PROGRESS: Resource creation Initiated
A CREATE_COMPLETE
Bad CREATE_IN_PROGRESS
Bad CREATE_FAILED: Resource handler returned message
`
	undo := `
Bad DELETE_COMPLETE
A DELETE_IN_PROGRESS
A DELETE_COMPLETE
`
	for name, c := range map[string]struct {
		change func(*cloudformation.CreateStackInput)
		end    string
	}{
		"rollback": {nil, "s ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Bad]. Rollback requested by user." + undo + "s ROLLBACK_COMPLETE"},
		"delete": {func(in *cloudformation.CreateStackInput) { in.OnFailure = types.OnFailureDelete },
			"s DELETE_IN_PROGRESS: The following resource(s) failed to create: [Bad]. Delete requested by user." + undo + "s DELETE_COMPLETE"},
		"nothing": {func(in *cloudformation.CreateStackInput) { in.DisableRollback = aws.Bool(true) },
			"s CREATE_FAILED: The following resource(s) failed to create: [Bad]. "},
	} {
		t.Run(name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(*cloudformation.CreateStackInput) {}
			}
			s := w.create("s", template(t, map[string]any{"A": parameter("1"), "Bad": broken("A"), "Z": parameter("1", "!DependsOn", "Bad")}), change)
			w.tells(*s.StackId, begin+c.end)
			if s.StackStatus != types.StackStatusDeleteComplete {
				w.delete("s")
			}
		})
	}
	if left := w.parameters(); len(left) > 0 {
		t.Errorf("parameters are left: %v", left)
	}
}

func TestFailedUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := map[string]any{"A": parameter("1"), "B": parameter("2"), "Gone": parameter("3"), "Same": parameter("4")}
	w.create("s", template(t, before))
	was := w.parameters()
	seen := len(w.story("s"))
	// A changes, B is replaced, C is new, Gone would go; then it fails.
	s := w.update("s", template(t, map[string]any{"A": parameter("new"), "B": parameter("2", "Name", "b", "!DependsOn", "A"), "C": parameter("x", "!DependsOn", "B"),
		"Same": parameter("4"), "Bad": broken("C")}))
	if s.StackStatus != types.StackStatusUpdateRollbackComplete {
		t.Fatal(w.story("s"))
	}
	if diff := cmp.Diff(was, w.parameters()); diff != "" {
		t.Errorf("the rollback left a difference (-before +after):\n%s", diff)
	}
	story := w.story("s")[seen+1:]
	want := []string{
		"s UPDATE_IN_PROGRESS: User Initiated",
		"s UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Bad]. ",
		"s UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "Bad DELETE_COMPLETE", "C DELETE_COMPLETE", "B DELETE_COMPLETE", "s UPDATE_ROLLBACK_COMPLETE",
	}
	for _, line := range want {
		if !strings.Contains(story, line) {
			t.Errorf("no event %q in\n%s", line, story)
		}
	}
	if strings.Contains(story, "Same") || strings.Contains(story, "Gone") {
		t.Errorf("what does not change was touched:\n%s", story)
	}
	// The former template is in force again.
	_, err := w.cfn.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(template(t, before))})
	refused(t, err, "ValidationError", "No updates are to be performed.")
	got, err := w.cfn.GetTemplate(t.Context(), &cloudformation.GetTemplateInput{StackName: aws.String("s")})
	if err != nil || aws.ToString(got.TemplateBody) != template(t, before) {
		t.Errorf("the template is %v, %v", got, err)
	}
	// And a good update mends it.
	if s := w.update("s", template(t, map[string]any{"A": parameter("5")})); s.StackStatus != types.StackStatusUpdateComplete {
		t.Error(w.story("s"))
	}
}

func TestDeletionPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	resources := map[string]any{
		"Kept":   parameter("1", "Name", "kept", "!DeletionPolicy", "Retain"),
		"Except": parameter("1", "Name", "except", "!DeletionPolicy", "RetainExceptOnCreate"),
		"Plain":  parameter("1", "Name", "plain", "!DeletionPolicy", "Delete"),
	}
	names := func() (out []string) {
		for _, n := range []string{"except", "kept", "old", "plain"} {
			if _, ok := w.parameters()[n]; ok {
				out = append(out, n)
			}
		}
		return out
	}
	s := w.create("s", template(t, resources))
	w.delete("s")
	if diff := cmp.Diff([]string{"except", "kept"}, names()); diff != "" {
		t.Errorf("after the deletion (-want +got):\n%s\n%s", diff, w.story(*s.StackId))
	}
	client := ssm.NewFromConfig(w.Config)
	if _, err := client.DeleteParameters(t.Context(), &ssm.DeleteParametersInput{Names: []string{"kept", "except"}}); err != nil {
		t.Fatal(err)
	}
	resources["Bad"] = broken("Kept", "Except", "Plain")
	w.create("failed", template(t, resources))
	if diff := cmp.Diff([]string{"kept"}, names()); diff != "" {
		t.Errorf("after the failed creation (-want +got):\n%s", diff)
	}
	w.create("replaced", template(t, map[string]any{"P": parameter("1", "Name", "old", "!UpdateReplacePolicy", "Retain")}))
	w.update("replaced", template(t, map[string]any{"P": parameter("1", "Name", "new")}))
	if diff := cmp.Diff([]string{"kept"}, names()); diff != "" {
		// The policy of the version that is replaced counts, and it said Retain.
		if _, ok := w.parameters()["old"]; !ok {
			t.Errorf("the replaced parameter is gone:\n%s", w.story("replaced"))
		}
	}
}

func TestDeleteWhileCreating(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	resources := map[string]any{}
	for _, id := range strings.Fields("A B C D E F G H I J") {
		resources[id] = parameter("1")
	}
	if _, err := w.cfn.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(template(t, resources))}); err != nil {
		t.Fatal(err)
	}
	if s := w.delete("s"); s.StackStatus != types.StackStatusDeleteComplete {
		t.Errorf("%s\n%s", s.StackStatus, w.story(*s.StackId))
	}
	if left := w.parameters(); len(left) > 0 {
		t.Errorf("parameters are left: %v", left)
	}
}
