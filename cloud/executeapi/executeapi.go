// Package executeapi is where the APIs that API Gateway serves are called: the
// addresses that lead to them, and what HTTP APIs and REST APIs have in common
// when they answer: calls of functions and what comes back, throttling, and
// access logs.
//
// An API is reached by host, as on AWS, and by path, for clients that cannot
// look up names below localhost:
//
//	http://API.execute-api.REGION.localhost:4566/STAGE/PATH
//	http://127.0.0.1:4566/_aws/execute-api/API/STAGE/PATH
package executeapi

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// prefix is what the paths of APIs begin with. No bucket is called so.
const prefix = "/_aws/execute-api/"

// Place is an API, and where it is.
type Place struct {
	store.Scope
	API     string
	Service string // whose it is: apigateway or apigatewayv2
}

// Directory finds APIs by their ids, which are unique over all accounts and
// regions.
type Directory struct{ places store.Table[Place] }

// NewDirectory is the directory in a state.
func NewDirectory(st *store.Store) Directory {
	return Directory{store.NewTable[Place](st, "execute-api", "api")}
}

// Add enters an API; store.ErrExists if its id is taken.
func (d Directory) Add(ctx context.Context, p Place) error {
	return d.places.Insert(ctx, store.Scope{}, p.API, p)
}

// Remove takes an API out.
func (d Directory) Remove(ctx context.Context, id string) error {
	return d.places.Delete(ctx, store.Scope{}, id)
}

// Server answers the calls of one kind of APIs. The request's URL is as if the
// API had a host of its own, and its body is bounded.
type Server interface {
	ServeAPI(w http.ResponseWriter, r *http.Request, at Place)
}

// Front is the handler of all calls of APIs.
type Front struct {
	directory Directory
	servers   map[string]Server // by service
}

// NewFront makes the handler.
func NewFront(host door.Host, servers map[string]Server) *Front {
	return &Front{NewDirectory(host.Store()), servers}
}

// Paths are the prefixes of the paths that ServeHTTP answers.
func (f *Front) Paths() []string { return []string{prefix} }

// Addressed tells whether a request's host is an API's.
func Addressed(host string) bool {
	_, ok := fromHost(host)
	return ok
}

// fromHost reads API.execute-api.REGION.localhost.
func fromHost(host string) (api string, ok bool) {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host, ok = strings.CutSuffix(strings.TrimSuffix(host, "."), ".localhost")
	api, rest, found := strings.Cut(host, ".execute-api.")
	return api, ok && found && api != "" && rest != "" && !strings.Contains(api, ".")
}

// URL is where an API is reached, without a slash at the end. It is the form by
// path, which every client understands.
func URL(host door.Host, api string) string { return host.Endpoint() + prefix + api }

// ServeHTTP finds the API and has it answer.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	api, ok := fromHost(r.Host)
	if !ok {
		api, _, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, prefix), "/")
		r = below(r, prefix+api)
	}
	at, err := f.directory.places.Get(r.Context(), store.Scope{}, api)
	server := f.servers[at.Service]
	if err != nil || server == nil {
		// AWS has no such host at all; one of its own that knows nothing says this.
		WriteMessage(w, http.StatusForbidden, "Forbidden")
		return
	}
	server.ServeAPI(w, r, at)
}

// below is a request as it is without the beginning of its path.
func below(r *http.Request, prefix string) *http.Request {
	r = r.Clone(r.Context())
	r.URL.Path = rooted(strings.TrimPrefix(r.URL.Path, prefix))
	if r.URL.RawPath != "" {
		r.URL.RawPath = rooted(strings.TrimPrefix(r.URL.RawPath, prefix))
	}
	return r
}

func rooted(path string) string {
	if !strings.HasPrefix(path, "/") {
		return "/" + path
	}
	return path
}

// WriteMessage answers as API Gateway does when it has to say something itself.
func WriteMessage(w http.ResponseWriter, status int, message string) {
	Message(status, message).Write(w)
}

// Message is API Gateway's own answer.
func Message(status int, message string) Answer {
	b, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		b = nil // a string always encodes
	}
	return Answer{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: b}
}
