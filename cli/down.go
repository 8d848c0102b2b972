package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ouro/pipeline"
)

type downOptions struct {
	io     IO
	target targetFlags
	config string
	dir    string
}

func newDown(s IO) *cobra.Command {
	o := &downOptions{io: s}
	c := &cobra.Command{
		Use:   "down [DIR]",
		Short: "Delete what up made: stacks, buckets, pipeline and repository",
		Long: `Deletes the stacks that the project's pipeline deployed, then the pipeline's own
stack with the contents of its buckets, then the repository if ouro made it.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = dirOf(args)
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	c.Flags().StringVar(&o.config, "config", "", "the pipeline's template configuration (default pipeline.dev.json)")
	return c
}

func (o *downOptions) run(ctx context.Context) (err error) {
	project, err := pipeline.Load(o.dir, o.config)
	if err != nil {
		return err
	}
	t, err := o.target.open(ctx, o.io, project.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	n := newNarrator(o.io)
	defer n.Close()
	clients := pipeline.NewClients(t.Config)
	account, err := pipeline.Identify(ctx, clients)
	if err != nil {
		return err
	}
	facts, err := project.Facts(account, clients.Region)
	if err != nil {
		return err
	}
	down := &pipeline.Up{Clients: clients, Project: project, Facts: facts, State: t.State, Observer: n}
	deleted, err := down.Down(ctx)
	n.clearNow()
	for _, what := range deleted {
		fmt.Fprintln(o.io.Out, "deleted "+what)
	}
	if err == nil && len(deleted) == 0 {
		fmt.Fprintln(o.io.Out, "nothing to delete")
	}
	return err
}
