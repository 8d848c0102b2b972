package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// patience is how long a publisher may take; it is left out of trees for which
// it would take longer, going by the smaller ones.
const patience = time.Minute

// manyTemplates is from where on a tree is published only a few times.
const manyTemplates = 500

// publishOptions are the flags of the measurement.
type publishOptions struct {
	sizes         []int
	runs, awsRuns int
	artifact      int64 // bytes
}

// publishing measures publishing into an empty bucket, and publishing the same
// again, for every publisher there is: trees of templates, and one large file.
func publishing(ctx context.Context, w io.Writer, args []string) error {
	o, err := publishFlags(args)
	if err != nil {
		return err
	}
	return withLocal(ctx, "state", func(dir, ouro string, cloud *local) error {
		all := publishers(w, ouro, o)
		if err := publishTrees(ctx, w, dir, cloud, all, o); err != nil || o.artifact == 0 {
			return err
		}
		return publishArtifact(ctx, w, dir, cloud, all, o)
	})
}

func publishFlags(args []string) (publishOptions, error) {
	flags := flag.NewFlagSet("publish", flag.ContinueOnError)
	counts := flags.String("templates", "100,200,1000,10000", "numbers of nested templates")
	runs := flags.Int("runs", 7, "runs of ouro; the median counts; at most 3 for more than 500 templates")
	awsRuns := flags.Int("aws-runs", 3, "runs of the AWS CLI; one for more than 500 templates; 0 leaves it out")
	artifact := flags.Int64("artifact", 500, "megabytes of a large file; 0 leaves it out")
	if err := flags.Parse(args); err != nil {
		return publishOptions{}, err
	}
	if *runs < 1 {
		return publishOptions{}, errors.New("-runs has to be at least 1")
	}
	o := publishOptions{runs: *runs, awsRuns: *awsRuns, artifact: *artifact * 1e6}
	for _, text := range strings.Split(*counts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return publishOptions{}, fmt.Errorf("-templates: %q is no number of templates", text)
		}
		o.sizes = append(o.sizes, n)
	}
	return o, nil
}

func publishTrees(ctx context.Context, w io.Writer, dir string, cloud *local, all []publisher, o publishOptions) error {
	compared := &table{left: 2, head: []string{"templates", "publisher", "first publish", "times", "unchanged again", "times", "memory"}}
	growth := &table{head: []string{"templates", "first publish", "each", "unchanged again", "each", "memory"}}
	slow := map[string]time.Duration{} // what a template costs, by publisher
	for _, n := range o.sizes {
		tree := filepath.Join(dir, fmt.Sprintf("tree-%d", n))
		if err := os.Mkdir(tree, 0o755); err != nil {
			return err
		}
		if err := writeTemplates(tree, n); err != nil {
			return fmt.Errorf("writing %d templates: %w", n, err)
		}
		var ours publication
		for i, p := range all {
			if slow[p.name]*time.Duration(n) > patience {
				continue
			}
			did, err := p.measure(ctx, w, cloud, work{dir: tree, label: strconv.Itoa(n) + " templates", objects: n, few: n > manyTemplates})
			if err != nil {
				return err
			}
			if i == 0 {
				ours = did
				growth.add(strconv.Itoa(n), seconds(did.first), each(did.first, n), seconds(did.again), each(did.again, n), megabytes(did.peak))
			}
			slow[p.name] = did.first / time.Duration(n)
			compared.add(strconv.Itoa(n), p.name, seconds(did.first), times(did.first, ours.first), seconds(did.again), times(did.again, ours.again), megabytes(did.peak))
		}
	}
	fmt.Fprintln(w)
	compared.print(w)
	fmt.Fprintln(w, "\nWhat a template costs ouro publish:")
	growth.print(w)
	return nil
}

func publishArtifact(ctx context.Context, w io.Writer, dir string, cloud *local, all []publisher, o publishOptions) error {
	project := filepath.Join(dir, "artifact")
	if err := os.Mkdir(project, 0o755); err != nil {
		return err
	}
	if err := writeArtifact(project, o.artifact); err != nil {
		return fmt.Errorf("writing an artifact: %w", err)
	}
	t := &table{left: 1, head: []string{"publisher", "first publish", "times", "unchanged again", "times", "memory"}}
	var ours publication
	for i, p := range all {
		did, err := p.measure(ctx, w, cloud, work{dir: project, label: megabytes(o.artifact), objects: 1, bytes: o.artifact, few: true})
		if err != nil {
			return err
		}
		if i == 0 {
			ours = did
		}
		t.add(p.name, seconds(did.first), times(did.first, ours.first), seconds(did.again), times(did.again, ours.again), megabytes(did.peak))
	}
	fmt.Fprintf(w, "\nA file of %s:\n", megabytes(o.artifact))
	t.print(w)
	return nil
}
