package gitsource

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Hook takes deliveries from an HTTP API, whose payload format is 2.0, and hands
// on what they tell. Whoever is refused learns nothing but that; why is in the
// log.
type Hook struct {
	Provider Provider
	Secrets  *Secrets
	Networks []netip.Prefix // from where deliveries may come; all, if there are none
	Filter   Filter
	Records  Records
	Window   time.Duration // how old a delivery may be, where it says it
	Send     func(context.Context, Event) error
	Now      func() time.Time
	Log      *slog.Logger
}

// What the hook answers. A delivery that is taken and of no use gets the same as
// one that is handed on.
var (
	accepted  = answer(http.StatusAccepted, "Accepted")
	forbidden = answer(http.StatusForbidden, "Forbidden")
	failed    = answer(http.StatusInternalServerError, "Internal Server Error")
)

func answer(status int, message string) events.APIGatewayV2HTTPResponse {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status, Headers: map[string]string{"content-type": "application/json"}, Body: `{"message":"` + message + `"}`,
	}
}

// errRefused is every reason to refuse a delivery; another error is ours.
type errRefused struct{ error }

func refuse(format string, args ...any) error { return errRefused{fmt.Errorf(format, args...)} }

// Handle answers a delivery.
func (h *Hook) Handle(ctx context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	log := h.Log.With("request", r.RequestContext.RequestID, "from", r.RequestContext.HTTP.SourceIP)
	said, err := h.take(ctx, r)
	refused := errRefused{}
	switch {
	case errors.As(err, &refused):
		log.WarnContext(ctx, "refused", "why", refused.Error())
		return forbidden, nil
	case err != nil:
		log.ErrorContext(ctx, "failed", "why", err.Error())
		return failed, nil
	}
	for _, e := range said {
		log.InfoContext(ctx, "accepted", "kind", e.Kind, "repository", e.Repository(), "ref", e.Ref, "commit", e.Commit, "deleted", e.Deleted, "delivery", e.Delivery, "sender", e.Sender)
	}
	return accepted, nil
}

// take takes a delivery up, and gives the events that it handed on. The body is
// read only when the sender is proved.
func (h *Hook) take(ctx context.Context, r events.APIGatewayV2HTTPRequest) ([]Event, error) {
	if r.RequestContext.HTTP.Method != http.MethodPost {
		return nil, refuse("the method is %q", printable(r.RequestContext.HTTP.Method, maxSender))
	}
	if err := h.from(r.RequestContext.HTTP.SourceIP); err != nil {
		return nil, err
	}
	body, err := bodyOf(r)
	if err != nil {
		return nil, err
	}
	header := headersOf(r)
	proving, err := h.prove(ctx, header, body)
	if err != nil {
		return nil, err
	}
	payload, err := payloadOf(header("content-type"), body)
	if err != nil {
		return nil, err
	}
	found, err := h.Provider.Parse(header, payload)
	if err != nil {
		return nil, errRefused{err}
	}
	use, err := h.use(found, proving)
	if err != nil || len(use) == 0 {
		return nil, err
	}
	return use, h.send(ctx, kinds[h.Provider.Name].deliveryKey(header, body), use)
}

func (h *Hook) from(source string) error {
	if len(h.Networks) == 0 {
		return nil
	}
	at, err := netip.ParseAddr(source)
	if err != nil {
		return refuse("the source is no address")
	}
	for _, n := range h.Networks {
		if n.Contains(at.Unmap()) {
			return nil
		}
	}
	return refuse("the source is not of the networks that may send")
}

func (h *Hook) prove(ctx context.Context, header func(string) string, body []byte) ([]secret, error) {
	for _, age := range []time.Duration{fresh, freshest} {
		secrets, err := h.Secrets.get(ctx, h.Now(), age)
		if err != nil {
			return nil, err
		}
		if proving := kinds[h.Provider.Name].proving(secrets, header, body); proving != nil {
			return proving, nil
		}
	}
	return nil, refuse("no secret proves the delivery")
}

// use is what of the events is of use. Each is to be of a repository that the
// secret is for, and not too old.
func (h *Hook) use(found []Event, proving []secret) ([]Event, error) {
	var use []Event
	now := h.Now()
	for _, e := range found {
		covered := false
		for _, s := range proving {
			covered = covered || s.covers(e)
		}
		switch {
		case !covered:
			return nil, refuse("the secret is not of %s", e.Repository())
		case !e.Time.IsZero() && now.Sub(e.Time) > h.Window:
			return nil, refuse("the delivery is of %s", e.Time.Format(time.RFC3339))
		case !e.Time.IsZero() && e.Time.Sub(now) > h.Window:
			return nil, refuse("the delivery is of %s, which is to come", e.Time.Format(time.RFC3339))
		}
		if h.Filter.Match(e) {
			e.Received = now.UTC()
			use = append(use, e)
		}
	}
	return use, nil
}

// send hands the events on, once. If that fails, the provider may try again; what
// was handed on is then handed on twice, which the order sorts out.
func (h *Hook) send(ctx context.Context, key string, use []Event) error {
	etag, err := h.Records.claim(ctx, key, h.Now())
	if errors.Is(err, errReplay) {
		return errRefused{err}
	}
	if err != nil {
		return fmt.Errorf("claiming the delivery: %w", err)
	}
	for _, e := range use {
		e.Paths = nil // the filter has seen them
		if err := h.Send(ctx, e); err != nil {
			return errors.Join(fmt.Errorf("handing on %s %s: %w", e.Repository(), e.Ref, err), h.Records.remove(ctx, key))
		}
	}
	// It is handed on, whatever becomes of the claim: at worst it is taken again.
	if _, err := h.Records.write(ctx, key, etag, claim{At: h.Now(), Done: true}); err != nil {
		h.Log.WarnContext(ctx, "finishing the claim", "why", err.Error())
	}
	return nil
}

func bodyOf(r events.APIGatewayV2HTTPRequest) ([]byte, error) {
	if len(r.Body) > MaxBody*2 {
		return nil, refuse("the body has more than %d bytes", MaxBody)
	}
	body := []byte(r.Body)
	if r.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(r.Body); err != nil {
			return nil, refuse("the body is not in base64")
		}
	}
	if len(body) > MaxBody {
		return nil, refuse("the body has more than %d bytes", MaxBody)
	}
	return body, nil
}

// payloadOf is the JSON of a body, which GitHub can send as a field of a form.
func payloadOf(kind string, body []byte) ([]byte, error) {
	kind, _, _ = strings.Cut(kind, ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/json":
		return body, nil
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil || len(form) != 1 || len(form["payload"]) != 1 {
			return nil, refuse("the form has not one payload")
		}
		return []byte(form["payload"][0]), nil
	}
	return nil, refuse("the body is neither JSON nor a form")
}

// headersOf gives headers by their names in lower case.
func headersOf(r events.APIGatewayV2HTTPRequest) func(string) string {
	headers := make(map[string]string, len(r.Headers))
	for name, value := range r.Headers {
		headers[strings.ToLower(name)] = value
	}
	return func(name string) string { return headers[name] }
}
