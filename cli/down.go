package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

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
	return consent.delete(ctx, o.io.Out, doomed.Empty(), func() { o.show(doomed) }, func(ctx context.Context) ([]string, error) { return up.Down(ctx, doomed) }, func() (lines []string) {
		for _, what := range doomed.Left {
			lines = append(lines, what+", which ouro did not make")
		}
		return lines
	})
}

// delete asks, deletes, and tells what it deleted and, if all went well, what
// it left.
func (c consent) delete(ctx context.Context, out io.Writer, empty bool, show func(), remove func(context.Context) ([]string, error), left func() []string) error {
	w := c.session
	if empty {
		w.clearNow()
		fmt.Fprintln(out, "nothing to delete")
		return nil
	}
	ok, err := c.ask(ctx, show, "Delete this")
	if err != nil {
		return err
	}
	if !ok {
		return pipeline.ErrDeclined
	}
	deleted, err := remove(ctx)
	w.clearNow()
	for _, what := range deleted {
		fmt.Fprintln(out, "deleted "+what)
	}
	if err == nil {
		for _, what := range left() {
			fmt.Fprintln(out, "left "+what)
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
