package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/stack"
)

// StackRef names a stack.
type StackRef struct {
	Name   string
	Region string // empty for the pipeline's own
}

func (r StackRef) String() string {
	if r.Region == "" {
		return r.Name
	}
	return r.Name + " in " + r.Region
}

// Stack is a stack as it stands.
type Stack struct {
	Name      string               `json:"name"`
	Region    string               `json:"region,omitempty"` // empty for the pipeline's own
	Status    cfntypes.StackStatus `json:"status"`
	Reason    string               `json:"reason,omitempty"` // of a status that is no success
	Changed   time.Time            `json:"changed"`          // when the last operation began
	Protected bool                 `json:"protected"`        // from deletion
	Outputs   []Output             `json:"outputs"`
}

// Output is a stack's output.
type Output struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Stacks describes the stacks that are there, of those named, in that order.
func Stacks(ctx context.Context, c *Clients, named []StackRef) ([]Stack, error) {
	list := []Stack{}
	for _, ref := range named {
		c := c.in(ref.Region)
		s, err := stack.Describe(ctx, c.Stacks, ref.Name)
		if err != nil {
			return nil, err
		}
		if s == nil {
			continue
		}
		out := Stack{
			Name: aws.ToString(s.StackName), Region: ref.Region, Status: s.StackStatus, Changed: aws.ToTime(cmp.Or(s.LastUpdatedTime, s.CreationTime)),
			Protected: aws.ToBool(s.EnableTerminationProtection), Outputs: []Output{},
		}
		if out.Reason, err = unsuccessful(ctx, c, s, out.Changed); err != nil {
			return nil, err
		}
		for _, o := range s.Outputs {
			out.Outputs = append(out.Outputs, Output{aws.ToString(o.OutputKey), aws.ToString(o.OutputValue)})
		}
		slices.SortFunc(out.Outputs, func(a, b Output) int { return cmp.Compare(a.Name, b.Name) })
		list = append(list, out)
	}
	return list, nil
}

// unsuccessful is why a stack's last operation did not do what it was asked
// to; empty if it did, or is still at it.
func unsuccessful(ctx context.Context, c *Clients, s *cfntypes.Stack, began time.Time) (string, error) {
	if stack.Succeeded(s.StackStatus) || strings.HasSuffix(string(s.StackStatus), "_IN_PROGRESS") && !strings.Contains(string(s.StackStatus), "ROLLBACK") {
		return "", nil
	}
	failures, err := stack.Failures(ctx, c.Stacks, aws.ToString(s.StackId), began, time.Now())
	if err != nil || len(failures) == 0 {
		return aws.ToString(s.StackStatusReason), err
	}
	return failures[0].LogicalID + ": " + failures[0].Reason, nil
}

// Status is a pipeline as it stands.
type Status struct {
	Name    string              `json:"name"`
	Version int32               `json:"version"`
	Updated time.Time           `json:"updated"` // when it got this version
	Mode    types.ExecutionMode `json:"executionMode"`
	Newest  *ExecutionStatus    `json:"newestExecution"` // nil if it has never run
	Stages  []StageStatus       `json:"stages"`
	Waiting []Approval          `json:"waiting"`
	Stacks  []StackRef          `json:"-"` // that its CloudFormation actions deploy, in order
}

// ExecutionStatus is an execution as it stands.
type ExecutionStatus struct {
	ID        string                        `json:"id"`
	Status    types.PipelineExecutionStatus `json:"status"`
	Summary   string                        `json:"summary,omitempty"`
	Trigger   types.TriggerType             `json:"trigger,omitempty"`
	Started   time.Time                     `json:"started"`
	Updated   time.Time                     `json:"updated"`
	Revisions []Revision                    `json:"revisions"`
}

// Revision is what a source action found.
type Revision struct {
	Action  string `json:"action"`
	ID      string `json:"id"`
	Summary string `json:"summary,omitempty"`
	URL     string `json:"url,omitempty"`
}

// StageStatus is a stage as it stands; Status is empty if it has never run.
type StageStatus struct {
	Name      string                     `json:"name"`
	Status    types.StageExecutionStatus `json:"status,omitempty"`
	Execution string                     `json:"execution,omitempty"` // that was in it last
	Closed    string                     `json:"closed,omitempty"`    // why nothing is let in
	Actions   []ActionStatus             `json:"actions"`
}

// Changed is when the last of the stage's actions changed.
func (s StageStatus) Changed() time.Time {
	var last time.Time
	for _, a := range s.Actions {
		if a.Changed.After(last) {
			last = a.Changed
		}
	}
	return last
}

// ActionStatus is an action as it stands.
type ActionStatus struct {
	Name    string                      `json:"name"`
	Status  types.ActionExecutionStatus `json:"status,omitempty"`
	Summary string                      `json:"summary,omitempty"`
	Changed time.Time                   `json:"changed,omitzero"`
	URL     string                      `json:"url,omitempty"`
}

// ReadStatus reads how a pipeline stands.
func ReadStatus(ctx context.Context, c *Clients, name string) (*Status, error) {
	state, err := c.Pipelines.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &name})
	if err != nil {
		return nil, fmt.Errorf("reading the state of pipeline %q: %w", name, err)
	}
	definition, err := c.Pipelines.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &name})
	if err != nil {
		return nil, fmt.Errorf("reading pipeline %q: %w", name, err)
	}
	s := &Status{
		Name: name, Version: aws.ToInt32(state.PipelineVersion), Updated: aws.ToTime(state.Updated),
		Mode: cmp.Or(definition.Pipeline.ExecutionMode, types.ExecutionModeSuperseded), Stacks: deployedStacks(definition.Pipeline, c.Region),
	}
	if s.Newest, err = newestExecution(ctx, c, name); err != nil {
		return nil, err
	}
	if s.Waiting, err = approvals(ctx, c, name, state.StageStates); err != nil {
		return nil, err
	}
	for _, st := range state.StageStates {
		s.Stages = append(s.Stages, stageStatus(st))
	}
	return s, nil
}

