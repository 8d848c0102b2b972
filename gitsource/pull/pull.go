// Package pull fetches commits from git's servers by git's own protocol, over SSH
// or HTTPS, and packs them as package gitsource packs archives: the same commit is
// the same bytes.
//
// Of a repository only single commits are fetched, without their history: the
// first whole, each further one as what it has that those before do not. They are
// kept on disk, and in a bucket for the next process. What is kept is believed
// only where it is complete, so that a process may end at any moment.
package pull

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"ouro/gitsource"
)

// Choice is what becomes of what is not in the repository itself.
type Choice string

// The choices. Leave packs what git has itself: nothing of a submodule, and of a
// file in LFS the pointer.
const (
	Refuse Choice = "refuse"
	Leave  Choice = "leave"
	Fetch  Choice = "fetch"
)

// ChoiceOf is the choice of that name; Refuse for none.
func ChoiceOf(name string) (Choice, error) {
	switch c := Choice(name); c {
	case "":
		return Refuse, nil
	case Refuse, Leave, Fetch:
		return c, nil
	}
	return "", fmt.Errorf("there is no choice %q; there are %s, %s and %s", name, Refuse, Leave, Fetch)
}

// Limits bound what a pull may take.
type Limits struct {
	Disk    int64 // bytes of everything that is kept on disk
	Object  int64 // bytes of one file in the repository
	Objects int   // files, folders and commits of a pack
	Depth   int   // of submodules in submodules
	gitsource.Limits
}

// DefaultStall is how long a provider may say nothing.
const DefaultStall = time.Minute

// DefaultLimits are of a function of 1 GB of memory and 2 GB of disk.
var DefaultLimits = Limits{Disk: 1800 << 20, Object: 128 << 20, Objects: 1_000_000, Depth: 5, Limits: gitsource.DefaultLimits}

// Puller fetches commits of a provider's repositories, one after the other.
type Puller struct {
	Provider   gitsource.Provider
	Key        func(context.Context) ([]byte, error) // the private key for SSH; nil to go over HTTPS
	SSHHost    string                                // where SSH is served, if that is another host or port
	HostKeys   HostKeys                              // what the host of SSH may show
	Token      func(context.Context) (string, error) // for HTTPS and LFS; nil where everybody may read
	Client     *http.Client                          // see [gitsource.NewClient]
	Stall      time.Duration                         // how long the provider may say nothing
	Dir        string                                // of what is kept
	Packs      *Packs                                // nil to keep it nowhere else
	Submodules Choice
	LFS        Choice
	Limits     Limits
	Log        *slog.Logger

	mu sync.Mutex
}

func permanent(format string, args ...any) error {
	return &gitsource.PermanentError{Err: fmt.Errorf(format, args...)}
}

// Fetch packs the event's commit.
func (p *Puller) Fetch(ctx context.Context, e gitsource.Event, to *gitsource.Packer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	ref := plumbing.NewBranchReferenceName(e.Ref)
	if e.Kind == gitsource.Tag {
		ref = plumbing.NewTagReferenceName(e.Ref)
	}
	k := &packing{p: p, to: to}
	if err := k.repository(ctx, e.Repository(), e.Commit, ref, "", 0); err != nil {
		return fmt.Errorf("pulling %s of %s: %w", e.Commit, e.Repository(), err)
	}
	return nil
}

// have makes sure that the commit is on disk, whole.
func (p *Puller) have(ctx context.Context, repository, commit string, ref plumbing.ReferenceName) (*clone, error) {
	if len(commit) != 40 {
		return nil, permanent("the repository's hashes are SHA-256, which is not pulled: take its archives, by git.zip")
	}
	c, err := p.open(ctx, repository)
	if err != nil {
		return nil, err
	}
	if c.whole(commit) {
		return c, nil
	}
	ctx, silence, stop := gitsource.Watch(ctx, p.Stall)
	defer stop()
	r, err := p.dial(ctx, repository, silence)
	if err == nil {
		err = c.update(ctx, r, plumbing.NewHash(commit), ref, p.Limits)
		r.close()
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause // which says more than that the context ended
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}
