package gitsource

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// MaxBody is how many bytes a payload may have; a push with thousands of
// changed files has about one million. The door has its own limit of 10 MB.
const MaxBody = 5 << 20

const maxDepth = 32

// checkJSON refuses what nests deeper than any provider's payload, before
// anything is made of it.
func checkJSON(body []byte) error {
	if len(body) > MaxBody {
		return fmt.Errorf("the payload has more than %d bytes", MaxBody)
	}
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("the payload nests deeper than %d", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

func read[T any](body []byte) (T, error) {
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return v, errors.New("it is no JSON of this provider's") // and nothing of what it holds
	}
	return v, nil
}

// when is a time as providers write it: a number of seconds, or text.
type when struct{ time.Time }

var layouts = []string{time.RFC3339, "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05-0700"}

func (w *when) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		return nil
	case float64:
		if v > 0 && v < 1e11 {
			w.Time = time.Unix(int64(v), 0).UTC()
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
		for _, layout := range layouts {
			if t, err := time.Parse(layout, v); err == nil {
				w.Time = t.UTC()
				return nil
			}
		}
	}
	return errors.New("no time")
}

// changes are the paths of a push's commits, in GitHub's, GitLab's and Gitea's
// words.
type changes []struct{ Added, Modified, Removed []string }

// paths gives them, and whether they are all. total is how many commits the push
// has, by its own word; a list of none says nothing.
func (c changes) paths(total int) ([]string, bool) {
	var paths []string
	for _, commit := range c {
		for _, list := range [][]string{commit.Added, commit.Modified, commit.Removed} {
			for _, p := range list {
				if len(paths) == maxPaths || len(p) > maxPath {
					return nil, false
				}
				paths = append(paths, p)
			}
		}
	}
	return paths, len(c) > 0 && len(c) >= total
}
