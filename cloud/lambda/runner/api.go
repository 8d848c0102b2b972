package runner

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Limits of answers (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const (
	maxAnswer = 6*1024*1024 + 100
	maxStream = 200 * 1024 * 1024
	maxError  = 1024 * 1024
)

type processKey struct{}

// newServer makes the Runtime API of all processes. Each has a listener of its
// own, because AWS_LAMBDA_RUNTIME_API has no room for a path; what a request
// comes in by says whose it is.
func newServer() *http.Server {
	mux := http.NewServeMux()
	route := func(pattern string, serve func(*process, http.ResponseWriter, *http.Request)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !fromRuntime(r) {
				refuse(w, http.StatusForbidden, "InvalidRequest", "the Runtime API does not answer web pages")
				return
			}
			serve(r.Context().Value(processKey{}).(*process), w, r)
		})
	}
	route("GET /2018-06-01/runtime/invocation/next", (*process).serveNext)
	route("POST /2018-06-01/runtime/invocation/{id}/response", (*process).serveResponse)
	route("POST /2018-06-01/runtime/invocation/{id}/error", (*process).serveError)
	route("POST /2018-06-01/runtime/init/error", (*process).serveInitError)
	route("/2020-01-01/extension/", refuseExtension)
	route("/2020-08-15/logs", refuseExtension)
	route("/2022-07-01/telemetry", refuseExtension)
	return &http.Server{
		Handler:  mux,
		ErrorLog: log.New(io.Discard, "", 0), // connections of processes that died
		BaseContext: func(l net.Listener) context.Context {
			return context.WithValue(context.Background(), processKey{}, l.(listener).process)
		},
	}
}

// fromRuntime tells a runtime from a web page that found the port.
func fromRuntime(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	return err == nil && (host == "127.0.0.1" || host == "localhost") && r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == ""
}

type listener struct {
	net.Listener
	process *process
}

func (p *Pool) serve(s *process) {
	p.running.Add(1) // the process itself is counted, so that nobody is at the end of waiting
	go func() {
		defer p.running.Done()
		_ = p.server.Serve(listener{s.listener, s}) // ends with the listener
	}()
}

// serveNext gives the runtime its next invocation, and takes the request as the
// end of the one before.
func (s *process) serveNext(w http.ResponseWriter, r *http.Request) {
	s.settled.Do(func() { close(s.ready) })
	s.mu.Lock()
	if s.current != nil {
		if !s.current.answered {
			s.mu.Unlock()
			refuse(w, http.StatusForbidden, "InvalidStateTransition", "the invocation before has no answer yet")
			return
		}
		close(s.current.done)
		s.current = nil
	}
	s.mu.Unlock()
	select {
	case j := <-s.jobs:
		s.mu.Lock()
		s.current = j
		s.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", j.in.RequestID)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(j.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", j.in.ARN)
		h.Set("Lambda-Runtime-Trace-Id", j.in.TraceID)
		for name, value := range map[string]string{"Client-Context": j.in.ClientContext, "Cognito-Identity": j.in.Identity} {
			if value != "" {
				h.Set("Lambda-Runtime-"+name, value)
			}
		}
		h.Set("Content-Length", strconv.Itoa(len(j.in.Payload)))
		_, _ = w.Write(j.in.Payload) // who died of it is seen by its end
	case <-r.Context().Done():
	case <-s.exited:
	}
}

// answer finds the invocation that a request is about, and says that it is
// being answered; nil if the request has been refused.
func (s *process) answer(w http.ResponseWriter, r *http.Request) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.current == nil || s.current.in.RequestID != r.PathValue("id"):
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return nil
	case s.current.answered:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition from Ready to InvocationResponse failed for runtime. Error: State transition is not allowed")
		return nil
	}
	s.current.answered = true
	s.current.body.Lock()
	return s.current
}

func (s *process) serveResponse(w http.ResponseWriter, r *http.Request) {
	j := s.answer(w, r)
	if j == nil {
		return
	}
	defer j.body.Unlock()
	streaming := r.Header.Get("Lambda-Runtime-Function-Response-Mode") == "streaming"
	if streaming && j.in.Stream != nil {
		j.take(r)
	} else if !j.read(r) {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxAnswer))
		return
	}
	accept(w)
}

// take passes a stream on as it comes.
func (j *job) take(r *http.Request) {
	out := j.begin(r.Header.Get("Content-Type"))
	n, err := io.Copy(deaf{out}, io.LimitReader(r.Body, maxStream))
	if err != nil {
		return // the process has died, or soon will
	}
	if n == maxStream {
		if _, err := io.ReadFull(r.Body, make([]byte, 1)); err == nil {
			j.failure = newFailure("Function.ResponseSizeTooLarge", fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxStream))
		}
	}
	j.trailers(r)
	j.complete = true
}

// read takes an answer as a whole; it tells whether it was small enough.
func (j *job) read(r *http.Request) bool {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer+1))
	if err != nil {
		return true
	}
	j.complete = true
	if len(body) > maxAnswer {
		_, _ = io.CopyN(io.Discard, r.Body, maxStream) // so that the runtime comes to hear of it
		j.failure = newFailure("Function.ResponseSizeTooLarge", fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxAnswer))
		return false
	}
	j.payload = body
	j.trailers(r)
	if j.in.Stream != nil && j.failure == nil {
		_, _ = j.begin(r.Header.Get("Content-Type")).Write(body)
		j.payload = nil
	}
	return true
}

// trailers takes the error with which a stream can end.
func (j *job) trailers(r *http.Request) {
	kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type")
	if kind == "" {
		return
	}
	body, err := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
	if err != nil || len(body) == 0 {
		j.failure = newFailure(kind, "")
		return
	}
	j.failure = reported(kind, body)
}

// deaf writes to somebody who may have gone: the function goes on.
type deaf struct{ io.Writer }

func (d deaf) Write(p []byte) (int, error) {
	_, _ = d.Writer.Write(p)
	return len(p), nil
}

func (s *process) serveError(w http.ResponseWriter, r *http.Request) {
	j := s.answer(w, r)
	if j == nil {
		return
	}
	defer j.body.Unlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxError))
	if err != nil {
		return
	}
	j.failure, j.complete = reported(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body), true
	accept(w)
}

func (s *process) serveInitError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxError))
	if err != nil {
		return
	}
	select {
	case <-s.ready:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition from Ready to InitError failed for runtime. Error: State transition is not allowed")
		return
	case s.failed <- reported(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body):
	default: // it has said so before
	}
	accept(w)
}

func refuseExtension(_ *process, w http.ResponseWriter, _ *http.Request) {
	refuse(w, http.StatusForbidden, "Extension.NotSupported", "the local cloud runs no extensions of functions, and gives out no telemetry")
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"errorType": kind, "errorMessage": message})
}

// job is an invocation on its way through a process.
type job struct {
	in       Invocation
	deadline time.Time
	done     chan struct{} // closed by the runtime's next request after its answer
	answered bool          // under the process's lock

	body     sync.Mutex // held while the answer comes in
	begun    bool
	complete bool
	payload  []byte
	failure  *failure
}

func (j *job) begin(contentType string) io.Writer {
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	j.begun = true
	return j.in.Stream(contentType)
}

var errGone = errors.New("the process has ended")
