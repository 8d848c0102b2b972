package codepipeline

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// GetPipelineExecution tells about one execution.
func (s *Service) GetPipelineExecution(ctx context.Context, in *codepipeline.GetPipelineExecutionInput) (*codepipeline.GetPipelineExecutionOutput, error) {
	p, err := s.find(ctx, in.PipelineName)
	if err != nil {
		return nil, err
	}
	e, err := s.read(ctx, p.Name, in.PipelineExecutionId)
	if err != nil {
		return nil, err
	}
	out := &types.PipelineExecution{
		PipelineName: aws.String(p.Name), PipelineVersion: aws.Int32(e.Version), PipelineExecutionId: aws.String(e.ID),
		Status: e.Status, StatusSummary: optional(e.Summary), ExecutionMode: e.Mode, ExecutionType: e.kind(),
		RollbackMetadata: e.rollbackMetadata(), Trigger: e.trigger(), ArtifactRevisions: []types.ArtifactRevision{},
	}
	for _, r := range e.newestRevisions() {
		out.ArtifactRevisions = append(out.ArtifactRevisions, types.ArtifactRevision{
			Name: aws.String(r.Artifact), RevisionId: aws.String(r.ID), RevisionSummary: optional(r.Summary),
			RevisionUrl: optional(r.URL), Created: aws.Time(r.Created),
		})
	}
	def, err := s.definitions.Get(ctx, door.CallerFrom(ctx).Scope(), definitionKey(p.Name, e.Version))
	if err != nil {
		return nil, err
	}
	for _, v := range def.Variables {
		out.Variables = append(out.Variables, types.ResolvedPipelineVariable{Name: v.Name, ResolvedValue: aws.String(e.Variables[aws.ToString(v.Name)])})
	}
	return &codepipeline.GetPipelineExecutionOutput{PipelineExecution: out}, nil
}

func (s *Service) read(ctx context.Context, pipeline string, id *string) (execution, error) {
	if err := checkExecutionID(id, "pipelineExecutionId"); err != nil {
		return execution{}, err
	}
	scope := door.CallerFrom(ctx).Scope()
	number, err := s.numbers.Get(ctx, scope, pipeline+"/"+aws.ToString(id))
	if errors.Is(err, store.ErrNotFound) {
		return execution{}, noExecution(pipeline, id)
	}
	if err != nil {
		return execution{}, err
	}
	return s.executions.Get(ctx, scope, executionKey(pipeline, number))
}

func (e *execution) trigger() *types.ExecutionTrigger {
	return &types.ExecutionTrigger{TriggerType: e.Trigger, TriggerDetail: optional(e.Detail)}
}

// newestRevisions are the revisions by action; a retried source action has
// found one for each time.
func (e *execution) newestRevisions() []revision {
	var newest []revision
	for _, r := range e.Revisions {
		newest = slices.DeleteFunc(newest, func(o revision) bool { return o.Action == r.Action })
		newest = append(newest, r)
	}
	return newest
}

// ListPipelineExecutions gives the executions of a pipeline, newest first.
func (s *Service) ListPipelineExecutions(ctx context.Context, in *codepipeline.ListPipelineExecutionsInput) (*codepipeline.ListPipelineExecutionsOutput, error) {
	page, err := newPage(in.MaxResults, in.NextToken, 100)
	if err != nil {
		return nil, err
	}
	p, err := s.find(ctx, in.PipelineName)
	if err != nil {
		return nil, err
	}
	stageName := ""
	if in.Filter != nil && in.Filter.SucceededInStage != nil {
		stageName = aws.ToString(in.Filter.SucceededInStage.StageName)
		if err := checkName(stageName, "filter.succeededInStage.stageName"); err != nil {
			return nil, err
		}
	}
	out := &codepipeline.ListPipelineExecutionsOutput{PipelineExecutionSummaries: []types.PipelineExecutionSummary{}}
	for {
		list, err := s.executions.List(ctx, door.CallerFrom(ctx).Scope(), page.query(p.Name+"/"))
		if err != nil {
			return nil, err
		}
		for _, entry := range list {
			if stageName != "" && (entry.Value.Version != p.Version || !slices.Contains(entry.Value.Succeeded, stageName)) {
				continue
			}
			if len(out.PipelineExecutionSummaries) == page.size {
				out.NextToken = tokenAfter(page.after)
				return out, nil
			}
			page.after = entry.ID
			out.PipelineExecutionSummaries = append(out.PipelineExecutionSummaries, entry.Value.summary())
		}
		if len(list) <= page.size {
			return out, nil
		}
		page.after = list[len(list)-1].ID
	}
}

