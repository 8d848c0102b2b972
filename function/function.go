// Package function is the Lambda functions that our templates refer to. One
// program is all of them: a template names one as its Handler, and its code is
// this very program, as bootstrap of the runtime provided.al2023.
//
// Each works through the clients of AWS's SDK, with the credentials that Lambda
// gives the function. There are custom resources of CloudFormation ([resource])
// and actions of CodePipeline ([action]), which always answer, also when the work
// panics or its time runs out, and can be asked the same twice; those that take
// the webhooks of git's providers ([gitHook]); and what deploys what comes into
// a bucket ([deployStart]).
package function

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// Handler answers one event.
type Handler func(ctx context.Context, event json.RawMessage) (any, error)

// handlers are the functions by their names.
var handlers = map[string]func(aws.Config) Handler{
	"bucket.empty":    func(c aws.Config) Handler { return bucketEmpty(c).handle },
	"bucket.notify":   func(c aws.Config) Handler { return bucketNotify(c).handle },
	"deploy.start":    deployStart,
	"git.hook":        gitHook,
	"git.key":         func(c aws.Config) Handler { return gitKey(c).handle },
	"git.pull":        gitPull,
	"git.zip":         gitZip,
	"key.create":      func(c aws.Config) Handler { return keyCreate(c).handle },
	"repository.seed": func(c aws.Config) Handler { return repositorySeed(c).handle },
	"layer.pipeline":  func(c aws.Config) Handler { return newAction(c, layerPipeline).handle },
	"layer.prune":     func(c aws.Config) Handler { return newAction(c, layerPrune).handle },
	"layer.template":  func(c aws.Config) Handler { return newAction(c, layerTemplate).handle },
	"stack.export":    func(c aws.Config) Handler { return newAction(c, stackExport).handle },
}

// Names are the names of the functions, sorted.
func Names() []string { return slices.Sorted(maps.Keys(handlers)) }

// New is the function of that name.
func New(name string, cfg aws.Config) (Handler, error) {
	make, ok := handlers[name]
	if !ok {
		return nil, fmt.Errorf("there is no function %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return make(cfg), nil
}

// Asked tells whether Lambda's runtime started this program, to be a function.
func Asked() bool { return os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" }

// Main is the function that Lambda's environment names. It ends with the
// process: the exit code is of a function that could not begin.
func Main(ctx context.Context, said io.Writer) int {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err == nil {
		var h Handler
		if h, err = New(os.Getenv("_HANDLER"), cfg); err == nil {
			dropPages()
			lambda.StartWithOptions(h, lambda.WithContext(ctx))
		}
	}
	fmt.Fprintf(said, "ouro: starting the function: %v\n", err)
	return 1
}
