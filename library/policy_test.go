package library_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"ouro/library"
	"ouro/template"
)

// TestRolesAreBounded: whoever makes a role can be made to bound it.
func TestRolesAreBounded(t *testing.T) {
	t.Parallel()
	for _, tpl := range library.Templates() {
		for _, r := range tpl.Parsed.Resources() {
			if r.Type != "AWS::IAM::Role" {
				continue
			}
			if name, arg := r.Properties.Get("PermissionsBoundary").Function(); name != "Fn::If" || !strings.Contains(arg.Items[0].Text, "Boundary") {
				t.Errorf("%s: %s takes no boundary", r.Pos, r.LogicalID)
			}
			if r.LogicalID == "DeployRole" && !refersTo(r.Properties.Get("ManagedPolicyArns"), "DeployPolicyArns") {
				t.Errorf("%s: %s takes no policies", r.Pos, r.LogicalID)
			}
		}
	}
}

func refersTo(n *template.Node, name string) bool {
	found := false
	template.Uses(n, func(u template.Use) { found = found || u.Name == name })
	return found
}

// TestPoliciesFit, when names and regions are as long as they get. IAM counts
// no white space.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func TestPoliciesFit(t *testing.T) {
	t.Parallel()
	for _, tpl := range library.Templates() {
		env := longest(t, tpl)
		for _, r := range tpl.Parsed.Resources() {
			switch r.Type {
			case "AWS::IAM::ManagedPolicy":
				if n := size(t, tpl, r.Properties.Get("PolicyDocument"), env); n > 6144 {
					t.Errorf("%s: %s has %d characters", r.Pos, r.LogicalID, n)
				}
			case "AWS::IAM::Role":
				if n := size(t, tpl, r.Properties.Get("Policies"), env); n > 10_240 {
					t.Errorf("%s: the policies of %s have %d characters", r.Pos, r.LogicalID, n)
				}
			}
		}
	}
}

// longest has long values for everything, and every condition true.
func longest(t *testing.T, tpl library.Template) *template.Env {
	t.Helper()
	arn := "arn:aws-us-gov:service:us-gov-southeast-9:000000000000:kind/" + strings.Repeat("x", 80)
	env := &template.Env{
		Account: "000000000000", Region: "us-gov-southeast-9",
		StackName: strings.Repeat("s", 40), StackID: arn, Parameters: map[string]any{}, Conditions: map[string]bool{},
		Ref:    func(string) (any, error) { return arn, nil },
		GetAtt: func(string, string) (any, error) { return arn, nil },
	}
	for _, p := range tpl.Parsed.Parameters() {
		env.Parameters[p.Name] = arn
		if p.Name == "ProjectName" || p.Name == "EnvironmentName" {
			env.Parameters[p.Name] = strings.Repeat("p", 31)
		}
		if p.IsList() {
			env.Parameters[p.Name] = []string{arn}
		}
	}
	if conditions := tpl.Parsed.Root.Get("Conditions"); conditions != nil {
		for _, k := range conditions.Keys {
			env.Conditions[k.Text] = true
		}
	}
	return env
}

func size(t *testing.T, tpl library.Template, n *template.Node, env *template.Env) int {
	t.Helper()
	if n == nil {
		return 0
	}
	v, err := tpl.Parsed.Eval(n, env)
	if err != nil {
		t.Fatalf("%s: %v", n.Pos, err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return len(strings.ReplaceAll(string(text), " ", ""))
}

// TestPipelinesUpdateThemselvesFirst, before anything is built, and start anew
// as what they have become.
func TestPipelinesUpdateThemselvesFirst(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"pipeline/pipeline.yaml", "pipeline/docker-image.yaml"} {
		tpl, err := library.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := tpl.Parsed.Resource("Pipeline")
		if r.Properties.Get("PipelineType").Text != "V2" || r.Properties.Get("RestartExecutionOnUpdate").Text != "true" || r.Properties.Get("Variables") == nil {
			t.Errorf("%s: the pipeline is no V2 pipeline that restarts and has variables", name)
		}
		v, err := tpl.Parsed.Eval(r.Properties.Get("Stages"), longest(t, tpl))
		if err != nil {
			t.Fatal(err)
		}
		var stages []string
		for _, stage := range v.([]any) {
			stages = append(stages, stage.(map[string]any)["Name"].(string))
		}
		if len(stages) < 4 || !slices.Equal(stages[:2], []string{"Source", "SelfUpdate"}) {
			t.Errorf("%s: the stages are %v", name, stages)
		}
		for _, p := range tpl.Parsed.Parameters() {
			if p.Name == "ExecutionMode" && slices.Contains(p.AllowedValues, "PARALLEL") {
				t.Errorf("%s: two executions would change one stack at a time", p.Pos)
			}
		}
	}
}
