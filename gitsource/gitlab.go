package gitsource

import "strings"

// labPayload has what we read of GitLab's events.
// https://docs.gitlab.com/user/project/integrations/webhook_events/
type labPayload struct {
	ObjectKind         string `json:"object_kind"`
	Ref, Before, After string
	CheckoutSHA        string `json:"checkout_sha"`
	UserUsername       string `json:"user_username"`
	User               struct{ Username string }
	Project            struct {
		Path string `json:"path_with_namespace"`
	}
	Commits    changes
	Total      int `json:"total_commits_count"`
	Attributes struct {
		IID        int
		Source     string              `json:"source_branch"`
		UpdatedAt  when                `json:"updated_at"`
		LastCommit struct{ ID string } `json:"last_commit"`
	} `json:"object_attributes"`
	Tag        string
	ReleasedAt when `json:"released_at"`
	Commit     struct{ ID string }
}

var labEvents = map[string]func(labPayload, Event) (Event, error){
	"push":     labPushed,
	"tag_push": labPushed,
	"merge_request": func(p labPayload, e Event) (Event, error) {
		a := p.Attributes
		e.Kind, e.Ref, e.Commit, e.Number, e.Time = PullRequest, a.Source, a.LastCommit.ID, a.IID, a.UpdatedAt.Time
		return e, nil
	},
	"release": func(p labPayload, e Event) (Event, error) {
		e.Kind, e.Ref, e.Commit, e.Time = Release, p.Tag, p.Commit.ID, p.ReleasedAt.Time
		return e, nil
	},
}

func parseLab(_ string, body []byte) ([]Event, error) {
	p, err := read[labPayload](body)
	if err != nil {
		return nil, err
	}
	make, ok := labEvents[p.ObjectKind]
	if !ok {
		return []Event{{Kind: Other}}, nil
	}
	e := Event{Sender: p.UserUsername}
	if e.Sender == "" {
		e.Sender = p.User.Username
	}
	e.Name = p.Project.Path
	if at := strings.LastIndexByte(e.Name, '/'); at >= 0 {
		e.Owner, e.Name = e.Name[:at], e.Name[at+1:]
	}
	if e, err = make(p, e); err != nil {
		return nil, err
	}
	return []Event{e}, nil
}

func labPushed(p labPayload, e Event) (Event, error) {
	var err error
	if e.Kind, e.Ref, err = place(p.Ref); err != nil {
		return e, err
	}
	e.Before, e.Commit = hash(p.Before), hash(p.After)
	e.Deleted = e.Commit == ""
	// An annotated tag is an object of its own; what to check out is the commit.
	if !e.Deleted && p.CheckoutSHA != "" {
		e.Commit = p.CheckoutSHA
	}
	e.Paths, e.AllPaths = p.Commits.paths(p.Total)
	return e, nil
}
