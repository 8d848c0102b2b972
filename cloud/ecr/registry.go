package ecr

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// Where the registry and the downloads of layers are.
const root, downloads = "/v2/", "/_aws/ecr/layers/"

// Paths are the prefixes of the paths that ServeHTTP answers, besides those
// that [IsRegistry] knows.
func (s *Service) Paths() []string { return []string{downloads} }

// IsRegistry tells whether a request is for the registry, and not for an API
// or an object whose path begins in the same way: those are signed, or have a
// host of their own.
func IsRegistry(r *http.Request) bool {
	if r.URL.Path != strings.TrimSuffix(root, "/") && !strings.HasPrefix(r.URL.Path, root) {
		return false
	}
	if strings.HasPrefix(r.Header.Get("Authorization"), "AWS") || strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") || strings.Contains(r.URL.RawQuery, "AWSAccessKeyId=") {
		return false
	}
	host := hostOf(r)
	_, ours := registryOf(host)
	return ours || !strings.HasSuffix(host, ".localhost")
}

func hostOf(r *http.Request) string {
	if h, _, err := net.SplitHostPort(r.Host); err == nil {
		return h
	}
	return r.Host
}

// registryOf reads ACCOUNT.dkr.ecr.REGION.localhost.
func registryOf(host string) (store.Scope, bool) {
	host, ok := strings.CutSuffix(strings.TrimSuffix(host, "."), ".localhost")
	account, region, found := strings.Cut(host, ".dkr.ecr.")
	return store.Scope{Account: account, Region: region}, ok && found && accountPattern().MatchString(account) && region != ""
}

// authorize tells whose request it is and for which registry. It answers
// itself when that cannot be told.
func (s *Service) authorize(w http.ResponseWriter, r *http.Request) (context.Context, store.Scope, bool) {
	name, password, ok := r.BasicAuth()
	var c claims
	if ok && name == user {
		c, ok = s.unseal(password, bindToken)
	}
	at, byHost := registryOf(hostOf(r))
	if !ok || name != user || byHost && at.Region != c.Scope.Region {
		w.Header().Set("WWW-Authenticate", `Basic realm="`+s.host.Endpoint()+`/",service="ecr.amazonaws.com"`)
		answerError(w, http.StatusUnauthorized, "UNAUTHORIZED", "Not Authorized: log in as "+user+" with the password of aws ecr get-login-password")
		return nil, at, false
	}
	if s.now().After(c.Expires) {
		answerError(w, http.StatusForbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
		return nil, at, false
	}
	scope := c.Scope
	if byHost {
		scope = at
	}
	caller := door.Caller{Account: c.Account, Region: scope.Region, ARN: c.ARN}
	return door.WithCaller(r.Context(), caller), scope, true
}

// exchange is a request to the registry that is being answered.
type exchange struct {
	*Service
	w     http.ResponseWriter
	r     *http.Request
	scope store.Scope
	repo  string
	ref   string // what the path names in the repository: a tag, a digest, an upload
}

// endpoint answers one method of one kind of path.
type endpoint struct {
	action string // what the caller has to be allowed
	answer func(*exchange, context.Context) error
}

// endpoints are the methods of the paths below a repository, by the kind of
// path.
var endpoints = map[string]map[string]endpoint{
	"tags":      {http.MethodGet: {"ListImages", (*exchange).listTags}},
	"referrers": {http.MethodGet: {"ListImageReferrers", (*exchange).listReferrers}},
	"manifests": {
		http.MethodGet:  {"BatchGetImage", (*exchange).getManifest},
		http.MethodHead: {"BatchGetImage", (*exchange).getManifest},
		http.MethodPut:  {"PutImage", (*exchange).putManifest},
	},
	"blobs": {
		http.MethodGet:  {"GetDownloadUrlForLayer", (*exchange).getBlob},
		http.MethodHead: {"BatchCheckLayerAvailability", (*exchange).getBlob},
	},
	"uploads": {http.MethodPost: {"InitiateLayerUpload", (*exchange).startBlob}},
	"upload": {
		http.MethodGet:    {"UploadLayerPart", (*exchange).blobStatus},
		http.MethodPatch:  {"UploadLayerPart", (*exchange).patchBlob},
		http.MethodPut:    {"CompleteLayerUpload", (*exchange).finishBlob},
		http.MethodDelete: {"UploadLayerPart", (*exchange).cancelBlob},
	},
}

// route takes a path below root apart.
func route(path string) (repository, kind, ref string) {
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	n := len(parts)
	name := func(last int) string { return strings.Join(parts[:n-last], "/") }
	switch {
	case n > 2 && parts[n-2] == "tags" && parts[n-1] == "list":
		return name(2), "tags", ""
	case n > 2 && parts[n-2] == "blobs" && parts[n-1] == "uploads":
		return name(2), "uploads", ""
	case n > 3 && parts[n-3] == "blobs" && parts[n-2] == "uploads":
		return name(3), "upload", parts[n-1]
	case n > 2 && (parts[n-2] == "manifests" || parts[n-2] == "blobs" || parts[n-2] == "referrers"):
		return name(2), parts[n-2], parts[n-1]
	}
	return "", "", ""
}

// ServeHTTP answers the distribution protocol
// (https://github.com/opencontainers/distribution-spec), and the downloads of
// GetDownloadUrlForLayer.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, downloads) {
		s.serveDownload(w, r)
		return
	}
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	ctx, scope, ok := s.authorize(w, r)
	if !ok {
		return
	}
	x := &exchange{Service: s, w: w, r: r, scope: scope}
	if err := x.serve(ctx); err != nil {
		x.fail(err)
	}
}

