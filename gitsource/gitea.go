package gitsource

// teaEvents are Gitea's and Forgejo's: GitHub's, but that the deletion of a
// branch is told by an event of its own, and only there.
var teaEvents = map[string]func(hubPayload, Event) (Event, error){
	"push":         pushed,
	"pull_request": hubEvents["pull_request"],
	"release":      hubEvents["release"],
	"delete": func(p hubPayload, e Event) (Event, error) {
		e.Kind, e.Ref, e.Deleted = Push, p.Ref, true
		if p.RefType == "tag" {
			e.Kind = Tag
		}
		return e, nil
	},
}

func parseTea(event string, body []byte) ([]Event, error) { return parseWith(teaEvents, event, body) }
