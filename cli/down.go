package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
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
	w, err := o.target.session(ctx, o.io, o.dir, o.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	facts, err := w.project.Facts(w.account, w.clients.Region)
	if err != nil {
		return err
	}
	deleted, err := w.up(facts).Down(ctx)
	w.clearNow()
	for _, what := range deleted {
		fmt.Fprintln(o.io.Out, "deleted "+what)
	}
	if err == nil && len(deleted) == 0 {
		fmt.Fprintln(o.io.Out, "nothing to delete")
	}
	return err
}
