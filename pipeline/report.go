package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/stack"
)

// Stack is a stack as it stands.
type Stack struct {
	Name    string
	Status  cfntypes.StackStatus
	Outputs []Output
}

// Output is a stack's output.
type Output struct{ Name, Value string }

// Stacks describes the stacks that are there, of the names given, in that
// order.
func Stacks(ctx context.Context, c *Clients, names []string) ([]Stack, error) {
	var list []Stack
	for _, name := range names {
		s, err := stack.Describe(ctx, c.Stacks, name)
		if err != nil {
			return nil, err
		}
		if s == nil {
			continue
		}
		out := Stack{Name: aws.ToString(s.StackName), Status: s.StackStatus}
		for _, o := range s.Outputs {
			out.Outputs = append(out.Outputs, Output{aws.ToString(o.OutputKey), aws.ToString(o.OutputValue)})
		}
		slices.SortFunc(out.Outputs, func(a, b Output) int {
			if a.Name < b.Name {
				return -1
			}
			return 1
		})
		list = append(list, out)
	}
	return list, nil
}

// Status is a pipeline as it stands.
type Status struct {
	Name    string
	Version int32
	Stages  []StageStatus
	Stacks  []string // that its CloudFormation actions deploy, in order
}

// StageStatus is a stage as it stands; Status is empty if it has never run.
type StageStatus struct {
	Name    string
	Status  types.StageExecutionStatus
	Actions []ActionStatus
}

// ActionStatus is an action as it stands.
type ActionStatus struct {
	Name, Summary string
	Status        types.ActionExecutionStatus
}

// ReadStatus reads how a pipeline stands.
func ReadStatus(ctx context.Context, c *Clients, name string) (*Status, error) {
	state, err := c.Pipelines.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &name})
	if err != nil {
		return nil, fmt.Errorf("reading the state of pipeline %q: %w", name, err)
	}
	stacks, err := DeployedStacks(ctx, c, name)
	if err != nil {
		return nil, err
	}
	s := &Status{Name: name, Version: aws.ToInt32(state.PipelineVersion), Stacks: stacks}
	for _, st := range state.StageStates {
		stage := StageStatus{Name: aws.ToString(st.StageName)}
		if st.LatestExecution != nil {
			stage.Status = st.LatestExecution.Status
		}
		for _, a := range st.ActionStates {
			action := ActionStatus{Name: aws.ToString(a.ActionName)}
			if e := a.LatestExecution; e != nil {
				action.Status, action.Summary = e.Status, aws.ToString(e.Summary)
				if e.ErrorDetails != nil {
					action.Summary = aws.ToString(e.ErrorDetails.Message)
				}
			}
			stage.Actions = append(stage.Actions, action)
		}
		s.Stages = append(s.Stages, stage)
	}
	return s, nil
}

// DeployedStacks are the stacks that the CloudFormation actions of a pipeline
// deploy, in the order of the pipeline, each once.
func DeployedStacks(ctx context.Context, c *Clients, name string) ([]string, error) {
	out, err := c.Pipelines.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &name})
	if err != nil {
		return nil, fmt.Errorf("reading pipeline %q: %w", name, err)
	}
	var stacks []string
	for _, st := range out.Pipeline.Stages {
		for _, a := range st.Actions {
			s := a.Configuration["StackName"]
			if aws.ToString(a.ActionTypeId.Provider) == "CloudFormation" && s != "" && !slices.Contains(stacks, s) {
				stacks = append(stacks, s)
			}
		}
	}
	return stacks, nil
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
