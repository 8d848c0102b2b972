package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/stack"
)

// Observer is told what happens, in the order it happened.
type Observer interface {
	// Step tells what is being done by Up or Down itself.
	Step(text string)
	// StackEvent tells an event of a stack that Up or Down changes.
	StackEvent(e cfntypes.StackEvent)
	// Execution tells that an execution is followed from now on.
	Execution(pipeline, id string)
	// Action tells that an action started, or ended.
	Action(a Action)
	// Log tells a line of a build's log.
	Log(a Action, line string)
}

// Action is one run of a pipeline's action.
type Action struct {
	ID, Stage, Name, Provider string
	Status                    types.ActionExecutionStatus
	Started, Updated          time.Time
	StackName                 string // of CloudFormation actions
	BuildID                   string // of CodeBuild actions
	URL                       string // to look at it; may be empty
	Summary                   string // of the source revision, or what came of the action
	Reason                    string // why it failed
}

// Outcome is how an execution ended.
type Outcome struct {
	ID      string
	Status  types.PipelineExecutionStatus
	Version int32 // of the pipeline's definition
	Actions []Action
}

// Failed is the first action that failed, or nil.
func (o *Outcome) Failed() *Action {
	for i := range o.Actions {
		if o.Actions[i].Status == types.ActionExecutionStatusFailed {
			return &o.Actions[i]
		}
	}
	return nil
}

// follower follows one execution.
type follower struct {
	c        *Clients
	pipeline string
	id       string
	obs      Observer
	actions  []Action
	logs     map[string]*buildLog                   // by build id
	told     map[string]types.ActionExecutionStatus // by action execution id
}

// Follow tells obs what an execution does until it has ended.
func Follow(ctx context.Context, c *Clients, pipeline, id string, obs Observer) (*Outcome, error) {
	f := &follower{c: c, pipeline: pipeline, id: id, obs: obs, logs: map[string]*buildLog{}, told: map[string]types.ActionExecutionStatus{}}
	obs.Execution(pipeline, id)
	poll := stack.NewPoll()
	for {
		out, err := c.Pipelines.GetPipelineExecution(ctx, &codepipeline.GetPipelineExecutionInput{PipelineName: &pipeline, PipelineExecutionId: &id})
		if err != nil {
			return nil, fmt.Errorf("following execution %s of pipeline %q: %w", id, pipeline, err)
		}
		// The status is read before the actions, so that none of them is
		// missing once it says that the execution has ended.
		news, err := f.look(ctx)
		if err != nil {
			return nil, fmt.Errorf("following execution %s of pipeline %q: %w", id, pipeline, err)
		}
		e := out.PipelineExecution
		if Ended(e.Status) {
			return &Outcome{ID: id, Status: e.Status, Version: aws.ToInt32(e.PipelineVersion), Actions: f.actions}, nil
		}
		if err := poll.Wait(ctx, news); err != nil {
			return nil, err
		}
	}
}

// Ended tells whether an execution with that status will not go on by itself.
func Ended(s types.PipelineExecutionStatus) bool {
	return s != types.PipelineExecutionStatusInProgress && s != types.PipelineExecutionStatusStopping
}

// look tells what is new.
func (f *follower) look(ctx context.Context) (news bool, err error) {
	details, err := actionExecutions(ctx, f.c, f.pipeline, f.id)
	if err != nil {
		return false, err
	}
	f.actions = f.actions[:0]
	for _, d := range details {
		a := newAction(d)
		f.actions = append(f.actions, a)
		told, known := f.told[a.ID]
		if known && told != types.ActionExecutionStatusInProgress {
			continue
		}
		if !known {
			started := a
			started.Status, started.Reason, started.Summary = types.ActionExecutionStatusInProgress, "", ""
			f.obs.Action(started)
		}
		more, err := f.readLog(ctx, a)
		if err != nil {
			return news, err
		}
		if a.Status != types.ActionExecutionStatusInProgress {
			f.obs.Action(a)
		}
		news = news || more || !known || told != a.Status
		f.told[a.ID] = a.Status
	}
	return news, nil
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
	if a.Reason == "" && a.Status == types.ActionExecutionStatusFailed {
		a.Reason = a.Summary
	}
	return a
}

// buildLog is how far a build's log has been read.
type buildLog struct{ group, stream, token string }

// readLog tells the log lines of the action's build that are new.
func (f *follower) readLog(ctx context.Context, a Action) (news bool, err error) {
	if a.BuildID == "" {
		return false, nil
	}
	log := f.logs[a.BuildID]
	if log == nil {
		if log, err = findLog(ctx, f.c, a.BuildID); err != nil || log == nil {
			return false, err
		}
		f.logs[a.BuildID] = log
	}
	for {
		in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: &log.group, LogStreamName: &log.stream, StartFromHead: aws.Bool(true)}
		if log.token != "" {
			in.NextToken = &log.token
		}
		out, err := f.c.Logs.GetLogEvents(ctx, in)
		if missing := (*logstypes.ResourceNotFoundException)(nil); errors.As(err, &missing) {
			return news, nil // not written to yet
		}
		if err != nil {
			return news, fmt.Errorf("reading the log of build %q: %w", a.BuildID, err)
		}
		for _, e := range out.Events {
			for line := range strings.Lines(aws.ToString(e.Message)) {
				f.obs.Log(a, strings.TrimRight(line, "\r\n"))
			}
		}
		log.token = aws.ToString(out.NextForwardToken)
		if len(out.Events) == 0 {
			return news, nil
		}
		news = true
	}
}

// findLog is where a build's log is; nil as long as it has none.
func findLog(ctx context.Context, c *Clients, buildID string) (*buildLog, error) {
	out, err := c.Builds.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{buildID}})
	if err != nil {
		return nil, fmt.Errorf("looking for the log of build %q: %w", buildID, err)
	}
	if len(out.Builds) == 0 || out.Builds[0].Logs == nil {
		return nil, nil
	}
	l := out.Builds[0].Logs
	if aws.ToString(l.GroupName) == "" || aws.ToString(l.StreamName) == "" {
		return nil, nil
	}
	return &buildLog{group: *l.GroupName, stream: *l.StreamName}, nil
}

// LogTail is the last lines of a build's log.
func LogTail(ctx context.Context, c *Clients, buildID string, lines int32) ([]string, error) {
	log, err := findLog(ctx, c, buildID)
	if err != nil || log == nil {
		return nil, err
	}
	out, err := c.Logs.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: &log.group, LogStreamName: &log.stream, Limit: &lines})
	if err != nil {
		return nil, fmt.Errorf("reading the log of build %q: %w", buildID, err)
	}
	tail := make([]string, len(out.Events))
	for i, e := range out.Events {
		tail[i] = strings.TrimRight(aws.ToString(e.Message), "\r\n")
	}
	return tail, nil
}