func (e execution) summary() types.PipelineExecutionSummary {
	sum := types.PipelineExecutionSummary{
		PipelineExecutionId: aws.String(e.ID), Status: e.Status, StatusSummary: optional(e.Summary),
		StartTime: aws.Time(e.Started), LastUpdateTime: aws.Time(e.Updated), Trigger: e.trigger(),
		ExecutionMode: e.Mode, ExecutionType: e.kind(), RollbackMetadata: e.rollbackMetadata(),
	}
	if e.Stopped != "" {
		sum.StopTrigger = &types.StopExecutionTrigger{Reason: aws.String(e.Stopped)}
	}
	for _, r := range e.newestRevisions() {
		sum.SourceRevisions = append(sum.SourceRevisions, types.SourceRevision{
			ActionName: aws.String(r.Action), RevisionId: aws.String(r.ID), RevisionSummary: optional(r.Summary), RevisionUrl: optional(r.URL),
		})
	}
	return sum
}

// ListActionExecutions gives the executions of a pipeline's actions, newest
// first.
func (s *Service) ListActionExecutions(ctx context.Context, in *codepipeline.ListActionExecutionsInput) (*codepipeline.ListActionExecutionsOutput, error) {
	f := types.ActionExecutionFilter{}
	if in.Filter != nil {
		f = *in.Filter
	}
	list, token, err := s.history(ctx, historyQuery{
		pipeline: in.PipelineName, execution: f.PipelineExecutionId, latest: f.LatestInPipelineExecution,
		size: in.MaxResults, token: in.NextToken, is: func(a action) bool { return a.Condition == "" },
	})
	if err != nil {
		return nil, err
	}
	out := &codepipeline.ListActionExecutionsOutput{ActionExecutionDetails: []types.ActionExecutionDetail{}, NextToken: token}
	for _, a := range list {
		out.ActionExecutionDetails = append(out.ActionExecutionDetails, a.detail())
	}
	return out, nil
}

// historyQuery asks for executions of a pipeline's actions or rules.
type historyQuery struct {
	pipeline, execution *string // of the execution only, unless nil
	latest              *types.LatestInPipelineExecutionFilter
	size                *int32
	token               *string
	is                  func(action) bool // among actions and rules
}

// history gives a page of the executions of actions or rules, newest first, and
// the token of the next page.
func (s *Service) history(ctx context.Context, q historyQuery) ([]action, *string, error) {
	page, err := newPage(q.size, q.token, 100)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.find(ctx, q.pipeline)
	if err != nil {
		return nil, nil, err
	}
	prefix, latest, err := s.historyFilter(ctx, p.Name, q.execution, q.latest)
	if err != nil {
		return nil, nil, err
	}
	after := page.after
	if latest {
		page.after = "" // what was newest is told by all of the execution
	}
	list, err := s.newestActions(ctx, prefix, &page, q.is)
	if err != nil {
		return nil, nil, err
	}
	var out []action
	seen := map[string]bool{}
	for i, entry := range list {
		if len(out) == page.size {
			return out, tokenAfter(list[i-1].ID), nil
		}
		a := entry.Value
		name := a.Stage + "/" + string(a.Condition) + "/" + a.Name
		before := latest && after != "" && entry.ID >= after // keys fall from the newest on
		if !latest || !seen[name] && !before {
			out = append(out, a)
		}
		seen[name] = true
	}
	return out, nil, nil
}

