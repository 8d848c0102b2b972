// Ouro is delivery pipelines on AWS that deploy themselves, and a local cloud
// that runs them whole on one machine. Where Lambda starts it, it is the function
// that is asked for.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"ouro/cli"
	"ouro/function"
)

func main() {
	if function.Asked() {
		os.Exit(function.Main(context.Background(), os.Stderr))
	}
	if os.Getenv("GOGC") == "" {
		// Commands live for a second or two, and the local cloud's live heap is
		// small: collecting less often costs some megabytes and saves a fifth
		// of the time that publishing takes.
		debug.SetGCPercent(400)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.System())
	stop()
	os.Exit(code)
}
