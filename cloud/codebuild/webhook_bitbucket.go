package codebuild

import (
	"net/http"
	"strconv"
)

// readBitbucket reads what Bitbucket delivers. It lists no changed files.
// https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/
func readBitbucket(h http.Header, body []byte) ([]hookEvent, error) {
	key := h.Get("X-Event-Key")
	if key == "repo:push" {
		return readPayload[bitbucketPush](body)
	}
	kind := bitbucketActions[key]
	if kind == "" {
		return nil, nil
	}
	events, err := readPayload[bitbucketPullRequest](body)
	for i := range events {
		events[i].kind = kind
		if kind != eventMerged {
			events[i].merge = ""
		}
	}
	return events, err
}

var bitbucketActions = map[string]string{
	"pullrequest:created": eventCreated, "pullrequest:updated": eventUpdated, "pullrequest:fulfilled": eventMerged, "pullrequest:rejected": eventClosed,
}

type bitbucketActor struct {
	AccountID string `json:"account_id"`
	UUID      string
}

func (a bitbucketActor) id() string {
	if a.AccountID != "" {
		return a.AccountID
	}
	return a.UUID
}

type bitbucketRef struct {
	Type, Name string
	Target     struct{ Hash, Message string }
}

type bitbucketPush struct {
	Actor bitbucketActor
	Push  struct {
		Changes []struct{ Old, New *bitbucketRef }
	}
}

// maxChanges bounds the builds that one delivery starts; Bitbucket itself
// lists five branches and tags at most.
const maxChanges = 5

func (p bitbucketPush) events() (events []hookEvent) {
	for _, c := range p.Push.Changes[:min(len(p.Push.Changes), maxChanges)] {
		if c.New == nil { // it was deleted
			continue
		}
		e := hookEvent{
			kind: eventPush, headRef: branches + c.New.Name, actor: p.Actor.id(), message: &c.New.Target.Message,
			version: c.New.Target.Hash, previous: noCommit,
		}
		if c.New.Type == "tag" {
			e.headRef = tags + c.New.Name
		}
		if c.Old != nil {
			e.previous = c.Old.Target.Hash
		}
		events = append(events, e)
	}
	return events
}

type bitbucketPullRequest struct {
	Actor       bitbucketActor
	PullRequest struct {
		ID                  int64
		Source, Destination struct {
			Branch     struct{ Name string }
			Commit     struct{ Hash string }
			Repository struct{ UUID string }
		}
		MergeCommit *struct{ Hash string } `json:"merge_commit"`
		CloseSource bool                   `json:"close_source_branch"`
	}
}

func (p bitbucketPullRequest) events() []hookEvent {
	pr := p.PullRequest
	e := hookEvent{
		headRef: branches + pr.Source.Branch.Name, baseRef: branches + pr.Destination.Branch.Name, actor: p.Actor.id(),
		number: strconv.FormatInt(pr.ID, 10), version: pr.Source.Commit.Hash, fork: pr.Source.Repository.UUID != pr.Destination.Repository.UUID,
	}
	// What was merged with its branch closed may be there as the merge alone.
	if pr.MergeCommit != nil && pr.CloseSource {
		e.merge, e.version = pr.MergeCommit.Hash, pr.MergeCommit.Hash
	}
	return []hookEvent{e}
}
