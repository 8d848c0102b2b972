// Package gittest is a provider of git repositories for tests: real repositories,
// which git itself serves over SSH and HTTPS.
package gittest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Server serves repositories.
type Server struct {
	SSH       string // HOST:PORT
	HTTPS     string // HOST:PORT
	HostKey   string // as ssh-keyscan prints it, without the host
	Authority string // certificate in PEM of the one that vouches for HTTPS
	Private   string // a key that may read, in PEM
	Public    string // its public half, as a line of authorized_keys
	Token     string // that may read over HTTPS

	Sent  atomic.Int64 // bytes of packs over SSH
	Asked atomic.Int64 // how often git-upload-pack ran

	t       testing.TB
	root    string
	web     *httptest.Server
	mu      sync.Mutex
	keys    map[string]bool // that may read
	slow    func(sent int64)
	handler http.Handler
}

// New starts a server, which ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is not installed")
	}
	s := &Server{t: t, root: t.TempDir(), Token: "the-token-of-the-server", keys: map[string]bool{}}
	s.Private, s.Public = s.NewKey()
	s.Allow(s.Public)
	s.serveHTTPS()
	s.serveSSH()
	return s
}

// NewKey makes a key, which may nothing yet.
func (s *Server) NewKey() (private, public string) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		s.t.Fatal(err)
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line)))
}

// Allow lets a key read.
func (s *Server) Allow(public string) { s.set(public, true) }

// Forbid lets a key read no more.
func (s *Server) Forbid(public string) { s.set(public, false) }

func (s *Server) set(public string, may bool) {
	words := strings.Fields(public)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[strings.Join(words[:2], " ")] = may
}

func (s *Server) may(key ssh.PublicKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))]
}

// Slow is called before bytes of a pack are sent over SSH, with how many were.
func (s *Server) Slow(f func(sent int64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = f
}

// Handle lets the handler answer over HTTPS what is not git's: the provider's API.
func (s *Server) Handle(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = h
}

func (s *Server) serveHTTPS() {
	s.web = httptest.NewUnstartedServer(http.HandlerFunc(s.overHTTPS))
	s.web.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.web.StartTLS()
	s.t.Cleanup(s.web.Close)
	s.HTTPS = strings.TrimPrefix(s.web.URL, "https://")
	s.Authority = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.web.Certificate().Raw}))
}

func (s *Server) overHTTPS(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/info/refs") && !strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
		s.mu.Lock()
		h := s.handler
		s.mu.Unlock()
		if h == nil {
			h = http.NotFoundHandler()
		}
		h.ServeHTTP(w, r)
		return
	}
	if _, token, _ := r.BasicAuth(); token != s.Token {
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	git, err := exec.LookPath("git")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	(&cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Dir: s.root,
		Env:    []string{"GIT_PROJECT_ROOT=" + s.root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=/dev/null", "HOME=" + s.root},
		Stderr: io.Discard,
	}).ServeHTTP(w, r)
}

func (s *Server) serveSSH() {
	private, public := s.NewKey()
	s.HostKey = public
	signer, err := ssh.ParsePrivateKey([]byte(private))
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if !s.may(key) {
			return nil, fmt.Errorf("the key may not read")
		}
		return nil, nil
	}}
	cfg.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.SSH = l.Addr().String()
	var open sync.Map
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(conn, nil)
			all.Go(func() {
				s.overSSH(conn, cfg)
				open.Delete(conn)
			})
		}
	})
	s.t.Cleanup(func() {
		l.Close()
		open.Range(func(conn, _ any) bool { return conn.(net.Conn).Close() == nil || true })
		all.Wait()
	})
}

func (s *Server) overSSH(conn net.Conn, cfg *ssh.ServerConfig) {
	defer conn.Close()
	link, channels, requests, err := ssh.NewServerConn(conn, cfg)
	if err != nil {
		return
	}
	defer link.Close()
	go ssh.DiscardRequests(requests) // ends with the connection
	for c := range channels {
		channel, asked, err := c.Accept()
		if err != nil {
			return
		}
		for r := range asked {
			var command struct{ Text string }
			if r.Type != "exec" || ssh.Unmarshal(r.Payload, &command) != nil {
				r.Reply(false, nil)
				continue
			}
			r.Reply(true, nil)
			code := s.run(channel, command.Text)
			channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{code}))
			channel.Close()
		}
	}
}

// run runs a program of git's, as a provider's shell does.
func (s *Server) run(c ssh.Channel, command string) (code uint32) {
	program, rest, _ := strings.Cut(command, " '")
	name, _, _ := strings.Cut(rest, "'")
	dir := s.dir(strings.TrimSuffix(strings.TrimPrefix(name, "/"), ".git"))
	switch program {
	case "git-lfs-authenticate":
		fmt.Fprintf(c, `{"href": "https://%s%s/info/lfs", "header": {"Authorization": "RemoteAuth over-ssh"}, "expires_in": 60}`, s.HTTPS, name)
		return 0
	case "git-upload-pack":
	default:
		fmt.Fprintf(c.Stderr(), "there is no %s here\n", program)
		return 1
	}
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); err != nil {
		fmt.Fprintln(c.Stderr(), "ERROR: Repository not found.")
		return 1
	}
	s.Asked.Add(1)
	cmd := exec.Command("git", "upload-pack", dir)
	cmd.Env = append(cmd.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
	cmd.Stdout, cmd.Stderr = sending{c, s}, c.Stderr()
	in, err := cmd.StdinPipe()
	if err != nil {
		return 128
	}
	// The client may go on sending when git has ended: it is not waited for.
	go func() {
		io.Copy(in, c)
		in.Close()
	}()
	if err := cmd.Run(); err != nil {
		return 128
	}
	return 0
}

// sending counts what is sent, and may be slow.
type sending struct {
	io.Writer
	s *Server
}

func (w sending) Write(b []byte) (int, error) {
	w.s.mu.Lock()
	slow := w.s.slow
	w.s.mu.Unlock()
	if slow != nil {
		slow(w.s.Sent.Load())
	}
	n, err := w.Writer.Write(b)
	w.s.Sent.Add(int64(n))
	return n, err
}
