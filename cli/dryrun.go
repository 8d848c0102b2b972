package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/charmbracelet/x/ansi"

	"ouro/cloud"
	"ouro/pipeline"
	"ouro/publish"
)

// show prints what publishing the tree would put where.
func (o *publishOptions) show(ctx context.Context, tree *publish.Tree) error {
	at, err := o.location(ctx)
	if err != nil {
		return err
	}
	plan, err := tree.Plan(at)
	if err != nil {
		return err
	}
	m := plan.Manifest()
	if o.json {
		return m.Write(o.io.Out)
	}
	o.table(m.Files)
	var size int64
	for _, f := range m.Files {
		size += f.Size
	}
	fmt.Fprintf(o.io.Err, "%d objects (%d bytes) for bucket %s; nothing was uploaded or written\n", len(m.Files), size, o.bucket)
	return nil
}

// location is where the tree would go, without asking anybody and without
// starting the local cloud.
func (o *publishOptions) location(ctx context.Context) (publish.Location, error) {
	f, t := &o.target, &target{}
	endpoint := f.endpoint
	if endpoint == "" && !f.aws {
		endpoint = o.io.Env("AWS_ENDPOINT_URL")
	}
	if f.aws || endpoint != "" {
		if err := f.configure(ctx, o.io, t, endpoint); err != nil {
			return publish.Location{}, err
		}
	} else {
		state := firstOf(f.state, filepath.Join(o.root, pipeline.StateDir))
		url := firstOf(cloud.Running(ctx, state), "http://"+cloud.DefaultAddress)
		t.Config = localConfig(url, firstOf(f.region, o.io.Env("AWS_REGION"), o.io.Env("AWS_DEFAULT_REGION"), defaultRegion))
	}
	return o.at(s3.NewFromConfig(t.Config).Options()), nil
}

// shortHash is how much of a hash a terminal shows.
const shortHash = 12

// table prints a line a file: its path, its hash and its key. A terminal gets
// as much of them as fits, anything else gets all.
func (o *publishOptions) table(files []publish.ManifestEntry) {
	p, widest, all := paint(o.io.Color && o.io.Terminal), 0, 0
	for _, f := range files {
		widest = max(widest, ansi.StringWidth(f.File))
		all = max(all, len(f.SHA256)+ansi.StringWidth(f.Key)+4)
	}
	cut := o.io.Terminal && widest+all > o.io.Width
	if cut {
		widest = min(widest, (o.io.Width-shortHash)/2)
	}
	for _, f := range files {
		name, hash, key := f.File, f.SHA256, f.Key
		if cut {
			hash = hash[:shortHash]
			name, key = lastOf(name, widest), lastOf(strings.ReplaceAll(key, f.SHA256, hash+"…"), o.io.Width-widest-shortHash-4)
		}
		fmt.Fprintf(o.io.Out, "%s  %s  %s\n", padRight(name, widest), hash, p.dim(key))
	}
}

// lastOf is the end of a text that is too wide.
func lastOf(s string, width int) string {
	if cut := ansi.StringWidth(s) - width; cut > 0 {
		return ansi.TruncateLeft(s, cut+1, "…")
	}
	return s
}
