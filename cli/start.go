package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/spf13/cobra"

	"ouro/ci"
	"ouro/pipeline"
)

type startOptions struct {
	io        IO
	target    targetFlags
	purpose   ci.Purpose
	release   *releaseFlags // nil for builds of pushes
	project   string
	branch    string
	config    string
	variables []string
	timeout   time.Duration
	leave     bool // do not follow
	json      bool
}

func newStart(s IO, purpose ci.Purpose) *cobra.Command {
	o := &startOptions{io: s, purpose: purpose}
	c := &cobra.Command{
		Use:   "start",
		Short: "Start a batch, and follow it to its end",
		Long: `Starts a batch of the project's builds and follows it: each part with its phase,
how long it took, and where its log is. Ctrl-C asks whether to stop the batch.

The exit code is 0 if the batch succeeded, and 1 if it did not.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.target.add(c)
	flags := c.Flags()
	flags.StringVar(&o.project, "project", "", "name of the project, as it was deployed")
	flags.StringVar(&o.branch, "branch", "", "branch, tag or commit to build (default: the repository's default branch)")
	flags.StringArrayVar(&o.variables, "env", nil, "NAME=VALUE that builds find in their environment; repeatable")
	flags.StringVar(&o.config, "config-file", "", "the repository's configuration (default "+ci.ConfigFile+", if it is there)")
	flags.DurationVar(&o.timeout, "timeout", 0, "follow no longer than this; the batch goes on (default: as long as it takes)")
	flags.BoolVar(&o.leave, "no-follow", false, "exit when the batch has started")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	if purpose.Name == ci.Release.Name {
		o.release = &releaseFlags{}
		o.release.add(c)
	}
	return c
}

func (o *startOptions) run(ctx context.Context) (err error) {
	if err := ci.CheckProject(o.project); err != nil {
		return usageError{err}
	}
	run, release, err := o.batch(time.Now())
	if err != nil {
		return err
	}
	o.target.asker = o.io.asker()
	w, err := o.target.sessionOf(ctx, o.io, &pipeline.Project{Dir: "."})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	w.introduce()
	id, err := ci.Start(ctx, w.clients.Builds, run)
	if none := (*types.ResourceNotFoundException)(nil); errors.As(err, &none) {
		return fmt.Errorf("there is no build project %q: %s deploy --project %s makes it", run.Project, o.purpose.Command, o.project)
	}
	if err != nil {
		return err
	}
	w.Step("Batch " + id)
	if release != "" {
		w.line("  release " + release)
	}
	if o.leave {
		w.clearNow()
		return o.print(ctx, w, &ci.Batch{ID: id, Project: run.Project, Status: string(types.StatusTypeInProgress)})
	}
	return o.follow(ctx, w, id)
}

// batch is what to start; release is empty for builds of pushes.
func (o *startOptions) batch(now time.Time) (run ci.Run, release string, err error) {
	config, err := ci.ReadConfig(".", o.config)
	if err != nil {
		return run, "", err
	}
	run = ci.Run{Project: o.purpose.Stack(o.project), Version: o.branch}
	if o.release != nil {
		if release, err = o.release.release(now); err != nil {
			return run, "", err
		}
		run.Variables = ci.ReleaseVariables(release, o.release.dry)
		if o.timeout == 0 {
			o.timeout = time.Duration(config.Release.Timeout) * time.Minute
		}
	}
	for _, text := range o.variables {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return run, "", usageError{fmt.Errorf("--env %q is not NAME=VALUE", text)}
		}
		run.Variables = append(run.Variables, types.EnvironmentVariable{Name: &name, Value: &value, Type: types.EnvironmentVariableTypePlaintext})
	}
	return run, release, nil
}

// follow draws the batch until it has ended, or somebody has enough of it.
func (o *startOptions) follow(ctx context.Context, w *session, id string) error {
	watch := ctx
	if o.timeout > 0 {
		var cancel context.CancelFunc
		watch, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	b, err := ci.Follow(watch, w.clients.Builds, id, newBatchDrawer(w.narrator).draw)
	w.clearNow()
	switch {
	case err != nil && ctx.Err() != nil:
		return o.interrupted(ctx, w, id)
	case err != nil && watch.Err() != nil:
		return fmt.Errorf("batch %q has not ended within %s: %s", id, o.timeout, goesOn(w))
	case err != nil:
		return err
	}
	if err := o.print(ctx, w, b); err != nil {
		return err
	}
	if !b.Succeeded() {
		return exitError(1)
	}
	return nil
}

// goesOn says what becomes of a batch that is followed no longer.
func goesOn(w *session) string {
	if w.target.server != nil {
		return "it ends with this process's local cloud"
	}
	return "it goes on"
}

// interrupted asks whether the batch is to be stopped too. A second Ctrl-C is
// a no.
func (o *startOptions) interrupted(ctx context.Context, w *session, id string) error {
	after, stop := signal.NotifyContext(context.WithoutCancel(ctx), os.Interrupt, syscall.SIGTERM)
	defer stop()
	yes := false
	if o.target.asker != nil {
		var err error
		if yes, err = o.target.asker.yes(after, "Stop the batch?"); err != nil && after.Err() == nil {
			return errors.Join(ctx.Err(), err)
		}
	}
	if !yes {
		w.line("Batch " + id + ": " + goesOn(w))
		return ctx.Err()
	}
	w.Step("Stopping")
	if err := ci.Stop(after, w.clients.Builds, id); err != nil {
		return err
	}
	b, err := ci.Follow(after, w.clients.Builds, id, newBatchDrawer(w.narrator).draw)
	w.clearNow()
	if err != nil {
		return err
	}
	return errors.Join(ctx.Err(), o.print(after, w, b))
}

// maxTails is how many failed parts have the end of their logs shown.
const maxTails = 3

// print prints how a batch stands. A terminal saw the parts already: it gets
// those that failed.
func (o *startOptions) print(ctx context.Context, w *session, b *ci.Batch) error {
	if o.json {
		return printJSON(o.io, b)
	}
	p, out := paint(o.io.Color && o.io.Terminal), o.io.Out
	fmt.Fprintf(out, "%s %s: %s\n", p.bold("Batch"), b.ID, p.status(b.Status))
	if b.Reason != "" {
		fmt.Fprintln(out, "  "+p.red(b.Reason))
	}
	linked := w.live && bool(w.paint) // the terminal has the links already
	tails := 0
	for _, part := range b.Parts {
		failed := part.Ended() && part.Status != string(types.StatusTypeSucceeded)
		if o.io.Terminal && !failed {
			continue
		}
		text := partColumns(p, part, widest(b.Parts))
		if !linked {
			text += part.Log
		}
		fmt.Fprintln(out, "  "+strings.TrimRight(text, " "))
		if failed && part.Reason != "" && part.Reason != b.Reason {
			fmt.Fprintln(out, "      "+p.red(part.Reason))
		}
		if !failed || part.Build == "" || tails == maxTails {
			continue
		}
		tails++
		tail, err := pipeline.LogTail(ctx, w.clients, pipeline.Action{BuildID: part.Build}, logTail)
		if err != nil {
			return err
		}
		p.quote(out, tail)
	}
	return nil
}

// widest is the width of the longest identifier, within reason.
func widest(parts []ci.Part) int {
	n := 0
	for _, part := range parts {
		n = max(n, len(part.Identifier))
	}
	return min(n, maxIdentifier)
}

// maxIdentifier leaves room for status, phase and time in 80 columns.
const maxIdentifier = 32
