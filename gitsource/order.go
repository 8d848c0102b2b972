package gitsource

import (
	"slices"
	"time"
)

// branch is what is known of a branch or tag: the newest that was told of it.
type branch struct {
	Commit   string    `json:"commit,omitempty"` // empty while it is deleted
	Deleted  bool      `json:"deleted,omitempty"`
	Time     time.Time `json:"time,omitzero"`
	Received time.Time `json:"received,omitzero"`
	Past     []string  `json:"past,omitempty"` // commits that were overtaken, oldest first
}

// maxPast is how many overtaken commits are known.
const maxPast = 64

// verdict is what becomes of an event.
type verdict string

const (
	newer verdict = "newer"
	same  verdict = "same"
	older verdict = "older"
)

// judge puts an event in order. Deliveries come late, twice and at once: what
// counts most is which commit a push says that it replaced, then when the
// provider says that it was, and then when it came.
func (b branch) judge(e Event) verdict {
	unknown := b.Commit == "" && !b.Deleted
	late := e.Received.Before(b.Received)
	if !e.Time.IsZero() && !b.Time.IsZero() && !e.Time.Equal(b.Time) {
		late = e.Time.Before(b.Time)
	}
	known := slices.Contains(b.Past, e.Commit) || e.Deleted && e.Before != b.Commit && slices.Contains(b.Past, e.Before)
	follows := e.Before == b.Commit && (e.Before != "" || !e.Deleted)
	switch {
	case unknown:
		return newer
	case e.Deleted == b.Deleted && e.Commit == b.Commit:
		return same
	case follows && !(known && late):
		return newer
	case known || late:
		return older
	}
	return newer
}

// after is what is known when the event is the newest.
func (b branch) after(e Event) branch {
	past := slices.Clone(b.Past)
	for _, c := range []string{b.Commit, e.Before} {
		if c != "" && !slices.Contains(past, c) {
			past = append(past, c)
		}
	}
	past = slices.DeleteFunc(past, func(c string) bool { return c == e.Commit })
	if len(past) > maxPast {
		past = past[len(past)-maxPast:]
	}
	return branch{Commit: e.Commit, Deleted: e.Deleted, Time: e.Time, Received: e.Received, Past: past}
}
