package executeapi

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"ouro/cloud/door"
)

const (
	// MaxBody is how large the body of a request may be.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	MaxBody = 10 << 20
	// MaxTime is how long an integration may take.
	MaxTime = 30 * time.Second
	// clock is how times are written in events and logs.
	clock = "02/Jan/2006:15:04:05 -0700"
)

// Exchange is one call of an API: what came in, and what is known of it.
type Exchange struct {
	Place
	ID       string
	Started  time.Time
	Request  *http.Request
	Body     []byte
	Domain   string // the API's host name
	SourceIP string
	Stage    string
	Path     string // with the stage, as the caller wrote it
}

// ErrTooLarge says that a request's body is over MaxBody.
var ErrTooLarge = errors.New("the request is too large")

// Begin reads a request.
func Begin(host door.Host, r *http.Request, at Place) (*Exchange, error) {
	x := &Exchange{
		Place: at, ID: host.NewID(), Started: host.Now(), Request: r, Path: r.URL.EscapedPath(),
		Domain: at.API + ".execute-api." + at.Region + ".localhost", SourceIP: r.RemoteAddr,
	}
	if ip, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		x.SourceIP = ip
	}
	if r.ContentLength > MaxBody {
		return x, ErrTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return x, fmt.Errorf("read the request: %w", err)
	}
	if len(body) > MaxBody {
		return x, ErrTooLarge
	}
	x.Body = body
	return x, nil
}

// Headers are the request's, with those that API Gateway adds.
func (x *Exchange) Headers() http.Header {
	h := x.Request.Header.Clone()
	h.Set("Host", x.Request.Host)
	if len(x.Body) > 0 {
		h.Set("Content-Length", strconv.Itoa(len(x.Body)))
	}
	h.Add("X-Forwarded-For", x.SourceIP)
	h.Set("X-Forwarded-Proto", "http")
	if _, port, err := net.SplitHostPort(x.Request.Host); err == nil {
		h.Set("X-Forwarded-Port", port)
	}
	if h.Get("X-Amzn-Trace-Id") == "" {
		b := make([]byte, 12)
		rand.Read(b) // never fails
		h.Set("X-Amzn-Trace-Id", fmt.Sprintf("Root=1-%08x-%s", x.Started.Unix(), hex.EncodeToString(b)))
	}
	return h
}

// TextBody is the body as an event holds it, and whether it is base64. Without
// one it is nil. binary has the caller decide by the media type.
func (x *Exchange) TextBody(binary func(mediaType string) bool) (body any, encoded bool) {
	if len(x.Body) == 0 {
		return nil, false
	}
	media, _, err := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
	if err != nil {
		media = ""
	}
	if binary(media) || !utf8.Valid(x.Body) {
		return base64.StdEncoding.EncodeToString(x.Body), true
	}
	return string(x.Body), false
}

// Time is when the call came in, as events and logs write it.
func (x *Exchange) Time() string { return x.Started.Format(clock) }

// ARN names what is called, for authorizers: route is its method and path, or
// its key.
func (x *Exchange) ARN(route string) string {
	c := door.Caller{Account: x.Account, Region: x.Region}
	return c.ResourceARN("execute-api", x.API+"/"+x.Stage+"/"+route)
}

// Values gives the first, or last, of several values by name, as events hold
// them.
func Values(all map[string][]string, pick func([]string) string) any {
	if len(all) == 0 {
		return nil
	}
	out := make(map[string]string, len(all))
	for name, values := range all {
		out[name] = pick(values)
	}
	return out
}

// Last picks the last value, Joined all with commas between.
func Last(v []string) string   { return v[len(v)-1] }
func Joined(v []string) string { return strings.Join(v, ",") }

// Multi is all values by name, or nil.
func Multi(all map[string][]string) any {
	if len(all) == 0 {
		return nil
	}
	return all
}

// OrNil is a map, or nil if it is empty, as events have it.
func OrNil[V any](m map[string]V) any {
	if len(m) == 0 {
		return nil
	}
	return m
}
