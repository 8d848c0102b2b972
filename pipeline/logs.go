package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
)

// LogQuery chooses what Logs tells.
type LogQuery struct {
	Execution     string    // empty: the newest
	Stage, Action string    // empty: all
	Since         time.Time // of the lines; zero: all
	Follow        bool      // to the end of the execution
}

// Wants tells whether the query chooses an action.
func (q LogQuery) Wants(a Action) bool {
	return (q.Stage == "" || a.Stage == q.Stage) && (q.Action == "" || a.Name == q.Action)
}

// Logs tells obs the lines that the builds of an execution log, and its
// actions as they begin and end, in that order; what there is now, or, if the
// query says so, until the execution has ended. Memory is a page of a log.
func Logs(ctx context.Context, c *Clients, pipeline string, q LogQuery, obs Observer) (*Outcome, error) {
	id := q.Execution
	if id == "" {
		var err error
		if id, err = newest(ctx, c, pipeline); err != nil {
			return nil, err
		}
		if id == "" {
			return nil, fmt.Errorf("pipeline %q has not run yet", pipeline)
		}
	}
	f := newFollower(c, pipeline, id, obs)
	f.since = q.Since
	f.wants = q.Wants
	if q.Follow {
		return f.follow(ctx)
	}
	obs.Execution(pipeline, id)
	out, _, err := f.once(ctx)
	return out, err
}

// buildLog is how far a build's log has been read.
type buildLog struct {
	api                  *cloudwatchlogs.Client
	group, stream, token string
}

// readLog tells the log lines of the action's build that are new.
func (f *follower) readLog(ctx context.Context, a Action) (news bool, err error) {
	if a.BuildID == "" {
		return false, nil
	}
	log := f.logs[a.BuildID]
	if log == nil {
		if log, err = findLog(ctx, f.c.in(a.Region), a.BuildID); err != nil || log == nil {
			return false, err
		}
		f.logs[a.BuildID] = log
	}
	for {
		in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: &log.group, LogStreamName: &log.stream, StartFromHead: aws.Bool(true)}
		if log.token != "" {
			in.NextToken = &log.token
		}
		if !f.since.IsZero() {
			in.StartTime = aws.Int64(f.since.UnixMilli())
		}
		out, err := log.api.GetLogEvents(ctx, in)
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
		news = news || len(out.Events) > 0
		// A page can be empty before the end; there the token stays the same
		// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html).
		at := aws.ToString(out.NextForwardToken)
		if at == log.token || at == "" {
			return news, nil
		}
		log.token = at
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
	return &buildLog{api: c.Logs, group: *l.GroupName, stream: *l.StreamName}, nil
}

// failedPhase tells whether a line ends what a build logged of a phase that
// failed. Later phases may follow, and are not why.
func failedPhase(line string) bool {
	return strings.HasPrefix(line, "[Container] ") && strings.Contains(line, " Phase complete: ") && strings.HasSuffix(line, " State: FAILED")
}

// tailSearched is how many of a log's last lines a failed phase is looked for in.
const tailSearched = 500

// LogTail is the last lines of what the action's build logged, up to the first
// phase that failed; none of another action.
func LogTail(ctx context.Context, c *Clients, a Action, lines int) ([]string, error) {
	if a.BuildID == "" {
		return nil, nil
	}
	log, err := findLog(ctx, c.in(a.Region), a.BuildID)
	if err != nil || log == nil {
		return nil, err
	}
	out, err := log.api.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: &log.group, LogStreamName: &log.stream, Limit: aws.Int32(tailSearched)})
	if err != nil {
		return nil, fmt.Errorf("reading the log of build %q: %w", a.BuildID, err)
	}
	tail := make([]string, len(out.Events))
	for i, e := range out.Events {
		tail[i] = strings.TrimRight(aws.ToString(e.Message), "\r\n")
	}
	if i := slices.IndexFunc(tail, failedPhase); i >= 0 {
		tail = tail[:min(i+2, len(tail))] // with what it says of the failure
	}
	return tail[max(0, len(tail)-lines):], nil
}

// Declared are the actions of a pipeline as it is defined now.
func Declared(ctx context.Context, c *Clients, pipeline string) ([]Action, error) {
	out, err := c.Pipelines.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &pipeline})
	if err != nil {
		return nil, fmt.Errorf("reading pipeline %q: %w", pipeline, err)
	}
	var list []Action
	for _, s := range out.Pipeline.Stages {
		for _, a := range s.Actions {
			declared := Action{Stage: aws.ToString(s.Name), Name: aws.ToString(a.Name)}
			if a.ActionTypeId != nil {
				declared.Provider = aws.ToString(a.ActionTypeId.Provider)
			}
			list = append(list, declared)
		}
	}
	return list, nil
}
