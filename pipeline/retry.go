package pipeline

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// Retryable tells whether Retry can run the stage again: its last execution
// failed in it, or was stopped there.
func (s StageStatus) Retryable() bool {
	return s.Status == types.StageExecutionStatusFailed || s.Status == types.StageExecutionStatusStopped
}

// Retry runs a failed stage again, with the revisions that it failed with: the
// actions that failed, or all of them. It tells obs what comes of it, to the end
// of the execution or to the next approval.
func Retry(ctx context.Context, c *Clients, pipeline string, s StageStatus, all bool, obs Observer) (*Outcome, error) {
	mode := types.StageRetryModeFailedActions
	if all {
		mode = types.StageRetryModeAllActions
	}
	return onward(ctx, c, pipeline, s.Execution, obs, func() error {
		_, err := c.Pipelines.RetryStageExecution(ctx, &codepipeline.RetryStageExecutionInput{
			PipelineName: &pipeline, PipelineExecutionId: &s.Execution, StageName: &s.Name, RetryMode: mode,
		})
		if err != nil {
			return fmt.Errorf("retrying stage %q of pipeline %q: %w", s.Name, pipeline, err)
		}
		return nil
	})
}
