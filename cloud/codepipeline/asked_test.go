package codepipeline_test

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// worker does jobs as their UserParameters say. It calls the API by hand, since
// not every Python has an SDK.
const worker = `import json, os, urllib.request

def call(operation, **members):
    region = os.environ["AWS_REGION"]
    scope = "%s/20260101/%s/codepipeline/aws4_request" % (os.environ["AWS_ACCESS_KEY_ID"], region)
    urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(members).encode(), {
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "CodePipeline_20150709." + operation, "X-Amz-Security-Token": os.environ["AWS_SESSION_TOKEN"],
        "Authorization": "AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=host, Signature=0" % scope}))

def handler(event, context):
    job = event["CodePipeline.job"]
    how = job["data"]["actionConfiguration"]["configuration"].get("UserParameters")
    if how == "fail":
        call("PutJobFailureResult", jobId=job["id"], failureDetails={"type": "JobFailed", "message": "it rained"})
    elif how == "twice" and "continuationToken" not in job["data"]:
        call("PutJobSuccessResult", jobId=job["id"], continuationToken="more")
    else:
        call("PutJobSuccessResult", jobId=job["id"], outputVariables={"Said": "hello " + job["data"].get("continuationToken", "")})
`

// A function is asked by a rule whether a stage may be entered.
func asksFunctions(t *testing.T, w *whole) {
	if _, err := exec.LookPath("python3"); err != nil && os.Getenv("OURO_REQUIRE_TOOLS") == "" {
		t.Skip("python3 is not installed")
	}
	roleFor(t, iam.NewFromConfig(w.cloud.Config), "function", "lambda.amazonaws.com")
	var code bytes.Buffer
	z := zip.NewWriter(&code)
	file, err := z.Create("app.py")
	if err == nil {
		_, err = file.Write([]byte(worker))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	must[*lambda.CreateFunctionOutput](t)(lambda.NewFromConfig(w.cloud.Config).CreateFunction(t.Context(), &lambda.CreateFunctionInput{FunctionName: aws.String("worker"), Role: aws.String("arn:aws:iam::000000000000:role/function"),
		Runtime: lambdatypes.RuntimePython312, Handler: aws.String("app.handler"), Timeout: aws.Int32(60), Code: &lambdatypes.FunctionCode{ZipFile: code.Bytes()}}))
	call := func(name, how string) types.ActionDeclaration {
		a := act(name, "Invoke", "Lambda", map[string]string{"FunctionName": "worker", "UserParameters": how}, in("App"))
		a.Namespace = &name
		return a
	}
	judged := func(how string) types.StageDeclaration {
		st := stage("Call", call("Twice", "twice"))
		st.BeforeEntry = &types.BeforeEntryConditions{Conditions: []types.Condition{{Result: types.ResultFail, Rules: []types.RuleDeclaration{{Name: aws.String("Asks"),
			RuleTypeId: &types.RuleTypeId{Category: types.RuleCategoryRule, Provider: aws.String("LambdaInvoke")}, Configuration: map[string]string{"FunctionName": "worker", "UserParameters": how}}}}}}
		return st
	}
	w.succeeds(w.anew(judged("once")))
	if said := w.details()["Twice"].Output.OutputVariables["Said"]; said != "hello more" {
		t.Errorf("the function said %q", said)
	}
	w.reaches(w.anew(judged("fail")), types.PipelineExecutionStatusFailed)
	if _, ran := w.details()["Twice"]; ran {
		t.Error("the stage was entered")
	}
}
