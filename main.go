// Ouro is delivery pipelines on AWS that deploy themselves, and a local cloud
// that runs them whole on one machine.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ouro/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.System())
	stop()
	os.Exit(code)
}
