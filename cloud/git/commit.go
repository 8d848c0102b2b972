package git

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxCommit bounds the size of a commit or tag object that is read.
const maxCommit = 16 << 20

// Signature is who did something, and when.
type Signature struct {
	Name  string
	Email string
	When  time.Time // in the zone that it was written in
}

// Date is the time as git writes it: seconds since 1970 and the zone.
func (s Signature) Date() string {
	return strconv.FormatInt(s.When.Unix(), 10) + " " + s.When.Format("-0700")
}

// Commit is one commit.
type Commit struct {
	ID        string
	Tree      string
	Parents   []string
	Author    Signature
	Committer Signature
	Message   string
}

// Commit returns the commit with this id, or the one that the annotated tag
// with this id names. It returns ErrNoObject if there is none.
func (r *Repository) Commit(ctx context.Context, id string) (Commit, error) {
	for range 10 { // tags of tags
		o, err := r.object(ctx, id, maxCommit)
		if err != nil {
			return Commit{}, err
		}
		switch o.kind {
		case "commit":
			return parseCommit(id, string(o.body)), nil
		case "tag":
			id = header(string(o.body), "object")
		default:
			return Commit{}, fmt.Errorf("object %q of repository %q is a %s: %w", id, r.id, o.kind, ErrNoObject)
		}
	}
	return Commit{}, fmt.Errorf("object %q of repository %q is a tag of too many tags: %w", id, r.id, ErrNoObject)
}

// Resolve returns the commit that a specifier names as CodeCommit takes it:
// the full id of a commit, HEAD, the full name of a reference, or the name of
// a branch or tag. It returns ErrNoRef if there is nothing of that name and
// ErrNoObject if there is no commit of that id.
func (r *Repository) Resolve(ctx context.Context, specifier string) (Commit, error) {
	if ValidID(strings.ToLower(specifier)) {
		return r.Commit(ctx, strings.ToLower(specifier))
	}
	if specifier == "HEAD" {
		head, err := readHead(r.dir)
		if err != nil {
			return Commit{}, err
		}
		specifier = head
	}
	var id string
	var err error
	for _, prefix := range []string{"", Branches, Tags} {
		if id, err = r.Ref(prefix + specifier); err == nil {
			return r.Commit(ctx, id)
		}
	}
	return Commit{}, err
}

// header returns the value of the first line with this key in the head of a
// commit or a tag.
func header(text, key string) string {
	head, _, _ := strings.Cut(text, "\n\n")
	for line := range strings.SplitSeq(head, "\n") {
		if value, ok := strings.CutPrefix(line, key+" "); ok {
			return value
		}
	}
	return ""
}

func parseCommit(id, text string) Commit {
	head, message, _ := strings.Cut(text, "\n\n")
	c := Commit{ID: id, Message: message}
	for line := range strings.SplitSeq(head, "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "tree":
			c.Tree = value
		case "parent":
			c.Parents = append(c.Parents, value)
		case "author":
			c.Author = parseSignature(value)
		case "committer":
			c.Committer = parseSignature(value)
		}
	}
	return c
}

// parseSignature reads NAME <EMAIL> SECONDS ZONE. What is not of this form,
// and git repositories hold such commits, stays empty.
func parseSignature(s string) Signature {
	name, rest, _ := strings.Cut(s, "<")
	email, date, _ := strings.Cut(rest, ">")
	sig := Signature{Name: strings.TrimSpace(name), Email: email}
	seconds, zone, _ := strings.Cut(strings.TrimSpace(date), " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return sig
	}
	sig.When = time.Unix(n, 0).UTC()
	if at, err := time.Parse("-0700", zone); err == nil && zone != "+0000" {
		sig.When = sig.When.In(at.Location())
	}
	return sig
}
