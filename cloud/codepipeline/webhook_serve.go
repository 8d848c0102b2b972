package codepipeline

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // GitHub's older signature
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/store"
)

// hookPath is where deliveries come in. No bucket is called so.
const hookPath = "/_codepipeline/webhooks"

// maxDelivery bounds the body of a delivery.
const maxDelivery = 1 << 20

// Paths are the prefixes of the paths that ServeHTTP answers.
func (s *Service) Paths() []string { return []string{hookPath} }

// webhookURL is where a webhook takes deliveries. As on AWS the parameter t says
// which webhook it is and proves that the sender was told.
func (s *Service) webhookURL(scope store.Scope, hook webhook) string {
	t := strings.Join([]string{scope.Account, scope.Region, *hook.Definition.Name, hook.Token}, "/")
	return s.host.Endpoint() + hookPath + "?t=" + url.QueryEscape(base64.RawURLEncoding.EncodeToString([]byte(t))) + "&v=1"
}

// addressed finds the webhook that the parameter t of a URL names.
func (s *Service) addressed(ctx context.Context, t string) (store.Scope, webhook, error) {
	text, err := base64.RawURLEncoding.DecodeString(t)
	parts := strings.Split(string(text), "/")
	if err != nil || len(parts) != 4 {
		return store.Scope{}, webhook{}, store.ErrNotFound
	}
	scope := store.Scope{Account: parts[0], Region: parts[1]}
	hook, err := s.webhooks.Get(ctx, scope, parts[2])
	if err == nil && subtle.ConstantTimeCompare([]byte(hook.Token), []byte(parts[3])) != 1 {
		err = store.ErrNotFound
	}
	return scope, hook, err
}

// errRefused is the answer to a delivery that does not prove where it is from.
var errRefused = errors.New("the delivery does not satisfy the authentication of the webhook")

// ServeHTTP takes a delivery to a webhook. One that a filter does not let pass
// is answered with success and does nothing, so that its sender goes on.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "a webhook takes POST requests", http.StatusMethodNotAllowed)
		return
	}
	scope, hook, err := s.addressed(r.Context(), r.URL.Query().Get("t"))
	if errors.Is(err, store.ErrNotFound) {
		http.Error(w, "there is no such webhook", http.StatusNotFound)
		return
	}
	if err == nil {
		var body []byte
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
		if err != nil {
			http.Error(w, fmt.Sprintf("the delivery could not be read, or has more than %d bytes", maxDelivery), http.StatusRequestEntityTooLarge)
			return
		}
		if err = s.authenticate(&hook, r, body); err == nil {
			err = s.takeDelivery(r.Context(), scope, hook, body)
		}
	}
	var said *answer
	switch {
	case err == nil:
		fmt.Fprintln(w, "The pipeline was started.")
	case errors.As(err, &said):
		w.WriteHeader(said.status)
		fmt.Fprintln(w, said.text)
	case errors.Is(err, errRefused):
		s.noteFailure(r.Context(), scope, hook, "Unauthorized", err)
		http.Error(w, err.Error(), http.StatusUnauthorized)
	default:
		s.host.Log().Error("taking a delivery to a webhook", "webhook", *hook.Definition.Name, "error", err)
		http.Error(w, "the delivery could not be taken", http.StatusInternalServerError)
	}
}

// authenticate checks where a delivery is from.
func (s *Service) authenticate(hook *webhook, r *http.Request, body []byte) error {
	c := hook.Definition.AuthenticationConfiguration
	switch hook.Definition.Authentication {
	case types.WebhookAuthenticationTypeUnauthenticated:
		return nil
	case types.WebhookAuthenticationTypeIp:
		allowed, err := netip.ParsePrefix(aws.ToString(c.AllowedIPRange))
		if err != nil {
			return fmt.Errorf("reading the range of addresses: %w", err)
		}
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !allowed.Contains(from.Addr().Unmap()) {
			return errRefused
		}
		return nil
	}
	box, err := s.box()
	if err != nil {
		return err
	}
	secret, err := box.Unseal(aws.ToString(c.SecretToken), webhookSecret(*hook.Definition.Name))
	if err != nil {
		return fmt.Errorf("opening the secret of webhook %q: %w", *hook.Definition.Name, err)
	}
	if !signed(r.Header, body, secret) {
		return errRefused
	}
	return nil
}

