package codepipeline_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// lister is a function that asks to be called once more, and then makes a list
// of its input's files its output, with the credentials of the job.
const lister = `
import boto3, io, zipfile

def handler(event, context):
    job, pipelines = event["CodePipeline.job"], boto3.client("codepipeline")
    data = job["data"]
    parameters = data["actionConfiguration"]["configuration"]["UserParameters"]
    if parameters == "fail":
        pipelines.put_job_failure_result(jobId=job["id"], failureDetails={"type": "JobFailed", "message": "it was asked to"})
        return
    if not data["outputArtifacts"]:
        pipelines.put_job_success_result(jobId=job["id"])
        return
    if "continuationToken" not in data:
        pipelines.put_job_success_result(jobId=job["id"], continuationToken="half")
        return
    keys = data["artifactCredentials"]
    s3 = boto3.client("s3", aws_access_key_id=keys["accessKeyId"], aws_secret_access_key=keys["secretAccessKey"], aws_session_token=keys["sessionToken"])
    place = lambda a: {"Bucket": a["location"]["s3Location"]["bucketName"], "Key": a["location"]["s3Location"]["objectKey"]}
    names = zipfile.ZipFile(io.BytesIO(s3.get_object(**place(data["inputArtifacts"][0]))["Body"].read())).namelist()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as z:
        z.writestr("list.txt", " ".join(sorted(names)))
    s3.put_object(Body=made.getvalue(), **place(data["outputArtifacts"][0]))
    pipelines.put_job_success_result(jobId=job["id"], outputVariables={"Said": parameters + " " + data["continuationToken"]})
`

// A real function does an action's job by boto3.
func callsFunctions(t *testing.T, w *whole) {
	version, err := exec.CommandContext(t.Context(), "python3", "-c", "import boto3, sys; print('python%d.%d' % sys.version_info[:2], end='')").Output()
	if err != nil {
		if os.Getenv("OURO_REQUIRE_TOOLS") == "1" {
			t.Fatal("python3 with boto3 is not installed, and OURO_REQUIRE_TOOLS asks for it")
		}
		t.Skip("needs python3 with boto3")
	}
	w.commit(map[string]string{"one.txt": "1"})
	roleFor(t, iam.NewFromConfig(w.cloud.Config), "function", "lambda.amazonaws.com")
	must[*lambda.CreateFunctionOutput](t)(lambda.NewFromConfig(w.cloud.Config).CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("lister"), Runtime: lambdatypes.Runtime(version), Handler: aws.String("index.handler"), Timeout: aws.Int32(60),
		Role: aws.String("arn:aws:iam::000000000000:role/function"), Code: &lambdatypes.FunctionCode{ZipFile: zipped(map[string]string{"index.py": lister})},
	}))
	call := func(name, parameters string, with ...func(*types.ActionDeclaration)) types.ActionDeclaration {
		return act(name, "Invoke", "Lambda", map[string]string{"FunctionName": "lister", "UserParameters": parameters}, with...)
	}
	w.succeeds(w.anew(stage("Call", call("List", "#{SourceVariables.BranchName}", in("App"), out("List")))))
	d := w.details()["List"]
	if diff := cmp.Diff(map[string]string{"Said": "main half"}, d.Output.OutputVariables); diff != "" {
		t.Error(diff)
	}
	if files := w.files("List", "List"); len(files) != 1 || files["list.txt"] == "" {
		t.Errorf("the output artifact: %v", files)
	}
	w.reaches(w.anew(stage("Call", call("List", "fail"))), types.PipelineExecutionStatusFailed)
	if diff := cmp.Diff([]string{"List: it was asked to"}, w.failures()); diff != "" {
		t.Error(diff)
	}
	// A rule asks it, too.
	judged := func(parameters string) types.StageDeclaration {
		st := stage("Call", call("List", "main", in("App"), out("List")))
		st.BeforeEntry = &types.BeforeEntryConditions{Conditions: []types.Condition{{Result: types.ResultFail, Rules: []types.RuleDeclaration{{Name: aws.String("Asks"),
			RuleTypeId:    &types.RuleTypeId{Category: types.RuleCategoryRule, Provider: aws.String("LambdaInvoke")},
			Configuration: map[string]string{"FunctionName": "lister", "UserParameters": parameters}}}}}}
		return st
	}
	w.succeeds(w.anew(judged("pass")))
	w.reaches(w.anew(judged("fail")), types.PipelineExecutionStatusFailed)
	if _, ran := w.details()["List"]; ran {
		t.Error("the stage was entered against its rule")
	}
}
