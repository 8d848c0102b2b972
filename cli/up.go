package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/spf13/cobra"

	"ouro/pipeline"
	"ouro/stack"
)

type upOptions struct {
	io     IO
	target targetFlags
	config string
	wait   bool
	json   bool
	dir    string
}

func newUp(s IO) *cobra.Command {
	o := &upOptions{io: s}
	c := &cobra.Command{
		Use:   "up [DIR]",
		Short: "Bring the project's pipeline up, and follow it",
		Long: `Checks the project in DIR, pushes its source, creates or updates the pipeline's
stack, and follows the pipeline's execution to its end. On a terminal ouro then
stays, keeps the local cloud running and follows what is pushed, until Ctrl-C.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = dirOf(args)
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	c.Flags().StringVar(&o.target.listen, "listen", "", "address of the local cloud (default 127.0.0.1:4566, or another free port)")
	c.Flags().StringVar(&o.config, "config", "", "the pipeline's template configuration (default pipeline.dev.json)")
	c.Flags().BoolVar(&o.wait, "wait", false, "exit when the execution has ended, even on a terminal")
	c.Flags().BoolVar(&o.json, "json", false, "print the result as JSON")
	return c
}

func (o *upOptions) run(ctx context.Context) (err error) {
	w, err := o.target.session(ctx, o.io, o.dir, o.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	checked, err := w.check()
	if err != nil {
		return err
	}
	w.line(fmt.Sprintf("%s %s: %d templates", w.bold("Checked"), w.project.Name, checked.Templates))
	n, up := w.narrator, w.up(checked.Facts)
	outcome, err := up.Run(ctx)
	if err != nil {
		return err
	}
	if err := o.report(ctx, n, up, outcome); err != nil {
		return err
	}
	if o.wait || o.json || !o.io.Terminal {
		return failed(outcome)
	}
	ends := "ouro"
	if w.target.server != nil {
		ends = "the local cloud, its state stays"
	}
	n.line(n.dim("Waiting for pushes; Ctrl-C ends " + ends + "."))
	return o.stay(ctx, n, up, outcome)
}

// failed is the exit code of an execution that did not succeed.
func failed(outcome *pipeline.Outcome) error {
	if outcome.Status == types.PipelineExecutionStatusSucceeded {
		return nil
	}
	return exitError(1)
}

// stay follows each new execution until Ctrl-C.
func (o *upOptions) stay(ctx context.Context, n *narrator, up *pipeline.Up, last *pipeline.Outcome) error {
	for {
		id, err := pipeline.Next(ctx, up.Clients, up.Pipeline, last.ID)
		if ctx.Err() != nil {
			return nil // Ctrl-C is how this ends
		}
		if err != nil {
			return err
		}
		if last, err = pipeline.FollowToEnd(ctx, up.Clients, up.Pipeline, id, n); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if err := o.report(ctx, n, up, last); err != nil {
			return err
		}
	}
}

// upResult is what --json prints.
type upResult struct {
	Project   string           `json:"project"`
	Pipeline  string           `json:"pipeline"`
	Version   int32            `json:"version"`
	Execution string           `json:"execution"`
	Status    string           `json:"status"`
	Reason    string           `json:"reason,omitempty"`
	Commit    string           `json:"commit"`
	Remote    string           `json:"remote"`
	Branch    string           `json:"branch"`
	Stacks    []pipeline.Stack `json:"stacks"`
}

// logTail is how many of a failed build's last lines are shown again.
const logTail = 15

func (o *upOptions) report(ctx context.Context, n *narrator, up *pipeline.Up, outcome *pipeline.Outcome) error {
	status, err := pipeline.ReadStatus(ctx, up.Clients, up.Pipeline)
	if err != nil {
		return err
	}
	names := status.Stacks
	if own := up.Project.StackName(); !slices.Contains(names, own) {
		names = slices.Insert(names, 0, own)
	}
	stacks, err := pipeline.Stacks(ctx, up.Clients, names)
	if err != nil {
		return err
	}
	r := upResult{
		Project: up.Project.Name, Pipeline: up.Pipeline, Version: status.Version, Execution: outcome.ID,
		Status: string(outcome.Status), Commit: up.Commit, Remote: up.Remote, Branch: up.Facts.Branch, Stacks: stacks,
	}
	var tail []string
	if a := outcome.Failed(); a != nil {
		r.Reason = a.Stage + " › " + a.Name + ": " + a.Reason
		if a.BuildID != "" {
			if tail, err = pipeline.LogTail(ctx, up.Clients, a.BuildID, logTail); err != nil {
				return err
			}
		}
	}
	if outcome.Status == types.PipelineExecutionStatusCancelled {
		// The pipeline's update was taken back, and this execution with it.
		if r.Reason, err = stack.LastFailure(ctx, up.Clients.Stacks, up.Project.StackName()); err != nil {
			return err
		}
	}
	n.clearNow()
	if o.json {
		e := json.NewEncoder(o.io.Out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	o.print(r, tail)
	return nil
}

func (o *upOptions) print(r upResult, tail []string) {
	p, w := paint(o.io.Color && o.io.Terminal), o.io.Out
	fmt.Fprintf(w, "\n%s %s, version %d: %s\n", p.bold("Pipeline"), r.Pipeline, r.Version, p.status(r.Status))
	if r.Reason != "" {
		fmt.Fprintln(w, "  "+p.red(r.Reason))
	}
	for _, line := range tail {
		fmt.Fprintln(w, p.dim("  │ ")+line)
	}
	printStacks(w, p, r.Stacks)
	fmt.Fprintf(w, "%s  %s\n", p.bold("Remote"), r.Remote)
	fmt.Fprintf(w, "  git push %s HEAD:%s\n", r.Remote, r.Branch)
}
