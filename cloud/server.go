package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// DefaultAddress is where the local cloud listens unless told otherwise.
const DefaultAddress = "127.0.0.1:4566"

// Server is a local cloud that listens.
type Server struct {
	URL string // where it is reached

	cloud   *Cloud
	http    *http.Server
	served  chan error
	dir     string
	silent  sync.Map // net.Conn → nothing: those that no request came on yet
	closing atomic.Bool
}

// Listen opens address; if fallback is true and it is taken, another free port
// of the same host.
func Listen(address string, fallback bool) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil || !fallback || !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return net.Listen("tcp", net.JoinHostPort(host, "0"))
}

// Start opens a cloud and serves it on l, which it takes over. The address is
// left in the state directory, where [Running] finds it.
func Start(ctx context.Context, l net.Listener, o Options) (*Server, error) {
	if o.Endpoint == "" {
		o.Endpoint = "http://" + reachable(l.Addr())
	}
	// A request that comes before the services are there waits in the
	// listener's queue.
	c, err := Open(ctx, o)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s := &Server{URL: o.Endpoint, cloud: c, served: make(chan error, 1), dir: o.Dir}
	s.http = &http.Server{Handler: c, ReadHeaderTimeout: 30 * time.Second, ConnState: s.watch}
	go func() { s.served <- s.http.Serve(l) }()
	if err := os.WriteFile(filepath.Join(o.Dir, endpointFile), []byte(s.URL+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("leaving the address in the state directory: %w", err), s.Close())
	}
	return s, nil
}

const endpointFile = "endpoint"

func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// watch keeps the connections that no request came on yet. Clients open some
// that they never need, and Shutdown waits five seconds for a request on each.
func (s *Server) watch(c net.Conn, state http.ConnState) {
	if state == http.StateNew {
		s.silent.Store(c, nil)
		if s.closing.Load() {
			_ = c.Close() // nobody waits for anything on it
		}
		return
	}
	s.silent.Delete(c)
}

// Failed gives the error if serving ends by itself.
func (s *Server) Failed() <-chan error { return s.served }

// shutdown is how long requests in flight may take to end.
const shutdown = 5 * time.Second

// Close stops listening, lets requests in flight end, and closes the cloud.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdown)
	defer cancel()
	s.closing.Store(true)
	// A build whose commands cannot reach the cloud any more has not failed.
	s.cloud.door.Cease()
	s.silent.Range(func(c, _ any) bool {
		_ = c.(net.Conn).Close()
		return true
	})
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	if rm := os.Remove(filepath.Join(s.dir, endpointFile)); rm != nil && !errors.Is(rm, os.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return errors.Join(err, s.cloud.Close())
}

// Running finds the cloud that serves a state directory, by the address that
// it left there; "" if none answers.
func Running(ctx context.Context, dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, endpointFile))
	if err != nil {
		return ""
	}
	url := strings.TrimSpace(string(b))
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+healthPath, nil)
	if err != nil {
		return ""
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	var h Health
	if json.NewDecoder(res.Body).Decode(&h) != nil || !sameDir(h.State, dir) {
		return ""
	}
	return url
}

func sameDir(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
