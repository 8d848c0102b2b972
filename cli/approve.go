package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"ouro/pipeline"
	"ouro/stack"
)

type approveOptions struct {
	io      IO
	target  targetFlags
	config  string
	stage   string
	action  string
	summary string
	reject  bool
	yes     bool
	dir     string
	approve string
}

func newApprove(s IO) *cobra.Command {
	o := &approveOptions{io: s}
	c := &cobra.Command{
		Use:   "approve [DIR]",
		Short: "Show what waits for an approval, and approve or reject it",
		Long: `Shows the approval that the pipeline waits for, with the change set that would
be executed, and asks. After an approval it follows the execution to its end or
to the next approval.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = dirOf(args)
			o.approve = sameTarget(c, "approve", args)
			if len(o.summary) > maxSummary {
				return usageError{fmt.Errorf("--summary has %d bytes, and CodePipeline takes %d", len(o.summary), maxSummary)}
			}
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	o.target.there = true
	c.Flags().StringVar(&o.config, "config", "", "the pipeline's template configuration (default pipeline.dev.json)")
	c.Flags().StringVar(&o.stage, "stage", "", "the stage that waits, if several do")
	c.Flags().StringVar(&o.action, "action", "", "the action that waits, if several of the stage do")
	c.Flags().BoolVar(&o.reject, "reject", false, "reject instead of approving")
	c.Flags().StringVar(&o.summary, "summary", "", "why, for the pipeline's history")
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

// maxSummary is how long the summary of a decision may be
// (https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ApprovalResult.html).
const maxSummary = 512

func (o *approveOptions) run(ctx context.Context) (err error) {
	s, name, err := o.target.sessionOfPipeline(ctx, o.io, o.dir, o.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	waiting, err := pipeline.Approvals(ctx, s.clients, name)
	if err != nil {
		return err
	}
	a, err := o.choose(name, waiting)
	if err != nil {
		return err
	}
	sets, err := pipeline.Reviewed(ctx, s.clients, a)
	if err != nil && !o.reject {
		return err
	}
	p := newLogPrinter(s.narrator, o.io, o.approve)
	o.show(p, a, sets, err)
	if err := o.ask(ctx); err != nil {
		return err
	}
	return o.decide(ctx, s, p, a, sets)
}

// choose is the approval that is meant.
func (o *approveOptions) choose(name string, waiting []pipeline.Approval) (pipeline.Approval, error) {
	var names []string
	meant := slices.DeleteFunc(slices.Clone(waiting), func(a pipeline.Approval) bool {
		names = append(names, a.Stage+" › "+a.Action)
		return o.stage != "" && a.Stage != o.stage || o.action != "" && a.Action != o.action
	})
	list := strings.Join(names, ", ")
	switch {
	case len(meant) == 1:
		return meant[0], nil
	case len(waiting) == 0:
		return pipeline.Approval{}, fmt.Errorf("nothing waits for an approval in pipeline %q", name)
	case len(meant) == 0:
		return pipeline.Approval{}, fmt.Errorf("that does not wait for an approval in pipeline %q; what does: %s", name, list)
	}
	return pipeline.Approval{}, fmt.Errorf("several approvals wait in pipeline %q (%s): choose one with --stage and --action", name, list)
}

// show prints what waits. unread is why its change sets are not shown.
func (o *approveOptions) show(p *logPrinter, a pipeline.Approval, sets []pipeline.ChangeSet, unread error) {
	fmt.Fprintf(p.w, "%s %s › %s of pipeline %s, waiting for %s\n", p.bold("Approval"), a.Stage, a.Action, a.Pipeline, age(time.Since(a.Since)))
	plain := func(s string) string { return s }
	p.indented(plain, "  ", ansi.Strip(a.Text))
	if a.Link != "" {
		fmt.Fprintln(p.w, "  "+p.dim(ansi.Strip(a.Link)))
	}
	if unread != nil {
		p.indented(p.red, "  ", unread.Error())
	}
	if len(sets) == 0 {
		return
	}
	plan := make([]*stack.Changes, len(sets))
	for i, s := range sets {
		plan[i] = s.Changes
	}
	drawPlan(p.w, p.paint, p.width, plan)
}

// ask asks, if there is somebody to ask.
func (o *approveOptions) ask(ctx context.Context) error {
	if o.yes {
		return nil
	}
	if o.target.asker == nil {
		return usageError{errors.New("nothing was decided: there is nobody to ask, and --yes is not given")}
	}
	question := "Approve?"
	if o.reject {
		question = "Reject?"
	}
	yes, err := o.target.asker.yes(ctx, question)
	if err == nil && !yes {
		err = errors.New("nothing was decided")
	}
	return err
}

func (o *approveOptions) decide(ctx context.Context, s *session, p *logPrinter, a pipeline.Approval, seen []pipeline.ChangeSet) error {
	decision := types.ApprovalResult{Status: types.ApprovalStatusApproved, Summary: aws.String(firstOf(o.summary, "approved with ouro"))}
	if o.reject {
		decision = types.ApprovalResult{Status: types.ApprovalStatusRejected, Summary: aws.String(firstOf(o.summary, "rejected with ouro"))}
	} else if now, err := pipeline.Reviewed(ctx, s.clients, a); err != nil {
		return err
	} else if !slices.EqualFunc(now, seen, func(a, b pipeline.ChangeSet) bool { return a.ID == b.ID }) {
		return errors.New("nothing was approved: the change set has changed meanwhile; look at it again")
	}
	out, err := pipeline.Decide(ctx, s.clients, a, decision, s.narrator)
	if err != nil {
		return err
	}
	if o.reject {
		s.clearNow()
		fmt.Fprintf(p.w, "%s %s › %s\n", p.bold("Rejected"), a.Stage, a.Action)
		return nil
	}
	if err := s.conclude(ctx, p, a.Pipeline, out); err != nil {
		return err
	}
	return failed(out)
}
