package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/spf13/cobra"

	"ouro/pipeline"
	"ouro/stack"
)

type upOptions struct {
	io      IO
	target  targetFlags
	inputs  upInputs
	config  string
	yes     bool
	approve string
	wait    bool
	leave   bool // do not follow
	json    bool
	dir     string
}

func newUp(s IO) *cobra.Command {
	o := &upOptions{io: s}
	c := &cobra.Command{
		Use:   "up [DIR]",
		Short: "Bring the project's pipeline up, and follow it",
		Long: `Checks the project in DIR, creates or updates the pipeline's stack, pushes the
source if it is in CodeCommit, and follows the pipeline's execution to its end.
On a terminal ouro then stays, keeps the local cloud running and follows what is
pushed, until Ctrl-C.

Anywhere but on the project's local cloud, what would change is shown first, and
nothing is made without consent: on a terminal ouro asks, --yes gives it. There
this program goes into the pipeline's bucket too, so that builds run the same
version. After a failure, up goes on from where it was.

What the configuration lacks is asked for on a terminal, or given by
--parameter, and written to the configuration. A GitHub token (for sources
without a connection) is asked for unless its secret exists, and kept in Secrets
Manager.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = dirOf(args)
			o.approve = sameTarget(c, "approve", args)
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	o.inputs.add(c)
	flags := c.Flags()
	flags.StringVar(&o.target.listen, "listen", "", "address of the local cloud (default 127.0.0.1:4566, or another free port)")
	flags.BoolVar(&o.target.containers, "containers", false, containersUsage)
	flags.StringVar(&o.config, "config", "", "the pipeline's template configuration (default pipeline.dev.json)")
	flags.BoolVarP(&o.yes, "yes", "y", false, "change what has to be changed, do not ask")
	flags.BoolVar(&o.wait, "wait", false, "exit when the execution has ended, even on a terminal")
	flags.BoolVar(&o.leave, "no-follow", false, "exit when the stack is there and the source is pushed")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return c
}

func (o *upOptions) run(ctx context.Context) (err error) {
	o.target.asker = o.io.asker()
	project, err := o.inputs.open(ctx, o.dir, o.config, o.target.asker)
	if err != nil {
		return err
	}
	w, err := o.target.sessionOf(ctx, o.io, project)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	w.approve = o.approve
	up, err := o.prepare(ctx, w)
	if err != nil {
		return err
	}
	return o.carry(ctx, w, up)
}

// carry brings up what was prepared, and stays with it as long as that is wanted.
func (o *upOptions) carry(ctx context.Context, w *session, up *pipeline.Up) error {
	n := w.narrator
	outcome, err := up.Run(ctx)
	if err != nil {
		return err
	}
	if err := o.report(ctx, n, up, outcome); err != nil {
		return err
	}
	if outcome == nil || o.ends() {
		return failed(outcome)
	}
	ends := "ouro"
	if w.target.server != nil {
		ends = "the local cloud, its state stays"
	}
	n.line(n.dim("Waiting for pushes; Ctrl-C ends " + ends + "."))
	return o.stay(ctx, n, up, outcome)
}

// farPatience is how long the events of AWS may take on their way, by far.
const farPatience = 15 * time.Second

// prepare completes the project, and readies all that its Up will ask for.
func (o *upOptions) prepare(ctx context.Context, w *session) (*pipeline.Up, error) {
	w.introduce()
	consent := consent{session: w, asker: o.target.asker, yes: o.yes}
	if err := consent.possible(); err != nil {
		return nil, err
	}
	if err := o.inputs.complete(ctx, w, consent.asker); err != nil {
		return nil, err
	}
	return o.ready(ctx, w, consent)
}

// ready checks the project, and makes the Up of it.
func (o *upOptions) ready(ctx context.Context, w *session, consent consent) (*pipeline.Up, error) {
	checked, err := w.look(ctx)
	if err != nil {
		return nil, err
	}
	w.line(fmt.Sprintf("%s %s: %d templates", w.bold("Checked"), w.project.Name, checked.Templates))
	up := w.up(checked.Facts)
	up.NoFollow, up.AtApproval = o.leave, o.ends()
	if up.Binary, err = o.inputs.program(ctx, w, checked.Facts.Platform); err != nil {
		return nil, err
	}
	if err := o.layers(ctx, w, consent); err != nil {
		return nil, err
	}
	up.Token = func(ctx context.Context, secret string) (string, error) {
		w.clearNow()
		return o.inputs.token(ctx, o.io, consent.asker, secret)
	}
	if !w.target.own {
		up.Patience = farPatience
		up.Consent = func(ctx context.Context, work pipeline.Work) (bool, error) {
			return consent.ask(ctx, func() { o.show(work, up) }, "Go ahead")
		}
	}
	return up, nil
}

// show shows what is about to be done.
func (o *upOptions) show(work pipeline.Work, up *pipeline.Up) {
	p, w := paint(o.io.Color), o.io.Err
	if work.LeftOver != "" {
		fmt.Fprintf(w, "%s %s was left over as %s. All that is in it is deleted, to begin anew.\n", p.bold("Stack"), up.Project.StackName(), p.status(string(work.LeftOver)))
		return
	}
	if !work.Changes.Empty() {
		width := 0
		if o.io.ErrTerminal {
			width = max(o.io.Width, 40)
		}
		drawPlan(w, p, width, []*stack.Changes{work.Changes})
	}
	for _, what := range work.Besides {
		fmt.Fprintf(w, "%s %s\n", p.bold("Besides:"), what)
	}
}

// ends tells whether up exits after the execution, or when that waits for
// somebody.
func (o *upOptions) ends() bool { return o.wait || o.json || !o.io.Terminal }

// failed is the exit code of an execution that did not succeed; one that waits
// for an approval has not failed.
func failed(outcome *pipeline.Outcome) error {
	if outcome == nil || outcome.Status == types.PipelineExecutionStatusSucceeded || len(outcome.Waiting()) > 0 {
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

	how string // to start the pipeline, where nothing is pushed from here
}

// logTail is how many of a failed build's last lines are shown again.
const logTail = 15

func (o *upOptions) report(ctx context.Context, n *narrator, up *pipeline.Up, outcome *pipeline.Outcome) error {
	r := upResult{
		Project: up.Project.Name, Pipeline: up.Pipeline, Commit: up.Commit,
		Remote: up.Remote, Branch: up.Facts.Source.Branch, how: up.Facts.Source.How(),
	}
	own := pipeline.StackRef{Name: up.Project.StackName()}
	names := []pipeline.StackRef{own}
	if up.Pipeline != "" {
		status, err := pipeline.ReadStatus(ctx, up.Clients, up.Pipeline)
		if err != nil {
			return err
		}
		if r.Version = status.Version; !slices.Contains(status.Stacks, own) {
			names = append(names, status.Stacks...)
		} else {
			names = status.Stacks
		}
	}
	var err error
	if r.Stacks, err = pipeline.Stacks(ctx, up.Clients, names); err != nil {
		return err
	}
	var tail []string
	if outcome != nil {
		if tail, err = r.read(ctx, up, outcome); err != nil {
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

// read adds how an execution ended; tail is the end of a failed build's log.
func (r *upResult) read(ctx context.Context, up *pipeline.Up, outcome *pipeline.Outcome) (tail []string, err error) {
	r.Execution, r.Status = outcome.ID, string(outcome.Status)
	if a := outcome.Failed(); a != nil {
		r.Reason = a.Stage + " › " + a.Name + ": " + a.Reason
		if tail, err = pipeline.LogTail(ctx, up.Clients, *a, logTail); err != nil {
			return nil, err
		}
	}
	if outcome.Status == types.PipelineExecutionStatusCancelled {
		// The pipeline's update was taken back, and this execution with it.
		r.Reason, err = stack.LastFailure(ctx, up.Clients.Stacks, up.Project.StackName())
	}
	return tail, err
}

func (o *upOptions) print(r upResult, tail []string) {
	p, w := paint(o.io.Color && o.io.Terminal), o.io.Out
	if r.Status != "" {
		fmt.Fprintf(w, "\n%s %s, version %d: %s\n", p.bold("Pipeline"), r.Pipeline, r.Version, p.status(r.Status))
	}
	if r.Reason != "" {
		fmt.Fprintln(w, "  "+p.red(r.Reason))
	}
	p.quote(w, tail)
	printStacks(w, p, r.Stacks)
	if r.Remote == "" {
		fmt.Fprintf(w, "%s  %s\n", p.bold("Source"), r.how)
		return
	}
	fmt.Fprintf(w, "%s  %s\n", p.bold("Remote"), r.Remote)
	fmt.Fprintf(w, "  git push %s HEAD:%s\n", r.Remote, r.Branch)
}
