// Ouro is delivery pipelines on AWS that deploy themselves, and a local cloud
// that runs them whole on one machine. Where Lambda starts it, it is the function
// that is asked for.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ouro/cli"
	"ouro/function"
	_ "ouro/gogc"
)

func main() {
	if function.Asked() {
		os.Exit(function.Main(context.Background(), os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.System())
	stop()
	os.Exit(code)
}
