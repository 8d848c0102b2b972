package pipeline

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/stack"
)

// Approval is a manual approval that waits to be decided.
type Approval struct {
	Pipeline  string    `json:"-"`
	Execution string    `json:"execution"`
	Stage     string    `json:"stage"`
	Action    string    `json:"action"`
	Since     time.Time `json:"since"`
	Text      string    `json:"text,omitempty"` // what it says to who decides
	Link      string    `json:"link,omitempty"` // what it wants looked at

	token string
}

// Approvals are the approvals of a pipeline that wait, in the order of the
// pipeline.
func Approvals(ctx context.Context, c *Clients, pipeline string) ([]Approval, error) {
	state, err := c.Pipelines.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &pipeline})
	if err != nil {
		return nil, fmt.Errorf("reading the state of pipeline %q: %w", pipeline, err)
	}
	return approvals(ctx, c, pipeline, state.StageStates)
}

func approvals(ctx context.Context, c *Clients, pipeline string, stages []types.StageState) ([]Approval, error) {
	list := []Approval{}
	for _, s := range stages {
		for _, a := range s.ActionStates {
			e := a.LatestExecution
			if e == nil || e.Status != types.ActionExecutionStatusInProgress || aws.ToString(e.Token) == "" || s.LatestExecution == nil {
				continue
			}
			waits := Approval{
				Pipeline: pipeline, Execution: aws.ToString(s.LatestExecution.PipelineExecutionId), Stage: aws.ToString(s.StageName),
				Action: aws.ToString(a.ActionName), Since: aws.ToTime(e.LastStatusChange), token: aws.ToString(e.Token),
			}
			if err := waits.read(ctx, c); err != nil {
				return nil, err
			}
			list = append(list, waits)
		}
	}
	return list, nil
}

// read reads what the approval says; its variables have values only in the
// action's execution.
func (a *Approval) read(ctx context.Context, c *Clients) error {
	details, err := actionExecutions(ctx, c, a.Pipeline, a.Execution)
	if err != nil {
		return fmt.Errorf("reading what approval %q of stage %q says: %w", a.Action, a.Stage, err)
	}
	for _, d := range slices.Backward(details) {
		if aws.ToString(d.StageName) != a.Stage || aws.ToString(d.ActionName) != a.Action || d.Input == nil {
			continue
		}
		a.Text, a.Link = resolved(d, "CustomData"), resolved(d, "ExternalEntityLink")
		return nil
	}
	return nil
}

// resolved is a value of an action's configuration, with the values of its
// variables.
func resolved(d types.ActionExecutionDetail, key string) string {
	if d.Input == nil {
		return ""
	}
	if v := d.Input.ResolvedConfiguration[key]; v != "" {
		return v
	}
	return d.Input.Configuration[key]
}

// ChangeSet is a change set that an approval is about.
type ChangeSet struct {
	ID      string
	Changes *stack.Changes
	region  string
}

// Reviewed are the change sets that wait for an approval: those that the
// execution made and has not executed yet, and the one that the approval links
// to. It is an error if that one is gone, or another has come into its place
// since: what was reviewed is not what would be executed.
func Reviewed(ctx context.Context, c *Clients, a Approval) ([]ChangeSet, error) {
	details, err := actionExecutions(ctx, c, a.Pipeline, a.Execution)
	if err != nil {
		return nil, fmt.Errorf("looking for the change sets of execution %s: %w", a.Execution, err)
	}
	var sets []ChangeSet
	for _, made := range unexecuted(details) {
		id, err := stack.ChangeSetID(ctx, c.in(made.region).Stacks, made.stack, made.name)
		if err != nil {
			return nil, err
		}
		if id == "" {
			return nil, fmt.Errorf("change set %q of stack %q, which the pipeline made, is gone", made.name, made.stack)
		}
		sets = append(sets, ChangeSet{ID: id, region: made.region})
	}
	if linked, region := linkedChangeSet(a.Link); linked != "" && !slices.ContainsFunc(sets, func(s ChangeSet) bool { return s.ID == linked }) {
		if len(sets) > 0 {
			return nil, fmt.Errorf("the change set that was reviewed is no longer the one that would be executed: %s has taken the place of %s", sets[0].ID, linked)
		}
		sets = append(sets, ChangeSet{ID: linked, region: region})
	}
	for i, s := range sets {
		if sets[i].Changes, err = stack.ReadChangeSet(ctx, c.in(s.region).Stacks, s.ID); err != nil {
			return nil, err
		}
	}
	return sets, nil
}

// made names a change set that an action made.
type made struct{ region, stack, name string }

// unexecuted are the change sets that the actions made and have not executed.
func unexecuted(details []types.ActionExecutionDetail) []made {
	var list []made
	for _, d := range details {
		set := made{stack: resolved(d, "StackName"), name: resolved(d, "ChangeSetName")}
		if d.Input != nil {
			set.region = aws.ToString(d.Input.Region)
		}
		switch resolved(d, "ActionMode") {
		case "CHANGE_SET_REPLACE":
			if d.Status == types.ActionExecutionStatusSucceeded && !slices.Contains(list, set) {
				list = append(list, set)
			}
		case "CHANGE_SET_EXECUTE":
			list = slices.DeleteFunc(list, func(other made) bool { return other == set })
		}
	}
	return list
}

// linkedChangeSet is the change set that a link to AWS's console leads to, and
// its region; empty if the link leads elsewhere.
func linkedChangeSet(link string) (id, region string) {
	_, page, _ := strings.Cut(link, "#")
	_, query, _ := strings.Cut(page, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", ""
	}
	id = values.Get("changeSetId")
	named, err := arn.Parse(id)
	if err != nil || named.Service != "cloudformation" || !strings.HasPrefix(named.Resource, "changeSet/") {
		return "", ""
	}
	return id, named.Region
}

// Decide approves or rejects, and tells obs what comes of it, to the end of the
// execution or to the next approval.
func Decide(ctx context.Context, c *Clients, a Approval, decision types.ApprovalResult, obs Observer) (*Outcome, error) {
	return onward(ctx, c, a.Pipeline, a.Execution, obs, func() error {
		_, err := c.Pipelines.PutApprovalResult(ctx, &codepipeline.PutApprovalResultInput{
			PipelineName: &a.Pipeline, StageName: &a.Stage, ActionName: &a.Action, Token: &a.token, Result: &decision,
		})
		if err != nil {
			return fmt.Errorf("deciding approval %q of stage %q: %w", a.Action, a.Stage, err)
		}
		return nil
	})
}
