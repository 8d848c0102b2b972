package gitsource

import (
	"fmt"

	"github.com/bmatcuk/doublestar/v4"
)

// Filter is which events are of use: pushes to branches and tags that match one
// of the patterns, and that change a path that matches one. A pattern is a glob,
// in which ** spans slashes.
type Filter struct {
	Branches []string // empty for all
	Tags     []string // empty for none
	Paths    []string // empty for all; what changes unknown paths matches
}

// Check refuses patterns that are none.
func (f Filter) Check() error {
	for _, list := range [][]string{f.Branches, f.Tags, f.Paths} {
		for _, p := range list {
			if !doublestar.ValidatePattern(p) {
				return fmt.Errorf("%q is no pattern", p)
			}
		}
	}
	return nil
}

// Match tells whether the event is of use. Pull requests and releases are read
// and fetched by nobody: the commits of the one are not reviewed, and the other's
// tag is told by a push.
func (f Filter) Match(e Event) bool {
	switch e.Kind {
	case Push:
		return (len(f.Branches) == 0 || matches(f.Branches, e.Ref)) && f.matchPaths(e)
	case Tag:
		return matches(f.Tags, e.Ref)
	}
	return false
}

func (f Filter) matchPaths(e Event) bool {
	if len(f.Paths) == 0 || !e.AllPaths || e.Deleted {
		return true
	}
	for _, p := range e.Paths {
		if matches(f.Paths, p) {
			return true
		}
	}
	return false
}

func matches(patterns []string, s string) bool {
	for _, p := range patterns {
		if ok, err := doublestar.Match(p, s); ok && err == nil {
			return true
		}
	}
	return false
}
