package codepipeline_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// The AWS CLI sees a stage through: its condition, the override, the histories,
// a rollback.
func TestConditionsByCommandLine(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("aws")
	if err == nil {
		err = exec.CommandContext(t.Context(), program, "--version").Run()
	}
	if err != nil {
		if os.Getenv("OURO_REQUIRE_TOOLS") == "1" {
			t.Fatalf("the AWS CLI is not installed, and OURO_REQUIRE_TOOLS asks for it: %v", err)
		}
		t.Skip("the AWS CLI is not installed")
	}
	w := newWorld(t)
	server := httptest.NewServer(w.door)
	defer server.Close()
	told := func(want string, arguments ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, append([]string{"codepipeline"}, arguments...)...)
		cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+server.URL, "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=000000000000", "AWS_SECRET_ACCESS_KEY=test",
			"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_PAGER=", "AWS_DEFAULT_OUTPUT=text")
		out, err := cmd.CombinedOutput()
		if text := strings.Join(strings.Fields(string(out)), " "); err != nil || text != want && want != "" {
			t.Errorf("aws codepipeline %s: %v\n%s", strings.Join(arguments, " "), err, text)
		}
		return strings.TrimSpace(string(out))
	}
	gated := stage("Build", build("B", "quick"))
	gated.BeforeEntry = &types.BeforeEntryConditions{Conditions: on(types.ResultFail, envIs("prod"))}
	w.createV2("", gated)
	id := w.first()
	w.reaches(id, types.PipelineExecutionStatusFailed)
	told("Failed Env Failed", "get-pipeline-state", "--name", "p", "--query",
		"stageStates[1].beforeEntryConditionState.[latestExecution.status, conditionStates[0].ruleStates[0].ruleName, conditionStates[0].ruleStates[0].latestExecution.status]")
	told("", "override-stage-condition", "--pipeline-name", "p", "--stage-name", "Build", "--pipeline-execution-id", id, "--condition-type", "BEFORE_ENTRY")
	w.reaches(id, types.PipelineExecutionStatusSucceeded)
	told("Env VariableCheck dev", "list-rule-executions", "--pipeline-name", "p", "--filter", "pipelineExecutionId="+id, "--query",
		"ruleExecutionDetails[0].[ruleName, input.ruleTypeId.provider, input.resolvedConfiguration.Variable]")
	back := told("", "rollback-stage", "--pipeline-name", "p", "--stage-name", "Build", "--target-pipeline-execution-id", id, "--query", "pipelineExecutionId")
	w.reaches(back, types.PipelineExecutionStatusSucceeded)
	told("ROLLBACK ManualRollback "+id, "list-pipeline-executions", "--pipeline-name", "p", "--filter", "succeededInStage={stageName=Build}", "--query",
		"pipelineExecutionSummaries[0].[executionType, trigger.triggerType, rollbackMetadata.rollbackTargetPipelineExecutionId]")
}
