package codebuild

import (
	"net/http"
	"strconv"
)

// readGitLab reads what GitLab delivers.
// https://docs.gitlab.com/user/project/integrations/webhook_events/
func readGitLab(h http.Header, body []byte) ([]hookEvent, error) {
	switch h.Get("X-Gitlab-Event") {
	case "Push Hook", "Tag Push Hook":
		return readPayload[gitLabPush](body)
	case "Merge Request Hook":
		return readPayload[gitLabMergeRequest](body)
	}
	return nil, nil
}

type gitLabPush struct {
	Ref, Before, After string
	UserID             int64 `json:"user_id"`
	Commits            []gitCommit
	Total              int `json:"total_commits_count"`
}

func (p gitLabPush) events() []hookEvent {
	if p.Ref == "" || p.After == "" || p.After == noCommit { // it was deleted
		return nil
	}
	// GitLab lists the newest 20 commits only.
	e := hookEvent{
		kind: eventPush, headRef: p.Ref, actor: strconv.FormatInt(p.UserID, 10), version: p.After, previous: p.Before,
		files: changedBy(p.Commits), listed: p.Total <= len(p.Commits),
	}
	for i := range p.Commits {
		if p.Commits[i].ID == p.After {
			e.message = &p.Commits[i].Message
		}
	}
	return []hookEvent{e}
}

type gitLabMergeRequest struct {
	User       gitHubUser
	Attributes struct {
		IID        int64
		Action     string
		OldRev     string                       // of an update with new commits
		Source     string                       `json:"source_branch"`
		Target     string                       `json:"target_branch"`
		SourceID   int64                        `json:"source_project_id"`
		TargetID   int64                        `json:"target_project_id"`
		LastCommit struct{ ID, Message string } `json:"last_commit"`
	} `json:"object_attributes"`
}

var gitLabActions = map[string]string{"open": eventCreated, "update": eventUpdated, "merge": eventMerged, "close": eventClosed}

func (p gitLabMergeRequest) events() []hookEvent {
	a := p.Attributes
	kind := gitLabActions[a.Action]
	if kind == "" || kind == eventUpdated && a.OldRev == "" {
		return nil
	}
	return []hookEvent{{
		kind: kind, headRef: branches + a.Source, baseRef: branches + a.Target, actor: strconv.FormatInt(p.User.ID, 10),
		message: &a.LastCommit.Message, number: strconv.FormatInt(a.IID, 10), version: a.LastCommit.ID, fork: a.SourceID != a.TargetID,
	}}
}
