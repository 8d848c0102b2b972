package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ouro/layer"
	"ouro/pipeline"
)

type layerDownOptions struct {
	layerWork
	all   bool
	force bool
}

func newLayerDown(s IO) *cobra.Command {
	o := &layerDownOptions{layerWork: layerWork{io: s}}
	c := &cobra.Command{
		Use:   "down NAME... | --all",
		Short: "Delete layers: their pipelines, repositories and versions",
		Long: `Deletes the pipeline of each layer, its repository, all its versions and the
parameters that tell of them. A layer that a function of this account uses is
left, unless --force is given. With --all, all layers that ouro made go, and
what they share: the functions, the roles, and the bucket with what is in it.`,
		Args: func(c *cobra.Command, args []string) error {
			if o.all == (len(args) > 0) {
				return usageError{fmt.Errorf("%s takes names of layers, or --all", c.CommandPath())}
			}
			for i := range args {
				if err := oneLayer(c, args[i:i+1]); err != nil {
					return err
				}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	o.target.add(c)
	flags := c.Flags()
	flags.BoolVar(&o.all, "all", false, "all layers, and what they share")
	flags.BoolVar(&o.force, "force", false, "delete layers that functions use, too")
	flags.BoolVarP(&o.yes, "yes", "y", false, "delete, do not ask")
	return c
}

func (o *layerDownOptions) run(ctx context.Context, names []string) (err error) {
	s, err := o.open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	up := s.up(o.io)
	if o.all {
		if names, err = up.Layers(ctx); err != nil {
			return err
		}
	}
	var doomed []*layer.Doomed
	for _, name := range names {
		d, err := up.Doom(ctx, name)
		if err != nil {
			return err
		}
		if used := d.Used(); len(used) > 0 && !o.force {
			return fmt.Errorf("layer %q is used by %s: --force deletes it all the same", name, strings.Join(used, ", "))
		}
		doomed = append(doomed, d)
	}
	ok, err := s.consent.ask(ctx, func() { o.show(doomed) }, "Delete this")
	if err == nil && !ok {
		err = pipeline.ErrDeclined
	}
	if err != nil {
		return err
	}
	return o.delete(ctx, s, up, doomed)
}

func (o *layerDownOptions) delete(ctx context.Context, s *layerSession, up *layer.Up, doomed []*layer.Doomed) error {
	nothing := true
	told := func(deleted []string) {
		s.clearNow()
		for _, what := range deleted {
			nothing = false
			fmt.Fprintln(o.io.Out, "deleted "+what)
		}
	}
	for _, d := range doomed {
		deleted, err := up.Down(ctx, d)
		told(deleted)
		if err != nil {
			return err
		}
	}
	if o.all {
		deleted, err := up.BaseDown(ctx)
		told(deleted)
		if err != nil {
			return err
		}
	}
	if nothing {
		fmt.Fprintln(o.io.Out, "nothing to delete")
	}
	return nil
}

// show shows what is about to be deleted.
func (o *layerDownOptions) show(doomed []*layer.Doomed) {
	red := paint(o.io.Color).red("-")
	for _, d := range doomed {
		(&downOptions{io: o.io}).show(d.Teardown)
		for _, v := range d.Versions {
			fmt.Fprintf(o.io.Err, "%s version %d of layer %s\n", red, v.Version, d.Layer)
		}
	}
	if o.all {
		for _, name := range []string{layer.FunctionsStack, layer.RolesStack, layer.ArtifactsStack} {
			fmt.Fprintf(o.io.Err, "%s stack %s\n", red, name)
		}
	}
}
