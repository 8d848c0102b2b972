package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/gitsource"
	"ouro/pipeline"
)

// The functions of webhooks are told what they serve by their environment:
//
//	GIT_PROVIDER, GIT_HOST      who sends, and where it is if it serves itself
//	GIT_BUCKET                  where the zips go
//	GIT_STATE_BUCKET            where is written what was done
//	GIT_SECRET                  the secret with the webhook's secrets
//	GIT_TOKEN                   the secret with the provider's token; empty for public repositories
//	GIT_WORKER                  the function that git.hook hands on to
//	GIT_BRANCHES, GIT_TAGS, GIT_PATHS, GIT_NETWORKS   lists, with commas
//	GIT_AUTHORITIES             certificates in PEM of the provider's own authority
//
// and git.pull besides by
//
//	GIT_KEY                     the secret with the private key for SSH; empty to go over HTTPS
//	GIT_SSH_HOST                where SSH is served, if that is another host or port
//	GIT_HOST_KEYS               what the host of SSH may show, if it is none of the known ones
//	GIT_SUBMODULES, GIT_LFS     refuse, leave or fetch
//	GIT_DISK                    MB of disk that the function has
func gitProvider() (gitsource.Provider, error) {
	return gitsource.NewProvider(os.Getenv("GIT_PROVIDER"), os.Getenv("GIT_HOST"))
}

// deliveryWindow is how old a delivery may be that says when it was: providers
// send again what failed, and people what they missed.
const deliveryWindow = time.Hour

func records(cfg aws.Config) gitsource.Records {
	return gitsource.Records{API: pipeline.NewBuckets(cfg), Bucket: os.Getenv("GIT_STATE_BUCKET")}
}

func logger() *slog.Logger { return slog.New(slog.NewJSONHandler(os.Stderr, nil)) }

func list(name string) []string {
	return strings.FieldsFunc(os.Getenv(name), func(r rune) bool { return r == ',' || r == ' ' })
}

// gitHook answers webhooks behind an HTTP API, and hands on what they tell: the
// API waits for half a minute, a fetch may take many.
func gitHook(cfg aws.Config) Handler {
	hook := sync.OnceValues(func() (*gitsource.Hook, error) { return newHook(cfg) })
	return func(ctx context.Context, event json.RawMessage) (any, error) {
		h, err := hook()
		if err != nil {
			return nil, fmt.Errorf("the function's environment: %w", err)
		}
		var r events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(event, &r); err != nil || r.Version != "2.0" {
			return nil, errors.New("the event is not of an HTTP API with payload format 2.0")
		}
		return h.Handle(ctx, r)
	}
}

func newHook(cfg aws.Config) (*gitsource.Hook, error) {
	p, err := gitProvider()
	if err != nil {
		return nil, err
	}
	h := &gitsource.Hook{
		Provider: p, Records: records(cfg), Window: deliveryWindow, Now: time.Now, Log: logger(),
		Secrets: &gitsource.Secrets{API: secretsmanager.NewFromConfig(cfg), ID: os.Getenv("GIT_SECRET")},
		Filter:  gitsource.Filter{Branches: list("GIT_BRANCHES"), Tags: list("GIT_TAGS"), Paths: list("GIT_PATHS")},
		Send:    sendTo(lambda.NewFromConfig(cfg), os.Getenv("GIT_WORKER")),
	}
	for _, text := range list("GIT_NETWORKS") {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no range of addresses", text)
		}
		h.Networks = append(h.Networks, n)
	}
	return h, h.Filter.Check()
}

// sendTo leaves an event to another function, which Lambda then asks until it
// has done it, or puts aside.
func sendTo(api *lambda.Client, name string) func(context.Context, gitsource.Event) error {
	return func(ctx context.Context, e gitsource.Event) error {
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = api.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, InvocationType: lambdatypes.InvocationTypeEvent, Payload: body})
		return err
	}
}

// gitZip keeps a bucket at what git.hook tells, by the archives of the provider.
func gitZip(cfg aws.Config) Handler { return gitWorker(cfg, newArchives) }

// gitPull keeps a bucket at what git.hook tells, by git's own protocol.
func gitPull(cfg aws.Config) Handler { return gitWorker(cfg, newPuller) }

// fetcher is what fetches commits.
type fetcher interface {
	Fetch(ctx context.Context, e gitsource.Event, to *gitsource.Packer) error
}

// source is what both ways of fetching need.
type source struct {
	cfg      aws.Config
	provider gitsource.Provider
	client   *http.Client
	token    func(context.Context) (string, error) // nil for public repositories
}

func newSource(cfg aws.Config) (s source, err error) {
	s.cfg = cfg
	if s.provider, err = gitProvider(); err != nil {
		return s, err
	}
	if id := os.Getenv("GIT_TOKEN"); id != "" {
		s.token = tokenIn(secretsmanager.NewFromConfig(cfg), id)
	}
	s.client, err = gitsource.NewClient([]byte(os.Getenv("GIT_AUTHORITIES")))
	return s, err
}

// gitWorker does what git.hook hands on.
func gitWorker(cfg aws.Config, fetch func(source) (fetcher, error)) Handler {
	worker := sync.OnceValues(func() (*gitsource.Worker, error) {
		s, err := newSource(cfg)
		if err != nil {
			return nil, err
		}
		f, err := fetch(s)
		if err != nil {
			return nil, err
		}
		return &gitsource.Worker{
			Fetch: f.Fetch, Bucket: os.Getenv("GIT_BUCKET"), Records: records(cfg), Limits: gitsource.DefaultLimits, Log: logger(), Wait: wait,
		}, nil
	})
	return func(ctx context.Context, event json.RawMessage) (any, error) {
		w, err := worker()
		if err != nil {
			return nil, fmt.Errorf("the function's environment: %w", err)
		}
		var e gitsource.Event
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, fmt.Errorf("the event is none of git.hook's: %w", err)
		}
		return nil, w.Work(ctx, e)
	}
}

func newArchives(s source) (fetcher, error) {
	return &gitsource.Archives{Provider: s.provider, Client: s.client, Token: s.token, Stall: 30 * time.Second}, nil
}

// tokenIn reads a token whenever it is needed, so that a new one counts at once.
func tokenIn(api *secretsmanager.Client, id string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		out, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
		if err != nil {
			return "", fmt.Errorf("reading the provider's token: %w", err)
		}
		return strings.TrimSpace(aws.ToString(out.SecretString)), nil
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
