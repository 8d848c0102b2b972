package executeapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// outside is the client for HTTP integrations: what a server answers is passed
// on as it is, redirects too.
var outside = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// hops are the headers that belong to one connection.
var hops = []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length"}

// Forward passes a call on to an HTTP server. Variables of the path stand in
// braces in the address.
func Forward(ctx context.Context, x *Exchange, method, address string, parameters map[string]string) (Answer, error) {
	for name, value := range parameters {
		escaped := (&url.URL{Path: value}).EscapedPath()
		address = strings.NewReplacer("{"+name+"}", escaped, "{"+name+"+}", escaped).Replace(address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return Answer{}, fmt.Errorf("read the address of the integration: %w", err)
	}
	if query := x.Request.URL.RawQuery; query != "" {
		u.RawQuery = strings.Trim(u.RawQuery+"&"+query, "&")
	}
	if method == "ANY" || method == "" {
		method = x.Request.Method
	}
	out, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(x.Body))
	if err != nil {
		return Answer{}, fmt.Errorf("ask %s: %w", u.Host, err)
	}
	out.Header = x.Request.Header.Clone()
	for _, name := range hops {
		out.Header.Del(name)
	}
	out.Header.Add("Forwarded", fmt.Sprintf("for=%s;host=%s;proto=http", x.SourceIP, x.Domain))
	res, err := outside.Do(out)
	if err != nil {
		return Answer{}, fmt.Errorf("ask %s: %w", u.Host, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxBody+1))
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer of %s: %w", u.Host, err)
	}
	if len(body) > MaxBody {
		return Answer{}, fmt.Errorf("the answer of %s is longer than %d bytes", u.Host, MaxBody)
	}
	for _, name := range hops {
		res.Header.Del(name)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}
