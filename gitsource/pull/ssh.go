package pull

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"ouro/gitsource"
)

// secure is a program of the server's, over SSH.
type secure struct {
	client  *ssh.Client
	session *ssh.Session
	in      io.WriteCloser
	out     io.Reader
	said    *said
	forget  func() bool // stops waiting for the context's end
}

// said is the beginning of what a program says besides its output.
type said struct {
	mu sync.Mutex
	bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Buffer.Write(b[:min(len(b), maxSaid-min(maxSaid, s.Len()))])
	return len(b), nil
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimSpace(s.Buffer.String())
}

const (
	sshUser     = "git"
	dialTimeout = 15 * time.Second
)

// dialSSH starts the program, which is given the repository and what follows it.
func (p *Puller) dialSSH(ctx context.Context, at gitsource.Remote, program, argument string, silence *gitsource.Silence) (*secure, error) {
	host := at.SSHHost
	if p.SSHHost != "" {
		host = p.SSHHost
	}
	address := hostPort(host, "22")
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, permanent("the SSH host: %w", err)
	}
	keys, err := p.HostKeys.of(name)
	if err != nil {
		return nil, err
	}
	private, err := p.Key(ctx)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		return nil, permanent("the secret with the private key holds none that SSH reads") // and not what it holds
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("reaching the SSH host: %w", err)
	}
	s := &secure{said: &said{}, forget: context.AfterFunc(ctx, func() { conn.Close() })} //nolint:errcheck // who reads from it learns
	link, channels, requests, err := ssh.NewClientConn(conn, address, &ssh.ClientConfig{
		User: sshUser, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, Timeout: dialTimeout,
		HostKeyAlgorithms: keys.algorithms(), HostKeyCallback: keys.check, ClientVersion: "SSH-2.0-ouro",
	})
	if err != nil {
		s.forget()
		return nil, errors.Join(refused(host, signer, err), closed(conn))
	}
	s.client = ssh.NewClient(link, channels, requests)
	// No name that we take has a quote.
	if err := s.start(program+" '"+at.Path+"'"+argument, silence); err != nil {
		s.close()
		return nil, fmt.Errorf("starting %s on %s: %w", program, host, err)
	}
	return s, nil
}

// closed closes a connection that is of no use.
func closed(conn net.Conn) error {
	if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// refused says why there is no connection, and what to do.
func refused(host string, signer ssh.Signer, err error) error {
	if none := (*ssh.AlgorithmNegotiationError)(nil); errors.As(err, &none) {
		return permanent("the SSH host %s proves itself by no key of the kinds that are known of it: give its host keys as ssh-keyscan prints them: %w", host, err)
	}
	if strings.Contains(err.Error(), "unable to authenticate") { // it has no type
		return permanent("the SSH host %s does not take the key %s: register the public half as a deploy key of the repository", host, ssh.FingerprintSHA256(signer.PublicKey()))
	}
	return fmt.Errorf("the SSH host %s: %w", host, err)
}

func (s *secure) start(command string, silence *gitsource.Silence) (err error) {
	if s.session, err = s.client.NewSession(); err != nil {
		return err
	}
	if s.in, err = s.session.StdinPipe(); err != nil {
		return err
	}
	out, err := s.session.StdoutPipe()
	if err != nil {
		return err
	}
	s.out, s.session.Stderr = silence.Reader(out), s.said
	return s.session.Start(command)
}

func (s *secure) refs(context.Context) (io.Reader, error) { return output{s.out, s}, nil }

func (s *secure) ask(_ context.Context, question []byte) (io.Reader, error) {
	if _, err := s.in.Write(question); err != nil {
		return nil, s.why(err)
	}
	return output{s.out, s}, nil
}

// output reads the program's output, whose early end the program itself explains.
type output struct {
	io.Reader
	s *secure
}

func (t output) Read(b []byte) (int, error) {
	n, err := t.Reader.Read(b)
	if n == 0 && err == io.EOF {
		err = t.s.why(err)
	}
	return n, err
}

// why is what the program said, if it did.
func (s *secure) why(err error) error {
	s.session.Wait() //nolint:errcheck // what counts is that all of what it said is here
	if text := s.said.String(); text != "" {
		return fmt.Errorf("the server says %q", text)
	}
	return err
}

func (s *secure) close() {
	s.forget()
	if s.session != nil {
		s.session.Close() //nolint:errcheck // the connection ends as well
	}
	s.client.Close() //nolint:errcheck // nothing is left to lose
}
