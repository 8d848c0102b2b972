package pipeline

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/stack"
)

// Action is one run of a pipeline's action.
type Action struct {
	ID, Stage, Name, Provider string
	Region                    string // where it acts; empty for the pipeline's own
	Status                    types.ActionExecutionStatus
	Started, Updated          time.Time
	StackName                 string // of CloudFormation actions
	BuildID                   string // of CodeBuild actions
	URL                       string // to look at it; may be empty
	Summary                   string // of the source revision, or what came of the action
	Reason                    string // why it failed
	// Failures are the events of the resources that failed, if it failed and
	// is a CloudFormation action; a follower fills them in.
	Failures []stack.Failure
}

// Outcome is how an execution ended.
type Outcome struct {
	ID      string
	Status  types.PipelineExecutionStatus
	Version int32 // of the pipeline's definition
	Actions []Action
}

// Failed is the first action that failed, or nil. What was retried counts as
// it went the last time.
func (o *Outcome) Failed() *Action {
	for i := range o.Actions {
		a := &o.Actions[i]
		again := func(b Action) bool { return b.Stage == a.Stage && b.Name == a.Name }
		if a.Status == types.ActionExecutionStatusFailed && !slices.ContainsFunc(o.Actions[i+1:], again) {
			return a
		}
	}
	return nil
}

// Waiting are the approvals that the execution waits for.
func (o *Outcome) Waiting() []Action {
	var list []Action
	for _, a := range o.Actions {
		if a.waits() {
			list = append(list, a)
		}
	}
	return list
}

// waits tells whether the action is an approval that nobody has decided yet.
func (a Action) waits() bool {
	return a.Provider == "Manual" && a.Status == types.ActionExecutionStatusInProgress
}

// actionExecutions are the runs of actions in one execution, oldest first.
func actionExecutions(ctx context.Context, c *Clients, pipeline, id string) ([]types.ActionExecutionDetail, error) {
	pages := codepipeline.NewListActionExecutionsPaginator(c.Pipelines, &codepipeline.ListActionExecutionsInput{
		PipelineName: &pipeline, Filter: &types.ActionExecutionFilter{PipelineExecutionId: &id},
	})
	var all []types.ActionExecutionDetail
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.ActionExecutionDetails...)
	}
	slices.Reverse(all) // they come newest first
	return all, nil
}

func newAction(d types.ActionExecutionDetail) Action {
	a := Action{
		ID: aws.ToString(d.ActionExecutionId), Stage: aws.ToString(d.StageName), Name: aws.ToString(d.ActionName),
		Status: d.Status, Started: aws.ToTime(d.StartTime), Updated: aws.ToTime(d.LastUpdateTime),
	}
	if in := d.Input; in != nil {
		if in.ActionTypeId != nil {
			a.Provider = aws.ToString(in.ActionTypeId.Provider)
		}
		a.Region = aws.ToString(in.Region)
		a.StackName = in.ResolvedConfiguration["StackName"]
		if a.StackName == "" {
			a.StackName = in.Configuration["StackName"]
		}
	}
	if d.Output == nil || d.Output.ExecutionResult == nil {
		return a
	}
	r := d.Output.ExecutionResult
	a.URL, a.Summary = aws.ToString(r.ExternalExecutionUrl), aws.ToString(r.ExternalExecutionSummary)
	if a.Provider == "CodeBuild" {
		a.BuildID = aws.ToString(r.ExternalExecutionId)
	}
	if r.ErrorDetails != nil {
		a.Reason = aws.ToString(r.ErrorDetails.Message)
	}
	if a.Status == types.ActionExecutionStatusFailed {
		a.Reason = reasonOf(a.Reason, a.Summary)
	}
	return a
}
