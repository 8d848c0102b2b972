package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"ouro/pipeline"
	"ouro/stack"
	"ouro/template"
)

type planOptions struct {
	io     IO
	target targetFlags
	config string
	json   bool
	dir    string
}

func newPlan(s IO) *cobra.Command {
	o := &planOptions{io: s}
	c := &cobra.Command{
		Use:   "plan [DIR]",
		Short: "Show what a push would change, before it is pushed",
		Long: `Asks CloudFormation, by change sets, what a push of the project in DIR would
change: in the pipeline's own stack and in every stack that the pipeline
deploys, nested stacks included. Nothing is deployed.

The exit code is 0 if there is nothing to do, 2 if there are changes, and 1 for
an error.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = dirOf(args)
			return o.run(c.Context())
		},
	}
	// Here the exit code 2 of wrong command lines has another meaning.
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return err })
	o.target.add(c)
	c.Flags().StringVar(&o.config, "config", "", "the pipeline's template configuration (default pipeline.dev.json)")
	c.Flags().BoolVar(&o.json, "json", false, "print the result as JSON, with all values in full")
	return c
}

func (o *planOptions) run(ctx context.Context) (err error) {
	w, err := o.target.session(ctx, o.io, o.dir, o.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	checked, err := w.check(ctx)
	if err != nil {
		return err
	}
	plan, err := w.up(checked.Facts).Plan(ctx, func(name string) { w.doing("asking what would change in " + name) })
	if err != nil {
		return err
	}
	w.clearNow()
	if o.json {
		e := json.NewEncoder(o.io.Out)
		e.SetIndent("", "  ")
		err = e.Encode(plan)
	} else {
		width := 0 // what is not a terminal has no width
		if o.io.Terminal {
			width = max(o.io.Width, 40)
		}
		drawPlan(o.io.Out, paint(o.io.Color && o.io.Terminal), width, plan)
	}
	if err == nil && !pipeline.Empty(plan) {
		err = exitError(2)
	}
	return err
}

// planDrawer writes a plan for people.
type planDrawer struct {
	paint
	w     io.Writer
	width int            // that lines are cut to; 0 for not at all
	count map[string]int // by verb
}

// marks are how the changes of resources are shown, in the order in which they
// are counted.
var marks = []struct{ verb, mark, code string }{
	{"add", "+", "32"}, {"import", "»", "32"}, {"change", "~", "33"}, {"replace", "±", "31"}, {"remove", "-", "31"},
}

// verbOf is what is done to a resource, in the words of marks.
func verbOf(r stack.Resource) string {
	switch {
	case r.Action == types.ChangeActionAdd:
		return "add"
	case r.Action == types.ChangeActionImport:
		return "import"
	case r.Action == types.ChangeActionRemove:
		return "remove"
	case r.Replacement == types.ReplacementTrue:
		return "replace"
	}
	return "change"
}

func drawPlan(w io.Writer, p paint, width int, plan []*stack.Changes) {
	d := &planDrawer{paint: p, w: w, width: width, count: map[string]int{}}
	for _, c := range plan {
		fmt.Fprintf(w, "%s %s%s\n", p.bold("Stack"), c.Stack, p.dim(remark(c)))
		d.resources(c, 1)
	}
	if pipeline.Empty(plan) {
		fmt.Fprintln(w, "Nothing to do.")
		return
	}
	var parts []string
	for _, m := range marks {
		if n := d.count[m.verb]; n > 0 {
			parts = append(parts, p.with(m.code, strconv.Itoa(n)+" to "+m.verb))
		}
	}
	if len(parts) == 0 {
		parts = []string{"outputs or settings of the stacks"}
	}
	fmt.Fprintf(w, "%s %s\n", p.bold("Plan:"), strings.Join(parts, ", "))
}

func remark(c *stack.Changes) string {
	switch {
	case c.New:
		return ": new"
	case c.Empty():
		return ": no changes"
	case c.Other:
		return ": only outputs or settings change"
	}
	return ""
}

func (d *planDrawer) resources(c *stack.Changes, depth int) {
	widest := 0
	for _, r := range c.Resources {
		widest = max(widest, ansi.StringWidth(r.LogicalID))
	}
	indent := strings.Repeat("  ", depth)
	for _, r := range c.Resources {
		verb := verbOf(r)
		m := marks[slices.IndexFunc(marks, func(m struct{ verb, mark, code string }) bool { return m.verb == verb })]
		if r.Nested == nil || verb != "change" {
			d.count[verb]++ // a nested stack that changes is what changes in it
		}
		d.line(indent+d.with(m.code, m.mark)+" "+padRight(r.LogicalID, widest)+"  "+d.dim(r.Type+note(r)), "")
		if verb != "add" { // all of a new one is new
			for _, p := range r.Properties {
				d.property(p, indent+"    ")
			}
		}
		if r.Nested != nil {
			d.resources(r.Nested, depth+1)
		}
	}
}

// note says what else becomes of a resource.
func note(r stack.Resource) string {
	var text string
	if r.Replacement == types.ReplacementConditional {
		text = ", may be replaced"
	}
	switch r.Policy {
	case types.PolicyActionRetain, types.PolicyActionReplaceAndRetain:
		text += ", the old one is kept"
	case types.PolicyActionSnapshot, types.PolicyActionReplaceAndSnapshot:
		text += ", a snapshot is made"
	}
	return text
}

func (d *planDrawer) property(p stack.Property, indent string) {
	name := strings.ReplaceAll(strings.TrimPrefix(p.Path, "Properties/"), "/", ".")
	text := indent + name
	if p.Before != nil || p.After != nil {
		text += ": " + shownValue(p.Before) + " → " + shownValue(p.After)
	}
	end := ""
	if p.Replaces {
		end = " (replaces)"
	}
	d.line(text, end)
}

// line writes a text cut to the width, and what must be seen behind it; --json
// has the values in full.
func (d *planDrawer) line(text, end string) {
	if d.width > 0 {
		text = ansi.Truncate(text, d.width-len(end), "…")
	}
	fmt.Fprintln(d.w, text+d.red(end))
}

// shownValue is a value on one line.
func shownValue(v *string) string {
	switch {
	case v == nil:
		return "(none)"
	case strings.Contains(*v, template.KnownAfterApply):
		return "(known after the change)"
	case *v == "" || strings.ContainsFunc(*v, unicode.IsControl): // no value speaks to the terminal
		return strconv.Quote(*v)
	}
	return *v
}
