// Package image packs a container image from a directory and a Dockerfile, and
// pushes it, without a container engine. What a Dockerfile says of files and
// of how to start them, it does; RUN and what else needs a container it
// refuses.
//
// The same directory makes the same image, byte for byte, with one version of
// this program: files come in the order of their names, belong to root, are of
// 1970, and have the modes 0755 or 0644.
package image

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Options are what Build needs.
type Options struct {
	Dir  string // whose files the Dockerfile names
	File string // the Dockerfile; default Dockerfile in Dir
	// Platform is what the image is for, such as linux/arm64; default linux and
	// this machine's processor.
	Platform string
	// Base gets the image that FROM names, for the platform.
	Base func(ctx context.Context, ref name.Reference, platform v1.Platform) (v1.Image, error)
}

// maxDockerfile bounds a Dockerfile, in bytes.
const maxDockerfile = 1 << 20

// epoch is when everything in an image was made.
var epoch = time.Unix(0, 0).UTC()

// Build packs an image. Its layers are read from the directory when they are
// pushed: it must stay as it is until then.
func Build(ctx context.Context, o Options) (v1.Image, error) {
	file := o.File
	if file == "" {
		file = filepath.Join(o.Dir, "Dockerfile")
	}
	text, err := readBounded(file)
	if err != nil {
		return nil, fmt.Errorf("reading the Dockerfile: %w", err)
	}
	platform := v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	if o.Platform != "" {
		p, err := v1.ParsePlatform(o.Platform)
		if err != nil || p.OS == "" || p.Architecture == "" {
			return nil, fmt.Errorf("the platform %q is not of the form OS/ARCHITECTURE", o.Platform)
		}
		platform = *p
	}
	steps, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	files, err := openTree(o.Dir)
	if err != nil {
		return nil, err
	}
	b := &builder{Options: o, ctx: ctx, platform: platform, files: files, args: map[string]string{}}
	for _, s := range steps {
		if err := b.do(s); err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", file, s.line, s.name, err)
		}
	}
	if b.image == nil {
		return nil, fmt.Errorf("%s: there is no FROM", file)
	}
	return b.finish()
}

func readBounded(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxDockerfile+1))
	if err == nil && len(text) > maxDockerfile {
		err = fmt.Errorf("%s has more than %d bytes", file, maxDockerfile)
	}
	return string(text), err
}

// builder is an image that is being made.
type builder struct {
	Options
	ctx      context.Context //nolint:containedctx // of one Build
	platform v1.Platform
	files    *tree
	image    v1.Image // of FROM, and the layers so far
	config   v1.Config
	layer    types.MediaType   // of new layers
	args     map[string]string // of ARG
	history  []v1.History      // of steps since the last layer
}

// start begins the image.
func (b *builder) start(base string) error {
	if base == "scratch" {
		b.image = mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
		b.layer = types.OCILayer
		b.config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
		return nil
	}
	ref, err := name.ParseReference(base)
	if err != nil {
		return err
	}
	if b.Base == nil {
		return fmt.Errorf("no way to get %s", base)
	}
	if b.image, err = b.Base(b.ctx, ref, b.platform); err != nil {
		return fmt.Errorf("getting %s: %w", base, err)
	}
	kind, err := b.image.MediaType()
	if err != nil {
		return fmt.Errorf("getting %s: %w", base, err)
	}
	b.layer = types.DockerLayer
	if kind == types.OCIManifestSchema1 {
		b.layer = types.OCILayer
	}
	config, err := b.image.ConfigFile()
	if err != nil {
		return fmt.Errorf("getting %s: %w", base, err)
	}
	b.config = *config.Config.DeepCopy()
	return nil
}

// note writes a step into the image's history.
func (b *builder) note(s step) {
	b.history = append(b.history, v1.History{Created: v1.Time{Time: epoch}, CreatedBy: s.name + " " + s.rest, Comment: "ouro", EmptyLayer: true})
}

// add puts a layer on top.
func (b *builder) add(l v1.Layer) error {
	last := b.history[len(b.history)-1]
	last.EmptyLayer = false
	adds := make([]mutate.Addendum, 0, len(b.history))
	for _, h := range b.history[:len(b.history)-1] {
		adds = append(adds, mutate.Addendum{History: h})
	}
	var err error
	b.image, err = mutate.Append(b.image, append(adds, mutate.Addendum{Layer: l, History: last, MediaType: b.layer})...)
	b.history = nil
	return err
}

// finish gives the image with its configuration.
func (b *builder) finish() (v1.Image, error) {
	now, err := b.image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the image's configuration: %w", err)
	}
	file := now.DeepCopy()
	file.Config, file.Created = b.config, v1.Time{Time: epoch}
	file.History = append(file.History, b.history...)
	if file.Architecture == "" || file.OS == "" { // of scratch
		file.OS, file.Architecture, file.Variant = b.platform.OS, b.platform.Architecture, b.platform.Variant
	}
	image, err := mutate.ConfigFile(b.image, file)
	if err != nil {
		return nil, fmt.Errorf("writing the image's configuration: %w", err)
	}
	return image, nil
}
