package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// publisher is a program that publishes what an entrypoint refers to.
type publisher struct {
	name       string
	entrypoint string
	runs, few  int // usually, and of what takes long
	// args is its command line, to be run where the entrypoint lies.
	args func(entrypoint, bucket, output, endpoint string) []string
}

// publishers are ouro, and the AWS CLI if it is installed.
func publishers(w io.Writer, ouro string, o publishOptions) []publisher {
	all := []publisher{{
		name: "ouro publish", entrypoint: "site.yaml", runs: o.runs, few: min(o.runs, 3),
		args: func(entrypoint, bucket, output, endpoint string) []string {
			return []string{ouro, "publish", entrypoint, "--bucket", bucket, "--output", output, "--endpoint-url", endpoint}
		},
	}}
	if o.awsRuns == 0 {
		return all
	}
	program, err := exec.LookPath("aws")
	if err != nil {
		fmt.Fprintln(w, "The AWS CLI is not installed: ouro is measured alone.")
		return all
	}
	return append(all, publisher{
		name: "aws cloudformation package", entrypoint: "site.yaml", runs: o.awsRuns, few: 1,
		args: func(entrypoint, bucket, output, _ string) []string {
			return []string{program, "cloudformation", "package", "--template-file", entrypoint, "--s3-bucket", bucket, "--output-template-file", output}
		},
	})
}

// work is a project to publish, and what has to be in the bucket then.
type work struct {
	dir, label string
	objects    int
	bytes      int64 // at least
	few        bool  // it takes long
}

// publication is how long publishing took, and how much memory at most.
type publication struct {
	first, again time.Duration
	peak         int64
}

// measure publishes into an empty bucket and then again, as often as it takes,
// and once more to watch the memory.
func (p publisher) measure(ctx context.Context, w io.Writer, cloud *local, what work) (publication, error) {
	runs := p.runs
	if what.few {
		runs = p.few
	}
	var firsts, agains []time.Duration
	for run := range runs {
		err := p.into(ctx, cloud, what, func(job process, check func() error) error {
			for _, list := range []*[]time.Duration{&firsts, &agains} {
				took, err := job.time(ctx)
				if err != nil {
					return err
				}
				*list = append(*list, took)
				if err := check(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return publication{}, err
		}
		fmt.Fprintf(w, "%s, %s, run %d of %d: %s, again %s\n", p.name, what.label, run+1, runs, seconds(firsts[run]), seconds(agains[run]))
	}
	did := publication{first: median(firsts), again: median(agains)}
	err := p.into(ctx, cloud, what, func(job process, _ func() error) (err error) {
		did.peak, err = job.peak(ctx)
		return err
	})
	return did, err
}

// into has the publisher do its work with a bucket that is empty, and gone
// afterwards, and as somebody who never published before: nothing is cached.
func (p publisher) into(ctx context.Context, cloud *local, what work, do func(job process, check func() error) error) (err error) {
	client := s3.NewFromConfig(cloud.config(), func(o *s3.Options) { o.UsePathStyle = true })
	bucket := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		return err
	}
	output := filepath.Join(what.dir, "out", p.entrypoint)
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return err
	}
	cache, err := os.MkdirTemp("", "ouro-bench-cache-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(cache)) }()
	job := process{dir: what.dir, env: append(clientEnv(cloud.url), "XDG_CACHE_HOME="+cache), args: p.args(p.entrypoint, bucket, output, cloud.url)}
	if err := do(job, func() error { return checkPublished(ctx, client, bucket, what) }); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return removeBucket(ctx, client, bucket)
}

// checkPublished makes sure that all is in the bucket.
func checkPublished(ctx context.Context, client *s3.Client, bucket string, what work) error {
	found, bytes := 0, int64(0)
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		found += len(page.Contents)
		for _, o := range page.Contents {
			bytes += *o.Size
		}
	}
	if found != what.objects || bytes < what.bytes {
		return fmt.Errorf("%d objects of %d bytes were published, expected %d of at least %d", found, bytes, what.objects, what.bytes)
	}
	return nil
}

func removeBucket(ctx context.Context, client *s3.Client, bucket string) error {
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var all []types.ObjectIdentifier
		for _, o := range page.Contents {
			all = append(all, types.ObjectIdentifier{Key: o.Key})
		}
		if len(all) == 0 {
			break
		}
		if _, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{Objects: all}}); err != nil {
			return err
		}
	}
	_, err := client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket})
	return err
}
