package codepipeline_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

func deploy(mode string, more ...string) types.ActionDeclaration {
	configuration := map[string]string{
		"ActionMode": mode, "StackName": "site", "RoleArn": "arn:aws:iam::000000000000:role/stack", "TemplatePath": "App::template.yaml",
	}
	for i := 0; i < len(more); i += 2 {
		configuration[more[i]] = more[i+1]
	}
	return act("Deploy", "Deploy", "CloudFormation", configuration, in("App"))
}

func TestDeployModes(t *testing.T) {
	t.Parallel()
	const fine, broken = "Resources: {}", "broken"
	for name, test := range map[string]struct {
		action   types.ActionDeclaration
		template string
		before   cftypes.StackStatus // of the stack; none if empty
		fails    string              // what the message has
		deleted  int
	}{
		"create":            {deploy("CREATE_UPDATE"), fine, "", "", 0},
		"update":            {deploy("CREATE_UPDATE"), fine, "CREATE_COMPLETE", "", 0},
		"create fails":      {deploy("CREATE_UPDATE"), broken, "", "its status is ROLLBACK_COMPLETE. Resource First (AWS::S3::Bucket) has status CREATE_FAILED: the name is taken", 0},
		"update of failed":  {deploy("CREATE_UPDATE"), fine, "ROLLBACK_COMPLETE", "is in ROLLBACK_COMPLETE state and can not be updated", 0},
		"replace failed":    {deploy("REPLACE_ON_FAILURE"), fine, "ROLLBACK_COMPLETE", "", 1},
		"replace good":      {deploy("REPLACE_ON_FAILURE"), fine, "CREATE_COMPLETE", "", 0},
		"delete":            {deploy("DELETE_ONLY"), fine, "CREATE_COMPLETE", "", 1},
		"delete none":       {deploy("DELETE_ONLY"), fine, "", "", 0},
		"unknown mode":      {deploy("EXPLODE"), fine, "", `the action mode "EXPLODE"`, 0},
		"no such file":      {deploy("CREATE_UPDATE", "TemplatePath", "App::other.yaml"), fine, "", "File [other.yaml] does not exist in artifact [App]", 0},
		"no such artifact":  {deploy("CREATE_UPDATE", "TemplatePath", "Bpp::other.yaml"), fine, "", `has no input artifact "Bpp"`, 0},
		"bad configuration": {deploy("CREATE_UPDATE", "TemplateConfiguration", "App::template.yaml"), fine, "", "the template configuration is not valid: App::template.yaml:1:1: invalid character 'R'", 0},
		"bad override":      {deploy("CREATE_UPDATE", "ParameterOverrides", `{"A": 1}`), fine, "", `the override of parameter "A" must be a string`, 0},
		"long template":     {deploy("CREATE_UPDATE"), strings.Repeat("#", 60_000), "", "", 0},
		"big artifact":      {deploy("CREATE_UPDATE"), fine, "", "", 0},
		"too long template": {deploy("CREATE_UPDATE"), strings.Repeat("#", 2<<20), "", "has 2097152 bytes, more than 1048576", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			files := map[string]string{"template.yaml": test.template}
			if name == "big artifact" { // of which only parts are read
				files["bulk"] = noise(6 << 20)
			}
			w.repos.push("c1", files)
			if test.before != "" {
				id := "arn:aws:cloudformation:us-east-1:000000000000:stack/site/0"
				name := "site"
				w.stacks.byName["site"] = &cftypes.Stack{StackId: &id, StackName: &name, StackStatus: test.before}
			}
			w.create(stage("Deploy", test.action))
			if test.fails == "" {
				w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
			} else {
				w.reaches(w.first(), types.PipelineExecutionStatusFailed)
				if got := *w.action("Deploy").LatestExecution.ErrorDetails.Message; !strings.Contains(got, test.fails) {
					t.Errorf("message: %s", got)
				}
			}
			if n := len(w.stacks.deleted); n != test.deleted {
				t.Errorf("%d stacks deleted", n)
			}
			if name == "long template" && !strings.HasSuffix(w.stacks.bodies["site"], ".template") {
				t.Errorf("the template did not go through the bucket: %.100s", w.stacks.bodies["site"])
			}
		})
	}
}

// noise is so many bytes that do not compress.
func noise(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b) //nolint:errcheck // never fails
	return string(b)
}