func (x *exchange) serve(ctx context.Context) error {
	path := strings.TrimPrefix(strings.TrimPrefix(x.r.URL.Path, strings.TrimSuffix(root, "/")), "/")
	reads := x.r.Method == http.MethodGet || x.r.Method == http.MethodHead
	switch {
	case path == "" && reads:
		return x.json(struct{}{})
	case path == "_catalog" && reads:
		return x.catalog(ctx)
	}
	repo, kind, ref := route(path)
	e, ok := endpoints[kind][x.r.Method]
	if !ok {
		return refuse("Unsupported", "The operation is unsupported: %s %s", x.r.Method, x.r.URL.Path)
	}
	if !repositoryPattern().MatchString(repo) {
		return refuse("InvalidName", "invalid repository name: %q", repo)
	}
	_, r, err := x.find(ctx, &x.scope.Account, &repo, e.action)
	if err != nil {
		return err
	}
	x.repo, x.ref = r.Name, ref
	return e.answer(x, ctx)
}

// codes are what the registry answers for the API's errors.
var codes = map[string]struct {
	code   string
	status int
}{
	"AccessDenied":             {"DENIED", http.StatusForbidden},
	"ImageDigestDoesNotMatch":  {"DIGEST_INVALID", http.StatusBadRequest},
	"ImageNotFound":            {"MANIFEST_UNKNOWN", http.StatusNotFound},
	"ImageTagAlreadyExists":    {"TAG_INVALID", http.StatusBadRequest},
	"InvalidLayer":             {"DIGEST_INVALID", http.StatusBadRequest},
	"InvalidLayerPart":         {"BLOB_UPLOAD_INVALID", http.StatusRequestedRangeNotSatisfiable},
	"InvalidName":              {"NAME_INVALID", http.StatusBadRequest},
	"InvalidParameter":         {"MANIFEST_INVALID", http.StatusBadRequest},
	"LayersNotFound":           {"BLOB_UNKNOWN", http.StatusNotFound},
	"InvalidTag":               {"TAG_INVALID", http.StatusBadRequest},
	"LimitExceeded":            {"SIZE_INVALID", http.StatusRequestEntityTooLarge},
	"ReferencedImagesNotFound": {"MANIFEST_BLOB_UNKNOWN", http.StatusNotFound},
	"RepositoryNotFound":       {"NAME_UNKNOWN", http.StatusNotFound},
	"Unsupported":              {"UNSUPPORTED", http.StatusMethodNotAllowed},
	"UploadNotFound":           {"BLOB_UPLOAD_UNKNOWN", http.StatusNotFound},
}

func (x *exchange) fail(err error) {
	var api *wire.Error
	if errors.As(err, &api) {
		if c, ok := codes[strings.TrimSuffix(api.Code, "Exception")]; ok {
			answerError(x.w, c.status, c.code, api.Message)
			return
		}
	}
	if x.r.Context().Err() == nil {
		x.host.Log().Error("serving the registry", "method", x.r.Method, "path", x.r.URL.Path, "error", err)
	}
	answerError(x.w, http.StatusInternalServerError, "UNKNOWN", "the local cloud failed")
}

const jsonType = "application/json; charset=utf-8"

// answerError answers with an error in the protocol's form.
func answerError(w http.ResponseWriter, status int, code, message string) {
	type entry struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	answerJSON(w, jsonType, status, map[string][]entry{"errors": {{code, message}}})
}

func (x *exchange) json(v any) error {
	answerJSON(x.w, jsonType, http.StatusOK, v)
	return nil
}

func answerJSON(w http.ResponseWriter, mediaType string, status int, v any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the client is gone: nobody is left to tell
}
