// Package door is the one front door of the local cloud: every request, from
// outside over HTTP and from inside between services, comes through it. It
// tells which service a request is for, who calls, in which account and
// region, and hands it to the service as a call of a Go method with the SDK's
// own types.
//
// Signatures and their dates are not checked: the door is for one machine. What
// it does check is that a browser cannot be sent here from a foreign page (see
// guard.go).
package door

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/google/uuid"

	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// Options are what a door needs. Only Store must be set.
type Options struct {
	Store    *store.Store
	Endpoint string // the URL that outside processes reach; default http://127.0.0.1:4566
	Account  string // of callers whose access key says nothing else; default 000000000000
	Log      *slog.Logger
	Now      func() time.Time
	NewID    func() string
}

// Door is the front door: an http.Handler, and the Host of the services
// behind it.
type Door struct {
	opts      Options
	services  map[string]*wire.Server // by the name in AWS's models
	byScope   map[string]string       // signing name → service
	byTarget  map[string]string       // X-Amz-Target prefix → service
	byVersion map[string]string       // API version of query services → service
	identify  []Identifier
	guard     guard

	ctx    context.Context // of background work
	cancel context.CancelFunc
	jobs   jobs
}

// Identifier finds whose access key an id is; ok is false for ids that it did
// not give out.
type Identifier func(ctx context.Context, accessKeyID string) (c Caller, ok bool, err error)

var _ Host = (*Door)(nil)