func stageStatus(st types.StageState) StageStatus {
	stage := StageStatus{Name: aws.ToString(st.StageName), Actions: []ActionStatus{}}
	if e := st.LatestExecution; e != nil {
		stage.Status, stage.Execution = e.Status, aws.ToString(e.PipelineExecutionId)
	}
	if t := st.InboundTransitionState; t != nil && !t.Enabled {
		stage.Closed = cmp.Or(aws.ToString(t.DisabledReason), "no reason given")
	}
	for _, a := range st.ActionStates {
		action := ActionStatus{Name: aws.ToString(a.ActionName)}
		if e := a.LatestExecution; e != nil {
			action.Status, action.Summary = e.Status, plainSummary(aws.ToString(e.Summary))
			action.Changed, action.URL = aws.ToTime(e.LastStatusChange), aws.ToString(e.ExternalExecutionUrl)
			if e.ErrorDetails != nil {
				action.Summary = reasonOf(aws.ToString(e.ErrorDetails.Message), action.Summary)
			}
		}
		stage.Actions = append(stage.Actions, action)
	}
	return stage
}

func newestExecution(ctx context.Context, c *Clients, name string) (*ExecutionStatus, error) {
	out, err := c.Pipelines.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{PipelineName: &name, MaxResults: aws.Int32(1)})
	if err != nil {
		return nil, fmt.Errorf("listing the executions of pipeline %q: %w", name, err)
	}
	if len(out.PipelineExecutionSummaries) == 0 {
		return nil, nil
	}
	e := out.PipelineExecutionSummaries[0]
	s := &ExecutionStatus{
		ID: aws.ToString(e.PipelineExecutionId), Status: e.Status, Summary: aws.ToString(e.StatusSummary),
		Started: aws.ToTime(e.StartTime), Updated: aws.ToTime(e.LastUpdateTime), Revisions: []Revision{},
	}
	if e.Trigger != nil {
		s.Trigger = e.Trigger.TriggerType
	}
	for _, r := range e.SourceRevisions {
		s.Revisions = append(s.Revisions, Revision{
			Action: aws.ToString(r.ActionName), ID: aws.ToString(r.RevisionId),
			Summary: plainSummary(aws.ToString(r.RevisionSummary)), URL: aws.ToString(r.RevisionUrl),
		})
	}
	slices.SortFunc(s.Revisions, func(a, b Revision) int { return cmp.Compare(a.Action, b.Action) })
	return s, nil
}

// reasonOf is why an action failed: its error, and its summary where that says
// more, such as the words of who rejected it.
func reasonOf(message, summary string) string {
	switch {
	case message == "":
		return summary
	case summary == "" || strings.Contains(message, summary):
		return message
	}
	return message + ": " + summary
}

// plainSummary is the commit's message of a summary. For sources behind a
// connection AWS puts it into JSON, beside the provider's name.
func plainSummary(text string) string {
	var wrapped struct{ ProviderType, CommitMessage string }
	if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &wrapped) == nil && wrapped.ProviderType != "" {
		text = wrapped.CommitMessage
	}
	return strings.TrimSpace(text)
}

// DeployedStacks are the stacks that the CloudFormation actions of a pipeline
// deploy, in the order of the pipeline, each once.
func DeployedStacks(ctx context.Context, c *Clients, name string) ([]StackRef, error) {
	out, err := c.Pipelines.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &name})
	if err != nil {
		return nil, fmt.Errorf("reading pipeline %q: %w", name, err)
	}
	return deployedStacks(out.Pipeline, c.Region), nil
}

func deployedStacks(p *types.PipelineDeclaration, own string) []StackRef {
	var stacks []StackRef
	for _, st := range p.Stages {
		for _, a := range st.Actions {
			s := StackRef{a.Configuration["StackName"], aws.ToString(a.Region)}
			if s.Region == own {
				s.Region = ""
			}
			if aws.ToString(a.ActionTypeId.Provider) == "CloudFormation" && s.Name != "" && !slices.Contains(stacks, s) {
				stacks = append(stacks, s)
			}
		}
	}
	return stacks
}

// ListPipelines are the names of all pipelines.
func ListPipelines(ctx context.Context, c *Clients) ([]string, error) {
	var names []string
	pages := codepipeline.NewListPipelinesPaginator(c.Pipelines, &codepipeline.ListPipelinesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing pipelines: %w", err)
		}
		for _, p := range page.Pipelines {
			names = append(names, aws.ToString(p.Name))
		}
	}
	return names, nil
}

// Named is the name of the pipeline in a stack; empty if the stack, or the
// pipeline in it, is not there.
func Named(ctx context.Context, c *Clients, stackName string) (string, error) {
	resources, err := stack.Resources(ctx, c.Stacks, stackName)
	for _, r := range resources {
		if aws.ToString(r.ResourceType) == pipelineType && r.ResourceStatus != cfntypes.ResourceStatusDeleteInProgress {
			return aws.ToString(r.PhysicalResourceId), nil
		}
	}
	return "", err
}
