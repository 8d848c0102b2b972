package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ouro/layer"
	"ouro/pipeline"
)

type layerPruneOptions struct {
	layerWork
	keep int
	dry  bool
}

func newLayerPrune(s IO) *cobra.Command {
	o := &layerPruneOptions{layerWork: layerWork{io: s}}
	c := &cobra.Command{
		Use:   "prune NAME",
		Short: "Delete old versions of a layer that no function uses",
		Long: `Deletes all versions but the newest ones, and those that a function of this
account uses. Whether functions of other accounts use a version is not known
here: they run on without it, and cannot be updated with it any more.`,
		Args: oneLayer,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.target.add(c)
	flags := c.Flags()
	flags.IntVar(&o.keep, "keep", 10, "how many versions are kept besides those that functions use")
	flags.BoolVar(&o.dry, "dry-run", false, "tell what would be deleted, and delete nothing")
	flags.BoolVarP(&o.yes, "yes", "y", false, "delete, do not ask")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return c
}

func (o *layerPruneOptions) run(ctx context.Context, name string) (err error) {
	if o.keep < 1 {
		return usageError{errors.New("--keep: at least the newest version is kept")}
	}
	s, err := o.open(ctx, !o.dry)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	pruned, err := layer.Prunable(ctx, s.clients, name, o.keep)
	if err != nil {
		return err
	}
	if !o.dry && len(pruned.Deleted) > 0 {
		ok, err := s.consent.ask(ctx, func() { o.doomed(name, pruned.Deleted) }, "Delete this")
		if err == nil && !ok {
			err = pipeline.ErrDeclined
		}
		if err != nil {
			return err
		}
		if pruned, err = layer.Prune(ctx, s.clients, name, o.keep); err != nil {
			return err
		}
	}
	s.clearNow()
	if o.json {
		return printJSON(o.io, pruned)
	}
	verb := "deleted"
	if o.dry {
		verb = "would delete"
	}
	for _, v := range pruned.Deleted {
		fmt.Fprintf(o.io.Out, "%s version %d of layer %s\n", verb, v, name)
	}
	for _, v := range slices.Sorted(maps.Keys(pruned.InUse)) {
		fmt.Fprintf(o.io.Out, "left version %d, used by %s\n", v, strings.Join(pruned.InUse[v], ", "))
	}
	if len(pruned.Deleted)+len(pruned.InUse) == 0 {
		fmt.Fprintln(o.io.Out, "nothing to delete")
	}
	return nil
}

// doomed shows the versions that are to be deleted.
func (o *layerWork) doomed(name string, versions []int64) {
	for _, v := range versions {
		fmt.Fprintf(o.io.Err, "%s version %d of layer %s\n", paint(o.io.Color).red("-"), v, name)
	}
}

type layerDeleteOptions struct {
	layerWork
	force bool
}

func newLayerDelete(s IO) *cobra.Command {
	o := &layerDeleteOptions{layerWork: layerWork{io: s}}
	c := &cobra.Command{
		Use:   "delete NAME VERSION...",
		Short: "Delete some versions of a layer",
		Long: `Deletes versions of a layer, and the parameters that tell of them. One that a
function of this account uses is left, unless --force is given, and so is the one
that the parameter of the newest names: a push of the same content would not make
it again. ouro layer down takes a layer away as a whole.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError{fmt.Errorf("%s takes the name of a layer, and versions", c.CommandPath())}
			}
			return oneLayer(c, args[:1])
		},
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0], args[1:]) },
	}
	o.target.add(c)
	c.Flags().BoolVar(&o.force, "force", false, "delete versions that are used, too")
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "delete, do not ask")
	return c
}

func (o *layerDeleteOptions) run(ctx context.Context, name string, texts []string) (err error) {
	var versions []int64
	for _, text := range texts {
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v < 1 {
			return usageError{fmt.Errorf("%q is no version, which is a number", text)}
		}
		versions = append(versions, v)
	}
	s, err := o.open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	there, err := layer.Show(ctx, s.clients, name)
	if err != nil {
		return err
	}
	for _, v := range versions {
		i := slices.IndexFunc(there, func(p layer.Published) bool { return p.Version == v })
		if i < 0 {
			return fmt.Errorf("there is no version %d of layer %q", v, name)
		}
		used := there[i].UsedBy
		if there[i].Latest {
			used = append(used, layer.LatestParameter(name))
		}
		if len(used) > 0 && !o.force {
			return fmt.Errorf("version %d of layer %q is used by %s: --force deletes it all the same", v, name, strings.Join(used, ", "))
		}
	}
	ok, err := s.consent.ask(ctx, func() { o.doomed(name, versions) }, "Delete this")
	if err == nil && !ok {
		err = pipeline.ErrDeclined
	}
	if err != nil {
		return err
	}
	for _, v := range versions {
		if err := layer.DeleteVersion(ctx, s.clients, name, v); err != nil {
			return err
		}
		s.clearNow()
		fmt.Fprintf(o.io.Out, "deleted version %d of layer %s\n", v, name)
	}
	return nil
}
