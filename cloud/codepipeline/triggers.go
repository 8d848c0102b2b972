package codepipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// gitChange is what CodeConnections tells of a push or a pull request, but for
// the changed files. An execution keeps the one that started it.
type gitChange struct {
	ConnectionArn     string `json:"connectionArn"`
	FullRepositoryID  string `json:"fullRepositoryId"`
	ProviderType      string `json:"providerType"`
	ReferenceType     string `json:"referenceType"` // branch or tag
	ReferenceName     string `json:"referenceName"` // of a pull request: the source branch
	CommitID          string `json:"commitId"`
	CommitMessage     string `json:"commitMessage"`
	AuthorName        string `json:"authorName"`
	AuthorEmail       string `json:"authorEmail"`
	AuthorDate        string `json:"authorDate"`
	PullRequestEvent  string `json:"event,omitempty"` // OPEN, UPDATED or CLOSED; empty for a push
	PullRequestID     string `json:"pullRequestId,omitempty"`
	PullRequestTitle  string `json:"pullRequestTitle,omitempty"`
	DestinationBranch string `json:"destinationBranch,omitempty"`

	Actions []string `json:"actions,omitempty"` // the source actions that take its commit
}

// gitEvent is the event that brings a change.
type gitEvent struct {
	ID     string
	Detail struct {
		gitChange
		ChangedFiles []string `json:"changedFiles"`
	}
}

// StartTriggeredExecutionInput hands an event of a repository to a pipeline.
type StartTriggeredExecutionInput struct {
	Name  *string
	Event *string // as EventBridge has it, JSON
}

// StartTriggeredExecutionOutput tells the execution, if one was started.
type StartTriggeredExecutionOutput struct{ PipelineExecutionId *string }

