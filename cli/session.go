package cli

import (
	"context"
	"errors"

	"ouro/pipeline"
)

// session is a project together with the endpoint that a command works on.
type session struct {
	*narrator
	project *pipeline.Project
	target  *target
	clients *pipeline.Clients
	account string
}

// session reads the project and reaches its endpoint. Whoever opened it closes
// it.
func (f *targetFlags) session(ctx context.Context, s IO, dir, config string) (*session, error) {
	project, err := pipeline.Load(dir, config)
	if err != nil {
		return nil, err
	}
	t, err := f.open(ctx, s, project.Dir)
	if err != nil {
		return nil, err
	}
	clients := pipeline.NewClients(t.Config)
	account, err := pipeline.Identify(ctx, clients)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return &session{narrator: newNarrator(s), project: project, target: t, clients: clients, account: account}, nil
}

// check says where the work is done, and checks what a push would deploy.
func (s *session) check() (pipeline.Checked, error) {
	s.line("ouro: " + s.target.describe())
	return pipeline.Check(s.project, s.account, s.clients.Region)
}

// up is the work on the project, told to the session's narrator.
func (s *session) up(facts pipeline.Facts) *pipeline.Up {
	return &pipeline.Up{Clients: s.clients, Project: s.project, Facts: facts, State: s.target.State, Observer: s.narrator}
}

// Close ends the narration and, if this process started it, the local cloud.
func (s *session) Close() error {
	s.narrator.Close()
	return s.target.Close()
}
