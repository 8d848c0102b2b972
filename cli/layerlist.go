package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ouro/layer"
)

func newLayerList(s IO) *cobra.Command {
	o := &layerWork{io: s}
	c := &cobra.Command{
		Use:   "list",
		Short: "List the account's layers",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return o.list(c.Context()) },
	}
	o.target.add(c)
	c.Flags().BoolVar(&o.json, "json", false, "print the result as JSON")
	return c
}

func (o *layerWork) list(ctx context.Context) (err error) {
	s, err := o.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	layers, err := layer.List(ctx, s.clients)
	if err != nil {
		return err
	}
	s.clearNow()
	if o.json {
		return printJSON(o.io, layers)
	}
	if len(layers) == 0 {
		fmt.Fprintln(o.io.Err, "there are no layers")
	}
	w := tabwriter.NewWriter(o.io.Out, 0, 0, 2, ' ', 0)
	for _, l := range layers {
		how := "made elsewhere"
		if l.Ours {
			how = layer.LatestParameter(l.Name)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", l.Name, l.Newest.Version, day(l.Newest.Created), strings.Join(l.Newest.Runtimes, ","), how)
	}
	return w.Flush()
}

// day is the day of a time as Lambda writes it.
func day(text string) string {
	text, _, _ = strings.Cut(text, "T")
	return text
}

func newLayerShow(s IO) *cobra.Command {
	o := &layerWork{io: s}
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a layer's versions, who may use them, and who does",
		Args:  oneLayer,
		RunE:  func(c *cobra.Command, args []string) error { return o.show(c.Context(), args[0]) },
	}
	o.target.add(c)
	c.Flags().BoolVar(&o.json, "json", false, "print the result as JSON")
	return c
}

func (o *layerWork) show(ctx context.Context, name string) (err error) {
	s, err := o.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	versions, err := layer.Show(ctx, s.clients, name)
	if err != nil {
		return err
	}
	s.clearNow()
	if o.json {
		return printJSON(o.io, versions)
	}
	if len(versions) == 0 {
		return fmt.Errorf("there is no layer %q", name)
	}
	p := paint(o.io.Color && o.io.Terminal)
	for _, v := range versions {
		fmt.Fprintf(o.io.Out, "%s %s, %s\n", p.bold(v.ARN), day(v.Created), bytesText(v.Size))
		named := ""
		if v.Latest {
			named = layer.LatestParameter(name)
		}
		for _, line := range []struct{ what, text string }{
			{"for", strings.Join(append(v.Runtimes, v.Architectures...), ", ")}, {"licence", v.License}, {"says", v.Description},
			{"shared to", strings.Join(v.SharedTo, ", ")}, {"used by", strings.Join(v.UsedBy, ", ")},
			{"named by", named},
		} {
			if line.text != "" {
				fmt.Fprintf(o.io.Out, "  %s %s\n", p.dim(line.what), line.text)
			}
		}
	}
	return nil
}