// StartTriggeredExecution is what the rules of a pipeline (rules.go) call with
// the events of the repositories behind its connections: it starts an execution
// if a trigger's filters let the event pass. It is no operation of AWS's, and
// EventBridge alone may call it.
func (s *Service) StartTriggeredExecution(ctx context.Context, in *StartTriggeredExecutionInput) (*StartTriggeredExecutionOutput, error) {
	if door.CallerFrom(ctx).Service != eventsPrincipal {
		return nil, &wire.Error{Code: "AccessDeniedException", Message: "only EventBridge may hand events of repositories to a pipeline", Status: http.StatusForbidden}
	}
	var ev gitEvent
	if err := json.Unmarshal([]byte(aws.ToString(in.Event)), &ev); err != nil || ev.Detail.CommitID == "" {
		return nil, invalid("the event is none of a repository behind a connection")
	}
	out := &StartTriggeredExecutionOutput{}
	err := s.named(ctx, in.Name, s.turn, func(t *turn) error {
		kind, change := t.plan.triggered(ev)
		if change == nil {
			return errSeen
		}
		// Two sources of one repository have two rules, which bring the same event.
		id, err := s.starts.Get(ctx, t.scope, t.pipe.Name+"/"+ev.ID)
		if err == nil {
			out.PipelineExecutionId = &id
			return errSeen
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := t.checkStart(&codepipeline.StartPipelineExecutionInput{}); err != nil {
			return err
		}
		e := t.begin(kind, change.ConnectionArn, nil, nil)
		e.Git, out.PipelineExecutionId = change, &e.ID
		for i := range t.events { // that it has started was told already
			if t.events[i].Detail.ExecutionID == e.ID {
				t.events[i].Detail.Trigger = change.facts()
			}
		}
		if ev.ID != "" {
			t.starts[ev.ID] = e.ID
		}
		return nil
	})
	if err != nil && !errors.Is(err, errSeen) {
		return nil, err
	}
	return out, nil
}

// triggered finds the source actions that an event is for, and by which kind of
// trigger; the change is nil if the event starts nothing.
func (p *plan) triggered(ev gitEvent) (types.TriggerType, *gitChange) {
	kind, change := types.TriggerTypeWebhook, ev.Detail.gitChange
	change.Actions = nil
	for _, a := range p.sources() {
		c := a.Configuration
		if !isConnection(a) || connectionName(c["ConnectionArn"]) != connectionName(change.ConnectionArn) || c["FullRepositoryId"] != change.FullRepositoryID {
			continue
		}
		name := aws.ToString(a.Name)
		if git := p.trigger(name); git != nil {
			if !passes(git, c["BranchName"], change, ev.Detail.ChangedFiles) {
				continue
			}
			kind = types.TriggerTypeWebhookV2
		} else if !detects(a) || !isPushTo(c["BranchName"], change) {
			continue
		}
		change.Actions = append(change.Actions, name)
	}
	if len(change.Actions) == 0 {
		return "", nil
	}
	return kind, &change
}

func isConnection(a types.ActionDeclaration) bool {
	return aws.ToString(a.ActionTypeId.Provider) == "CodeStarSourceConnection"
}

// detects tells whether pushes to the action's branch start the pipeline when
// no trigger says otherwise.
func detects(a types.ActionDeclaration) bool {
	return !strings.EqualFold(a.Configuration["DetectChanges"], "false")
}

// connectionName is what the ARNs of a connection have in common: the service
// has changed its name in them.
func connectionName(arn string) string {
	return strings.Replace(arn, ":codestar-connections:", ":codeconnections:", 1)
}

// trigger is the configuration of the trigger of a source action, or nil.
func (p *plan) trigger(action string) *types.GitConfiguration {
	for _, t := range p.definition.Triggers {
		if t.GitConfiguration != nil && aws.ToString(t.GitConfiguration.SourceActionName) == action {
			return t.GitConfiguration
		}
	}
	return nil
}

// of tells whether the change gives the source action its commit.
func (g *gitChange) of(action string) bool {
	if g == nil {
		return false
	}
	for _, a := range g.Actions {
		if a == action {
			return true
		}
	}
	return false
}

// facts are the change as the events of executions tell it.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
func (g *gitChange) facts() map[string]string {
	if g == nil {
		return nil
	}
	facts := map[string]string{
		"author-display-name": g.AuthorName, "author-email": g.AuthorEmail, "author-date": g.AuthorDate, "author-id": g.AuthorEmail,
		"full-repository-name": g.FullRepositoryID, "provider-type": g.ProviderType, "connection-arn": g.ConnectionArn,
		"commit-id": g.CommitID, "commit-message": g.CommitMessage,
		g.ReferenceType + "-name": g.ReferenceName,
		"pull-request-id":         g.PullRequestID, "pull-request-title": g.PullRequestTitle,
	}
	for name, value := range facts {
		if value == "" {
			delete(facts, name)
		}
	}
	return facts
}

// variables are the output variables that only such a change has.
func (g *gitChange) variables() map[string]string {
	if g.PullRequestEvent != "" {
		return map[string]string{"BranchName": g.ReferenceName, "PullRequestId": g.PullRequestID, "PullRequestTitle": g.PullRequestTitle}
	}
	if g.ReferenceType == "tag" {
		return map[string]string{"TagName": g.ReferenceName}
	}
	return map[string]string{"BranchName": g.ReferenceName}
}

// checkTriggers checks the triggers of a V2 pipeline.
func checkTriggers(def *types.PipelineDeclaration) error {
	if n := len(def.Triggers); n > 50 {
		return constraint(fmt.Sprint(n), "pipeline.triggers", "Member must have length less than or equal to 50")
	}
	seen := map[string]bool{}
	for i, t := range def.Triggers {
		at := fmt.Sprintf("pipeline.triggers.%d.member", i+1)
		if t.ProviderType != types.PipelineTriggerProviderTypeCodeStarSourceConnection {
			return constraint(string(t.ProviderType), at+".providerType", "Member must satisfy enum value set: [CodeStarSourceConnection]")
		}
		git := t.GitConfiguration
		if git == nil {
			return constraint("null", at+".gitConfiguration", "Member must not be null")
		}
		name := aws.ToString(git.SourceActionName)
		if err := checkName(name, at+".gitConfiguration.sourceActionName"); err != nil {
			return err
		}
		a, _ := newPlan(def).stages[0].action(name)
		switch {
		case a == nil || !isConnection(*a):
			return invalidStructure("The trigger configuration is not valid. '%s' is not a source action with the provider CodeStarSourceConnection.", name)
		case seen[name]:
			return invalidStructure("The trigger configuration is not valid. You can only specify one trigger configuration per source action; '%s' has more.", name)
		}
		seen[name] = true
		if err := checkFilters(git, at+".gitConfiguration"); err != nil {
			return err
		}
	}
	return nil
}
