package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ouro/pipeline"
)

type statusOptions struct {
	io     IO
	target targetFlags
	json   bool
	dir    string
}

func newStatus(s IO) *cobra.Command {
	o := &statusOptions{io: s}
	c := &cobra.Command{
		Use:   "status [DIR]",
		Short: "Show the pipelines, their stages, and the stacks they deploy",
		Args:  oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = dirOf(args)
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	c.Flags().BoolVar(&o.json, "json", false, "print the result as JSON")
	return c
}

// pipelineStatus is one pipeline of what --json prints.
type pipelineStatus struct {
	*pipeline.Status
	Deployed []pipeline.Stack
}

func (o *statusOptions) run(ctx context.Context) (err error) {
	t, err := o.target.open(ctx, o.io, o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	clients := pipeline.NewClients(t.Config)
	names, err := pipeline.ListPipelines(ctx, clients)
	if err != nil {
		return err
	}
	all := []pipelineStatus{}
	for _, name := range names {
		s, err := pipeline.ReadStatus(ctx, clients, name)
		if err != nil {
			return err
		}
		stacks, err := pipeline.Stacks(ctx, clients, s.Stacks)
		if err != nil {
			return err
		}
		all = append(all, pipelineStatus{s, stacks})
	}
	if o.json {
		e := json.NewEncoder(o.io.Out)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	if len(all) == 0 {
		fmt.Fprintln(o.io.Out, "No pipelines. Bring one up with: ouro up")
	}
	for _, s := range all {
		o.print(s)
	}
	return nil
}

func (o *statusOptions) print(s pipelineStatus) {
	p, w := paint(o.io.Color && o.io.Terminal), o.io.Out
	fmt.Fprintf(w, "%s %s, version %d\n", p.bold("Pipeline"), s.Name, s.Version)
	for _, st := range s.Stages {
		fmt.Fprintf(w, "  %s %s\n", padRight(st.Name, 22), p.status(firstOf(string(st.Status), "-")))
		for _, a := range st.Actions {
			line := fmt.Sprintf("    %s %s", padRight(a.Name, 20), padRight(p.status(firstOf(string(a.Status), "-")), 12))
			fmt.Fprintln(w, line+p.dim(firstLine(a.Summary)))
		}
	}
	printStacks(w, p, s.Deployed)
}

func printStacks(w io.Writer, p paint, stacks []pipeline.Stack) {
	for _, s := range stacks {
		fmt.Fprintf(w, "%s %s: %s\n", p.bold("Stack"), s.Name, p.status(string(s.Status)))
		widest := 0
		for _, out := range s.Outputs {
			widest = max(widest, len(out.Name))
		}
		for _, out := range s.Outputs {
			fmt.Fprintf(w, "  %s  %s\n", padRight(out.Name, widest), out.Value)
		}
	}
}
