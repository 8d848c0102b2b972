package door

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"ouro/cloud/wire"
)

// insideURL is where services address each other. The transport never dials
// it; as a loopback address it makes S3 clients use path style.
const insideURL = "http://127.0.0.1"

// As gives a configuration whose calls come in as c.
func (d *Door) As(c Caller) aws.Config {
	if c.ARN == "" && c.Service == "" {
		c = root(c.Account, c.Region, c.AccessKey)
	}
	return d.config(c.Region, &transport{door: d, caller: &c}, credentials.NewStaticCredentialsProvider(c.Account, "inside", ""))
}

// Assume gives a configuration whose calls come in as the role.
func (d *Door) Assume(c Caller, roleARN, sessionName string) aws.Config {
	own := c
	if c.Service != "" {
		own = Caller{Account: c.Account, Region: c.Region, Service: c.Service}
	}
	return d.Through(d.As(own), c.Region, roleARN, sessionName)
}

// Through gives a configuration whose calls come in as a role that by assumes.
func (d *Door) Through(by aws.Config, region, roleARN, sessionName string) aws.Config {
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(by), roleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = sessionName
	})
	return d.config(region, &transport{door: d},
		aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = 5 * time.Minute }))
}

// Host is the door as one service sees it: roles are assumed by the service's
// principal, NAME.amazonaws.com, which is whom their trust policies name.
func (d *Door) Host(service string) Host {
	return serviceHost{d, service + ".amazonaws.com"}
}

type serviceHost struct {
	*Door
	principal string
}

// Assume assumes the role as the service.
func (h serviceHost) Assume(c Caller, roleARN, sessionName string) aws.Config {
	c.Service = h.principal
	return h.Door.Assume(c, roleARN, sessionName)
}

func (d *Door) config(region string, t *transport, c aws.CredentialsProvider) aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(insideURL),
		HTTPClient:   t,
		Credentials:  c,
		APIOptions:   []func(*middleware.Stack) error{namedOnly(c)},
		// Inside one process nothing gets lost on the way: a retry would only
		// hide a fault, and checksums would guard memory against itself.
		Retryer:                    func() aws.Retryer { return aws.NopRetryer{} },
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
}

// transport carries a client's requests to the door without a socket. It is
// an aws.HTTPClient.
type transport struct {
	door   *Door
	caller *Caller // nil: whoever the credentials belong to
}

// Do sends one request through the door.
func (t *transport) Do(out *http.Request) (*http.Response, error) {
	in := out.WithContext(boundary{out.Context()})
	in.RequestURI = out.URL.RequestURI()
	in.RemoteAddr = "inside"
	if in.Host == "" {
		in.Host = out.URL.Host
	}
	// The path is parsed anew, as a server does: what the client keeps in its
	// URL is not always what it sends.
	u, err := url.ParseRequestURI(in.RequestURI)
	if err != nil {
		return nil, err
	}
	in.URL = u
	whole := answersWhole(in)
	if !whole {
		in.Header = out.Header.Clone() // which reading a streamed body changes
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &insideWriter{ctx: out.Context(), header: http.Header{}, started: make(chan struct{}), status: http.StatusOK, whole: whole}
	if !t.door.jobs.start() {
		return nil, errClosed
	}
	if w.whole { // nothing has to happen at the same time
		t.serve(w, in)
		return w.response(out), nil
	}
	go t.serve(w, in)
	select {
	case <-w.started:
	case <-out.Context().Done():
		return nil, out.Context().Err()
	}
	return w.response(out), nil
}

func (t *transport) serve(w *insideWriter, in *http.Request) {
	defer t.door.jobs.done()
	defer w.finish()
	t.door.serve(w, in, t.caller)
}

// answersWhole tells whether a request's protocol has answers that are one
// document, which are never streamed: JSON, CBOR and query.
func answersWhole(r *http.Request) bool {
	return wire.IsRPC(r) || r.Header.Get("X-Amz-Target") != "" || strings.HasPrefix(r.Header.Get("Content-Type"), formType)
}

// boundary is a client's context as the server sees it: it ends when the
// client's does, and carries none of its values, as over a socket.
type boundary struct{ context.Context }

func (boundary) Value(any) any { return nil }

// insideBuffer is how much of an answer is kept before it has to stream.
const insideBuffer = 256 << 10

// insideWriter is the response on its way to an inside client: small answers
// whole, large ones through a pipe as they come.
type insideWriter struct {
	ctx     context.Context // the client's
	header  http.Header
	status  int
	whole   bool // never through a pipe
	buf     bytes.Buffer
	pipe    *io.PipeWriter
	release func() bool // of the watch on ctx
	body    io.ReadCloser
	once    sync.Once
	started chan struct{} // closed when the answer can be read
}

func (w *insideWriter) Header() http.Header    { return w.header }
func (w *insideWriter) WriteHeader(status int) { w.status = status }

func (w *insideWriter) Write(p []byte) (int, error) {
	if w.whole || w.pipe == nil && w.buf.Len()+len(p) <= insideBuffer {
		return w.buf.Write(p)
	}
	if w.pipe == nil {
		r, pw := io.Pipe()
		w.pipe = pw
		// A client that gave up reads no more: its answer must not wait for it.
		w.release = context.AfterFunc(w.ctx, func() { r.CloseWithError(w.ctx.Err()) })
		w.start(struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(w.buf.Bytes()), r), r})
	}
	return w.pipe.Write(p)
}

func (w *insideWriter) start(body io.ReadCloser) {
	w.once.Do(func() {
		w.body = body
		close(w.started)
	})
}

func (w *insideWriter) finish() {
	if w.pipe != nil {
		w.pipe.Close()
		w.release()
		return
	}
	w.start(io.NopCloser(bytes.NewReader(w.buf.Bytes())))
}

func (w *insideWriter) response(r *http.Request) *http.Response {
	res := &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: w.body, ContentLength: -1, Request: r,
	}
	if w.pipe == nil {
		res.ContentLength = int64(w.buf.Len())
	}
	return res
}
