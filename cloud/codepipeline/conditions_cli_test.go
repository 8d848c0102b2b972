package codepipeline_test

import (
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// The AWS CLI sees a stage through: its condition, the override, the histories,
// a rollback.
func TestConditionsByCommandLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(w.door)
	defer server.Close()
	told := commandLine(t, &server.URL)
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
