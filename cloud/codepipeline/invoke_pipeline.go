package codepipeline

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// pipelineInvoke starts another pipeline and waits for the end of its
// execution.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-PipelineInvoke.html
type pipelineInvoke struct{}

// executionPause is the longest between two looks at an execution.
const executionPause = time.Second

func (pipelineInvoke) run(ctx context.Context, j *job) (*outcome, error) {
	client := codepipeline.NewFromConfig(j.as)
	name := j.config["PipelineName"]
	if j.record.ExternalID == "" {
		in := &codepipeline.StartPipelineExecutionInput{Name: &name, ClientRequestToken: &j.record.ID}
		if err := j.list("SourceRevisions", &in.SourceRevisions); err != nil {
			return nil, err
		}
		if err := j.list("Variables", &in.Variables); err != nil {
			return nil, err
		}
		out, err := client.StartPipelineExecution(ctx, in)
		if err != nil {
			return nil, err
		}
		id := aws.ToString(out.PipelineExecutionId)
		if err := j.started(ctx, id, consoleURL(j.caller.Region, "codesuite/codepipeline/pipelines/"+name+"/executions/"+id+"/timeline?region="+j.caller.Region)); err != nil {
			return nil, err
		}
	}
	for since := time.Now(); ; {
		out, err := client.GetPipelineExecution(ctx, &codepipeline.GetPipelineExecutionInput{PipelineName: &name, PipelineExecutionId: &j.record.ExternalID})
		if err != nil {
			return nil, err
		}
		switch status := out.PipelineExecution.Status; status {
		case types.PipelineExecutionStatusSucceeded:
			return &outcome{summary: "Pipeline " + name + " succeeded"}, nil
		case types.PipelineExecutionStatusInProgress, types.PipelineExecutionStatusStopping:
		default:
			return nil, failed(types.FailureTypeJobFailed, "The execution %s of pipeline %s ended with status %s", j.record.ExternalID, name, status)
		}
		if err := pause(ctx, since, executionPause); err != nil {
			return nil, err
		}
	}
}

// list reads a configuration that is a JSON list.
func (j *job) list(name string, into any) error {
	text := j.config[name]
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return failed(types.FailureTypeConfigurationError, "the configuration of action %q is not valid: %s", j.record.Name, jsonProblem(name, []byte(text), err))
	}
	return nil
}
