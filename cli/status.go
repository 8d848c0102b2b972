package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ouro/pipeline"
)

type statusOptions struct {
	io      IO
	target  targetFlags
	config  string
	all     bool
	json    bool
	dir     string
	approve string // the command that approves
}

func newStatus(s IO) *cobra.Command {
	o := &statusOptions{io: s}
	c := &cobra.Command{
		Use:   "status [DIR]",
		Short: "Show the pipeline, what it does, and the stacks it deploys",
		Long: `Shows the pipeline of the project in DIR: its newest execution, each stage and
action, what waits for an approval, and the stacks that it deploys. Where DIR
holds no project, all pipelines are shown.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = dirOf(args)
			o.approve = sameTarget(c, "approve", args)
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	o.target.there = true
	c.Flags().StringVar(&o.config, "config", "", "the pipeline's template configuration (default pipeline.dev.json)")
	c.Flags().BoolVar(&o.all, "all", false, "show all pipelines of the account and region")
	c.Flags().BoolVar(&o.json, "json", false, "print the result as JSON")
	return c
}

// sameTarget is the command line of another command on what this one works on.
func sameTarget(c *cobra.Command, verb string, args []string) string {
	words := append([]string{c.Root().Name(), verb}, args...)
	same := []string{"aws", "endpoint-url", "profile", "region", "state", "config"}
	c.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case !slices.Contains(same, f.Name):
		case f.Value.Type() == "bool":
			words = append(words, "--"+f.Name)
		default:
			words = append(words, "--"+f.Name, f.Value.String())
		}
	})
	return strings.Join(words, " ")
}

// errNoPipeline tells that a pipeline is not where it was looked for.
var errNoPipeline = errors.New("bring it up first")

// pipeline is the name of the project's pipeline.
func (s *session) pipeline(ctx context.Context) (string, error) {
	name, err := pipeline.Named(ctx, s.clients, s.project.StackName())
	if err == nil && name == "" {
		err = fmt.Errorf("project %q has no pipeline in account %s, %s: %w", s.project.Name, s.account, s.clients.Region, errNoPipeline)
	}
	return name, err
}

// pipelineStatus is one pipeline of what --json prints.
type pipelineStatus struct {
	*pipeline.Status
	Deployed []pipeline.Stack `json:"stacks"`
}

func (o *statusOptions) run(ctx context.Context) (err error) {
	o.target.asker = o.io.asker()
	t, err := o.target.open(ctx, o.io, o.dir)
	if errors.Is(err, errNoPipeline) {
		return o.print(nil)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	clients := pipeline.NewClients(t.Config)
	names, own, err := o.pipelines(ctx, clients)
	if err != nil {
		return err
	}
	var all []pipelineStatus
	for _, name := range names {
		s, err := pipeline.ReadStatus(ctx, clients, name)
		if err != nil {
			return err
		}
		if own := (pipeline.StackRef{Name: own}); own.Name != "" && !slices.Contains(s.Stacks, own) {
			s.Stacks = slices.Insert(s.Stacks, 0, own)
		}
		stacks, err := pipeline.Stacks(ctx, clients, s.Stacks)
		if err != nil {
			return err
		}
		all = append(all, pipelineStatus{s, stacks})
	}
	if err := o.print(all); err != nil || len(all) > 0 || own == "" || o.json {
		return err
	}
	stacks, err := pipeline.Stacks(ctx, clients, []pipeline.StackRef{{Name: own}})
	d := newStatusDrawer(o.io, time.Now())
	for _, s := range stacks {
		d.stack(s, d.age(s.Changed)+" ago")
	}
	return err
}

func (o *statusOptions) print(all []pipelineStatus) error {
	if o.json {
		e := json.NewEncoder(o.io.Out)
		e.SetIndent("", "  ")
		return e.Encode(append([]pipelineStatus{}, all...)) // a list, even if there is none
	}
	d := newStatusDrawer(o.io, time.Now())
	if len(all) == 0 {
		d.line("No pipelines. Bring one up with: ouro up")
	}
	for _, s := range all {
		d.pipeline(s, o.approve)
	}
	return nil
}

// pipelines are those to show, and the stack of the project's own.
func (o *statusOptions) pipelines(ctx context.Context, c *pipeline.Clients) (names []string, own string, err error) {
	if !o.all {
		p, err := pipeline.Load(o.dir, o.config)
		if err == nil {
			name, err := pipeline.Named(ctx, c, p.StackName())
			if name != "" {
				names = []string{name}
			}
			return names, p.StackName(), err
		}
		if !errors.Is(err, pipeline.ErrNoProject) {
			return nil, "", err
		}
	}
	names, err = pipeline.ListPipelines(ctx, c)
	return names, "", err
}

// statusDrawer writes what stands for people.
type statusDrawer struct {
	paint
	w     io.Writer
	width int // that lines are cut to; 0 for not at all
	now   time.Time
}

func newStatusDrawer(s IO, now time.Time) *statusDrawer {
	d := &statusDrawer{paint: paint(s.Color && s.Terminal), w: s.Out, now: now}
	if s.Terminal {
		d.width = max(s.Width, 40)
	}
	return d
}

// line writes a line cut to the width; --json has the values in full.
func (d *statusDrawer) line(text string) {
	if d.width > 0 {
		text = ansi.Truncate(text, d.width, "…")
	}
	fmt.Fprintln(d.w, strings.TrimRight(text, " "))
}

func (d *statusDrawer) pipeline(s pipelineStatus, approve string) {
	d.line(fmt.Sprintf("%s %s, version %d  %s", d.bold("Pipeline"), s.Name, s.Version, d.dim(d.age(s.Updated)+" ago, "+string(s.Mode))))
	d.execution(s.Newest)
	for _, st := range s.Stages {
		d.stage(st, s.Newest)
	}
	for _, a := range s.Waiting {
		d.line(fmt.Sprintf("%s %s › %s, for %s", d.bold("Waits for approval:"), a.Stage, a.Action, d.age(a.Since)))
		if text := firstLine(ansi.Strip(a.Text)); text != "" {
			d.line("  " + text)
		}
		fmt.Fprintf(d.w, "  %s --stage %s\n", approve, a.Stage) // to be copied, hence not cut
	}
	for _, s := range s.Deployed {
		d.stack(s, d.age(s.Changed)+" ago")
	}
}

func (d *statusDrawer) execution(e *pipeline.ExecutionStatus) {
	if e == nil {
		d.line(d.dim("  It has not run yet."))
		return
	}
	d.line(fmt.Sprintf("%s %s  %s  %s", d.bold("Execution"), e.ID, d.status(string(e.Status)), d.dim(d.age(e.Started)+" ago")))
	for _, r := range e.Revisions {
		d.line(fmt.Sprintf("  %s  %s", d.amber(shortRevision(r.ID)), firstLine(ansi.Strip(r.Summary))))
	}
}

// shortRevision is a commit's id as git shows it; other revisions are cut too.
func shortRevision(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}

const statusColumn, ageColumn = 26, 13

func (d *statusDrawer) stage(st pipeline.StageStatus, newest *pipeline.ExecutionStatus) {
	note := ""
	if newest != nil && st.Execution != "" && st.Execution != newest.ID {
		note = "execution " + shortRevision(st.Execution)
	}
	if st.Closed != "" {
		note = "closed: " + st.Closed
	}
	d.row("  "+st.Name, string(st.Status), st.Changed(), note)
	for _, a := range st.Actions {
		said := firstLine(ansi.Strip(a.Summary))
		if newest != nil && st.Execution == newest.ID && !a.Changed.IsZero() && a.Changed.Before(newest.Started) {
			said = "in an earlier execution" // this one has not come to it yet
		}
		d.row("    "+a.Name, string(a.Status), a.Changed, said)
	}
}

// row is a name, a status, an age and what there is to say.
func (d *statusDrawer) row(name, status string, changed time.Time, note string) {
	when := ""
	if !changed.IsZero() {
		when = d.age(changed) + " ago"
	}
	name = padRight(ansi.Truncate(name, statusColumn-1, "…"), statusColumn)
	d.line(name + padRight(d.status(firstOf(status, "-")), ageColumn) + padRight(d.dim(when), 9) + d.dim(note))
}

// age is how long ago something was, in one unit.
func (d *statusDrawer) age(t time.Time) string { return age(d.now.Sub(t)) }

func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// printStacks writes stacks without their ages, in full.
func printStacks(w io.Writer, p paint, stacks []pipeline.Stack) {
	d := &statusDrawer{paint: p, w: w}
	for _, s := range stacks {
		d.stack(s, "")
	}
}

func (d *statusDrawer) stack(s pipeline.Stack, when string) {
	text := d.bold("Stack") + " " + pipeline.StackRef{Name: s.Name, Region: s.Region}.String() + ": " + d.status(string(s.Status))
	if when != "" {
		text += "  " + d.dim(when)
	}
	if s.Protected {
		text += d.dim(", protected from deletion")
	}
	d.line(text)
	if s.Reason != "" {
		d.line("  " + d.red(s.Reason))
	}
	widest := 0
	for _, out := range s.Outputs {
		widest = max(widest, len(out.Name))
	}
	for _, out := range s.Outputs {
		d.line(fmt.Sprintf("  %s  %s", padRight(out.Name, widest), out.Value))
	}
}