// New opens a door with nothing behind it yet.
func New(o Options) *Door {
	if o.Endpoint == "" {
		o.Endpoint = "http://127.0.0.1:4566"
	}
	if o.Account == "" {
		o.Account = "000000000000"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = uuid.NewString
	}
	d := &Door{
		opts: o, guard: newGuard(o.Endpoint),
		services: map[string]*wire.Server{}, byScope: map[string]string{},
		byTarget: map[string]string{}, byVersion: map[string]string{},
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// scopes are the names that requests for a service are signed with, where
// they are not the service's own name in AWS's models.
var scopes = map[string][]string{
	"cloudwatch":      {"monitoring"},
	"codeconnections": {"codeconnections", "codestar-connections"},
	"s3":              {"s3", "s3express"},
	"serverlessrepo":  {"serverlessapplicationrepository"}, // the SDK's name, in calls from inside
}

// divided are the scopes that two services share, which their paths tell apart:
// those of one begin with a prefix.
var divided = map[string]struct{ prefix, service string }{
	"apigateway": {"/v2/", "apigatewayv2"},
}

// targets are further prefixes of X-Amz-Target that a service answers to.
var targets = map[string][]string{
	"codeconnections": {"CodeConnections_20231201", "com.amazonaws.codestar.connections.CodeStar_connections_20191201", "CodeStar_connections_20191201"},
}

// Register puts a service behind the door: impl's methods are the operations of
// the service that AWS's models call name.
func (d *Door) Register(name string, impl any) error {
	server, err := wire.New(name, impl)
	if err != nil {
		return fmt.Errorf("registering %q: %w", name, err)
	}
	d.services[name] = server
	d.byScope[name] = name
	for _, scope := range scopes[name] {
		d.byScope[scope] = name
	}
	m := server.Model()
	for _, prefix := range append(targets[name], m.Target) {
		if prefix != "" {
			d.byTarget[prefix] = name
		}
	}
	if m.Speaks("query") {
		d.byVersion[m.Version] = name
	}
	return nil
}

// Identify adds a source of identities, asked for every access key that is
// no account number.
func (d *Door) Identify(f Identifier) { d.identify = append(d.identify, f) }

// Operations gives the operations behind the door, by service.
func (d *Door) Operations() map[string][]string {
	all := map[string][]string{}
	for name, server := range d.services {
		all[name] = server.Operations()
	}
	return all
}

// Services are the names of the services behind the door, sorted.
func (d *Door) Services() []string { return slices.Sorted(maps.Keys(d.services)) }

// Guard keeps foreign pages away from a handler that is not an AWS API.
func (d *Door) Guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := d.guard.check(r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// Store is the cloud's state.
func (d *Door) Store() *store.Store { return d.opts.Store }

// Endpoint is the URL that outside processes reach.
func (d *Door) Endpoint() string { return d.opts.Endpoint }

// Now is the time, in UTC.
func (d *Door) Now() time.Time { return d.opts.Now().UTC() }

// NewID is a fresh random UUID.
func (d *Door) NewID() string { return d.opts.NewID() }

// Log takes what an operator should know.
func (d *Door) Log() *slog.Logger { return d.opts.Log }

// Go runs f in the background. Close cancels its context and waits for it; on
// a closed door f does not run.
func (d *Door) Go(name string, f func(ctx context.Context)) {
	if !d.jobs.start() {
		return
	}
	go func() {
		defer d.jobs.done()
		f(d.ctx)
	}()
}

// Cease cancels the background work and does not wait for its end: what a
// cloud that is about to close does before clients outside are turned away, so
// that no work is judged by their failures.
func (d *Door) Cease() { d.cancel() }

// Close ends the background work and waits for it and for the calls of inside
// clients. Inside calls that come later fail.
func (d *Door) Close() {
	d.cancel()
	d.jobs.close()
}

// ServeHTTP answers a request from outside.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := d.guard.check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	d.serve(w, r, nil)
}

// serve answers a request; inside is the caller of one that came from a
// service.
func (d *Door) serve(w http.ResponseWriter, r *http.Request, inside *Caller) {
	started := time.Now()
	w.Header().Set("X-Amzn-Requestid", d.NewID())
	name, cred, err := d.destination(w, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if name == "s3" {
		pathStyle(r)
		w.Header().Set("X-Amz-Request-Id", w.Header().Get("X-Amzn-Requestid"))
	}
	server, ok := d.services[name]
	if !ok {
		http.Error(w, fmt.Sprintf("the local cloud has no service %q", name), http.StatusNotImplemented)
		return
	}
	caller, err := d.caller(r.Context(), cred, inside)
	if err != nil {
		http.Error(w, "finding the caller: "+err.Error(), http.StatusInternalServerError)
		return
	}
	rec := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	defer d.recovered(w, name)
	server.ServeHTTP(rec, r.WithContext(WithCaller(r.Context(), caller)))
	if log := d.opts.Log; log.Enabled(r.Context(), slog.LevelDebug) {
		log.Debug("request", "service", name, "operation", server.OperationName(r), "status", rec.status,
			"account", caller.Account, "region", caller.Region, "caller", caller.ARN, "inside", inside != nil, "took", time.Since(started))
	}
}

// recovered keeps a mistake of ours in one service from ending the cloud: the
// request fails, and the log tells where.
func (d *Door) recovered(w http.ResponseWriter, service string) {
	if p := recover(); p != nil {
		d.opts.Log.Error("a service panicked", "service", service, "panic", p, "stack", string(debug.Stack()))
		http.Error(w, "the local cloud failed", http.StatusInternalServerError)
	}
}

// caller is who the credential speaks for.
func (d *Door) caller(ctx context.Context, cred credential, inside *Caller) (Caller, error) {
	region := cred.region
	if region == "" {
		region = "us-east-1"
	}
	if inside != nil {
		c := *inside
		c.Region = region
		return c, nil
	}
	if isAccount(cred.accessKey) {
		return root(cred.accessKey, region, cred.accessKey), nil
	}
	for _, f := range d.identify {
		if cred.accessKey == "" {
			break
		}
		if c, ok, err := f(ctx, cred.accessKey); err != nil || ok {
			c.Region, c.AccessKey = region, cred.accessKey
			return c, err
		}
	}
	return root(d.opts.Account, region, cred.accessKey), nil
}

func root(account, region, accessKey string) Caller {
	c := Caller{Account: account, Region: region, UserID: account, AccessKey: accessKey}
	c.ARN = "arn:" + c.Partition() + ":iam::" + account + ":root"
	return c
}

func isAccount(id string) bool {
	if len(id) != 12 {
		return false
	}
	for _, c := range id {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