// signatures are GitHub's, the stronger one first: if it is there it must be
// right.
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
var signatures = []struct {
	header, prefix string
	hash           func() hash.Hash
}{
	{"X-Hub-Signature-256", "sha256=", sha256.New},
	{"X-Hub-Signature", "sha1=", sha1.New},
}

func signed(header http.Header, body, secret []byte) bool {
	for _, kind := range signatures {
		given := header.Get(kind.header)
		if given == "" {
			continue
		}
		signature, err := hex.DecodeString(strings.TrimPrefix(given, kind.prefix))
		mac := hmac.New(kind.hash, secret)
		mac.Write(body)
		return err == nil && strings.HasPrefix(given, kind.prefix) && hmac.Equal(signature, mac.Sum(nil))
	}
	return false
}

// answer is what the sender of a delivery is told when nothing was started.
type answer struct {
	status int
	text   string
}

func (a *answer) Error() string { return a.text }

// hookErrors are the error codes of a webhook that could not start its
// pipeline, by the status of the answer.
var hookErrors = map[int]string{http.StatusConflict: "TargetNotFound", http.StatusTooManyRequests: "LimitExceeded"}

// takeDelivery starts the webhook's pipeline if the filters let the body pass.
// The sender is known.
func (s *Service) takeDelivery(ctx context.Context, scope store.Scope, hook webhook, body []byte) error {
	def := hook.Definition
	payload, err := readPayload(body)
	if err != nil {
		return &answer{http.StatusBadRequest, "the body is no JSON text: " + err.Error()}
	}
	err = s.turn(context.WithoutCancel(ctx), scope, *def.TargetPipeline, func(t *turn) error {
		a, _ := t.plan.stages[0].action(*def.TargetAction)
		if a == nil {
			return &answer{http.StatusConflict, fmt.Sprintf("pipeline %s has no source action %s", *def.TargetPipeline, *def.TargetAction)}
		}
		for _, f := range def.Filters {
			if !selects(f, payload, a) {
				return &answer{http.StatusOK, "The delivery does not pass the filters of the webhook and was ignored."}
			}
		}
		if err := t.checkRoom(); err != nil {
			return err
		}
		t.begin(types.TriggerTypeWebhook, hook.ARN, nil, nil)
		return nil
	})
	var full *types.ConcurrentPipelineExecutionsLimitExceededException
	switch {
	case errors.Is(err, errNoPipeline):
		err = &answer{http.StatusConflict, fmt.Sprintf("there is no pipeline %s", *def.TargetPipeline)}
	case errors.As(err, &full):
		err = &answer{http.StatusTooManyRequests, full.ErrorMessage()}
	}
	var said *answer
	if errors.As(err, &said) && hookErrors[said.status] != "" {
		s.noteFailure(ctx, scope, hook, hookErrors[said.status], err)
	}
	if err != nil {
		return err
	}
	return s.note(ctx, scope, hook, func(w *webhook) { w.LastTriggered, w.ErrorCode, w.ErrorMessage = s.host.Now(), "", "" })
}

// note changes the record of a webhook, unless it is gone or another by now.
func (s *Service) note(ctx context.Context, scope store.Scope, hook webhook, change func(*webhook)) error {
	_, err := s.webhooks.Update(context.WithoutCancel(ctx), scope, *hook.Definition.Name, func(w *webhook) error {
		if w.Token == hook.Token {
			change(w)
		}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func (s *Service) noteFailure(ctx context.Context, scope store.Scope, hook webhook, code string, why error) {
	if err := s.note(ctx, scope, hook, func(w *webhook) { w.ErrorCode, w.ErrorMessage = code, why.Error() }); err != nil {
		s.host.Log().Error("noting the failure of a webhook", "webhook", *hook.Definition.Name, "error", err)
	}
}
