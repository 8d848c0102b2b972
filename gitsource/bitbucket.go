package gitsource

import "strings"

// bucketRef is a branch or tag as Bitbucket tells it.
type bucketRef struct {
	Type, Name string
	Target     struct{ Hash string }
}

// bucketPayload has what we read of Bitbucket's events.
// https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/
type bucketPayload struct {
	Repository hubRepository
	Actor      struct{ Nickname string }
	Push       struct {
		Changes []struct{ New, Old *bucketRef }
	}
	PullRequest struct {
		ID        int
		UpdatedOn when `json:"updated_on"`
		Source    struct {
			Branch struct{ Name string }
			Commit struct{ Hash string }
		}
	}
}

func parseBucket(event string, body []byte) ([]Event, error) {
	p, err := read[bucketPayload](body)
	if err != nil {
		return nil, err
	}
	e := Event{Sender: p.Actor.Nickname}
	e.Owner, e.Name = p.Repository.split()
	switch {
	case event == "repo:push":
		return p.pushed(e), nil
	case strings.HasPrefix(event, "pullrequest:"):
		// The hash may be abbreviated, and is then of no use.
		r := p.PullRequest
		e.Kind, e.Ref, e.Commit, e.Number, e.Time = PullRequest, r.Source.Branch.Name, r.Source.Commit.Hash, r.ID, r.UpdatedOn.Time
		if isHash(e.Commit) {
			return []Event{e}, nil
		}
	}
	return []Event{{Kind: Other}}, nil
}

func (p bucketPayload) pushed(e Event) []Event {
	var events []Event
	for _, c := range p.Push.Changes {
		e, ref := e, c.New
		e.Deleted = c.New == nil
		if e.Deleted {
			ref = c.Old
		}
		if ref == nil {
			continue
		}
		e.Kind, e.Ref = Push, ref.Name
		if ref.Type != "branch" {
			e.Kind = Tag // annotated ones too are told with their commit
		}
		if !e.Deleted {
			e.Commit = hash(c.New.Target.Hash)
		}
		if c.Old != nil {
			e.Before = hash(c.Old.Target.Hash)
		}
		events = append(events, e)
	}
	return events
}

// stashPayload has what we read of the events of Bitbucket Data Center.
// https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html
type stashPayload struct {
	Date       when
	Actor      struct{ Name string }
	Repository stashRepository
	Changes    []struct {
		RefID    string `json:"refId"`
		FromHash string `json:"fromHash"`
		ToHash   string `json:"toHash"`
		Type     string
	}
	PullRequest struct {
		ID      int
		FromRef struct {
			DisplayID    string `json:"displayId"`
			LatestCommit string `json:"latestCommit"`
		} `json:"fromRef"`
		ToRef struct{ Repository stashRepository } `json:"toRef"`
	} `json:"pullRequest"`
}

type stashRepository struct {
	Slug    string
	Project struct{ Key string }
}

func parseStash(event string, body []byte) ([]Event, error) {
	p, err := read[stashPayload](body)
	if err != nil {
		return nil, err
	}
	e := Event{Owner: p.Repository.Project.Key, Name: p.Repository.Slug, Sender: p.Actor.Name, Time: p.Date.Time}
	switch {
	case event == "diagnostics:ping":
		e.Kind = Ping
		return []Event{e}, nil
	case event == "repo:refs_changed":
		return p.pushed(e)
	case strings.HasPrefix(event, "pr:"):
		r := p.PullRequest
		e.Owner, e.Name = r.ToRef.Repository.Project.Key, r.ToRef.Repository.Slug
		e.Kind, e.Ref, e.Commit, e.Number = PullRequest, r.FromRef.DisplayID, r.FromRef.LatestCommit, r.ID
		return []Event{e}, nil
	}
	return []Event{{Kind: Other}}, nil
}

func (p stashPayload) pushed(e Event) ([]Event, error) {
	var events []Event
	for _, c := range p.Changes {
		e := e
		var err error
		if e.Kind, e.Ref, err = place(c.RefID); err != nil {
			return nil, err
		}
		e.Before, e.Commit = hash(c.FromHash), hash(c.ToHash)
		if c.Type == "DELETE" {
			e.Commit = ""
		}
		e.Deleted = e.Commit == ""
		events = append(events, e)
	}
	return events, nil
}
