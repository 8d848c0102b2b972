package webhook

import (
	"context"
	"errors"
	"fmt"
	"os"

	"ouro/library"
	"ouro/pipeline"
	"ouro/publish"
)

// Template is a template of the library as CloudFormation takes it. What it nests
// is put into the bucket, by its content.
func Template(ctx context.Context, c *pipeline.Clients, bucket, name string) (body string, err error) {
	t, err := library.Open(name)
	if err != nil || len(t.Nests) == 0 {
		return string(t.Body), err
	}
	dir, err := os.MkdirTemp("", "webhook-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err := library.Export(dir, name); err != nil {
		return "", err
	}
	tree, err := publish.Load(ctx, dir, name, publish.Options{})
	if err != nil {
		return "", err
	}
	plan, err := tree.Plan(publish.LocationOf(c.Buckets.Options(), bucket))
	if err == nil {
		_, err = publish.Upload(ctx, c.Buckets, plan, publish.UploadOptions{})
	}
	if err != nil {
		return "", fmt.Errorf("publishing %s to the bucket %q: %w", name, bucket, err)
	}
	return string(plan.Body()), nil
}
