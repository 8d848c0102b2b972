package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// urlPath begins the paths under which function URLs are reached by programs
// that do not resolve names below localhost: /_lambda/url/ID/PATH.
const urlPath = "/_lambda/url/"

// IsFunctionURL tells whether a request is for a function URL's host.
func IsFunctionURL(r *http.Request) bool { return strings.Contains(r.Host, urlMark) }

// urlEvent is a request as the function gets it: payload format 2.0.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
type urlEvent struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies,omitempty"`
	Headers         map[string]string `json:"headers"`
	Query           map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext  urlContext        `json:"requestContext"`
	Body            string            `json:"body,omitempty"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type urlContext struct {
	AccountID    string            `json:"accountId"`
	APIID        string            `json:"apiId"`
	DomainName   string            `json:"domainName"`
	DomainPrefix string            `json:"domainPrefix"`
	HTTP         map[string]string `json:"http"`
	RequestID    string            `json:"requestId"`
	RouteKey     string            `json:"routeKey"`
	Stage        string            `json:"stage"`
	Time         string            `json:"time"`
	TimeEpoch    int64             `json:"timeEpoch"`
}

// serveURL answers a request for a function URL.
func (s *Service) serveURL(w http.ResponseWriter, r *http.Request, id, path string) {
	at, err := s.addresses.Get(r.Context(), store.Scope{}, id)
	var t target
	var u functionURL
	if err == nil {
		parts := strings.SplitN(at, "/", 3)
		t.scope = store.Scope{Account: parts[0], Region: parts[1]}
		u, err = s.urls.Get(r.Context(), t.scope, parts[2])
		t.name, _, _ = strings.Cut(parts[2], ":")
		t.qualifier = u.Qualifier
	}
	if err != nil {
		refuseURL(w, http.StatusForbidden, "Forbidden") // as AWS, for a URL that there is not
		return
	}
	if u.CORS != nil && allowOrigin(w, r, u.CORS) {
		return
	}
	c := door.Caller{Account: "*", Region: t.scope.Region, ARN: "*"}
	p, err := s.policies.Get(r.Context(), t.scope, qualifiedKey(t.name, t.qualifier))
	signed := u.Auth == types.FunctionUrlAuthTypeAwsIam && r.Header.Get("Authorization") != ""
	if err := missing(err, nil); err != nil || !signed && !p.allow(c, "lambda:InvokeFunctionUrl", map[string]string{"lambda:functionurlauthtype": string(u.Auth)}) {
		refuseURL(w, http.StatusForbidden, "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html")
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil || len(body) > maxPayload {
		refuseURL(w, http.StatusRequestEntityTooLarge, "Request Too Long")
		return
	}
	q := request{id: s.host.NewID(), target: t}
	if q.payload, err = json.Marshal(s.urlEvent(r, t, u, path, q.id, body)); err != nil {
		refuseURL(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	if u.Mode == types.InvokeModeResponseStream {
		s.streamURL(w, r, q)
		return
	}
	_, res, err := s.run(context.WithoutCancel(r.Context()), q)
	if refusedURL(w, err) {
		return
	}
	if res.FunctionError != "" {
		refuseURL(w, http.StatusBadGateway, "Internal Server Error")
		return
	}
	answerURL(w, res.Payload)
}

func refuseURL(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, encode(map[string]string{"Message": message}))
}

// refusedURL answers for a function that could not run.
func refusedURL(w http.ResponseWriter, err error) bool {
	var throttled *types.TooManyRequestsException
	switch {
	case err == nil:
		return false
	case errors.As(err, &throttled):
		refuseURL(w, http.StatusTooManyRequests, "Rate Exceeded.")
	default:
		refuseURL(w, http.StatusBadGateway, err.Error())
	}
	return true
}

func (s *Service) urlEvent(r *http.Request, t target, u functionURL, path, id string, body []byte) urlEvent {
	now, host := s.host.Now(), u.ID+urlMark+t.scope.Region+".localhost"
	source, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		source = "127.0.0.1"
	}
	e := urlEvent{Version: "2.0", RouteKey: "$default", RawPath: path, RawQueryString: r.URL.RawQuery, Headers: map[string]string{"host": r.Host}, Query: map[string]string{},
		RequestContext: urlContext{AccountID: "anonymous", APIID: u.ID, DomainName: host, DomainPrefix: u.ID, RequestID: id, RouteKey: "$default", Stage: "$default",
			Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: map[string]string{"method": r.Method, "path": path, "protocol": r.Proto, "sourceIp": source, "userAgent": r.UserAgent()}}}
	for name, values := range r.Header {
		if strings.EqualFold(name, "Cookie") {
			for _, line := range values {
				e.Cookies = append(e.Cookies, strings.Split(line, "; ")...)
			}
			continue
		}
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	e.Headers["x-forwarded-for"], e.Headers["x-forwarded-proto"] = source, "http"
	for name, values := range r.URL.Query() {
		e.Query[name] = strings.Join(values, ",")
	}
	if e.Body = string(body); !utf8.Valid(body) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return e
}

// urlAnswer is what a function gives back for a response of its own making.
type urlAnswer struct {
	StatusCode      *int           `json:"statusCode"`
	Headers         map[string]any `json:"headers"`
	Cookies         []string       `json:"cookies"`
	Body            string         `json:"body"`
	IsBase64Encoded bool           `json:"isBase64Encoded"`
}

// ofConnection are the headers that a function has no say in: what they tell
// is the server's to know.
var ofConnection = []string{"Connection", "Content-Length", "Transfer-Encoding"}

// header puts an answer's headers and cookies.
func (a urlAnswer) header(h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		text, ok := a.Headers[name].(string)
		if !ok {
			text = encode(a.Headers[name]) // a number or a truth value
		}
		h.Set(name, text)
	}
	for _, name := range ofConnection {
		h.Del(name)
	}
	for _, cookie := range a.Cookies {
		h.Add("Set-Cookie", cookie)
	}
}

// final tells whether a response can end with the status.
func final(status int) bool { return status >= 200 && status <= 599 }

// answerURL makes a response of a function's answer. One without a status is
// the body itself.
func answerURL(w http.ResponseWriter, payload []byte) {
	w.Header().Set("Content-Type", "application/json")
	var a urlAnswer
	if json.Unmarshal(payload, &a) != nil || a.StatusCode == nil {
		var text string
		if json.Unmarshal(payload, &text) == nil {
			payload = []byte(text)
		}
		w.Write(payload) //nolint:errcheck // the client is gone
		return
	}
	body := []byte(a.Body)
	if a.IsBase64Encoded {
		raw, err := base64.StdEncoding.DecodeString(a.Body)
		if err != nil {
			refuseURL(w, http.StatusBadGateway, "Internal Server Error")
			return
		}
		body = raw
	}
	if !final(*a.StatusCode) {
		refuseURL(w, http.StatusBadGateway, "Internal Server Error")
		return
	}
	a.header(w.Header())
	w.WriteHeader(*a.StatusCode)
	w.Write(body) //nolint:errcheck // the client is gone
}

// integrated is the content type of a stream that begins with the response's
// status and headers, as JSON, and eight zero bytes.
const integrated = "application/vnd.awslambda.http-integration-response"

// maxPrelude bounds that beginning.
const maxPrelude = 64 << 10

// streamURL sends a function's answer as it comes.
func (s *Service) streamURL(w http.ResponseWriter, r *http.Request, q request) {
	answer := s.startStream(r.Context(), q)
	if !answer.began {
		if !refusedURL(w, answer.err) {
			refuseURL(w, http.StatusBadGateway, "Internal Server Error")
		}
		return
	}
	defer io.Copy(io.Discard, answer.body) //nolint:errcheck // the function ends, whether or not anybody listens
	status := http.StatusOK
	var rest []byte
	if w.Header().Set("Content-Type", "application/octet-stream"); answer.kind == integrated {
		a, after, ok := readPrelude(answer.body)
		if !ok {
			refuseURL(w, http.StatusBadGateway, "Internal Server Error")
			return
		}
		a.header(w.Header())
		if rest = after; a.StatusCode != nil && final(*a.StatusCode) {
			status = *a.StatusCode
		}
	} else if answer.kind != "" {
		w.Header().Set("Content-Type", answer.kind)
	}
	w.WriteHeader(status)
	flush := http.NewResponseController(w).Flush
	piece := make([]byte, 64<<10)
	for n, err := copy(piece, rest), error(nil); ; n, err = answer.body.Read(piece) {
		if _, gone := w.Write(piece[:n]); gone != nil || err != nil {
			return
		}
		_ = flush()
	}
}

func readPrelude(body io.Reader) (a urlAnswer, rest []byte, ok bool) {
	var head []byte
	piece := make([]byte, 4<<10)
	for len(head) < maxPrelude {
		n, err := body.Read(piece)
		head = append(head, piece[:n]...)
		if before, after, found := strings.Cut(string(head), strings.Repeat("\x00", 8)); found {
			return a, []byte(after), json.Unmarshal([]byte(before), &a) == nil
		}
		if err != nil {
			break
		}
	}
	return a, nil, false
}

// allowOrigin answers for CORS, and tells whether that was all: a preflight.
func allowOrigin(w http.ResponseWriter, r *http.Request, c *types.Cors) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(c.AllowOrigins, "*") && !slices.Contains(c.AllowOrigins, origin) {
		return false
	}
	h := w.Header()
	if h.Set("Access-Control-Allow-Origin", origin); slices.Contains(c.AllowOrigins, "*") && !aws.ToBool(c.AllowCredentials) {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if aws.ToBool(c.AllowCredentials) {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposeHeaders, ","))
	}
	h.Set("Vary", "Origin")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(c.AllowMethods, ","))
	h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowHeaders, ","))
	if c.MaxAge != nil {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(*c.MaxAge)))
	}
	w.WriteHeader(http.StatusOK)
	return true
}
