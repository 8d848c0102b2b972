package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/stack"
)

// Work is what Run is about to do.
type Work struct {
	Changes *stack.Changes // of the pipeline's stack
	Besides []string       // what else it makes
	// LeftOver is the status of a stack that was left over by an earlier try,
	// and is deleted, with all that may be in it, to begin anew. Changes is nil
	// then.
	LeftOver cfntypes.StackStatus
}

// ErrDeclined tells that there was no consent, and nothing was made.
var ErrDeclined = errors.New("nothing was changed")

// apply proposes the change, and with consent has it made. What the stack needs
// is made before it: the repository with its first commit, so that the pipeline
// begins well, and the secret.
func (u *Up) apply(ctx context.Context, secret *secret) (changed, pushed bool, err error) {
	own := u.Project.StackName()
	for {
		p, done, err := u.propose(ctx)
		if err != nil {
			return false, false, err
		}
		if err := u.consents(ctx, p.Changes, secret); err != nil {
			return false, false, errors.Join(err, p.Discard(ctx), done())
		}
		news, err := u.prepare(ctx, secret)
		if err != nil {
			return false, false, errors.Join(err, p.Discard(ctx), done())
		}
		pushed = pushed || news
		if changed = !p.Changes.Empty(); changed {
			u.Observer.Step("Stack " + own)
			err = p.Execute(ctx, u.Observer.StackEvent)
		} else {
			u.Observer.Step("Stack " + own + ", unchanged")
			err = p.Discard(ctx)
		}
		err = errors.Join(err, done())
		if stack.Outdated(err) {
			u.Observer.Step("Stack " + own + " was changed by somebody else meanwhile")
			continue
		}
		if err == nil {
			err = u.uploadBinary(ctx)
		}
		return changed, pushed, err
	}
}

// propose proposes the change of the pipeline's own stack. done takes away what
// was made for the proposal, and is called when that is over.
func (u *Up) propose(ctx context.Context) (p *stack.Proposal, done func() error, err error) {
	spec, done, err := u.spec(ctx)
	if err != nil {
		return nil, nil, err
	}
	if p, err = stack.Propose(ctx, u.Clients.Stacks, spec); err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return p, done, nil
}

// consents is ErrDeclined if there is something to do and no consent to it.
func (u *Up) consents(ctx context.Context, changes *stack.Changes, secret *secret) error {
	if u.Consent == nil {
		return nil
	}
	work := Work{Changes: changes}
	if u.Facts.Source.Pushes() && u.Project.Dir != "" {
		what, err := u.wouldPush(ctx)
		if err != nil {
			return err
		}
		if what != "" {
			work.Besides = append(work.Besides, what)
		}
	}
	if secret != nil && (!secret.there || secret.deleted) {
		work.Besides = append(work.Besides, "the secret "+secret.name+" with the token")
	}
	if changes.Empty() && len(work.Besides) == 0 {
		return nil
	}
	return u.ask(ctx, work)
}

// wouldPush tells what would be pushed; empty if the repository has it already.
func (u *Up) wouldPush(ctx context.Context) (string, error) {
	s := u.Facts.Source
	repository, err := u.findRepository(ctx)
	switch {
	case err != nil:
		return "", err
	case s.Owned && u.Pipeline == "":
		return "this directory, pushed to branch " + s.Branch + " of the repository", nil
	case !s.Owned && !repository.there:
		return "the CodeCommit repository " + s.Repository + ", and this directory pushed to it", nil
	}
	remote, err := u.remote(ctx)
	if err != nil {
		return "", err
	}
	if news, err := HasNews(ctx, u.Project.Dir, u.State, remote, s.Branch); err != nil || !news {
		return "", err
	}
	return "this directory, pushed to branch " + s.Branch + " of " + s.Repository, nil
}

func (u *Up) ask(ctx context.Context, work Work) error {
	if u.Consent == nil {
		return nil
	}
	ok, err := u.Consent(ctx, work)
	if err == nil && !ok {
		err = ErrDeclined
	}
	return err
}

// prepare makes what is not the stack's.
func (u *Up) prepare(ctx context.Context, secret *secret) (pushed bool, err error) {
	if err := u.ensureSecret(ctx, secret); err != nil {
		return false, err
	}
	if s := u.Facts.Source; s.Pushes() && !s.Owned {
		u.Observer.Step("Source")
		if err := u.ensureRepository(ctx); err != nil {
			return false, err
		}
		if pushed, err = u.push(ctx); err != nil {
			return false, err
		}
	}
	return pushed, u.uploadBinary(ctx)
}

// removeLeftOver deletes the pipeline's stack if an earlier try left it in a
// state out of which it can only be deleted.
func (u *Up) removeLeftOver(ctx context.Context) error {
	own := u.Project.StackName()
	s, err := stack.Describe(ctx, u.Clients.Stacks, own)
	if err == nil && s != nil && stack.InProgress(s.StackStatus) {
		u.Observer.Step(fmt.Sprintf("Stack %s is busy (%s): waiting for its end", own, s.StackStatus))
		s, err = stack.Wait(ctx, u.Clients.Stacks, aws.ToString(s.StackId))
	}
	if err != nil || s == nil || !stack.LeftOver(s.StackStatus) {
		return err
	}
	empty := s.StackStatus == cfntypes.StackStatusReviewInProgress || s.StackStatus == cfntypes.StackStatusRollbackComplete
	if !empty {
		if err := u.ask(ctx, Work{LeftOver: s.StackStatus}); err != nil {
			return err
		}
	}
	u.Observer.Step(fmt.Sprintf("Stack %s was left over as %s: deleting it first", own, s.StackStatus))
	buckets, err := u.buckets(ctx, own)
	if err != nil {
		return err
	}
	if err := u.empty(ctx, buckets); err != nil {
		return err
	}
	return stack.Delete(ctx, u.Clients.Stacks, own, u.Observer.StackEvent)
}