// historyFilter gives the key prefix of the records asked for, and whether only
// the latest execution of each action or rule is.
func (s *Service) historyFilter(ctx context.Context, pipeline string, id *string, l *types.LatestInPipelineExecutionFilter) (prefix string, latest bool, err error) {
	if l != nil {
		id, latest = l.PipelineExecutionId, l.StartTimeRange != types.StartTimeRangeAll
	}
	if id == nil {
		return pipeline + "/", latest, nil
	}
	e, err := s.read(ctx, pipeline, id)
	if err != nil {
		return "", false, err
	}
	return executionKey(pipeline, e.Number) + "/", latest, nil
}

// newestActions reads the records from the page's place on, whole executions at
// a time, for within one the keys rise with time.
func (s *Service) newestActions(ctx context.Context, prefix string, page *page, is func(action) bool) ([]store.Entry[action], error) {
	scope := door.CallerFrom(ctx).Scope()
	execution := func(key string) string { return key[:strings.LastIndexByte(key, '/')+1] }
	q := store.Query{Prefix: prefix, Limit: 4 * page.size}
	if page.after != "" {
		q.After = execution(page.after) // all of the execution where the last page ended
	}
	var newest []store.Entry[action]
	for len(newest) <= page.size {
		list, err := s.actions.List(ctx, scope, q)
		if err != nil || len(list) == 0 {
			return newest, err
		}
		last := execution(list[len(list)-1].ID)
		rest, err := s.actions.List(ctx, scope, store.Query{Prefix: last, After: list[len(list)-1].ID})
		if err != nil {
			return nil, err
		}
		list = append(list, rest...)
		q.After = list[len(list)-1].ID
		slices.SortStableFunc(list, func(a, b store.Entry[action]) int {
			if c := strings.Compare(execution(a.ID), execution(b.ID)); c != 0 {
				return c
			}
			return strings.Compare(b.ID, a.ID)
		})
		newest = append(newest, slices.DeleteFunc(list, func(e store.Entry[action]) bool { return !is(e.Value) })...)
		if i := slices.IndexFunc(newest, func(e store.Entry[action]) bool { return e.ID == page.after }); i >= 0 {
			newest = newest[i+1:]
		}
	}
	return newest, nil
}

func (a action) detail() types.ActionExecutionDetail {
	d := a.Declaration
	detail := types.ActionExecutionDetail{
		ActionExecutionId: aws.String(a.ID), ActionName: aws.String(a.Name), StageName: aws.String(a.Stage),
		PipelineExecutionId: aws.String(a.Execution), PipelineVersion: aws.Int32(a.Version), Status: a.Status,
		StartTime: aws.Time(a.Started), LastUpdateTime: aws.Time(a.Updated), UpdatedBy: optional(a.UpdatedBy),
		Input: &types.ActionExecutionInput{
			ActionTypeId: d.ActionTypeId, Configuration: maskedConfiguration(d.ActionTypeId, d.Configuration),
			ResolvedConfiguration: maskedConfiguration(d.ActionTypeId, a.Resolved),
			Namespace:             d.Namespace, Region: d.Region, RoleArn: d.RoleArn, InputArtifacts: details(a.Inputs),
		},
		Output: &types.ActionExecutionOutput{
			OutputVariables: a.Variables, OutputArtifacts: []types.ArtifactDetail{},
			ExecutionResult: &types.ActionExecutionResult{
				ExternalExecutionId: optional(a.ExternalID), ExternalExecutionUrl: optional(a.ExternalURL),
				ExternalExecutionSummary: optional(a.Summary), ErrorDetails: a.errorDetails(), LogStreamARN: optional(a.LogStream),
			},
		},
	}
	if a.Status == types.ActionExecutionStatusSucceeded {
		detail.Output.OutputArtifacts = details(a.Outputs)
	}
	return detail
}

func details(list []artifact) []types.ArtifactDetail {
	out := []types.ArtifactDetail{}
	for _, a := range list {
		out = append(out, types.ArtifactDetail{Name: aws.String(a.Name), S3location: &types.S3Location{Bucket: aws.String(a.Bucket), Key: aws.String(a.Key)}})
	}
	return out
}
