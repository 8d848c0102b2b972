package runner

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"ouro/cloud/stray"
)

// sandboxVariable marks the processes of functions with the folder that each
// has of its own, by which those of a pool that was killed are found again.
const sandboxVariable = "_LAMBDA_SANDBOX"

// process is an execution environment: a running runtime that serves one
// invocation after the other.
type process struct {
	pool     *Pool
	fn       Function
	dir      string // of its own, removed with it
	cmd      *exec.Cmd
	listener net.Listener // its Runtime API
	log      *stream
	output   *output
	release  func()       // of its layers
	expires  time.Time    // of its credentials, zero for never
	memory   atomic.Int64 // the most that it has used, in bytes
	using    atomic.Int64 // what of it cannot be given back
	pid      atomic.Int64 // 0 before and after

	jobs    chan *job
	ready   chan struct{} // the runtime has asked for its first invocation
	failed  chan *failure // it says that its init failed
	exited  chan struct{} // closed when the process has ended
	reason  string        // how it ended, then
	settled sync.Once
	doomed  atomic.Bool // it is not to serve again

	mu      sync.Mutex
	current *job

	// Of the pool, under its lock.
	retired   bool
	idleSince time.Time
	idleTimer *time.Timer
}

// start starts a process of the function. The failure is one of the function,
// such as a bootstrap that is not there, the error one of this machine.
func (p *Pool) start(ctx context.Context, fn Function, log *stream) (*process, *failure, error) {
	number := make([]byte, 8)
	_, _ = rand.Read(number)
	s := &process{
		pool: p, fn: fn, log: log, dir: filepath.Join(p.options.Dir, "sandboxes", hex.EncodeToString(number)),
		jobs: make(chan *job), ready: make(chan struct{}), failed: make(chan *failure, 1), exited: make(chan struct{}),
	}
	opt, release, err := p.places.opt(fn.Layers)
	if err != nil {
		return nil, nil, err
	}
	s.release = release
	fault, err := p.begin(ctx, s, opt)
	if fault != nil || err != nil {
		release()
		return nil, fault, err
	}
	return s, nil, nil
}

// begin starts a process that has its layers.
func (p *Pool) begin(ctx context.Context, s *process, opt string) (*failure, error) {
	fn := s.fn
	command, sight, fault, err := p.places.find(fn, s.dir, opt)
	if fault != nil || err != nil {
		return fault, err
	}
	credentials, err := p.options.Credentials(ctx, fn)
	if err != nil {
		return nil, fmt.Errorf("getting the credentials of %s for the function %s: %w", fn.Role, fn.Name, err)
	}
	if credentials.CanExpire {
		s.expires = credentials.Expires
	}
	if err := p.enter(s); err != nil {
		return nil, err
	}
	if err := s.launch(command, sight, environment(s, credentials, sight)); err != nil {
		p.leave(s)
		return nil, fmt.Errorf("starting a process of the function %s: %w", fn.Name, errors.Join(err, os.RemoveAll(s.dir)))
	}
	return nil, nil
}

func (s *process) launch(command []string, view view, environ []string) (err error) {
	if err := view.prepare(s.dir); err != nil {
		return err
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	if s.output, err = s.log.open(); err != nil {
		return errors.Join(err, s.listener.Close())
	}
	s.cmd = view.command(s.dir, command)
	s.cmd.Env = append(environ, "AWS_LAMBDA_RUNTIME_API="+s.listener.Addr().String())
	s.cmd.Stdout, s.cmd.Stderr = s.output.writer, s.output.writer
	ownGroup(s.cmd)
	if err := s.pool.guard.start(s.cmd); err != nil {
		s.output.close()
		return errors.Join(err, s.listener.Close())
	}
	s.pid.Store(int64(s.cmd.Process.Pid))
	if s.doomed.Load() {
		s.kill() // the pool was closed meanwhile
	}
	s.pool.serve(s)
	go s.await()
	return nil
}

// await waits for the end of the process and clears up after it.
func (s *process) await() {
	_ = s.cmd.Wait() // how it ended is in its state
	s.pid.Store(0)
	killGroup(s.cmd.Process.Pid)
	stray.Kill(sandboxVariable + "=" + s.dir + "\x00")
	s.pool.guard.forget(s.cmd.Process.Pid)
	s.reason = s.cmd.ProcessState.String()
	s.output.close()
	s.log.deliver()
	_ = s.listener.Close()
	close(s.exited)
	_ = os.RemoveAll(s.dir) // what is left goes with the pool's next start
	s.release()
	s.pool.leave(s)
}

func (s *process) kill() {
	s.doomed.Store(true)
	if pid := s.pid.Load(); pid != 0 {
		killGroup(int(pid))
	}
}

// end kills the process and waits for it.
func (s *process) end() {
	s.kill()
	<-s.exited
}

func (s *process) ended() bool {
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

func (s *process) overdrawn() bool { return s.using.Load() > int64(s.fn.MemoryMB)<<20 }

// measure looks how much memory the process and its children have.
func (s *process) measure() {
	pid := int(s.pid.Load())
	if pid == 0 {
		return
	}
	resident, using := memoryOf(pid)
	s.using.Store(using)
	s.memory.Store(max(s.memory.Load(), resident))
}

func (s *process) expired(now time.Time) bool {
	return !s.expires.IsZero() && now.After(s.expires.Add(-5*time.Minute))
}
