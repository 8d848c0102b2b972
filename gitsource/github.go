package gitsource

import (
	"errors"
	"strings"
)

// hubRepository is a repository in GitHub's words, which Gitea speaks too.
type hubRepository struct {
	FullName string `json:"full_name"`
	PushedAt when   `json:"pushed_at"`
}

func (r hubRepository) split() (owner, name string) {
	at := strings.LastIndexByte(r.FullName, '/')
	if at < 0 {
		return "", r.FullName
	}
	return r.FullName[:at], r.FullName[at+1:]
}

// hubPayload has what we read of all the events.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads
type hubPayload struct {
	Ref, Before, After string
	Deleted            bool
	RefType            string `json:"ref_type"`
	Repository         hubRepository
	Sender             struct{ Login string }
	HeadCommit         *struct{ ID string } `json:"head_commit"`
	Commits            changes
	TotalCommits       int `json:"total_commits"` // Gitea's
	Number             int
	PullRequest        struct {
		Head      struct{ Ref, SHA string }
		UpdatedAt when `json:"updated_at"`
	} `json:"pull_request"`
	Release struct {
		TagName     string `json:"tag_name"`
		PublishedAt when   `json:"published_at"`
	}
}

var hubEvents = map[string]func(hubPayload, Event) (Event, error){
	"":             pushed, // a server that tells nothing else
	"push":         pushed,
	"ping":         func(_ hubPayload, e Event) (Event, error) { e.Kind = Ping; return e, nil },
	"pull_request": hubPullRequest,
	"release": func(p hubPayload, e Event) (Event, error) {
		e.Kind, e.Ref, e.Time = Release, p.Release.TagName, p.Release.PublishedAt.Time
		return e, nil
	},
}

func hubPullRequest(p hubPayload, e Event) (Event, error) {
	e.Kind, e.Ref, e.Commit, e.Number, e.Time = PullRequest, p.PullRequest.Head.Ref, p.PullRequest.Head.SHA, p.Number, p.PullRequest.UpdatedAt.Time
	return e, nil
}

func parseHub(event string, body []byte) ([]Event, error) { return parseWith(hubEvents, event, body) }

func parseWith(table map[string]func(hubPayload, Event) (Event, error), event string, body []byte) ([]Event, error) {
	p, err := read[hubPayload](body)
	if err != nil {
		return nil, err
	}
	make, ok := table[event]
	if !ok {
		return []Event{{Kind: Other}}, nil
	}
	var e Event
	e.Owner, e.Name = p.Repository.split()
	e.Sender = p.Sender.Login
	if e, err = make(p, e); err != nil {
		return nil, err
	}
	return []Event{e}, nil
}

// place takes a whole ref apart.
func place(ref string) (Kind, string, error) {
	if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
		return Push, name, nil
	}
	if name, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
		return Tag, name, nil
	}
	return "", "", errors.New("the ref is neither a branch nor a tag")
}

func pushed(p hubPayload, e Event) (Event, error) {
	var err error
	if e.Kind, e.Ref, err = place(p.Ref); err != nil {
		return e, err
	}
	e.Before, e.Commit, e.Time = hash(p.Before), hash(p.After), p.Repository.PushedAt.Time
	e.Deleted = p.Deleted || e.Commit == ""
	// An annotated tag is an object of its own, which is at a commit.
	if e.Kind == Tag && !e.Deleted && p.HeadCommit != nil {
		e.Commit = p.HeadCommit.ID
	}
	e.Paths, e.AllPaths = p.Commits.paths(p.TotalCommits)
	// GitHub tells up to 2,048 commits, and does not say that there were more.
	e.AllPaths = e.AllPaths && e.Before != "" && len(p.Commits) < 2048
	return e, nil
}
