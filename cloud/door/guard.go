package door

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// guard keeps web pages out: one that a browser shows may send requests to the
// loopback, under its own origin or, after DNS rebinding, under its own host
// name. Neither is ours.
type guard struct{ host string } // the endpoint's own host name

func newGuard(endpoint string) guard {
	u, err := url.Parse(endpoint)
	if err != nil {
		return guard{}
	}
	return guard{host: u.Hostname()}
}

var (
	errForeignHost   = errors.New("the request's Host is not this machine; ouro answers to localhost, loopback addresses and the address it listens on")
	errForeignOrigin = errors.New("the request's Origin is a foreign page")
)

func (g guard) check(r *http.Request) error {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if !g.ours(host) {
		return errForeignHost
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || !g.ours(u.Hostname()) {
		return errForeignOrigin
	}
	return nil
}

func (g guard) ours(host string) bool {
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || host == g.host {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
