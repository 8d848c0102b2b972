// Program bench measures ouro beside what people use today, on this machine,
// against the same local cloud and in the same run:
//
//	go run ./bench publish   # ouro publish beside aws cloudformation package
//	go run ./bench validate  # ouro validate beside cfn-lint
//	go run ./bench push      # from git push to the last stage done
//	go run ./bench pipelines # what the engine of pipelines adds
//	go run ./bench stacks    # stacks of the local cloud beside moto's
//	go run ./bench lambda    # functions, cold and warm, beside bare processes
//	go run ./bench webhook   # deliveries of a git provider, to the stack and to the handler alone
//	go run ./bench archive   # memory of git.zip while an archive streams
//
// Everything runs as a process of its own, as its users run it; times are wall
// times from before a process starts, and medians of several runs. What was
// measured is checked: a run that did not do the work is an error, not a time.
//
// A further measurement is one file with one function, and one line in the
// table below.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// benchmark is one subcommand.
type benchmark struct {
	name, does string
	run        func(ctx context.Context, w io.Writer, args []string) error
}

func benchmarks() []benchmark {
	return []benchmark{
		{"publish", "publish nested templates, beside aws cloudformation package", publishing},
		{"validate", "check templates offline, beside cfn-lint", validating},
		{"push", "from git push to the last stage done, on a copy of examples/site", pushing},
		{"lambda", "start and invoke functions, beside processes that do nothing", invoking},
		{"webhook", "take deliveries of a git provider, one by one and at once, and the memory of it", webhooking},
		{"archive", "stream a provider's archive through git.zip into a bucket, and measure its memory", archiving},
		{"pipelines", "what the engine adds to actions, pushes to the first action, many pipelines at once", pipelining},
		{"stacks", "create, update and delete stacks, beside moto's server", stacking},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Stdout, os.Stderr, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, out, errs io.Writer, args []string) int {
	if len(args) > 0 {
		for _, b := range benchmarks() {
			if b.name != args[0] {
				continue
			}
			err := b.run(ctx, out, args[1:])
			if errors.Is(err, flag.ErrHelp) {
				return 0
			}
			if err != nil {
				fmt.Fprintf(errs, "bench %s: %v\n", b.name, err)
				return 1
			}
			return 0
		}
		fmt.Fprintf(errs, "bench: there is no benchmark %q\n", args[0])
	}
	fmt.Fprintln(errs, "usage: go run ./bench BENCHMARK [flags]")
	for _, b := range benchmarks() {
		fmt.Fprintf(errs, "  %-10s %s\n", b.name, b.does)
	}
	return 2
}
