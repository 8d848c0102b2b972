package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ouro/image"
)

func newImage(s IO) *cobra.Command {
	c := &cobra.Command{
		Use:   "image",
		Short: "Container images without a container engine",
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newImagePush(s))
	return c
}

type imagePushOptions struct {
	io     IO
	target targetFlags
	build  image.Options
	tag    string
}

func newImagePush(s IO) *cobra.Command {
	o := &imagePushOptions{io: s}
	c := &cobra.Command{
		Use:   "push [DIR]",
		Short: "Pack an image from a directory and a Dockerfile, and push it",
		Long: `Packs what the Dockerfile copies from DIR, and how it is started, into an image,
pushes it, and prints the reference that will always be this image,
REGISTRY/NAME@DIGEST. The same files make the same image. A Dockerfile with RUN
needs a container engine and is refused.

A repository of ECR may be named by its URI on the local cloud or by that on AWS:
the image goes to the registry of the endpoint that the command works on.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.build.Dir = dirOf(args)
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	c.Flags().StringVarP(&o.build.File, "file", "f", "", "the Dockerfile (default Dockerfile in DIR)")
	c.Flags().StringVarP(&o.tag, "tag", "t", "", "where the image is pushed, REGISTRY/NAME:TAG")
	c.Flags().StringVar(&o.build.Platform, "platform", "", "what the image is for (default linux and this machine's processor)")
	return c
}

func (o *imagePushOptions) run(ctx context.Context) (err error) {
	if o.tag == "" {
		return usageError{errors.New("no place for the image: give --tag REGISTRY/NAME:TAG")}
	}
	t, err := o.target.open(ctx, o.io, o.build.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	registries := &image.Registries{Config: t.Config}
	o.build.Base = registries.Get
	img, err := image.Build(ctx, o.build)
	if err != nil {
		return err
	}
	ref, err := registries.Push(ctx, o.tag, img)
	if err != nil {
		return err
	}
	fmt.Fprintln(o.io.Out, ref)
	return nil
}
