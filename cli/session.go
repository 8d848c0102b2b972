package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	smithy "github.com/aws/smithy-go"

	"ouro/pipeline"
)

// session is a project together with the endpoint that a command works on.
type session struct {
	*narrator
	project *pipeline.Project
	target  *target
	clients *pipeline.Clients
	account string
	arn     string // of who we are
}

// session reads the project and reaches its endpoint. Whoever opened it closes
// it.
func (f *targetFlags) session(ctx context.Context, s IO, dir, config string) (*session, error) {
	project, err := pipeline.Load(dir, config)
	if err != nil {
		return nil, err
	}
	return f.sessionOf(ctx, s, project)
}

// sessionOf reaches the endpoint of a project.
func (f *targetFlags) sessionOf(ctx context.Context, s IO, project *pipeline.Project) (*session, error) {
	t, err := f.open(ctx, s, project.Dir)
	if err != nil {
		return nil, err
	}
	clients := pipeline.NewClients(t.Config)
	who, err := pipeline.Identify(ctx, clients)
	if err != nil {
		var api smithy.APIError
		if errors.As(err, &api) && slices.Contains(refused, api.ErrorCode()) {
			err = &accessError{err}
		}
		return nil, errors.Join(err, t.Close())
	}
	return &session{narrator: newNarrator(s), project: project, target: t, clients: clients, account: who.Account, arn: who.ARN}, nil
}

// sessionOfPipeline is session for work on the project's pipeline, which it
// names: it introduces, too.
func (f *targetFlags) sessionOfPipeline(ctx context.Context, s IO, dir, config string) (*session, string, error) {
	f.asker = s.asker()
	w, err := f.session(ctx, s, dir, config)
	if err != nil {
		return nil, "", err
	}
	w.introduce()
	name, err := w.pipeline(ctx)
	if err != nil {
		return nil, "", errors.Join(err, w.Close())
	}
	return w, name, nil
}

// introduce says where the work is done, and, where that is not the project's
// own local cloud, who does it.
func (s *session) introduce() {
	s.line("ouro: " + s.target.describe())
	if !s.target.own {
		s.whole("ouro: account " + s.account + ", as " + s.arn)
	}
}

// check introduces, and checks what a push would deploy.
func (s *session) check(ctx context.Context) (pipeline.Checked, error) {
	s.introduce()
	return s.look(ctx)
}

// look checks what a push would deploy, and tells what does not stop it.
func (s *session) look(ctx context.Context) (pipeline.Checked, error) {
	checked, err := pipeline.Check(ctx, s.project, s.account, s.clients.Region)
	for _, warning := range checked.Warnings {
		s.whole(warning)
	}
	return checked, err
}

// up is the work on the project, told to the session's narrator.
func (s *session) up(facts pipeline.Facts) *pipeline.Up {
	return &pipeline.Up{Clients: s.clients, Project: s.project, Facts: facts, State: s.target.State, Observer: s.narrator}
}

// consent says how to go on without being asked: nothing but the project's own
// local cloud is changed without somebody's consent.
type consent struct {
	session *session
	asker   *asker // nil for nobody
	yes     bool   // consent was given on the command line
}

// possible is an error where consent is needed, and nobody can give it.
func (c consent) possible() error {
	if c.session.target.own || c.yes || c.asker != nil {
		return nil
	}
	return usageError{errors.New("nobody is there to be asked for consent: --yes gives it")}
}

// ask tells whether there is consent to what show shows.
func (c consent) ask(ctx context.Context, show func(), question string) (bool, error) {
	if c.session.target.own {
		return true, nil
	}
	c.session.clearNow()
	show()
	if c.yes {
		return true, nil
	}
	return c.asker.yes(ctx, fmt.Sprintf("%s in account %s, %s?", question, c.session.account, c.session.clients.Region))
}

// Close ends the narration and, if this process started it, the local cloud.
func (s *session) Close() error {
	s.narrator.Close()
	return s.target.Close()
}
