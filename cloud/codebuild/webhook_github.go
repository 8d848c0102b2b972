package codebuild

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// readGitHub reads what GitHub delivers. Events that CodeBuild does not know,
// ping among them, are none.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads
func readGitHub(h http.Header, body []byte) ([]hookEvent, error) {
	switch h.Get("X-GitHub-Event") {
	case "push":
		return readPayload[gitHubPush](body)
	case "pull_request":
		return readPayload[gitHubPullRequest](body)
	case "release":
		return readPayload[gitHubRelease](body)
	}
	return nil, nil
}

// readPayload reads a provider's payload of a known shape.
func readPayload[T interface{ events() []hookEvent }](body []byte) ([]hookEvent, error) {
	var payload T
	if err := json.Unmarshal(body, &payload); err != nil {
		return nil, fmt.Errorf("the payload cannot be read: %w", err)
	}
	return payload.events(), nil
}

type gitHubUser struct{ ID int64 }

// gitCommit is how GitHub and GitLab list the commits of a push.
type gitCommit struct {
	ID, Message              string
	Added, Modified, Removed []string
}

func changedBy(commits []gitCommit) (files []string) {
	for _, c := range commits {
		for _, list := range [][]string{c.Added, c.Modified, c.Removed} {
			files = append(files, list...)
		}
	}
	return files
}

type gitHubPush struct {
	Ref, Before, After string
	Deleted            bool
	HeadCommit         *gitCommit `json:"head_commit"`
	Commits            []gitCommit
	Sender             gitHubUser
}

// maxListedCommits is how many commits GitHub lists of a push.
const maxListedCommits = 2048

func (p gitHubPush) events() []hookEvent {
	if p.Deleted || p.Ref == "" || p.After == "" {
		return nil
	}
	e := hookEvent{
		kind: eventPush, headRef: p.Ref, actor: strconv.FormatInt(p.Sender.ID, 10), version: p.After, previous: p.Before,
		files: changedBy(p.Commits), listed: len(p.Commits) < maxListedCommits,
	}
	if p.HeadCommit != nil {
		e.message = &p.HeadCommit.Message
	}
	return []hookEvent{e}
}

type gitHubPullRequest struct {
	Action      string
	Number      int64
	PullRequest struct {
		Merged      bool
		Association string `json:"author_association"`
		Head, Base  struct {
			Ref  string
			Repo struct {
				FullName string `json:"full_name"`
			}
		}
	} `json:"pull_request"`
	Sender gitHubUser
}

var gitHubActions = map[string]string{"opened": eventCreated, "synchronize": eventUpdated, "reopened": eventReopened, "closed": eventClosed}

// gitHubRoles are the roles that an author is sure to have. The payload tells
// no more of a collaborator than that there may be a push.
var gitHubRoles = map[string]types.PullRequestBuildApproverRole{
	"OWNER": types.PullRequestBuildApproverRoleGithubAdmin, "MEMBER": types.PullRequestBuildApproverRoleGithubWrite,
	"COLLABORATOR": types.PullRequestBuildApproverRoleGithubWrite,
}

func (p gitHubPullRequest) events() []hookEvent {
	kind, pr := gitHubActions[p.Action], p.PullRequest
	if kind == eventClosed && pr.Merged {
		kind = eventMerged
	}
	if kind == "" {
		return nil
	}
	number := strconv.FormatInt(p.Number, 10)
	return []hookEvent{{
		kind: kind, headRef: branches + pr.Head.Ref, baseRef: branches + pr.Base.Ref, actor: strconv.FormatInt(p.Sender.ID, 10),
		number: number, version: "pr/" + number, fork: !strings.EqualFold(pr.Head.Repo.FullName, pr.Base.Repo.FullName), role: gitHubRoles[pr.Association],
	}}
}

type gitHubRelease struct {
	Action  string
	Release struct {
		Tag  string `json:"tag_name"`
		Name string
	}
	Sender gitHubUser
}

func (p gitHubRelease) events() []hookEvent {
	kind := map[string]string{"released": eventReleased, "prereleased": eventPrereleased}[p.Action]
	if kind == "" || p.Release.Tag == "" {
		return nil
	}
	return []hookEvent{{
		kind: kind, actor: strconv.FormatInt(p.Sender.ID, 10), tag: p.Release.Tag, release: p.Release.Name, version: p.Release.Tag,
	}}
}
