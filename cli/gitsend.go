package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"ouro/gitsource"
)

type gitSendOptions struct {
	gitWork
	provider, host, event, secret, to, delivery string
}

func newGitSend(s IO) *cobra.Command {
	o := &gitSendOptions{gitWork: gitWork{stackWork: stackWork{io: s}}}
	c := &cobra.Command{
		Use:   "send FILE",
		Short: "Send a payload to a webhook as its provider does",
		Long: `Sends the payload in the file, or from standard input for -, with the headers
and the signature of the provider. The URL and the secret are those of the
repository's stack. With --url, --secret and --provider it goes anywhere, and no
stack is looked for. A payload that was taken is refused the second time.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("%s takes one file with a payload", c.CommandPath())}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.addStack(c)
	flags := c.Flags()
	flags.StringVar(&o.event, "event", "push", "push, tag, pull-request, release, ping, or the provider's own word")
	flags.StringVar(&o.to, "url", "", "where it is sent (default the webhook of the stack)")
	flags.StringVar(&o.secret, "secret", "", "the webhook's secret (default the one of the stack)")
	flags.StringVar(&o.provider, "provider", "", "who would send it (default the one of the stack)")
	flags.StringVar(&o.host, "host", "", "host of a provider that serves itself")
	flags.StringVar(&o.delivery, "delivery", "", "id of the delivery (default a new one)")
	return c
}

func (o *gitSendOptions) run(ctx context.Context, file string) error {
	body, err := readPayload(o.io.In, file)
	if err != nil {
		return err
	}
	p, to, err := o.complete(ctx)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return usageError{fmt.Errorf("--url: %w", err)}
	}
	q.Header = p.Headers(o.event, firstOf(o.delivery, uuid.NewString()), o.secret, body)
	answer, err := (&http.Client{Timeout: time.Minute}).Do(q)
	if err != nil {
		return fmt.Errorf("sending the payload: %w", err)
	}
	said, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	fmt.Fprintln(o.io.Out, strings.TrimSpace(answer.Status+" "+string(said)))
	if answer.StatusCode/100 != 2 {
		fmt.Fprintln(o.io.Err, "hint: ouro git logs says why")
		return exitError(1)
	}
	return nil
}

// complete finds in the stack what no flag says.
func (o *gitSendOptions) complete(ctx context.Context) (p gitsource.Provider, to string, err error) {
	if o.to != "" && o.secret != "" && o.provider != "" {
		// The headers are the same on all hosts.
		p, err := gitsource.NewProvider(o.provider, firstOf(o.host, map[bool]string{true: "localhost"}[o.provider != "github"]))
		if err != nil {
			err = usageError{err}
		}
		return p, o.to, err
	}
	w, err := o.session(ctx)
	if err != nil {
		return p, "", err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	d, err := o.deployed(ctx, w)
	if err != nil {
		return p, "", err
	}
	if o.secret == "" {
		if o.secret, err = d.ReadSecret(ctx, w.clients.Secrets); err != nil {
			return p, "", err
		}
	}
	return d.Provider, firstOf(o.to, w.target.here(d.URL)), nil
}

// readPayload reads a payload, or standard input for -. One byte more than the
// webhook takes is enough to be refused.
func readPayload(in io.Reader, name string) ([]byte, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("reading the payload: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, gitsource.MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("reading the payload: %w", err)
	}
	return b, nil
}
