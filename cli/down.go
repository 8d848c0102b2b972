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
	yes    bool
	dir    string
}

func newDown(s IO) *cobra.Command {
	o := &downOptions{io: s}
	c := &cobra.Command{
		Use:   "down [DIR]",
		Short: "Delete what up made: stacks, buckets, pipeline and repository",
		Long: `Deletes the stacks that the project's pipeline deployed, then the pipeline's own
stack with the contents of its buckets, then the repository and the secret of
its source if ouro made them. Anywhere but on the project's local cloud all that
is shown first, and ouro asks. A deleted secret can be had back for seven days.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = dirOf(args)
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	c.Flags().StringVar(&o.config, "config", "", "the pipeline's template configuration (default pipeline.dev.json)")
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "delete, do not ask")
	return c
}

func (o *downOptions) run(ctx context.Context) (err error) {
	w, err := o.target.session(ctx, o.io, o.dir, o.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	consent := consent{session: w, asker: o.io.asker(), yes: o.yes}
	if !w.target.own {
		w.introduce()
	}
	if err := consent.possible(); err != nil {
		return err
	}
	facts, err := w.project.Facts(w.account, w.clients.Region)
	if err != nil {
		return err
	}
	up := w.up(facts)
	doomed, err := up.Teardown(ctx)
	if err != nil {
		return err
	}
	if doomed.Empty() {
		w.clearNow()
		fmt.Fprintln(o.io.Out, "nothing to delete")
		return nil
	}
	ok, err := consent.ask(ctx, func() { o.show(doomed) }, "Delete this")
	if err != nil {
		return err
	}
	if !ok {
		return pipeline.ErrDeclined
	}
	deleted, err := up.Down(ctx, doomed)
	w.clearNow()
	for _, what := range deleted {
		fmt.Fprintln(o.io.Out, "deleted "+what)
	}
	if err == nil {
		for _, what := range doomed.Left {
			fmt.Fprintln(o.io.Out, "left "+what+", which ouro did not make")
		}
	}
	return err
}

// show shows what is about to be deleted.
func (o *downOptions) show(t *pipeline.Teardown) {
	p, w := paint(o.io.Color), o.io.Err
	var stacks []string
	for _, ref := range t.Stacks {
		stacks = append(stacks, ref.String())
	}
	for _, line := range []struct {
		what  string
		names []string
	}{
		{"stack", stacks}, {"bucket", t.Buckets}, {"repository", []string{t.Repository}}, {"secret", []string{t.Secret}},
	} {
		for _, name := range line.names {
			if name != "" {
				fmt.Fprintf(w, "%s %s %s\n", p.red("-"), line.what, name)
			}
		}
	}
}
