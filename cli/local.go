package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ouro/cloud"
	"ouro/pipeline"
)

type localOptions struct {
	io         IO
	listen     string
	state      string
	account    string
	verbose    bool
	containers bool
}

func newLocal(s IO) *cobra.Command {
	o := &localOptions{io: s}
	c := &cobra.Command{
		Use:   "local",
		Short: "Run the local cloud by itself",
		Long: `Runs the local cloud until it is ended by Ctrl-C or SIGTERM. Any AWS client is
served that is given its address as endpoint, with any credentials; an access
key id of 12 digits names the account.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().StringVar(&o.listen, "listen", cloud.DefaultAddress, "address and port to listen on; port 0 means any free one")
	c.Flags().StringVar(&o.state, "state", pipeline.StateDir, "directory of the state")
	c.Flags().StringVar(&o.account, "account", "000000000000", "account of callers whose credentials name none")
	c.Flags().BoolVar(&o.containers, "containers", false, containersUsage)
	c.Flags().BoolVar(&o.verbose, "verbose", false, "log every request to standard error")
	return c
}

func (o *localOptions) run(ctx context.Context) error {
	if len(o.account) != 12 {
		return usageError{fmt.Errorf("an account has 12 digits, %q has not", o.account)}
	}
	state, err := filepath.Abs(o.state)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program for the builds: %w", err)
	}
	engine, err := containerEngine(ctx, o.containers)
	if err != nil {
		return err
	}
	l, err := cloud.Listen(o.listen, false)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", o.listen, err)
	}
	level := slog.LevelWarn
	if o.verbose {
		level = slog.LevelDebug
	}
	server, err := cloud.Start(ctx, l, cloud.Options{
		Dir: state, Account: o.account, Executable: exe, Containers: engine,
		Log: slog.New(slog.NewTextHandler(o.io.Err, &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		return fmt.Errorf("starting the local cloud: %w", err)
	}
	fmt.Fprintf(o.io.Out, "ouro: listening on %s\n", server.URL)
	select {
	case <-ctx.Done():
		return server.Close()
	case err := <-server.Failed():
		return errors.Join(fmt.Errorf("serving on %s: %w", server.URL, err), server.Close())
	}
}

const containersUsage = "run builds in containers of their projects' images, by docker or podman"

// containerEngine is the program that runs containers, "" unless they are
// asked for.
func containerEngine(ctx context.Context, asked bool) (string, error) {
	if !asked {
		return "", nil
	}
	engine, err := cloud.ContainerEngine(ctx)
	if err != nil {
		return "", fmt.Errorf("--containers: %w", err)
	}
	return engine, nil
}
