package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ouro/layer"
)

// layerFlags say what a layer is.
type layerFlags struct {
	from          string
	runtimes      []string
	architectures []string
	description   string
	license       string
}

func (f *layerFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.from, "from", "", "what the layer is built from: a directory, or a "+strings.Join(layer.Manifests(), ", ")+" in one")
	flags.StringSliceVar(&f.runtimes, "runtime", nil, "runtime that the layer is for, such as python3.13; repeatable, or with commas between")
	flags.StringSliceVar(&f.architectures, "architecture", nil, "what the layer runs on, x86_64 or arm64; repeatable")
	flags.StringVar(&f.description, "description", "", "what its versions say of themselves")
	flags.StringVar(&f.license, "license", "", "the licence of its versions, such as its SPDX identifier")
}

type layerBuildOptions struct {
	layerFlags
	io   IO
	out  string
	json bool
}

func newLayerBuild(s IO) *cobra.Command {
	o := &layerBuildOptions{io: s}
	c := &cobra.Command{
		Use:   "build NAME",
		Short: "Build a layer's zip, as its pipeline does",
		Long: `Lays the content of a layer out as Lambda's runtimes look for it: what
requirements.txt, package.json or go.mod asks for, and what the directory has in
folders that are called python, nodejs, bin, lib and the like. Without any of
these, its files go to where the runtime looks.

Writes layer.zip, whose bytes depend on the content alone, and layer.json, which
tells of it. A layer of more than 250 MB is an error.`,
		Args: oneLayer,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.add(c)
	c.Flags().StringVar(&o.out, "out", "out", "directory for layer.zip and layer.json")
	c.Flags().BoolVar(&o.json, "json", false, "print layer.json")
	return c
}

func (o *layerBuildOptions) run(ctx context.Context, name string) error {
	m, err := layer.Build(ctx, layer.Work{
		Manifest: layer.Manifest{Layer: name, Description: o.description, License: o.license, Runtimes: set(o.runtimes), Architectures: set(o.architectures)},
		From:     firstOf(o.from, "."), Out: o.out, Said: o.io.Err,
	})
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(o.io, m)
	}
	fmt.Fprintf(o.io.Out, "%s: %s, %s zipped\ncontent %s\n", filepath.Join(o.out, layer.ZipFile), bytesText(m.Size), bytesText(m.Zipped), m.Content)
	return nil
}

// set are the texts of a flag that are not empty.
func set(texts []string) []string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

// bytesText is a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// pipeline is the layer with a pipeline that the flags tell of, and the
// directory that its source is in.
func (f *layerFlags) pipeline(name string) (*layer.Pipeline, string, error) {
	p := &layer.Pipeline{Name: name, Runtimes: set(f.runtimes), Architectures: set(f.architectures), Description: f.description, License: f.license}
	dir := f.from
	for _, manifest := range layer.Manifests() {
		if filepath.Base(f.from) == manifest {
			dir, p.From = filepath.Dir(f.from), manifest
		}
	}
	if dir == "" {
		return p, "", nil
	}
	if _, err := os.Stat(f.from); err != nil {
		return nil, "", usageError{fmt.Errorf("--from: %w", err)}
	}
	abs, err := filepath.Abs(dir)
	if err == nil && len(p.Runtimes) == 0 {
		p.Runtimes = layer.Guess(abs, p.From)
	}
	if err == nil && len(p.Runtimes) == 0 {
		err = usageError{errors.New("which runtime is the layer for? --runtime says it")}
	}
	return p, abs, err
}
