// Package gitsource takes what providers of git repositories tell by webhooks,
// and keeps every branch's newest commit as a zip in a bucket.
//
// A delivery is first authenticated ([Hook]), only then read ([Parse]), and
// handed on to a worker, which fetches exactly the commit that was told. What
// providers name is hostile until it is checked: names become keys of objects,
// and addresses are made of the configuration, never taken from a payload.
package gitsource

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Kind is what an event tells.
type Kind string

// The kinds of events. One that we have no use for is [Other].
const (
	Push        Kind = "push"
	Tag         Kind = "tag"
	PullRequest Kind = "pull-request"
	Release     Kind = "release"
	Ping        Kind = "ping"
	Other       Kind = "other"
)

// Event is what happened to one branch or tag, whoever told it.
type Event struct {
	Provider   string    `json:"provider"`
	Kind       Kind      `json:"kind"`
	Owner      string    `json:"owner,omitempty"` // with GitLab, all the groups: a/b/c
	Name       string    `json:"name,omitempty"`  // of the repository
	Ref        string    `json:"ref,omitempty"`   // the branch or the tag, by its short name
	Commit     string    `json:"commit,omitempty"`
	Before     string    `json:"before,omitempty"` // what the branch was at; empty for a new one
	Deleted    bool      `json:"deleted,omitempty"`
	Number     int       `json:"number,omitempty"` // of the pull request
	Delivery   string    `json:"delivery,omitempty"`
	Time       time.Time `json:"time,omitzero"` // zero where the provider does not say it
	Received   time.Time `json:"received,omitzero"`
	Sender     string    `json:"sender,omitempty"`
	Paths      []string  `json:"paths,omitempty"` // that the push changed
	AllPaths   bool      `json:"allPaths"`        // whether Paths are known, and all of them
	ArchiveURL string    `json:"archiveUrl,omitempty"`
	CloneURL   string    `json:"cloneUrl,omitempty"`
	SSHURL     string    `json:"sshUrl,omitempty"`
}

// Repository is the owner and the name.
func (e Event) Repository() string { return e.Owner + "/" + e.Name }

// Folder is where the objects of the branch or tag are. No branch that we take
// begins with refs/.
func (e Event) Folder() string {
	if e.Kind == Tag {
		return e.Repository() + "/refs/tags/" + e.Ref
	}
	return e.Repository() + "/" + e.Ref
}

// Key is the key of the zip.
func (e Event) Key() string { return e.Folder() + "/" + e.Name + ".zip" }

// Limits on what a payload may name. Together they stay below the 1,024 bytes
// that S3 has for a key.
const (
	maxPart     = 100 // bytes of a group, an owner, a repository
	maxParts    = 20  // GitLab nests as deep
	maxOwner    = 400
	maxRef      = 255
	maxDelivery = 128
	maxSender   = 100
	maxPath     = 1024
	maxPaths    = 3000
)

// check refuses an event whose names cannot be trusted as parts of keys and
// addresses.
func (e Event) check() error {
	if e.Kind == Other || e.Kind == Ping && e.Owner == "" && e.Name == "" {
		return nil
	}
	if len(e.Owner) > maxOwner || strings.Count(e.Owner, "/") >= maxParts {
		return errors.New("the owner's name is too long")
	}
	for part := range strings.SplitSeq(e.Repository(), "/") {
		if err := checkPart(part); err != nil {
			return fmt.Errorf("the name of the repository or of its owner: %w", err)
		}
	}
	if e.Kind == Ping {
		return nil
	}
	if err := checkRef(e.Ref); err != nil {
		return fmt.Errorf("the branch or tag: %w", err)
	}
	switch {
	case e.Commit != "" && !isHash(e.Commit), e.Before != "" && !isHash(e.Before):
		return errors.New("the commit is no hash")
	case e.Deleted && e.Commit != "":
		return errors.New("what is deleted is at no commit")
	case e.Commit == "" && !e.Deleted && e.Kind != Release:
		return errors.New("there is no commit")
	}
	return nil
}

// checkPart refuses a name of a repository, or of one that owns it, that no
// provider gives.
func checkPart(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty")
	case len(s) > maxPart:
		return errors.New("it is too long")
	case s == "." || s == ".." || strings.Contains(s, ".."):
		return errors.New("it leads elsewhere")
	}
	for i, c := range []byte(s) {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' ||
			i > 0 && c == '-' || i == 0 && c == '~' // the projects of Bitbucket's users
		if !ok {
			return errors.New("it has a character that no provider allows")
		}
	}
	return nil
}

// checkRef refuses what git refuses as the name of a branch or tag, and more.
// https://git-scm.com/docs/git-check-ref-format
func checkRef(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty")
	case len(s) > maxRef:
		return errors.New("it is too long")
	case !utf8.ValidString(s):
		return errors.New("it is not UTF-8")
	case strings.HasPrefix(s, "refs/"), strings.HasPrefix(s, "-"), s == "@",
		strings.Contains(s, ".."), strings.Contains(s, "@{"), strings.HasSuffix(s, "."):
		return errors.New("git has no such name")
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || strings.ContainsRune(" ~^:?*[\\", r) {
			return errors.New("it has a character that git does not allow")
		}
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return errors.New("git has no such name")
		}
	}
	return nil
}

// isHash tells whether it is a hash of git's, SHA-1 or SHA-256.
func isHash(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// hash is empty for the zeros by which providers say that there is none.
func hash(s string) string {
	if strings.Trim(s, "0") == "" {
		return ""
	}
	return s
}

// printable is the text if it is fit for a line of a log.
func printable(s string, limit int) string {
	if len(s) > limit || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return s
}
