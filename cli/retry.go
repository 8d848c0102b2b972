package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ouro/pipeline"
)

type retryOptions struct {
	io      IO
	target  targetFlags
	config  string
	stage   string
	all     bool
	dir     string
	approve string
}

func newRetry(s IO) *cobra.Command {
	o := &retryOptions{io: s}
	c := &cobra.Command{
		Use:   "retry [DIR]",
		Short: "Run the failed stage of the pipeline again, and follow it",
		Long: `Runs the failed actions of a stage again, in the same execution and with the
same revisions, and follows it to its end or to the next approval. What failed
because of the source is mended by a push instead.`,
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
	c.Flags().StringVar(&o.stage, "stage", "", "the stage (default the one where the newest execution failed)")
	c.Flags().BoolVar(&o.all, "all-actions", false, "run all actions of the stage again, not only those that failed")
	return c
}

func (o *retryOptions) run(ctx context.Context) (err error) {
	s, name, err := o.target.sessionOfPipeline(ctx, o.io, o.dir, o.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	s.approve = o.approve
	status, err := pipeline.ReadStatus(ctx, s.clients, name)
	if err != nil {
		return err
	}
	stage, err := o.choose(status)
	if err != nil {
		return err
	}
	s.line(fmt.Sprintf("%s %s, %s", s.bold("Retry"), name, stage.Name))
	out, err := pipeline.Retry(ctx, s.clients, name, stage, o.all, s.narrator)
	if err != nil {
		return err
	}
	if err := s.conclude(ctx, newLogPrinter(s.narrator, o.io, o.approve), name, out); err != nil {
		return err
	}
	return failed(out)
}

// choose is the stage to retry: the one that was named, or where the newest
// execution failed, or the only one.
func (o *retryOptions) choose(s *pipeline.Status) (pipeline.StageStatus, error) {
	var failed []pipeline.StageStatus
	var names []string
	for _, st := range s.Stages {
		if st.Retryable() {
			failed, names = append(failed, st), append(names, st.Name)
		}
	}
	if o.stage != "" {
		i := slices.Index(names, o.stage)
		switch {
		case i >= 0:
			return failed[i], nil
		case !slices.ContainsFunc(s.Stages, func(st pipeline.StageStatus) bool { return st.Name == o.stage }):
			return pipeline.StageStatus{}, fmt.Errorf("pipeline %q has no stage %q", s.Name, o.stage)
		}
		return pipeline.StageStatus{}, fmt.Errorf("stage %q of pipeline %q has not failed", o.stage, s.Name)
	}
	switch i := slices.IndexFunc(failed, func(st pipeline.StageStatus) bool { return s.Newest != nil && st.Execution == s.Newest.ID }); {
	case i >= 0:
		return failed[i], nil
	case len(failed) == 1:
		return failed[0], nil
	case len(failed) == 0:
		return pipeline.StageStatus{}, fmt.Errorf("nothing to retry: no stage of pipeline %q has failed", s.Name)
	}
	return pipeline.StageStatus{}, fmt.Errorf("several stages of pipeline %q have failed (%s): choose one with --stage", s.Name, strings.Join(names, ", "))
}

// conclude prints how an execution ended, or what it waits for.
func (s *session) conclude(ctx context.Context, p *logPrinter, name string, out *pipeline.Outcome) error {
	s.clearNow()
	fmt.Fprintf(p.w, "%s %s, execution %s: %s\n", p.bold("Pipeline"), name, out.ID, p.status(string(out.Status)))
	for _, a := range out.Waiting() {
		fmt.Fprintf(p.w, "  %s › %s waits for approval\n  %s --stage %s\n", a.Stage, a.Name, p.approve, a.Stage)
	}
	a := out.Failed()
	if a == nil {
		return nil
	}
	p.failure(*a)
	tail, err := pipeline.LogTail(ctx, s.clients, *a, logTail)
	p.quote(p.w, tail)
	return err
}
