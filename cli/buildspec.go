package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ouro/buildspec"
	"ouro/ci"
)

type buildspecOptions struct {
	io     IO
	specs  ci.Buildspecs
	config string
	begin  bool
	check  bool
	schema bool
}

func newBuildspec(s IO, purpose ci.Purpose) *cobra.Command {
	o := &buildspecOptions{io: s, specs: ci.Buildspecs{Purpose: purpose, Dir: "."}}
	c := &cobra.Command{
		Use:   "buildspec",
		Short: "Write the buildspecs of a batch with a part for every directory",
		Long: `Finds the directories below the roots and writes the buildspec of a batch with a
part for each, and the buildspec of such a part. The latter comes from a
template that --init writes for you to change. --check writes nothing, and fails
if the files are not what they should be: for pre-commit hooks and builds.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return o.run() },
	}
	flags := c.Flags()
	flags.StringArrayVar(&o.specs.Roots, "root", nil, "directory whose subdirectories are built (default build.roots of the configuration); repeatable")
	flags.StringVar(&o.specs.Kind, "kind", "", "how the batch is written: graph, list or matrix (default build.kind of the configuration, or graph)")
	flags.StringVar(&o.specs.Output, "output-path", purpose.Output, "directory of the buildspecs")
	flags.StringVar(&o.config, "config-file", "", "the repository's configuration (default "+ci.ConfigFile+", if it is there)")
	flags.BoolVar(&o.begin, "init", false, "write the template of a part's buildspec, for you to change")
	flags.BoolVar(&o.check, "check", false, "write nothing, fail if files are stale")
	flags.BoolVar(&o.schema, "schema", false, "print the JSON schema of the configuration")
	return c
}

func (o *buildspecOptions) run() error {
	if o.schema {
		_, err := fmt.Fprint(o.io.Out, ci.Schema)
		return err
	}
	if o.begin && o.check {
		return usageError{errors.New("--init writes, and --check does not: give one")}
	}
	if o.begin {
		f, err := o.specs.Begin()
		if err == nil {
			fmt.Fprintf(o.io.Out, "wrote %s\n", f.Path)
		}
		return err
	}
	var err error
	if o.specs.Config, err = ci.ReadConfig(o.specs.Dir, o.config); err != nil {
		return err
	}
	files, err := o.specs.Files()
	if err != nil {
		return err
	}
	flavors, err := o.specs.Flavors()
	if n := len(flavors); n > buildspec.MaxBuilds {
		fmt.Fprintf(o.io.Err, "ouro: CodeBuild takes at most %d builds in a batch, and this one has %d: give some of the roots a project of their own\n", buildspec.MaxBuilds, n)
	}
	if err != nil {
		return err
	}
	if o.check {
		return o.stale(files)
	}
	written, err := ci.Write(o.specs.Dir, files)
	for _, name := range written {
		fmt.Fprintf(o.io.Out, "wrote %s\n", name)
	}
	if err == nil && len(written) == 0 {
		fmt.Fprintln(o.io.Out, "nothing to write")
	}
	return err
}

// stale fails if files in the repository are not what they should be.
func (o *buildspecOptions) stale(files []ci.File) error {
	stale, err := ci.Stale(o.specs.Dir, files)
	if err != nil || len(stale) == 0 {
		return err
	}
	for _, name := range stale {
		fmt.Fprintf(o.io.Out, "stale: %s\n", name)
	}
	fmt.Fprintf(o.io.Err, "ouro: run %s buildspec, and commit what it writes\n", o.specs.Purpose.Command)
	return exitError(1)
}
