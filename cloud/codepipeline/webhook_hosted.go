package codepipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// A webhook that is registered with GitHub gets the pushes to the repository
// OWNER/REPO behind a connection of the account and region: an EventBridge rule
// brings them, and they are put in GitHub's words. GitHub itself could not
// reach a webhook of the local cloud.

func hookRuleName(name string) string {
	sum := sha256.Sum256([]byte("webhook\x00" + name))
	return "codepipeline-webhook-" + cut(name, 30) + "-" + hex.EncodeToString(sum[:4])
}

// feedWebhook makes the rule that brings the pushes.
func (s *Service) feedWebhook(ctx context.Context, scope store.Scope, hook *webhook) error {
	name := *hook.Definition.Name
	p, err := s.pipelines.Get(ctx, scope, *hook.Definition.TargetPipeline)
	if errors.Is(err, store.ErrNotFound) {
		return invalid("The pipeline '%s' of webhook '%s' does not exist", *hook.Definition.TargetPipeline, name)
	}
	if err != nil {
		return err
	}
	a, err := s.sourceAction(ctx, scope, p, *hook.Definition.TargetAction)
	if err != nil {
		return err
	}
	if a == nil || aws.ToString(a.ActionTypeId.Provider) != "GitHub" {
		return invalid("Webhook '%s' cannot be registered: its target is no action of type GitHub", name)
	}
	pattern, err := json.Marshal(map[string]any{
		"source": []string{"aws.codeconnections"}, "detail-type": []string{"CodeConnections Repository State Change"},
		"detail": map[string]any{
			"fullRepositoryId": []any{map[string]string{"equals-ignore-case": gitHubRepository(a.Configuration)}},
			"commitId":         []any{map[string]bool{"exists": true}},
		},
	})
	if err != nil {
		return fmt.Errorf("writing the pattern of webhook %q: %w", name, err)
	}
	r := rule{name: hookRuleName(name), pattern: string(pattern)}
	if err := putRule(ctx, eventbridge.NewFromConfig(s.host.As(self(scope, ""))), r, "Feeds the webhook "+name, hook.ARN); err != nil {
		return fmt.Errorf("making the rule %q that feeds webhook %q: %w", r.name, name, err)
	}
	return nil
}

// starveWebhook takes the rule away.
func (s *Service) starveWebhook(ctx context.Context, scope store.Scope, name string) error {
	if err := deleteRule(ctx, eventbridge.NewFromConfig(s.host.As(self(scope, ""))), hookRuleName(name)); err != nil {
		return fmt.Errorf("deleting the rule %q that feeds webhook %q: %w", hookRuleName(name), name, err)
	}
	return nil
}

// DeliverToWebhookInput hands an event of a repository to a webhook.
type DeliverToWebhookInput struct {
	WebhookName *string
	Event       *string // as EventBridge has it, JSON
}

// DeliverToWebhookOutput is empty.
type DeliverToWebhookOutput struct{}

// DeliverToWebhook is what the rule of a registered webhook calls. It is no
// operation of AWS's, and EventBridge alone may call it.
func (s *Service) DeliverToWebhook(ctx context.Context, in *DeliverToWebhookInput) (*DeliverToWebhookOutput, error) {
	caller := door.CallerFrom(ctx)
	if caller.Service != eventsPrincipal {
		return nil, &wire.Error{Code: "AccessDeniedException", Message: "only EventBridge may hand events of repositories to a webhook", Status: http.StatusForbidden}
	}
	hook, err := s.webhooks.Get(ctx, caller.Scope(), aws.ToString(in.WebhookName))
	if errors.Is(err, store.ErrNotFound) || err == nil && !hook.Registered {
		return &DeliverToWebhookOutput{}, nil // it came late
	}
	if err != nil {
		return nil, err
	}
	body, err := gitHubPush([]byte(aws.ToString(in.Event)))
	if err != nil {
		return nil, &types.ValidationException{Message: aws.String(err.Error())}
	}
	var said *answer
	if err := s.takeDelivery(ctx, caller.Scope(), hook, body); err != nil && !errors.As(err, &said) {
		return nil, err
	}
	return &DeliverToWebhookOutput{}, nil
}

// gitHubPush puts a push in GitHub's words. Its commits are told as one, the
// newest, with the files of all.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
func gitHubPush(event []byte) ([]byte, error) {
	var ev struct {
		Detail struct {
			gitChange
			OldCommitID                            string
			Sender                                 string
			ChangedFiles, AddedFiles, RemovedFiles []string
		}
	}
	if err := json.Unmarshal(event, &ev); err != nil {
		return nil, fmt.Errorf("reading the event of a push: %w", err)
	}
	d := ev.Detail
	owner, name, _ := strings.Cut(d.FullRepositoryID, "/")
	prefix, before := "refs/heads/", d.OldCommitID
	if d.ReferenceType == "tag" {
		prefix = "refs/tags/"
	}
	if before == "" {
		before = strings.Repeat("0", 40)
	}
	told := map[string]bool{}
	for _, f := range append(append([]string{}, d.AddedFiles...), d.RemovedFiles...) {
		told[f] = true
	}
	modified := []string{}
	for _, f := range d.ChangedFiles {
		if !told[f] {
			modified = append(modified, f)
		}
	}
	person := map[string]any{"name": d.AuthorName, "email": d.AuthorEmail}
	commit := map[string]any{
		"id": d.CommitID, "message": d.CommitMessage, "timestamp": d.AuthorDate, "author": person, "committer": person,
		"url":   "https://github.com/" + d.FullRepositoryID + "/commit/" + d.CommitID,
		"added": append([]string{}, d.AddedFiles...), "removed": append([]string{}, d.RemovedFiles...), "modified": modified,
	}
	return json.Marshal(map[string]any{
		"ref": prefix + d.ReferenceName, "before": before, "after": d.CommitID, "created": d.OldCommitID == "", "deleted": false,
		"repository":  map[string]any{"name": name, "full_name": d.FullRepositoryID, "owner": map[string]any{"name": owner, "login": owner}},
		"pusher":      person,
		"sender":      map[string]any{"login": d.Sender},
		"head_commit": commit, "commits": []any{commit},
	})
}
