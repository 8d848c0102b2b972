package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"ouro/starter"
)

type initOptions struct {
	io      IO
	dir     string
	given   func(flag string) bool
	answers starter.Answers
	yes     bool
}

func newInit(s IO) *cobra.Command {
	o := &initOptions{io: s}
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make a new project: a pipeline, a site, and their configurations",
		Long: `Writes a project into DIR (default the current directory) that runs at once with
ouro up: the pipeline's template, which is the library's and the project's own
from then on, a site to begin with, a configuration for each environment, what
deployments may do, and a buildspec. The site is empty (a bucket, a parameter, a
log) or an app (a network with an application behind a load balancer). All
environments but the first wait for an approval.

On a terminal it asks for what no flag says. A file that is there already and
differs is left alone, and nothing is written.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir, o.given = dirOf(args), c.Flags().Changed
			return o.run(c.Context())
		},
	}
	for _, q := range starter.Questions() {
		c.Flags().StringVar(q.At(&o.answers), q.Flag, "", q.Help)
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "take the defaults, ask nothing")
	return c
}

func (o *initOptions) run(ctx context.Context) error {
	if err := o.answer(ctx); err != nil {
		return err
	}
	files, err := starter.Project(o.answers)
	if err != nil {
		return err
	}
	written, err := starter.Write(o.dir, files)
	if err != nil {
		return err
	}
	o.report(written, len(files)-len(written))
	return nil
}

// answer answers every question: by its flag, by whoever sits at the terminal,
// or else by its default.
func (o *initOptions) answer(ctx context.Context) error {
	asker := o.io.asker()
	if o.yes {
		asker = nil
	}
	if asker != nil {
		fmt.Fprintln(asker.out, asker.dim("Enter takes what is in brackets."))
	}
	if !o.given("name") {
		folder, err := filepath.Abs(o.dir)
		if err != nil {
			return err
		}
		o.answers.Name = starter.NameFor(filepath.Base(folder))
	}
	for _, q := range starter.Questions() {
		if !q.Asked(o.answers) {
			if o.given(q.Flag) {
				return usageError{fmt.Errorf("--%s has no meaning for the provider %s", q.Flag, o.answers.Provider)}
			}
			continue
		}
		at, standard := q.At(&o.answers), q.Standard(o.answers)
		if asker != nil && !o.given(q.Flag) {
			text, err := asker.ask(ctx, q.Text(o.answers), standard, q.Check)
			if err != nil {
				return err
			}
			*at = q.Normal(text)
			continue
		}
		if *at = q.Normal(*at); !o.given(q.Flag) {
			*at = standard
		}
		if *at == "" {
			return usageError{fmt.Errorf("the provider %s needs --%s", o.answers.Provider, q.Flag)}
		}
		if err := q.Check(*at); err != nil {
			return usageError{fmt.Errorf("--%s: %w", q.Flag, err)}
		}
	}
	return nil
}

// report says what was written, and what to do next.
func (o *initOptions) report(written []string, kept int) {
	p := paint(o.io.Color && o.io.Terminal)
	if len(written) == 0 {
		fmt.Fprintf(o.io.Out, "nothing to do: all %d files are there\n", kept)
	}
	for _, name := range written {
		fmt.Fprintln(o.io.Out, "wrote", filepath.Join(o.dir, filepath.FromSlash(name)))
	}
	next := "ouro up"
	if o.answers.Provider != "CodeCommit" {
		next += " --aws" // where the source is
	}
	if filepath.Clean(o.dir) != "." {
		next += " " + o.dir
	}
	fmt.Fprintf(o.io.Out, "%s  %s\n", p.bold("Next"), next)
}
