package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
)

// UpdateRef makes ref name the object now instead of old; empty stands for no
// reference. If ref names something else than old, it returns ErrMoved. by is
// the ARN of who wants it.
func (r *Repository) UpdateRef(ctx context.Context, ref, old, now, by string) error {
	return r.locked(ctx, by, func() error {
		if err := r.expect(ref, old); err != nil {
			return err
		}
		args := []string{"update-ref", ref, now}
		if now == "" {
			args = []string{"update-ref", "-d", ref}
		}
		if old != "" {
			args = append(args, old)
		}
		if err := r.run(ctx, call{}, args...); err != nil {
			return fmt.Errorf("updating %q of repository %q: %w", ref, r.id, err)
		}
		return nil
	})
}

// expect returns ErrMoved unless ref names id. The caller holds the lock.
func (r *Repository) expect(ref, id string) error {
	if !ValidRef(ref) {
		return fmt.Errorf("reference %q of repository %q: name is not valid", ref, r.id)
	}
	is, err := r.Ref(ref)
	if err != nil && !errors.Is(err, ErrNoRef) {
		return err
	}
	if is != id {
		return fmt.Errorf("%q of repository %q is at %q, not at %q: %w", ref, r.id, is, id, ErrMoved)
	}
	return nil
}

// Edit is one change of one file.
type Edit struct {
	Path    string
	Mode    string // ModeFile, ModeExecutable or ModeSymlink; empty to remove the file
	Content []byte
	Blob    string // an existing blob to take instead of Content
}

// Proposal is a commit to be made on a branch.
type Proposal struct {
	Branch    string
	Parent    string // the commit that the branch is at; empty for a branch to be created
	Author    Signature
	Committer Signature
	Message   string
	Edits     []Edit // against the parent's files
	By        string // the ARN of who makes it
}

// Made is what became of a Proposal.
type Made struct{ Commit, Tree string }

// Propose makes a commit on top of a branch, or returns ErrMoved if the branch is not
// at the proposal's parent.
func (r *Repository) Propose(ctx context.Context, p Proposal) (Made, error) {
	var made Made
	err := r.locked(ctx, p.By, func() error {
		ref := Branches + p.Branch
		if err := r.expect(ref, p.Parent); err != nil {
			return err
		}
		var out bytes.Buffer
		in := bytes.NewReader(importStream(ref, p))
		err := r.run(ctx, call{stdin: in, stdout: &out}, "fast-import", "--quiet", "--done")
		if err != nil {
			return fmt.Errorf("committing to %q of repository %q: %w", p.Branch, r.id, err)
		}
		made, err = parseMade(out.String())
		return err
	})
	return made, err
}

// parseMade reads what importStream asked for: the commit's id, and its root
// as MODE SP "tree" SP ID TAB.
func parseMade(out string) (Made, error) {
	f := strings.Fields(out)
	if len(f) != 4 || !ValidID(f[0]) || !ValidID(f[3]) {
		return Made{}, fmt.Errorf("git fast-import said %q", out)
	}
	return Made{Commit: f[0], Tree: f[3]}, nil
}

// importStream writes a proposal as git fast-import reads it
// (https://git-scm.com/docs/git-fast-import).
func importStream(ref string, p Proposal) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "commit %s\nmark :1\n", ref)
	fmt.Fprintf(&b, "author %s\ncommitter %s\n", p.Author, p.Committer)
	fmt.Fprintf(&b, "data %d\n%s\n", len(p.Message), p.Message)
	if p.Parent != "" {
		fmt.Fprintf(&b, "from %s\n", p.Parent)
	}
	for _, e := range p.Edits {
		path := quotePath(e.Path)
		switch {
		case e.Mode == "":
			fmt.Fprintf(&b, "D %s\n", path)
		case e.Blob != "":
			fmt.Fprintf(&b, "M %s %s %s\n", e.Mode, e.Blob, path)
		default:
			fmt.Fprintf(&b, "M %s inline %s\ndata %d\n", e.Mode, path, len(e.Content))
			b.Write(e.Content)
			b.WriteByte('\n')
		}
	}
	b.WriteString("\nget-mark :1\nls :1 \"\"\ndone\n")
	return b.Bytes()
}

// quotePath quotes a path the way that fast-import and C do.
func quotePath(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}

// String is the signature as git writes it.
func (s Signature) String() string {
	return clean(s.Name) + " <" + clean(s.Email) + "> " + s.Date()
}

// clean removes what would end a name or an address in a commit.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if c < ' ' || c == '<' || c == '>' {
			return -1
		}
		return c
	}, s))
}
