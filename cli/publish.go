package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/cobra"

	"ouro/pipeline"
	"ouro/publish"
	"ouro/template"
	"ouro/validate"
)

type publishOptions struct {
	io         IO
	target     targetFlags
	entrypoint string
	bucket     string
	output     string
	root       string
	exclude    []string
	keyStyle   string
	binary     string
	kmsKey     string
	dryRun     bool
	json       bool
	graph      string
	verify     bool
	verifySaid bool // verify was
}

func newPublish(s IO) *cobra.Command {
	o := &publishOptions{io: s}
	c := &cobra.Command{
		Use:   "publish [ENTRYPOINT]",
		Short: "Put a template and all it refers to into a bucket, by content",
		Long: `Uploads every template, file and directory that ENTRYPOINT refers to, each once,
under its path and SHA-256, and writes the entrypoint with the references
replaced by their addresses. Directories are zipped. In a build the same is said
by environment variables: ENTRYPOINT, BUCKET, OUTPUT and REGION.

Before anything is uploaded, every template is checked as ouro validate does:
errors end the command, warnings are told. CloudFormation itself is asked about
templates with types of third parties, modules or macros of your own, which
nobody else can judge. What had no fault is not checked again.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.entrypoint = args[0]
			}
			o.verifySaid = c.Flags().Changed("verify")
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	c.Flags().StringVar(&o.bucket, "bucket", "", "bucket to upload to (default $BUCKET)")
	c.Flags().StringVar(&o.output, "output", "", "file to write the finished entrypoint to (default $OUTPUT)")
	c.Flags().StringVar(&o.root, "root", "", "project directory that file:// paths start from (default the current one)")
	c.Flags().StringArrayVar(&o.exclude, "exclude", nil, "leave what matches `GLOB`, as in .gitignore, out of zipped directories; may be repeated")
	c.Flags().StringVar(&o.keyStyle, "key-style", string(publish.KeyPath), "`STYLE` of the keys: path (PATH/HASH) or flat (HASH.EXTENSION)")
	c.Flags().StringVar(&o.kmsKey, "kms-key-id", "", "`ID` of the KMS key to encrypt with (default as the bucket does)")
	c.Flags().StringVar(&o.binary, "function-binary", "", "the ouro that functions are, if this one is for another system")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "check, and name every file, its hash and its key; upload nothing")
	c.Flags().BoolVar(&o.json, "json", false, "print what became of each file as JSON")
	c.Flags().StringVar(&o.graph, "graph", "", "only draw which file refers to which, as `FORM`: "+strings.Join(publish.GraphFormats, ", "))
	c.Flags().BoolVar(&o.verify, "verify", false, "ask CloudFormation, too (default, but for endpoints on this machine)")
	return c
}

func (o *publishOptions) run(ctx context.Context) (err error) {
	if err := o.complete(); err != nil {
		return err
	}
	if o.io.Env("GOGC") == "" {
		// The whole run allocates less than this, save for huge trees.
		debug.SetGCPercent(-1)
		debug.SetMemoryLimit(publishMemory)
	}
	if o.graph != "" {
		tree, err := publish.Load(ctx, o.root, o.entrypoint, publish.Options{Exclude: o.exclude})
		if err != nil {
			return err
		}
		return tree.WriteGraph(o.io.Out, o.graph)
	}
	var t *target
	defer func() {
		if t != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	if record := o.recall(); record != nil {
		if t, err = o.target.open(ctx, o.io, o.root); err != nil {
			return err
		}
		if done, err := o.unchanged(ctx, t, record); done || err != nil {
			return err
		}
	}
	known := o.known()
	if !o.dryRun {
		defer known.Save() //nolint:errcheck // what is forgotten costs time and nothing else
	}
	tree, err := o.load(ctx, known)
	if err != nil {
		return err
	}
	if o.dryRun {
		return o.show(ctx, tree)
	}
	if t == nil {
		if t, err = o.target.open(ctx, o.io, o.root); err != nil {
			return err
		}
	}
	return o.publish(ctx, t, tree, known)
}

// load reads the tree and tells what is wrong with it.
func (o *publishOptions) load(ctx context.Context, known *publish.Known) (*publish.Tree, error) {
	tree, err := publish.Load(ctx, o.root, o.entrypoint, publish.Options{
		Check: func(t *template.Template) []template.Problem { return validate.Template(ctx, t) }, Known: known, Exclude: o.exclude,
		Program: pipeline.FunctionProgram(o.binary),
	})
	var refused *publish.Error
	if errors.As(err, &refused) {
		return nil, o.refuse(refused.Problems)
	}
	if err != nil {
		return nil, err
	}
	o.tell(tree.Warnings)
	return tree, nil
}

// complete takes from the environment what the command line does not say.
func (o *publishOptions) complete() error {
	env := o.io.Env
	o.entrypoint = firstOf(o.entrypoint, env("ENTRYPOINT"))
	o.bucket, o.output = firstOf(o.bucket, env("BUCKET")), firstOf(o.output, env("OUTPUT"))
	o.target.region = firstOf(o.target.region, env("REGION"))
	o.root = firstOf(o.root, ".")
	switch {
	case o.entrypoint == "":
		return usageError{errors.New("no entrypoint: give the template's path, or set ENTRYPOINT")}
	case o.graph != "" && !slices.Contains(publish.GraphFormats, o.graph):
		return usageError{fmt.Errorf("no form of a graph %q: there are %s", o.graph, strings.Join(publish.GraphFormats, ", "))}
	case o.keyStyle != string(publish.KeyPath) && o.keyStyle != string(publish.KeyFlat):
		return usageError{fmt.Errorf("no style of keys %q: there are %s, %s", o.keyStyle, publish.KeyPath, publish.KeyFlat)}
	case o.graph != "":
		return nil
	case o.bucket == "":
		return usageError{errors.New("no bucket: give --bucket, or set BUCKET")}
	case o.output == "" && !o.dryRun:
		return usageError{errors.New("no output: give --output, or set OUTPUT")}
	}
	return nil
}

// known is what earlier runs of the user found without fault; nil when there is
// no place for it.
func (o *publishOptions) known() *publish.Known {
	if dir := cacheDir(); dir != "" {
		return publish.OpenKnown(filepath.Join(dir, "checked"))
	}
	return nil
}

// tell tells of problems, one a line.
func (o *publishOptions) tell(problems []publish.Problem) {
	for _, p := range problems {
		fmt.Fprintln(o.io.Err, p.Finding())
	}
}

// refuse tells of problems of which some forbid to publish.
func (o *publishOptions) refuse(problems []publish.Problem) error {
	o.tell(problems)
	if n := errorsIn(problems); n == 1 {
		return fmt.Errorf("%s is not published: there is an error", o.entrypoint)
	} else if n > 1 {
		return fmt.Errorf("%s is not published: there are %d errors", o.entrypoint, n)
	}
	return nil
}

func errorsIn(problems []publish.Problem) (n int) {
	for _, p := range problems {
		if p.Severity == template.SeverityError {
			n++
		}
	}
	return n
}

// at is where clients with these options find what is published.
func (o *publishOptions) at(client s3.Options) publish.Location {
	l := publish.LocationOf(client, o.bucket)
	l.KeyStyle = publish.KeyStyle(o.keyStyle)
	return l
}

// publish sends the tree and writes the finished entrypoint.
func (o *publishOptions) publish(ctx context.Context, t *target, tree *publish.Tree, known *publish.Known) error {
	client := pipeline.NewBuckets(t.Config)
	plan, err := tree.Plan(o.at(client.Options()))
	if err != nil {
		return err
	}
	verify := func(sent bool) error {
		if o.verifySaid && !o.verify || !o.verifySaid && isLoopback(t.URL) {
			return nil
		}
		// It answers only so many calls in a second.
		patient := func(o *cloudformation.Options) { o.RetryMaxAttempts = 10 }
		problems, err := publish.Verify(ctx, cloudformation.NewFromConfig(t.Config, patient), plan, known, sent)
		if err != nil {
			return err
		}
		return o.refuse(problems)
	}
	if err := verify(false); err != nil {
		return err
	}
	result, err := publish.Upload(ctx, client, plan, publish.UploadOptions{KMSKeyID: o.kmsKey})
	if err != nil {
		return err
	}
	if err := verify(true); err != nil {
		return err
	}
	if err := writeWhole(o.output, plan.Body()); err != nil {
		return err
	}
	if dir := cacheDir(); dir != "" {
		tree.Remember(dir, plan) //nolint:errcheck // what is forgotten costs time and nothing else
	}
	o.say(tree.Path, result)
	if o.json {
		return plan.Manifest().Write(o.io.Out)
	}
	return nil
}

// say says what was done, where it is in nobody's way.
func (o *publishOptions) say(entrypoint string, r publish.Result) {
	out := o.io.Out
	if o.json {
		out = o.io.Err
	}
	fmt.Fprintf(out, "published %s: %d uploaded (%d bytes), %d there already; wrote %s\n", entrypoint, r.Uploaded, r.Bytes, r.Kept, o.output)
}

// publishMemory is how far the heap may grow, in bytes, before garbage is
// collected at all.
const publishMemory = 192 << 20

// writeWhole writes a file so that nobody ever sees half of it. It takes the
// place of a link, as that may lead anywhere, but not of a device such as
// /dev/stdout.
func writeWhole(name string, body []byte) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("writing %q: it is no regular file", name)
	}
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
