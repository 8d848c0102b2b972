package codepipeline_test

import (
	"flag"
	"reflect"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/codepipeline"

	"ouro/cloud/cloudtest"
	"ouro/cloud/codepipeline"
)

var update = flag.Bool("update", false, "write the page anew")

// limited is what operations do not do that AWS's do.
var limited = map[string]string{
	"GetActionType":                 "action types of partners that job workers or functions do: Snyk's, and what UpdateActionType has made of it",
	"UpdateActionType":              "as GetActionType; the account is partner and customer at once, so permissions, polling accounts and policy templates are kept and not enforced",
	"PollForThirdPartyJobs":         "jobs of the caller's own account, which is partner and customer at once",
	"ListActionTypes":               "AWS's kinds, whether they run here or not, and the account's own; properties have no descriptions",
	"RegisterWebhookWithThirdParty": "tells the repository that the local cloud hosts; a repository of GitHub's own cannot reach a loopback address",
}

// actionsDo is what actions and rules do here, by category and provider.
var actionsDo = map[string]string{
	"Source CodeCommit":                   "takes the branch's tip of a repository of the local cloud, as a zip or as a reference to clone",
	"Source S3":                           "takes the object's newest version",
	"Source CodeStarSourceConnection":     "takes the tip of a repository that is hosted behind the connection",
	"Source ECR":                          "takes the image that the tag stands for, or the digest that it was started with, and tells of it in imageDetail.json; as on AWS, a rule of EventBridge starts the pipeline: [ecr.md](ecr.md)",
	"Source GitHub":                       "takes what the local cloud hosts as OWNER/REPO behind a connection, else asks GitHub with the token",
	"Build CodeBuild":                     "runs a build or a batch of builds, combined or with an artifact for each",
	"Test CodeBuild":                      "as Build CodeBuild",
	"Deploy CloudFormation":               "every ActionMode, on the local cloud's stacks",
	"Deploy CloudFormationStackSet":       "makes or updates a self-managed stack set and its instances",
	"Deploy CloudFormationStackInstances": "makes the instances that are missing and updates the others",
	"Deploy CodeDeploy":                   "has CodeDeploy deploy the artifact: [codedeploy.md](codedeploy.md)",
	"Deploy CodeDeployToECS":              "records the task definition and has CodeDeploy move the recorded service to it: [codedeploy.md](codedeploy.md)",
	"Deploy S3":                           "puts the files, or the zip, into the bucket, with ACL, cache control and KMS key",
	"Deploy ECS":                          "records a revision of the task definition and gives it to the recorded service; no tasks run",
	"Invoke Lambda":                       "calls the function with a job, again for each continuation token",
	"Invoke CodePipeline":                 "runs another pipeline and waits for its end",
	"Invoke Snyk":                         "waits for a job worker (PollForThirdPartyJobs) or calls the function that UpdateActionType names",
	"Approval Manual":                     "tells the topic and waits for PutApprovalResult",
	"Compute Commands":                    "runs the commands in a build as the pipeline's role; its project, AWSCodePipeline-NAME, goes with the pipeline",
	"Rule CloudWatchAlarm":                "holds when the alarm is in none of `AlarmStates` (without them ALARM), and waits for it for `WaitTime`",
	"Rule CodeBuild":                      "as the action",
	"Rule Commands":                       "as the action",
	"Rule DeploymentWindow":               "holds within the times of the cron expression, and waits for them, for an hour or the timeout of the rule",
	"Rule LambdaInvoke":                   "as the action Lambda",
	"Rule VariableCheck":                  "compares a variable",
}

// TestPage keeps docs/codepipeline.md true to the operations, the actions and
// the rules that are there.
func TestPage(t *testing.T) {
	t.Parallel()
	rows := cloudtest.Operations(t, reflect.TypeFor[*codepipeline.Service](), reflect.TypeFor[*sdk.Client](), map[string]map[string]string{"limited": limited})
	cloudtest.Page(t, "../../docs/codepipeline.md", docsIntroduction+actionRows(t)+docsOperations+rows, *update)
}

func actionRows(t *testing.T) string {
	var b strings.Builder
	told := 0
	for _, k := range codepipeline.Kinds() {
		does, ok := actionsDo[k.Category+" "+k.Provider]
		switch {
		case ok != k.Runs:
			t.Errorf("%s %s runs: %v, and the page says so: %v", k.Category, k.Provider, k.Runs, ok)
		case !ok:
			does = "does not run"
		default:
			told++
		}
		b.WriteString("| " + k.Category + " | " + k.Owner + " | `" + k.Provider + "` | " + does + " |\n")
	}
	if told != len(actionsDo) {
		t.Errorf("%d of %d sentences are about actions and rules that are there", told, len(actionsDo))
	}
	return b.String()
}

const docsIntroduction = `# CodePipeline on the local cloud

Pipelines of both types run as on AWS: every execution mode, triggers with filters, conditions with rules, retries and rollbacks, webhooks, custom actions.
Their actions call the other services of the local cloud with the pipeline's role, or the action's.

` + "`go test ./cloud/codepipeline -run TestPage -update`" + ` writes this page.

## What is worth knowing

- *Kills lose nothing.* Whatever was answered goes on after the next start: a build that has ended meanwhile is found, an approval keeps its token, a job
  its nonce. An action that starts something elsewhere does so once, by a token of the other service, or, where there is none (CodeDeploy), by a mark by
  which it finds what it has started. Only a Lambda function may be called twice, with the same job.
- *Custom actions* are done by workers that poll, as on AWS: ` + "`aws codepipeline poll-for-jobs`" + `, ` + "`acknowledge-job`" + `, ` + "`put-job-success-result`" + `. A job that was
  given out and not acknowledged is given out again after a minute. Secrets of its configuration are sealed in the state, masked in every answer, and in
  the clear for the worker alone.
- *Artifacts of batches* that are not combined go to the output artifacts that are called as the builds are: ` + "`IDENTIFIER`" + ` is the primary artifact of that
  build, ` + "`IDENTIFIER_SECONDARY`" + ` a secondary one.
- *An action in another region* finds its input artifacts in that region's store, where they are copied first; ` + "`TimeoutInMinutes`" + ` is for approvals alone.
- *The stack policy* of a template configuration goes with CREATE_UPDATE and REPLACE_ON_FAILURE. Change sets have none.
- *ECS runs no tasks here.* A deployment is done when the recorded service has its new task definition, so DeploymentTimeout is checked and never reached.
- *An action whose service the cloud does not have* fails with ConfigurationError and ` + "`the local cloud has no SERVICE, which this action needs`" + `.

## Actions and rules

Actions that do not run can be declared; they fail with ` + "`actions of category CATEGORY with provider PROVIDER do not run on the local cloud`" + `.

| category | owner | provider | here |
|---|---|---|---|
`

const docsOperations = `| any | Custom | CreateCustomActionType's | waits for a job worker |

## Operations

| operation | |
|---|---|
`
