package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"ouro/pipeline"
)

type logsOptions struct {
	io      IO
	target  targetFlags
	config  string
	query   pipeline.LogQuery
	since   time.Duration
	dir     string
	approve string
}

func newLogs(s IO) *cobra.Command {
	o := &logsOptions{io: s}
	c := &cobra.Command{
		Use:   "logs [DIR]",
		Short: "Show what the builds of an execution log, and why actions failed",
		Long: `Shows the logs of the builds of the newest execution of the project's pipeline,
in order, and why an action failed: for deployments, the resources that failed.
With --follow it goes on until the execution has ended, or Ctrl-C.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = dirOf(args)
			o.approve = sameTarget(c, "approve", args)
			if o.since < 0 {
				return usageError{fmt.Errorf("--since %s is not in the past", o.since)}
			}
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	o.target.there = true
	c.Flags().StringVar(&o.config, "config", "", "the pipeline's template configuration (default pipeline.dev.json)")
	c.Flags().StringVar(&o.query.Execution, "execution", "", "id of the execution (default the newest)")
	c.Flags().StringVar(&o.query.Stage, "stage", "", "only this stage")
	c.Flags().StringVar(&o.query.Action, "action", "", "only actions of this name")
	c.Flags().BoolVarP(&o.query.Follow, "follow", "f", false, "show what comes, until the execution has ended")
	c.Flags().DurationVar(&o.since, "since", 0, "only lines of the last time, such as 90s or 10m")
	return c
}

func (o *logsOptions) run(ctx context.Context) (err error) {
	o.target.asker = o.io.asker()
	s, err := o.target.session(ctx, o.io, o.dir, o.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	name, err := s.pipeline(ctx)
	if err != nil {
		return err
	}
	declared, err := pipeline.Declared(ctx, s.clients, name)
	if err != nil {
		return err
	}
	if o.query.Execution == "" && !slices.ContainsFunc(declared, o.query.Wants) {
		return fmt.Errorf("pipeline %q has no such stage and action; it has %s", name, actionNames(declared))
	}
	if o.since > 0 {
		o.query.Since = time.Now().Add(-o.since)
	}
	p := newLogPrinter(s.narrator, o.io, o.approve)
	p.prefix(o.query, declared)
	out, err := pipeline.Logs(ctx, s.clients, name, o.query, p)
	if o.query.Follow && ctx.Err() != nil {
		return nil // Ctrl-C is how this ends
	}
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Execution %s: %s", out.ID, s.status(string(out.Status)))
	switch {
	case !pipeline.Ended(out.Status) && !o.query.Follow:
		text += "; --follow shows what comes"
	case p.lines == 0:
		text += "; no build has logged anything" + map[bool]string{true: " that was asked for"}[o.filtered()]
	}
	s.line(text)
	return nil
}

func actionNames(list []pipeline.Action) string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = a.Stage + " › " + a.Name
	}
	return strings.Join(names, ", ")
}

func (o *logsOptions) filtered() bool {
	return o.query.Stage != "" || o.query.Action != "" || o.since > 0
}

// logPrinter prints the lines of builds, and what failed, as results: on
// standard output. What else happens is told by the narrator.
type logPrinter struct {
	paint
	narrator *narrator
	w        io.Writer
	width    int // of the terminal; 0 for none
	names    int // width of the column of names; 0 for none
	lines    int
	approve  string // the command that approves
}

var _ pipeline.Observer = (*logPrinter)(nil)

func newLogPrinter(n *narrator, s IO, approve string) *logPrinter {
	p := &logPrinter{paint: paint(s.Color && s.Terminal), narrator: n, w: s.Out, approve: approve}
	if s.Terminal {
		p.width = max(s.Width, 40)
	}
	return p
}

// prefix names each line's action if the lines can be of several.
func (p *logPrinter) prefix(q pipeline.LogQuery, declared []pipeline.Action) {
	several, widest := 0, 0
	for _, a := range declared {
		if a.Provider == "CodeBuild" && q.Wants(a) {
			several, widest = several+1, max(widest, ansi.StringWidth(a.Stage+" › "+a.Name))
		}
	}
	if several > 1 {
		p.names = widest
	}
}

// Step has nothing to tell.
func (p *logPrinter) Step(string) {}

// StackEvent has nothing to tell: the events that matter come with an action
// that failed.
func (p *logPrinter) StackEvent(cfntypes.StackEvent) {}

// Execution tells whose logs these are.
func (p *logPrinter) Execution(_, id string) { p.narrator.line(p.narrator.bold("Execution " + id)) }

// Action tells what failed, and who is waited for.
func (p *logPrinter) Action(a pipeline.Action) {
	switch {
	case a.Status == types.ActionExecutionStatusFailed:
		p.failure(a)
	case a.Status == types.ActionExecutionStatusInProgress && a.Provider == "Manual":
		p.narrator.line(fmt.Sprintf("%s › %s waits for approval: %s --stage %s", a.Stage, a.Name, p.approve, a.Stage))
	}
}

// Log prints a line.
func (p *logPrinter) Log(a pipeline.Action, line string) {
	p.lines++
	if agentLine().MatchString(line) {
		line = p.dim(line)
	}
	if p.names > 0 {
		line = p.dim(padRight(a.Stage+" › "+a.Name, p.names)+" │") + " " + line
	}
	fmt.Fprintln(p.w, line)
}

// failure prints why an action failed.
func (p *logPrinter) failure(a pipeline.Action) {
	p.lines++
	fmt.Fprintf(p.w, "%s %s › %s failed after %s\n", p.red("✗"), a.Stage, a.Name, duration(a.Updated.Sub(a.Started)))
	p.indented(p.red, "  ", a.Reason)
	for _, f := range a.Failures {
		fmt.Fprintf(p.w, "  %s  %s › %s  %s\n", p.status(string(f.Status)), f.Stack, f.LogicalID, p.dim(f.Type))
		p.indented(p.red, "    ", f.Reason)
	}
}

// indented prints a text below what it belongs to; on a terminal in lines that
// fit.
func (p *logPrinter) indented(colour func(string) string, indent, text string) {
	if p.width > 0 {
		text = ansi.Wrap(text, p.width-len(indent), "")
	}
	for line := range strings.Lines(text) {
		fmt.Fprintln(p.w, indent+colour(strings.TrimRight(line, "\r\n ")))
	}
}
