// Package cloud is the local cloud: an AWS endpoint that really runs
// pipelines, builds and stacks, on one machine, with its state in one
// directory. It is an http.Handler; [Start] also listens.
//
// This file is the composition root: it alone knows which services there are.
package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"ouro/cloud/apigateway"
	"ouro/cloud/apigatewayv2"
	"ouro/cloud/cloudcontrol"
	"ouro/cloud/cloudformation"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/cloudwatch"
	"ouro/cloud/codebuild"
	"ouro/cloud/codecommit"
	"ouro/cloud/codeconnections"
	"ouro/cloud/codedeploy"
	"ouro/cloud/codepipeline"
	"ouro/cloud/door"
	"ouro/cloud/ecr"
	"ouro/cloud/eventbridge"
	"ouro/cloud/executeapi"
	"ouro/cloud/iam"
	"ouro/cloud/kms"
	"ouro/cloud/lambda"
	"ouro/cloud/logs"
	"ouro/cloud/s3"
	"ouro/cloud/secretsmanager"
	"ouro/cloud/serverlessrepo"
	"ouro/cloud/sns"
	"ouro/cloud/ssm"
	"ouro/cloud/store"
	"ouro/cloud/sts"
)

// Options are what a cloud needs. Only Dir must be set.
type Options struct {
	Dir        string // of the state
	Endpoint   string // the URL that processes outside reach, such as builds; default http://127.0.0.1:4566
	Account    string // of callers that say nothing else; default 000000000000
	Executable string // the ouro that builds find on their PATH; empty for none
	Containers string // the program of a container engine that builds run in, see ContainerEngine; empty: builds are processes
	Lambda     lambda.Options
	CodeDeploy codedeploy.Options
	Log        *slog.Logger
	Now        func() time.Time // default time.Now
	Services   map[string]any   // of the caller's own, by their names in AWS's models: see door.Register
}

// Cloud is the local cloud.
type Cloud struct {
	store *store.Store
	door  *door.Door
	paths map[string]http.Handler // by path prefix: git, certificates
	calls *executeapi.Front       // of the APIs that API Gateway serves

	functions http.Handler // the URLs of functions, by host
	images    http.Handler // the registry of ECR
}

// Open opens the state and takes up what was in progress when it was last
// closed, or its process killed. A state directory that another process uses
// is a *store.InUseError.
func Open(ctx context.Context, o Options) (*Cloud, error) {
	st, err := store.Open(o.Dir)
	if err != nil {
		return nil, err
	}
	c := &Cloud{store: st, door: door.New(door.Options{Store: st, Endpoint: o.Endpoint, Account: o.Account, Log: o.Log, Now: o.Now})}
	if err := c.furnish(ctx, o); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// ContainerEngine finds the program of a container engine that answers on this
// machine.
func ContainerEngine(ctx context.Context) (string, error) { return codebuild.FindEngine(ctx) }

// service is one line of the table of services.
type service struct {
	name string // in AWS's API models
	impl any
}

func (c *Cloud) furnish(ctx context.Context, o Options) error {
	d := c.door
	identities, accounts := sts.New(d.Host("sts")), iam.New(d.Host("iam"))
	repos, connections := codecommit.New(d.Host("codecommit")), codeconnections.New(d.Host("codeconnections"))
	topics := sns.New(d.Host("sns"))
	pipelines := codepipeline.New(d.Host("codepipeline"))
	builds := codebuild.New(d.Host("codebuild"), codebuild.Options{Executable: o.Executable, Containers: o.Containers})
	restAPIs, httpAPIs := apigateway.New(d.Host("apigateway")), apigatewayv2.New(d.Host("apigateway"))
	c.calls = executeapi.NewFront(d, map[string]executeapi.Server{"apigateway": restAPIs, "apigatewayv2": httpAPIs})
	functions := lambda.New(d.Host("lambda"), o.Lambda)
	images := ecr.New(d.Host("ecr"))
	services := []service{
		{"sts", identities},
		{"iam", accounts},
		{"s3", s3.New(d.Host("s3"))},
		{"apigateway", restAPIs},
		{"apigatewayv2", httpAPIs},
		{"kms", kms.New(d.Host("kms"))},
		{"ssm", ssm.New(d.Host("ssm"))},
		{"secretsmanager", secretsmanager.New(d.Host("secretsmanager"))},
		{"serverlessrepo", serverlessrepo.New(d.Host("serverlessrepo"))},
		{"logs", logs.New(d.Host("logs"))},
		{"cloudwatch", cloudwatch.New(d.Host("cloudwatch"))},
		{"events", eventbridge.New(d.Host("events"))},
		{"sns", topics},
		{"codecommit", repos},
		{"codeconnections", connections},
		{"codebuild", builds},
		{"codedeploy", codedeploy.New(d.Host("codedeploy"), o.CodeDeploy)},
		{"codepipeline", pipelines},
		{"ecr", images},
		{"lambda", functions},
		{"cloudcontrol", cloudcontrol.New(d.Host("cloudcontrol"), resource.NewTable().Records)},
		{"cloudformation", cloudformation.New(d.Host("cloudformation"))},
	}
	for name, impl := range o.Services {
		services = append(services, service{name, impl})
	}
	for _, s := range services {
		if err := d.Register(s.name, s.impl); err != nil {
			return err
		}
	}
	d.Identify(identities.Identify)
	d.Identify(accounts.Identify)
	c.functions, c.images = functions, images
	c.paths = map[string]http.Handler{}
	for _, h := range []interface {
		http.Handler
		Paths() []string
	}{repos, connections, topics, builds, pipelines, c.calls, functions, images} {
		for _, prefix := range h.Paths() {
			c.paths[prefix] = h
		}
	}
	for _, s := range services {
		if r, ok := s.impl.(interface{ Resume(context.Context) error }); ok {
			if err := r.Resume(ctx); err != nil {
				return fmt.Errorf("taking up the work of %s: %w", s.name, err)
			}
		}
	}
	return nil
}

// ServeHTTP answers AWS's API, git, what services serve besides, and health checks.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == healthPath {
		c.serveHealth(w)
		return
	}
	if executeapi.Addressed(r.Host) {
		c.door.Guard(c.calls).ServeHTTP(w, r)
		return
	}
	if lambda.IsFunctionURL(r) {
		c.door.Guard(c.functions).ServeHTTP(w, r)
		return
	}
	if ecr.IsRegistry(r) {
		c.door.Guard(c.images).ServeHTTP(w, r)
		return
	}
	for prefix, h := range c.paths {
		if strings.HasPrefix(r.URL.Path, prefix) {
			c.door.Guard(h).ServeHTTP(w, r)
			return
		}
	}
	c.door.ServeHTTP(w, r)
}

const healthPath = "/_ouro/health"

// Health is the answer of GET /_ouro/health.
type Health struct {
	Status   string   `json:"status"` // "ok"
	Services []string `json:"services"`
	State    string   `json:"state"` // the state directory
}

func (c *Cloud) serveHealth(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	h := Health{Status: "ok", Services: c.door.Services(), State: c.store.Dir("")}
	json.NewEncoder(w).Encode(h) //nolint:errcheck // the client is gone: nobody is left to tell
}

// Door is the cloud's front door, for clients in this process.
func (c *Cloud) Door() *door.Door { return c.door }

// Close ends what runs in the background and closes the state. What it
// interrupts goes on at the next Open.
func (c *Cloud) Close() error {
	c.door.Close()
	return c.store.Close()
}
