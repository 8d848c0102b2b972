package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ouro/stack"
	"ouro/webhook"
)

type gitDownOptions struct{ gitWork }

func newGitDown(s IO) *cobra.Command {
	o := &gitDownOptions{gitWork{stackWork: stackWork{io: s}}}
	c := &cobra.Command{
		Use:   "down --repo OWNER/NAME",
		Short: "Take the webhook of a repository away, and delete its stack",
		Long: `Takes the webhook and the deploy key away from the provider, with the token of
the stack or of --token-from, and deletes the stack with what is in its buckets,
unless they are retained, the token that ouro kept, and, with the last webhook,
the functions' code.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.addStack(c)
	o.addToken(c)
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "delete, do not ask")
	return c
}

func (o *gitDownOptions) run(ctx context.Context) (err error) {
	w, err := o.session(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	consent := consent{session: w, asker: o.target.asker, yes: o.yes}
	if err := consent.possible(); err != nil {
		return err
	}
	d, err := o.left(ctx, w)
	if err != nil {
		return err
	}
	token, _, err := o.token(ctx, w, d)
	if err != nil {
		return err
	}
	if !reaches(d.Provider, d.URL) || !d.Provider.Registers() {
		token = "" // so that nothing was registered
	}
	r, err := o.registrar(d.Provider, d.Parameters["Authorities"], token)
	if err != nil {
		return err
	}
	doomed, err := webhook.Doom(ctx, w.clients, d)
	if err != nil {
		return err
	}
	return consent.delete(ctx, o.io.Out, doomed.Empty(), func() { o.show(doomed, r != nil) },
		func(ctx context.Context) ([]string, error) { return doomed.Down(ctx, w.clients, r, w) },
		func() (left []string) {
			if r == nil && d.URL != "" && reaches(d.Provider, d.URL) && d.Provider.Registers() {
				left = append(left, "webhook of "+d.Repository+" at "+d.Provider.Host+", for which there is no token")
			}
			if doomed.Retained() {
				left = append(left, "bucket "+d.Bucket, "bucket "+d.State)
			}
			return left
		})
}

// left is the webhook, or what a deletion that was broken off left of it.
func (o *gitDownOptions) left(ctx context.Context, w *session) (*webhook.Deployed, error) {
	name, err := o.stackName()
	if err != nil {
		return nil, err
	}
	if s, err := stack.Describe(ctx, w.clients.Stacks, name); err != nil || s == nil {
		return &webhook.Deployed{Hook: &webhook.Hook{Stack: name}}, err
	}
	return o.deployed(ctx, w)
}

// show shows what is about to be deleted.
func (o *gitDownOptions) show(d *webhook.Doomed, unregisters bool) {
	var lines []string
	if unregisters {
		lines = append(lines, "webhook of "+d.Repository+" at "+d.Provider.Host)
	}
	if d.Status != "" {
		lines = append(lines, "stack "+d.Stack)
	}
	if d.Bucket != "" && !d.Retained() {
		lines = append(lines, "bucket "+d.Bucket, "bucket "+d.State)
	}
	if d.Token != "" {
		lines = append(lines, "secret "+d.Token)
	}
	if d.Code != "" {
		lines = append(lines, "stack "+webhook.CodeStack, "bucket "+d.Code)
	}
	for _, line := range lines {
		fmt.Fprintf(o.io.Err, "%s %s\n", paint(o.io.Color).red("-"), line)
	}
}
