package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ouro/gitsource"
	"ouro/webhook"
)

func newGit(s IO) *cobra.Command {
	c := &cobra.Command{
		Use:   "git",
		Short: "Webhooks that keep a bucket at the commits of git providers' repositories",
		Long: `A webhook of GitHub, GitLab, Bitbucket, Gitea or Forgejo becomes a stack: an API
that takes deliveries, and functions that put every pushed commit as a zip into a
bucket, from which pipelines start.`,
		Args: noVerb,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newGitUp(s), newGitDown(s), newGitSend(s), newGitLogs(s))
	return c
}

// gitWork is work on the webhook of one repository.
type gitWork struct {
	stackWork
	repository string
	tokenFrom  string
}

func (o *gitWork) addToken(c *cobra.Command) {
	c.Flags().StringVar(&o.tokenFrom, "token-from", "", "where the provider's token is: env:NAME, secret:NAME of Secrets Manager, a file, or - for standard input (default the one of the stack)")
}

// addStack adds the flags that choose what is there.
func (o *gitWork) addStack(c *cobra.Command) {
	o.target.add(c)
	o.target.there = true
	c.Flags().StringVar(&o.repository, "repo", "", "the repository, as OWNER/NAME")
	c.Flags().StringVar(&o.name, "stack", "", "name of the stack, if it is another")
}

// deployed is the webhook that the flags choose.
func (o *gitWork) deployed(ctx context.Context, w *session) (*webhook.Deployed, error) {
	name, err := o.stackName()
	if err != nil {
		return nil, err
	}
	d, err := webhook.Find(ctx, w.clients, name)
	switch {
	case err != nil:
		return nil, err
	case d == nil:
		return nil, fmt.Errorf("there is no stack %q: ouro git up makes it", name)
	case o.repository != "" && d.Repository != o.repository:
		return nil, fmt.Errorf("the stack %q is of %s: name the one of %s with --stack", name, d.Repository, o.repository)
	}
	return d, nil
}

func (o *gitWork) stackName() (string, error) {
	if o.name == "" && o.repository == "" {
		return "", usageError{errors.New("which repository? --repo names it, or --stack its stack")}
	}
	return firstOf(o.name, webhook.StackName(o.repository)), nil
}

// token is the provider's token, and the ARN of its secret if it is in one.
// Without a flag, it is the one that the stack has; empty if there is none.
func (o *gitWork) token(ctx context.Context, w *session, d *webhook.Deployed) (token, arn string, err error) {
	kind, name, _ := strings.Cut(o.tokenFrom, ":")
	switch {
	case o.tokenFrom == "":
		if d == nil || d.TokenARN() == "" {
			return "", "", nil
		}
		arn = d.TokenARN()
		token, err = webhook.ReadToken(ctx, w.clients.Secrets, arn)
		return token, arn, err
	case kind == "secret":
		if token, err = webhook.ReadToken(ctx, w.clients.Secrets, name); err == nil {
			arn, err = webhook.SecretARN(ctx, w.clients.Secrets, name)
		}
		return token, arn, err
	case kind == "env":
		token = o.io.Env(name)
	default:
		if token, err = readSmall(o.io.In, o.tokenFrom); err != nil {
			return "", "", fmt.Errorf("reading the provider's token: %w", err)
		}
	}
	token, err = webhook.CheckToken(token)
	return token, "", err
}

// registrar is who registers at the provider, in whose authorities the stack
// trusts; nil without a token.
func (o *gitWork) registrar(p gitsource.Provider, authorities, token string) (*gitsource.Registrar, error) {
	if token == "" {
		return nil, nil
	}
	client, err := gitsource.NewClient([]byte(authorities))
	return &gitsource.Registrar{Provider: p, Token: token, Client: client}, err
}

// reaches tells whether a provider can send to the URL: only one on this machine
// finds the local cloud.
func reaches(p gitsource.Provider, to string) bool {
	return !isLoopback(to) || isLoopback("https://"+p.Host)
}

// here is the URL where the local cloud is now, which may have another port than
// when the stack was made.
func (t *target) here(to string) string {
	u, err := url.Parse(to)
	now, failed := url.Parse(t.URL)
	if err != nil || failed != nil || !t.own || !isLoopback(to) {
		return to
	}
	u.Host = now.Host
	return u.String()
}

// readSmall reads a file, or standard input, that holds no more than a token.
func readSmall(in io.Reader, name string) (string, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxToken+1))
	if err == nil && len(b) > maxToken {
		err = fmt.Errorf("more than %d bytes", maxToken)
	}
	return string(b), err
}
