package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// publisher is a program that publishes a tree of templates; args is its
// command line for a bucket, to be run where the entrypoint lies.
type publisher struct {
	name string
	runs int
	args func(bucket, output string) []string
}

// publishing measures publishing into an empty bucket, and publishing the same
// again, for every publisher there is.
func publishing(ctx context.Context, w io.Writer, args []string) error {
	flags := flag.NewFlagSet("publish", flag.ContinueOnError)
	counts := flags.String("templates", "200,2000", "numbers of nested templates")
	runs := flags.Int("runs", 7, "runs of ouro; the median counts")
	awsRuns := flags.Int("aws-runs", 3, "runs of the AWS CLI; one for more than 500 templates; 0 leaves it out")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 1 {
		return errors.New("-runs has to be at least 1")
	}
	var sizes []int
	for _, text := range strings.Split(*counts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("-templates: %q is no number of templates", text)
		}
		sizes = append(sizes, n)
	}
	return withOuro(ctx, func(dir, ouro string) error { return publishTrees(ctx, w, dir, ouro, sizes, *runs, *awsRuns) })
}

func publishTrees(ctx context.Context, w io.Writer, dir, ouro string, sizes []int, runs, awsRuns int) (err error) {
	cloud, err := startLocal(ctx, ouro, filepath.Join(dir, "state"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cloud.close()) }()

	t := &table{left: 2, head: []string{"templates", "publisher", "first publish", "times", "unchanged again", "times"}}
	for _, n := range sizes {
		tree := filepath.Join(dir, fmt.Sprintf("tree-%d", n))
		if err := os.Mkdir(tree, 0o755); err != nil {
			return err
		}
		if err := writeTemplates(tree, n); err != nil {
			return fmt.Errorf("writing %d templates: %w", n, err)
		}
		if err := comparePublishers(ctx, w, t, cloud, tree, n, publishers(w, ouro, cloud.url, n, runs, awsRuns)); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	t.print(w)
	return nil
}

// publishers are ouro, and the AWS CLI if it is installed.
func publishers(w io.Writer, ouro, endpoint string, n, runs, awsRuns int) []publisher {
	all := []publisher{{"ouro publish", runs, func(bucket, output string) []string {
		return []string{ouro, "publish", "site.yaml", "--bucket", bucket, "--output", output, "--endpoint-url", endpoint}
	}}}
	if awsRuns == 0 {
		return all
	}
	program, err := exec.LookPath("aws")
	if err != nil {
		fmt.Fprintln(w, "The AWS CLI is not installed: ouro is measured alone.")
		return all
	}
	if n > 500 {
		awsRuns = 1
	}
	return append(all, publisher{"aws cloudformation package", awsRuns, func(bucket, output string) []string {
		return []string{program, "cloudformation", "package", "--template-file", "site.yaml", "--s3-bucket", bucket, "--output-template-file", output}
	}})
}

func comparePublishers(ctx context.Context, w io.Writer, t *table, cloud *local, tree string, n int, all []publisher) error {
	var ours [2]time.Duration
	for i, p := range all {
		first, again, err := measurePublisher(ctx, w, cloud, tree, n, p)
		if err != nil {
			return err
		}
		if i == 0 {
			ours = [2]time.Duration{first, again}
		}
		t.add(strconv.Itoa(n), p.name, seconds(first), times(first, ours[0]), seconds(again), times(again, ours[1]))
	}
	return nil
}

func measurePublisher(ctx context.Context, w io.Writer, cloud *local, tree string, n int, p publisher) (first, again time.Duration, err error) {
	client := s3.NewFromConfig(cloud.config(), func(o *s3.Options) { o.UsePathStyle = true })
	var firsts, agains []time.Duration
	for run := range p.runs {
		bucket := fmt.Sprintf("bench-%d-%d-%d", n, time.Now().UnixNano(), run)
		if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			return 0, 0, err
		}
		output := filepath.Join(tree, "out", "site.json")
		if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
			return 0, 0, err
		}
		job := process{dir: tree, env: clientEnv(cloud.url), args: p.args(bucket, output)}
		for _, list := range []*[]time.Duration{&firsts, &agains} {
			took, err := job.time(ctx)
			if err != nil {
				return 0, 0, err
			}
			*list = append(*list, took)
			if err := checkPublished(ctx, client, bucket, n); err != nil {
				return 0, 0, fmt.Errorf("%s: %w", p.name, err)
			}
		}
		fmt.Fprintf(w, "%s, %d templates, run %d of %d: %s, again %s\n", p.name, n, run+1, p.runs, seconds(firsts[run]), seconds(agains[run]))
	}
	return median(firsts), median(agains), nil
}

// checkPublished makes sure that every template is in the bucket.
func checkPublished(ctx context.Context, client *s3.Client, bucket string, n int) error {
	found := 0
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		found += len(page.Contents)
	}
	if found != n {
		return fmt.Errorf("%d objects were published, expected %d", found, n)
	}
	return nil
}
