package codebuild

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// hookPath is where providers deliver their events. No bucket is called so.
const hookPath = "/_codebuild/webhooks"

// maxPayload is GitHub's own bound on what it delivers.
const maxPayload = 25 << 20

// Paths are the prefixes of the paths that ServeHTTP answers.
func (s *Service) Paths() []string { return []string{hookPath, badgePath} }

// payloadURL is where a provider delivers the events of a project. As on AWS
// its parameter t says which project that is, and proves that the sender knows.
func (s *Service) payloadURL(caller door.Caller, project, token string) string {
	t := strings.Join([]string{caller.Account, caller.Region, project, token}, "/")
	return s.host.Endpoint() + hookPath + "?t=" + base64.RawURLEncoding.EncodeToString([]byte(t))
}

// errUnproven is the answer to whoever is not who the webhook is for. It does
// not say which of the proofs is missing.
var errUnproven = errors.New("the payload URL or the signature is not the webhook's")

// ServeHTTP serves badges, and takes deliveries of providers.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case badgePath:
		s.serveBadge(w, r)
	case hookPath:
		s.serveHook(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (s *Service) serveHook(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "a webhook takes POST requests", http.StatusMethodNotAllowed)
		return
	}
	caller, p, keys, err := s.addressee(r.Context(), r.URL.Query().Get("t"))
	if err != nil {
		s.refuse(w, err)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err != nil {
		http.Error(w, fmt.Sprintf("the payload could not be read, or has more than %d bytes", maxPayload), http.StatusRequestEntityTooLarge)
		return
	}
	provider := providers[p.Project.Source.Type]
	if !provider.proves(r.Header, body, keys.Secret) {
		s.refuse(w, errUnproven)
		return
	}
	events, err := provider.read(r.Header, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d := delivery{id: provider.id(r.Header), agent: printable(r.UserAgent())}
	if d.id == "" {
		d.id = s.host.NewID()
	}
	said, err := s.deliver(r.Context(), caller, &p, d, events)
	if err != nil {
		s.refuse(w, err)
		return
	}
	fmt.Fprintln(w, said)
}

// refuse answers with an error: one of CodeBuild's own is told, any other is
// the log's.
func (s *Service) refuse(w http.ResponseWriter, err error) {
	var told smithy.APIError
	switch {
	case errors.Is(err, errUnproven):
		http.Error(w, err.Error(), http.StatusForbidden)
	case errors.As(err, &told):
		http.Error(w, told.ErrorCode()+": "+told.ErrorMessage(), http.StatusUnprocessableEntity)
	default:
		s.host.Log().Error("taking a webhook's delivery", "error", err)
		http.Error(w, "the delivery could not be taken", http.StatusInternalServerError)
	}
}

// addressee finds the project that a payload URL is of.
func (s *Service) addressee(ctx context.Context, t string) (door.Caller, project, hookKeys, error) {
	fail := func(err error) (door.Caller, project, hookKeys, error) {
		return door.Caller{}, project{}, hookKeys{}, err
	}
	text, err := base64.RawURLEncoding.DecodeString(t)
	parts := strings.Split(string(text), "/")
	if err != nil || len(parts) != 4 {
		return fail(errUnproven)
	}
	caller := door.Caller{Account: parts[0], Region: parts[1]}
	p, err := s.projects.Get(ctx, caller.Scope(), parts[2])
	if errors.Is(err, store.ErrNotFound) || err == nil && p.Hook == nil {
		return fail(errUnproven)
	} else if err != nil {
		return fail(fmt.Errorf("reading project %q: %w", parts[2], err))
	}
	keys, err := s.openKeys(caller, &p)
	if err != nil {
		return fail(err)
	}
	if subtle.ConstantTimeCompare([]byte(parts[3]), []byte(keys.Token)) != 1 {
		return fail(errUnproven)
	}
	return caller, p, keys, nil
}

// printable bounds what a provider says of itself.
func printable(agent string) string {
	agent = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, agent)
	if agent == "" {
		return "webhook"
	}
	return agent[:min(len(agent), 100)]
}

// provider is how a kind of provider delivers events.
type provider struct {
	delivery string                                               // the header that names a delivery
	proves   func(h http.Header, body []byte, secret string) bool // that the sender knows the secret
	read     func(h http.Header, body []byte) ([]hookEvent, error)
}

func (p provider) id(h http.Header) string {
	if p.delivery == "" {
		return ""
	}
	return printableID(h.Get(p.delivery))
}

func printableID(id string) string {
	if len(id) > 64 {
		return ""
	}
	return id
}

var providers = map[types.SourceType]provider{
	types.SourceTypeGithub:            {"X-GitHub-Delivery", signedByGitHub, readGitHub},
	types.SourceTypeGithubEnterprise:  {"X-GitHub-Delivery", signedByGitHub, readGitHub},
	types.SourceTypeGitlab:            {"X-Gitlab-Event-UUID", knownToGitLab, readGitLab},
	types.SourceTypeGitlabSelfManaged: {"X-Gitlab-Event-UUID", knownToGitLab, readGitLab},
	// Bitbucket's webhooks of CodeBuild have no secret: the URL is one.
	types.SourceTypeBitbucket: {"X-Request-UUID", func(http.Header, []byte, string) bool { return true }, readBitbucket},
}

// signedByGitHub checks the HMAC of the body.
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
func signedByGitHub(h http.Header, body []byte, secret string) bool {
	given, err := hex.DecodeString(strings.TrimPrefix(h.Get("X-Hub-Signature-256"), "sha256="))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return err == nil && hmac.Equal(given, mac.Sum(nil))
}

func knownToGitLab(h http.Header, _ []byte, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(h.Get("X-Gitlab-Token")), []byte(secret)) == 1
}
