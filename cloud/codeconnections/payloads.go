package codeconnections

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// The events of CodePipeline's pull request filters.
const (
	opened  = "OPEN"
	updated = "UPDATED"
	closed  = "CLOSED"
)

// errNoPayload is the answer to a payload that none of the providers sends.
var errNoPayload = errors.New("the payload is of no known event; give the header X-GitHub-Event, X-Gitlab-Event or X-Event-Key as the provider does")

// parsePullRequest reads a provider's payload. The result is nil for an event
// that CodePipeline ignores.
func parsePullRequest(header http.Header, body []byte) (*PullRequest, error) {
	switch {
	case header.Get("X-GitHub-Event") != "":
		return read(body, header.Get("X-GitHub-Event") == "pull_request", gitHubPayload.pullRequest)
	case header.Get("X-Gitlab-Event") != "":
		return read(body, header.Get("X-Gitlab-Event") == "Merge Request Hook", gitLabPayload.pullRequest)
	case header.Get("X-Event-Key") != "":
		event := bitbucketEvents[header.Get("X-Event-Key")]
		return read(body, event != "", func(p bitbucketPayload) *PullRequest { return p.pullRequest(event) })
	}
	return nil, errNoPayload
}

func read[T any](body []byte, wanted bool, pullRequest func(T) *PullRequest) (*PullRequest, error) {
	if !wanted {
		return nil, nil
	}
	var payload T
	if err := json.Unmarshal(body, &payload); err != nil {
		return nil, fmt.Errorf("reading the payload: %w", err)
	}
	return pullRequest(payload), nil
}

// gitHubPayload is GitHub's event pull_request.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request
type gitHubPayload struct {
	Action      string
	Number      int
	PullRequest struct {
		Title      string
		Merged     bool
		Head, Base struct{ Ref, SHA string }
	} `json:"pull_request"`
	Repository struct {
		FullName string `json:"full_name"`
	}
	Sender struct{ Login string }
}

var gitHubActions = map[string]string{"opened": opened, "reopened": opened, "synchronize": updated, "closed": closed}

func (p gitHubPayload) pullRequest() *PullRequest {
	event := gitHubActions[p.Action]
	if event == "" {
		return nil
	}
	pr := p.PullRequest
	return &PullRequest{
		Event: event, Reopened: p.Action == "reopened", Merged: pr.Merged, PullRequestID: strconv.Itoa(p.Number), PullRequestTitle: pr.Title, DestinationBranch: pr.Base.Ref,
		StateChange: StateChange{
			FullRepositoryID: p.Repository.FullName, ReferenceType: "branch", ReferenceName: pr.Head.Ref,
			CommitID: pr.Head.SHA, OldCommitID: pr.Base.SHA, Sender: p.Sender.Login,
		},
	}
}

// gitLabPayload is GitLab's merge request event.
// https://docs.gitlab.com/user/project/integrations/webhook_events/#merge-request-events
type gitLabPayload struct {
	User    struct{ Username, Name string }
	Project struct {
		PathWithNamespace string `json:"path_with_namespace"`
	}
	Attributes struct {
		IID          int
		Title        string
		Action       string
		OldRev       string
		SourceBranch string              `json:"source_branch"`
		TargetBranch string              `json:"target_branch"`
		LastCommit   struct{ ID string } `json:"last_commit"`
	} `json:"object_attributes"`
}

var gitLabActions = map[string]string{"open": opened, "reopen": opened, "update": updated, "close": closed, "merge": closed}

func (p gitLabPayload) pullRequest() *PullRequest {
	a := p.Attributes
	event := gitLabActions[a.Action]
	if event == "" || event == updated && a.OldRev == "" { // of labels and the like, without a new commit
		return nil
	}
	return &PullRequest{
		Event: event, Reopened: a.Action == "reopen", Merged: a.Action == "merge", PullRequestID: strconv.Itoa(a.IID), PullRequestTitle: a.Title, DestinationBranch: a.TargetBranch,
		StateChange: StateChange{
			FullRepositoryID: p.Project.PathWithNamespace, ReferenceType: "branch", ReferenceName: a.SourceBranch,
			CommitID: a.LastCommit.ID, Sender: cmp.Or(p.User.Username, p.User.Name),
		},
	}
}

// bitbucketPayload is Bitbucket's pull request event.
// https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/#Pull-request-events
type bitbucketPayload struct {
	Actor       struct{ Nickname string }
	PullRequest struct {
		ID                  int
		Title               string
		Source, Destination struct {
			Branch struct{ Name string }
			Commit struct{ Hash string }
		}
	}
	Repository struct {
		FullName string `json:"full_name"`
	}
}

// bitbucketEvents: a pull request that was merged or declined is closed.
var bitbucketEvents = map[string]string{
	"pullrequest:created": opened, "pullrequest:updated": updated, "pullrequest:fulfilled": closed, "pullrequest:rejected": closed,
}

func (p bitbucketPayload) pullRequest(event string) *PullRequest {
	pr := p.PullRequest
	return &PullRequest{
		Event: event, PullRequestID: strconv.Itoa(pr.ID), PullRequestTitle: pr.Title, DestinationBranch: pr.Destination.Branch.Name,
		StateChange: StateChange{
			FullRepositoryID: p.Repository.FullName, ReferenceType: "branch", ReferenceName: pr.Source.Branch.Name,
			CommitID: pr.Source.Commit.Hash, Sender: p.Actor.Nickname,
		},
	}
}
