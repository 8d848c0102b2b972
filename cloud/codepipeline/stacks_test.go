package codepipeline_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

const (
	regional = `
Parameters: {Env: {Type: String}, Version: {Type: String}, Bucket: {Type: String}}
Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Name: /regional, Type: String, Value: !Sub '${Env} ${Version} ${Bucket}'}}
Outputs: {Made: {Value: !GetAtt P.Value}}
`
	regionalConfig = `{"Parameters": {"Env": "dev", "Version": "0"}, "Tags": {"team": "web"},
		"StackPolicy": {"Statement": [{"Effect": "Deny", "Action": "Update:Delete", "Principal": "*", "Resource": "*"}]}}`
)

// An action in another region finds its input in that region's store, and what
// it makes is brought back for the next one.
func deploysAcrossRegions(t *testing.T, w *whole) {
	roleFor(t, iam.NewFromConfig(w.cloud.Config), "stack", "cloudformation.amazonaws.com")
	abroad := w.cloud.Config.Copy()
	abroad.Region = "eu-west-1"
	must[*s3.CreateBucketOutput](t)(s3.NewFromConfig(abroad, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String("abroad"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"},
	}))
	w.commit(map[string]string{"regional.yaml": regional, "dev.json": regionalConfig, "versions.json": `{"site": "7"}`})
	there := w.deploys("There", "CREATE_UPDATE", "regional", map[string]string{
		"TemplatePath": "App::regional.yaml", "TemplateConfiguration": "App::dev.json", "OutputFileName": "made.json",
		"ParameterOverrides": `{"Version": {"Fn::GetParam": ["App", "versions.json", "site"]}, "Bucket": {"Fn::GetArtifactAtt": ["App", "BucketName"]}}`,
	}, in("App"), out("Made"))
	there.Region = aws.String("eu-west-1")
	here := w.deploys("Here", "CREATE_UPDATE", "regional", map[string]string{
		"TemplatePath":       "App::regional.yaml",
		"ParameterOverrides": `{"Env": {"Fn::GetParam": ["Made", "made.json", "Made"]}, "Version": "8", "Bucket": {"Fn::GetArtifactAtt": ["Made", "BucketName"]}}`,
	}, in("App", "Made"))
	must[*api.DeletePipelineOutput](t)(w.client.DeletePipeline(t.Context(), &api.DeletePipelineInput{Name: aws.String("p")}))
	def := definition(stage("There", there), stage("Here", here))
	home := *def.ArtifactStore
	def.ArtifactStore, def.ArtifactStores = nil, map[string]types.ArtifactStore{"us-east-1": home, "eu-west-1": {Type: "S3", Location: aws.String("abroad")}}
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}))
	w.succeeds(w.first())

	stacks := cloudformation.NewFromConfig(abroad)
	name := aws.String("regional")
	made := must[*cloudformation.DescribeStacksOutput](t)(stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: name})).Stacks[0]
	if got := *made.Outputs[0].OutputValue; got != "dev 7 abroad" {
		t.Errorf("abroad: %q", got)
	}
	if len(made.Tags) != 1 || *made.Tags[0].Key != "team" || *made.Tags[0].Value != "web" {
		t.Errorf("tags %v", made.Tags)
	}
	policy := must[*cloudformation.GetStackPolicyOutput](t)(stacks.GetStackPolicy(t.Context(), &cloudformation.GetStackPolicyInput{StackName: name}))
	if aws.ToString(policy.StackPolicyBody) == "" {
		t.Error("the stack has no policy")
	}
	details := w.details()
	if got := *details["Here"].Output.ExecutionResult.ExternalExecutionId; got == *made.StackId {
		t.Error("both actions have deployed abroad")
	}
	if diff := cmp.Diff(map[string]string{"made.json": `{"Made":"dev 7 abroad"}`}, w.files("There", "Made")); diff != "" {
		t.Error(diff)
	}
	for action, bucket := range map[string]string{"There": "abroad", "Here": "artifacts"} {
		for _, a := range details[action].Input.InputArtifacts {
			if *a.S3location.Bucket != bucket {
				t.Errorf("%s found %s in %s", action, *a.Name, *a.S3location.Bucket)
			}
		}
	}
	local := must[*cloudformation.DescribeStacksOutput](t)(cloudformation.NewFromConfig(w.cloud.Config).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: name})).Stacks[0]
	if got := *local.Outputs[0].OutputValue; got != "dev 7 abroad 8 artifacts" {
		t.Errorf("at home: %q", got)
	}
}

// A stack is made, changed by a change set, and deleted.
func deploysInEveryMode(t *testing.T, w *whole) {
	w.commit(map[string]string{
		"first.yaml":  "Resources: {T: {Type: AWS::SNS::Topic}}",
		"second.yaml": "Resources: {T: {Type: AWS::SNS::Topic}, P: {Type: AWS::SSM::Parameter, Properties: {Name: /modes, Type: String, Value: x}}}\nOutputs: {Name: {Value: !Ref P}}",
	})
	execute := w.deploys("Execute", "CHANGE_SET_EXECUTE", "modes", map[string]string{"ChangeSetName": "next"})
	execute.Namespace = aws.String("Stack")
	w.succeeds(w.anew(
		stage("Make", w.deploys("Make", "REPLACE_ON_FAILURE", "modes", map[string]string{"TemplatePath": "App::first.yaml"}, in("App"))),
		stage("Change",
			w.deploys("Prepare", "CHANGE_SET_REPLACE", "modes", map[string]string{"TemplatePath": "App::second.yaml", "ChangeSetName": "next"}, in("App")),
			with(execute, order(2))),
		stage("Delete", w.deploys("Delete", "DELETE_ONLY", "modes", nil)),
	))
	if got := w.details()["Execute"].Output.OutputVariables["Name"]; got != "/modes" {
		t.Errorf("output %q", got)
	}
	if _, err := cloudformation.NewFromConfig(w.cloud.Config).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("modes")}); code(err) != "ValidationError" {
		t.Errorf("after its deletion: %v", err)
	}
}

// deploys is an action that does something with a stack.
func (w *whole) deploys(name, mode, stack string, more map[string]string, with ...func(*types.ActionDeclaration)) types.ActionDeclaration {
	configuration := map[string]string{"ActionMode": mode, "StackName": stack, "RoleArn": "arn:aws:iam::000000000000:role/stack"}
	for k, v := range more {
		configuration[k] = v
	}
	return act(name, "Deploy", "CloudFormation", configuration, with...)
}

func with(a types.ActionDeclaration, change func(*types.ActionDeclaration)) types.ActionDeclaration {
	change(&a)
	return a
}
