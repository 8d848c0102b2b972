package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ouro/webhook"
)

type gitLogsOptions struct {
	gitWork
	since       time.Duration
	follow, all bool
}

func newGitLogs(s IO) *cobra.Command {
	o := &gitLogsOptions{gitWork: gitWork{stackWork: stackWork{io: s}}}
	c := &cobra.Command{
		Use:   "logs --repo OWNER/NAME",
		Short: "Show which deliveries came, and what became of them",
		Long: `Shows what the webhook's functions logged, in the order of time: which deliveries
were accepted or refused, and why, and what was fetched. With --follow it goes on
until Ctrl-C.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.since <= 0 {
				return usageError{fmt.Errorf("--since %s is not in the past", o.since)}
			}
			return o.run(c.Context())
		},
	}
	o.addStack(c)
	c.Flags().DurationVar(&o.since, "since", time.Hour, "only lines of the last time, such as 90s or 10m")
	c.Flags().BoolVarP(&o.follow, "follow", "f", false, "show what comes, until Ctrl-C")
	c.Flags().BoolVar(&o.all, "all", false, "Lambda's own lines, too")
	return c
}

func (o *gitLogsOptions) run(ctx context.Context) (err error) {
	w, err := o.session(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	d, err := o.deployed(ctx, w)
	if err != nil {
		return err
	}
	p := paint(o.io.Color && o.io.Terminal)
	w.clearNow()
	err = d.Lines(ctx, w.clients.Logs, time.Now().Add(-o.since), o.follow, func(l webhook.Line) {
		if l.Ours || o.all {
			fmt.Fprintf(o.io.Out, "%s %s %s\n", p.dim(l.Time.Format("2006-01-02T15:04:05.000Z")), p.dim(fmt.Sprintf("%-6s", l.From)), l.Text)
		}
	})
	if o.follow && ctx.Err() != nil {
		return nil // Ctrl-C is how this ends
	}
	return err
}
