package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/cobra"

	"ouro/publish"
)

type publishOptions struct {
	io         IO
	target     targetFlags
	entrypoint string
	bucket     string
	output     string
	root       string
	dryRun     bool
}

func newPublish(s IO) *cobra.Command {
	o := &publishOptions{io: s}
	c := &cobra.Command{
		Use:   "publish [ENTRYPOINT]",
		Short: "Put a template and all it refers to into a bucket, by content",
		Long: `Uploads every template and file that ENTRYPOINT refers to, each once, under its
path and SHA-256, and writes the entrypoint with the references replaced by
their URLs. In a build the same is said by environment variables: ENTRYPOINT,
BUCKET, OUTPUT and REGION.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.entrypoint = args[0]
			}
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	c.Flags().StringVar(&o.bucket, "bucket", "", "bucket to upload to (default $BUCKET)")
	c.Flags().StringVar(&o.output, "output", "", "file to write the finished entrypoint to (default $OUTPUT)")
	c.Flags().StringVar(&o.root, "root", "", "project directory that file:// paths start from (default the current one)")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "check and name every file and its key, upload and write nothing")
	return c
}

func (o *publishOptions) run(ctx context.Context) (err error) {
	env := o.io.Env
	o.entrypoint = firstOf(o.entrypoint, env("ENTRYPOINT"))
	o.bucket, o.output = firstOf(o.bucket, env("BUCKET")), firstOf(o.output, env("OUTPUT"))
	o.target.region = firstOf(o.target.region, env("REGION"))
	switch {
	case o.entrypoint == "":
		return usageError{errors.New("no entrypoint: give the template's path, or set ENTRYPOINT")}
	case o.bucket == "":
		return usageError{errors.New("no bucket: give --bucket, or set BUCKET")}
	case o.output == "" && !o.dryRun:
		return usageError{errors.New("no output: give --output, or set OUTPUT")}
	}
	if env("GOGC") == "" {
		// The whole run allocates less than this, save for huge trees.
		debug.SetGCPercent(-1)
		debug.SetMemoryLimit(publishMemory)
	}
	root := firstOf(o.root, ".")
	tree, err := publish.Load(root, o.entrypoint, publish.Options{})
	if err != nil {
		return err
	}
	for _, w := range tree.Warnings {
		fmt.Fprintln(o.io.Err, w)
	}
	t, err := o.target.open(ctx, o.io, root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	client := s3.NewFromConfig(t.Config)
	plan, err := tree.Plan(publish.LocationOf(client.Options(), o.bucket))
	if err != nil {
		return err
	}
	if o.dryRun {
		for _, object := range plan.Objects {
			fmt.Fprintf(o.io.Out, "%s  s3://%s/%s\n", object.Path, o.bucket, object.Key)
		}
		return nil
	}
	result, err := publish.Upload(ctx, client, plan, publish.UploadOptions{})
	if err != nil {
		return err
	}
	if err := writeWhole(o.output, plan.Body()); err != nil {
		return err
	}
	fmt.Fprintf(o.io.Out, "published %s: %d uploaded (%d bytes), %d there already; wrote %s\n",
		tree.Path, result.Uploaded, result.Bytes, result.Kept, o.output)
	return nil
}

// publishMemory is how far the heap may grow, in bytes, before garbage is
// collected at all.
const publishMemory = 512 << 20

// writeWhole writes a file so that nobody ever sees half of it.
func writeWhole(name string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when all went well
	_, err = f.Write(body)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	return nil
}
