package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ouro/validate"
)

type validateOptions struct {
	io     IO
	paths  []string
	format string
	json   bool
}

func newValidate(s IO) *cobra.Command {
	o := &validateOptions{io: s}
	c := &cobra.Command{
		Use:   "validate [PATH…]",
		Short: "Check templates and their configurations, offline",
		Long: `Checks every CloudFormation template and template configuration at or below the
paths (default the current directory), without AWS and without a network: the
structure, every property against what its resource type takes, references,
nested stacks, configurations, and secrets in the open.

A finding is file:line:column: severity: what (id). The exit code is 1 when
there are errors. A template turns rules off, for itself or for one resource:

  Metadata:
    ouro:
      ignore: [unused-parameter]`,
		RunE: func(c *cobra.Command, args []string) error {
			o.paths = args
			return o.run(c.Context())
		},
	}
	c.Flags().StringVar(&o.format, "format", "text", "form of the findings: "+strings.Join(validate.Formats, ", "))
	c.Flags().BoolVar(&o.json, "json", false, "the same as --format json")
	return c
}

func (o *validateOptions) run(ctx context.Context) error {
	if o.json {
		o.format = "json"
	}
	if !slices.Contains(validate.Formats, o.format) {
		return usageError{fmt.Errorf("no format %q: there are %s", o.format, strings.Join(validate.Formats, ", "))}
	}
	if len(o.paths) == 0 {
		o.paths = []string{"."}
	}
	report, err := validate.Files(ctx, o.paths)
	if err != nil {
		return err
	}
	if err := report.Write(o.io.Out, o.format, o.io.Terminal && o.io.Color); err != nil {
		return fmt.Errorf("writing the findings: %w", err)
	}
	fmt.Fprintln(o.io.Err, report.Summary())
	if errors, _ := report.Count(); errors > 0 {
		return exitError(1)
	}
	return nil
}
