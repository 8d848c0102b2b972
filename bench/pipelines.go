package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"golang.org/x/sync/errgroup"
)

// Sizes of the measurements of pipelines.
const (
	chainStages = 20 // of the pipeline that measures what an action costs
	smallStages = 4  // of each of many pipelines at once
)

type pipelineOptions struct{ runs, pushes, many int }

// pipelining measures the engine of pipelines: what it adds to an action, how
// soon a push reaches the first one, and many pipelines at once.
func pipelining(ctx context.Context, w io.Writer, args []string) error {
	var o pipelineOptions
	flags := flag.NewFlagSet("pipelines", flag.ContinueOnError)
	flags.IntVar(&o.runs, "runs", 20, "executions of the chain of stages")
	flags.IntVar(&o.pushes, "pushes", 100, "pushes to a copy of examples/site")
	flags.IntVar(&o.many, "many", 50, "pipelines at once")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.runs < 1 || o.pushes < 1 || o.many < 1 {
		return errors.New("-runs, -pushes and -many have to be at least 1")
	}
	return withLocal(ctx, "site/.ouro", func(dir, ouro string, cloud *local) error {
		t := &table{left: 1, head: []string{"", "measured", "median", "p99"}}
		for _, measure := range []func() error{
			func() error { return measureActions(ctx, t, cloud, o.runs) },
			func() error { return measureFirstActions(ctx, w, t, dir, ouro, cloud, o.pushes) },
			func() error { return measureMany(ctx, w, t, cloud, o.many) },
		} {
			if err := measure(); err != nil {
				return err
			}
		}
		fmt.Fprintln(w)
		t.print(w)
		return nil
	})
}

// percentile is the least of some times that so many hundredths of them do not
// exceed.
func percentile(all []time.Duration, hundredths int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[max(0, (len(sorted)*hundredths+99)/100-1)]
}

func addTimes(t *table, what string, all []time.Duration) {
	t.add(what, fmt.Sprint(len(all)), millis(median(all)), millis(percentile(all, 99)))
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// measureActions runs a chain of stages with one small S3 deployment each, and
// has a client make the same copies. What the engine adds is the difference:
// the role, the turns of the pipeline, and all records on disk.
func measureActions(ctx context.Context, t *table, cloud *local, runs int) error {
	p, err := newChains(ctx, cloud)
	if err != nil {
		return err
	}
	if err := p.create(ctx, "chain", chainStages); err != nil {
		return err
	}
	copies, err := p.copies(ctx, runs*chainStages)
	if err != nil {
		return err
	}
	alone := median(copies)
	var whole, added []time.Duration
	for n := range runs + 1 {
		_, actions, err := p.run(ctx, "chain")
		if err != nil {
			return err
		}
		if n == 0 {
			continue // the first one finds everything cold
		}
		for i := 2; i < len(actions); i++ { // the first is the source
			took := actions[i].StartTime.Sub(*actions[i-1].StartTime)
			whole, added = append(whole, took), append(added, max(0, took-alone))
		}
	}
	addTimes(t, "a copy in S3 by a client", copies)
	addTimes(t, "the same copy as an action, from its start to that of the next", whole)
	addTimes(t, "what the engine adds to it", added)
	return nil
}

// measureFirstActions pushes to examples/site. The time of a push is that of
// git push, with its own start.
func measureFirstActions(ctx context.Context, w io.Writer, t *table, dir, ouro string, cloud *local, pushes int) error {
	s, err := bringUp(ctx, w, ouro, filepath.Join(dir, "site"), cloud)
	if err != nil {
		return err
	}
	var gits, firsts []time.Duration
	for n := range pushes {
		if err := edits()[0].make(s.clone, n); err != nil {
			return err
		}
		start := time.Now()
		push, _, err := s.push(ctx)
		if err != nil {
			return err
		}
		out, err := s.pipelines.ListActionExecutions(ctx, &codepipeline.ListActionExecutionsInput{PipelineName: &s.Pipeline})
		if err != nil {
			return err
		}
		first := slices.IndexFunc(out.ActionExecutionDetails, func(a types.ActionExecutionDetail) bool { return aws.ToString(a.StageName) == "Source" })
		if first < 0 {
			return errors.New("no source action ran")
		}
		gits, firsts = append(gits, push), append(firsts, out.ActionExecutionDetails[first].StartTime.Sub(start))
	}
	addTimes(t, "git commit and git push", gits)
	addTimes(t, "from before git commit to the start of the first action", firsts)
	return nil
}

// measureMany runs many pipelines at once.
func measureMany(ctx context.Context, w io.Writer, t *table, cloud *local, many int) error {
	p, err := newChains(ctx, cloud)
	if err != nil {
		return err
	}
	names := make([]string, many)
	for i := range names {
		names[i] = fmt.Sprintf("many-%02d", i)
		if err := p.create(ctx, names[i], smallStages); err != nil {
			return err
		}
	}
	took := make([]time.Duration, many)
	start := time.Now()
	var all errgroup.Group
	for i, name := range names {
		all.Go(func() (err error) {
			took[i], _, err = p.run(ctx, name)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	whole := time.Since(start)
	addTimes(t, fmt.Sprintf("an execution of %d stages, %d pipelines at once", smallStages+1, many), took)
	fmt.Fprintf(w, "%d pipelines at once: %s, %.0f actions a second\n", many, seconds(whole), float64(many*(smallStages+1))/whole.Seconds())
	return nil
}
