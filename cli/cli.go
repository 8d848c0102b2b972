// Package cli is ouro's command line: one file a command. A command reads its
// arguments, makes one call into the domain, and says what came of it. Results
// go to standard output, what happens on the way to standard error.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"ouro/cloud/store"
	"ouro/pipeline"
	"ouro/regex"
)

// IO is where a command reads and writes.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminal tells whether Out is a terminal, ErrTerminal whether Err is.
	Terminal, ErrTerminal bool
	Color                 bool // of Err and Out, when they are terminals
	Width, Height         int  // of the terminal, in columns and lines
	Env                   func(string) string
}

// System is the process's own input and output.
func System() IO {
	s := IO{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv, Width: 80, Height: 24,
		Terminal: term.IsTerminal(int(os.Stdout.Fd())), ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	if w, h, err := term.GetSize(int(os.Stderr.Fd())); err == nil && w > 0 && h > 0 {
		s.Width, s.Height = w, h
	} else if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		s.Width = n
	}
	// https://no-color.org
	s.Color = s.ErrTerminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return s
}

// exitError is a failure that was told already; it only sets the exit code.
type exitError int

func (e exitError) Error() string { return "exit " + strconv.Itoa(int(e)) }

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Main runs one command line and returns the exit code: 0, 1 for a failure, 2
// for a command line that makes no sense, 130 when it was interrupted.
func Main(ctx context.Context, args []string, s IO) int {
	if s.Terminal {
		s.Out = tamed{s.Out}
	}
	if s.ErrTerminal {
		s.Err = tamed{s.Err}
	}
	root := newRoot(s)
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	return exitCode(ctx, s, root.ExecuteContext(ctx))
}

// awsNoise is what the SDK's errors say before they come to the point.
var awsNoise = regex.New(`operation error ([\w ]+): (\w+), (?:https response error StatusCode: \d+, RequestID: [^,]*, )?(?:HostID: [^,]*, )?(?:api error )?`)

func exitCode(ctx context.Context, s IO, err error) int {
	var exit exitError
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		fmt.Fprintln(s.Err, "ouro: interrupted")
		return 130
	}
	fmt.Fprintf(s.Err, "ouro: %s\n", awsNoise().ReplaceAllString(err.Error(), "$1 $2: "))
	if h := hint(err); h != "" {
		fmt.Fprintf(s.Err, "hint: %s\n", h)
	}
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

// hint is what to do about an error, if there is something.
func hint(err error) string {
	var inUse *store.InUseError
	var access *accessError
	switch {
	case errors.As(err, &access):
		return "sign in with aws sso login or aws configure, and choose with --profile; or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
	case errors.Is(err, pipeline.ErrNoProject):
		return "ouro init makes such a project"
	case errors.Is(err, errNoPipeline):
		return "ouro up does; a pipeline that is elsewhere is found with --endpoint-url or --aws"
	case errors.As(err, &inUse):
		return "end the process that uses it, or give another directory with --state"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at that address: start it, or leave out --endpoint-url and AWS_ENDPOINT_URL to work on the local cloud"
	case errors.Is(err, syscall.EADDRINUSE):
		return "choose another address with --listen, such as 127.0.0.1:0 for any free port"
	}
	return ""
}

func newRoot(s IO) *cobra.Command {
	root := &cobra.Command{
		Use:   "ouro",
		Short: "Delivery pipelines that deploy themselves, on AWS or whole on this machine",
		Long: `Ouro brings delivery pipelines up that deploy themselves: on AWS, or whole on
this machine, in a local cloud that runs the same CloudFormation files.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			text := fmt.Sprintf("there is no command %q; ouro help names all", args[0])
			if like := c.SuggestionsFor(args[0]); len(like) > 0 {
				text += "; did you mean " + strings.Join(like, " or ") + "?"
			}
			return usageError{errors.New(text)}
		},
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceErrors: true, SuggestionsMinimumDistance: 2,
		SilenceUsage: true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%s: %w", c.CommandPath(), err)}
	})
	// Flags are explained within 80 columns, as all else is.
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
	root.AddCommand(newInit(s), newUp(s), newDown(s), newMeta(s), newPlan(s), newStatus(s), newLogs(s), newApprove(s), newRetry(s), newPublish(s), newValidate(s), newCI(s), newRelease(s), newCredentials(s), newHealth(s, false), newLayer(s), newImage(s), newGit(s), newLibrary(s), newLocal(s))
	return root
}

// noArgs takes nothing but flags.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes flags only, not %q", c.CommandPath(), args[0])}
	}
	return nil
}

// oneDir takes the project directory as the only argument; the default is
// the current one.
func oneDir(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{fmt.Errorf("%s takes one directory, not %d", c.CommandPath(), len(args))}
	}
	return nil
}

func dirOf(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}
