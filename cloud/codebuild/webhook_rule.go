package codebuild

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/wire"
)

// A webhook of a repository that the local cloud hosts is fed by the events of
// CodeConnections. The service keeps an EventBridge rule for each, whose target
// is the webhook.
const (
	pushDetailType        = "CodeConnections Repository State Change"
	pullRequestDetailType = "CodeConnections Pull Request State Change"
)

const hookTarget = "webhook"

func hookRuleName(project string) string {
	sum := sha256.Sum256([]byte(project))
	return "codebuild-" + project[:min(len(project), 40)] + "-" + hex.EncodeToString(sum[:4])
}

// hookRulePattern matches what happens in the project's repository.
func hookRulePattern(source *types.ProjectSource) (string, bool) {
	_, repository, ok := repositoryOf(source)
	if !ok {
		return "", false
	}
	detail := map[string]any{"fullRepositoryId": []string{repository}, "commitId": []any{map[string]bool{"exists": true}}}
	if arn := connectionOf(source.Auth); arn != "" {
		detail["connectionArn"] = []string{arn}
	}
	pattern, err := json.Marshal(map[string]any{
		"source": []string{"aws.codeconnections"}, "detail-type": []string{pushDetailType, pullRequestDetailType}, "detail": detail,
	})
	return string(pattern), err == nil
}

// putHookRule makes the rule that feeds the project's webhook.
func (s *Service) putHookRule(ctx context.Context, caller door.Caller, p *types.Project) error {
	pattern, ok := hookRulePattern(p.Source)
	if !ok {
		return invalid("Invalid project source location: %s does not name a repository of a provider", aws.ToString(p.Source.Location))
	}
	client, name := s.ruleClient(caller), hookRuleName(*p.Name)
	target := caller.ResourceARN("codebuild", "webhook/"+*p.Name)
	_, err := client.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: &name, EventPattern: &pattern, State: eb.RuleStateEnabled,
		Description: aws.String("Tells the webhook of the project " + *p.Name + ". Kept by CodeBuild; do not edit or delete."),
	})
	if err == nil {
		var out *eventbridge.PutTargetsOutput
		out, err = client.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: &name, Targets: []eb.Target{{Id: aws.String(hookTarget), Arn: &target}}})
		if err == nil && out.FailedEntryCount > 0 {
			err = errors.New(aws.ToString(out.FailedEntries[0].ErrorMessage))
		}
	}
	if err != nil {
		return fmt.Errorf("making the rule %q that feeds the webhook of project %q: %w", name, *p.Name, err)
	}
	return nil
}

// dropHookRule takes the rule away again.
func (s *Service) dropHookRule(ctx context.Context, caller door.Caller, project string) error {
	client, name := s.ruleClient(caller), hookRuleName(project)
	_, err := client.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: &name, Ids: []string{hookTarget}})
	if err == nil {
		_, err = client.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: &name})
	}
	var gone *eb.ResourceNotFoundException
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("deleting the rule %q that feeds the webhook of project %q: %w", name, project, err)
	}
	return nil
}

func (s *Service) ruleClient(caller door.Caller) *eventbridge.Client {
	return eventbridge.NewFromConfig(s.host.As(door.Caller{Account: caller.Account, Region: caller.Region, Service: "codebuild.amazonaws.com"}))
}

// DeliverRepositoryEventInput is an event of CodeConnections for a webhook.
type DeliverRepositoryEventInput struct {
	ProjectName *string
	DeliveryId  *string
	Event       *string // as EventBridge delivers it
}

// DeliverRepositoryEventOutput tells what became of the event.
type DeliverRepositoryEventOutput struct{ Result *string }

// repositoryEvent is what CodeConnections tells of a push or a pull request.
type repositoryEvent struct {
	DetailType string `json:"detail-type"`
	Detail     struct {
		ReferenceType, ReferenceName string
		CommitID, OldCommitID        string
		ChangedFiles                 []string
		ChangedFilesTruncated        bool
		CommitMessage                *string
		Sender                       string

		Event, PullRequestID, DestinationBranch string
		Reopened, Merged                        bool
	}
}

// DeliverRepositoryEvent takes an event of a repository of the local cloud. It
// is an operation among AWS's services: EventBridge alone may call it.
func (s *Service) DeliverRepositoryEvent(ctx context.Context, in *DeliverRepositoryEventInput) (*DeliverRepositoryEventOutput, error) {
	caller := door.CallerFrom(ctx)
	if caller.Service != "events.amazonaws.com" {
		return nil, &wire.Error{Code: "AccessDeniedException", Message: "Only EventBridge delivers events to webhooks", Status: 400}
	}
	p, err := s.project(ctx, aws.ToString(in.ProjectName))
	if err != nil {
		return nil, err
	}
	if p.Project.Webhook == nil { // deleted meanwhile
		return &DeliverRepositoryEventOutput{Result: aws.String("the project has no webhook")}, nil
	}
	var e repositoryEvent
	if err := json.Unmarshal([]byte(aws.ToString(in.Event)), &e); err != nil {
		return nil, invalid("Invalid event: %v", err)
	}
	id := aws.ToString(in.DeliveryId)
	result, err := s.deliver(ctx, caller, &p, delivery{id, localAgent(p.Project.Source.Type, id)}, e.events(p.Project.Source.Type))
	if err != nil {
		s.host.Log().Warn("a push started no build", "project", *p.Project.Name, "error", err)
		return nil, err
	}
	return &DeliverRepositoryEventOutput{Result: &result}, nil
}

// localAgent is who a provider's deliveries come from: with GitHub a name and
// seven digits that change with its releases.
func localAgent(kind types.SourceType, id string) string {
	switch kind {
	case types.SourceTypeBitbucket:
		return "Bitbucket-Webhooks/2.0"
	case types.SourceTypeGitlab, types.SourceTypeGitlabSelfManaged:
		return "GitLab/local"
	}
	return "GitHub-Hookshot/" + strings.ReplaceAll(id, "-", "")[:min(len(id), 7)]
}

// events are what the webhook makes of it.
func (e *repositoryEvent) events(kind types.SourceType) []hookEvent {
	d := &e.Detail
	if e.DetailType == pullRequestDetailType {
		kinds := map[string]string{"OPEN": eventCreated, "UPDATED": eventUpdated, "CLOSED": eventClosed}
		event := kinds[d.Event]
		switch {
		case d.Merged:
			event = eventMerged
		case d.Reopened && slices.Contains(hookEvents[kind], eventReopened):
			event = eventReopened
		}
		if event == "" {
			return nil
		}
		return []hookEvent{{
			kind: event, headRef: branches + d.ReferenceName, baseRef: branches + d.DestinationBranch, actor: d.Sender,
			message: d.CommitMessage, files: d.ChangedFiles, listed: d.ChangedFiles != nil && !d.ChangedFilesTruncated,
			number: d.PullRequestID, version: d.CommitID,
		}}
	}
	if d.CommitID == "" {
		return nil
	}
	prefix := branches
	if d.ReferenceType == "tag" {
		prefix = tags
	}
	previous := d.OldCommitID
	if previous == "" {
		previous = noCommit
	}
	return []hookEvent{{
		kind: eventPush, headRef: prefix + d.ReferenceName, actor: d.Sender, message: d.CommitMessage,
		files: d.ChangedFiles, listed: !d.ChangedFilesTruncated, version: d.CommitID, previous: previous,
	}}
}

// noCommit is git's name for no commit, which providers tell of a new branch.
const noCommit = "0000000000000000000000000000000000000000"
