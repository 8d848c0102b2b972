package git

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os/exec"
	"strconv"
	"strings"
)

// routes are the requests of git's smart HTTP protocol
// (https://git-scm.com/docs/http-protocol). The dumb one is not spoken.
var routes = map[string]string{
	"/info/refs":        http.MethodGet,
	"/git-upload-pack":  http.MethodPost,
	"/git-receive-pack": http.MethodPost,
}

// pushesBetweenPacking is how many pushes go by until a repository is looked
// at for whether it should be packed.
const pushesBetweenPacking = 32

// SplitURL splits the path of a git request into that of the repository and
// the rest, which begins with a slash. ok is false for all other paths.
func SplitURL(path string) (repository, rest string, ok bool) {
	for suffix := range routes {
		if before, found := strings.CutSuffix(path, suffix); found {
			return before, suffix, true
		}
	}
	return "", "", false
}

// IsPush tells whether a git request belongs to a push.
func IsPush(r *http.Request, rest string) bool {
	return rest == "/git-receive-pack" || r.URL.Query().Get("service") == "git-receive-pack"
}

// ServeHTTP answers one git request, whose path below the repository is rest.
// by is the ARN of who makes it.
func (r *Repository) ServeHTTP(w http.ResponseWriter, req *http.Request, rest, by string) {
	method, ok := routes[rest]
	if !ok {
		http.NotFound(w, req)
		return
	}
	if req.Method != method {
		w.Header().Set("Allow", method)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	select {
	case r.server.requests <- struct{}{}:
		defer func() { <-r.server.requests }()
	case <-req.Context().Done():
		return
	}
	x := &exchange{repository: r, w: w, req: req, rest: rest, by: by}
	if err := x.run(req.Context()); err != nil && req.Context().Err() == nil {
		r.server.host.Log().Error("serving git", "repository", r.id, "path", rest, "error", err)
		if !x.answered {
			http.Error(w, "the git repository could not be served", http.StatusInternalServerError)
		}
	}
}

// exchange is one request on its way through git http-backend.
type exchange struct {
	repository *Repository
	w          http.ResponseWriter
	req        *http.Request
	rest       string
	by         string
	holding    bool // the lock of the repository
	answered   bool
}

// run has git http-backend answer. The lock is taken when a push has arrived
// but for its last bytes, and kept until git has ended: no other change can
// come between this one and the look at what it changed, and a slow upload
// keeps nobody waiting.
func (x *exchange) run(ctx context.Context) error {
	body, err := requestBody(x.req)
	if err != nil {
		http.Error(x.w, err.Error(), http.StatusBadRequest)
		return nil
	}
	at, err := x.repository.server.program.find()
	if err != nil {
		return err
	}
	cmd := x.repository.server.program.command(ctx, at.backend)
	cmd.Env = append(cmd.Env, x.variables()...)
	var said tail
	cmd.Stderr = &said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	// Git may answer, with progress, while the request still arrives. Writers
	// without this, such as those of in-process transports, can do it anyhow.
	_ = http.NewResponseController(x.w).EnableFullDuplex()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting git http-backend: %w", err)
	}
	sent := make(chan error, 1)
	go func() { sent <- x.send(ctx, stdin, body) }()
	answer := x.answer(stdout)
	failed := <-sent
	ended := outcome(ctx, cmd, "git http-backend", wait(cmd, answer != nil), &said)
	return errors.Join(ended, answer, failed, x.finish())
}

// wait waits for git. If nobody reads its answer any more it would wait for
// that, so it is ended.
func wait(cmd *exec.Cmd, broken bool) error {
	if broken {
		_ = cmd.Cancel()
	}
	return cmd.Wait()
}

// variables are the CGI variables (RFC 3875) of the request.
func (x *exchange) variables() []string {
	return []string{
		"GIT_PROJECT_ROOT=" + x.repository.dir,
		"GIT_HTTP_EXPORT_ALL=1",
		"PATH_INFO=" + x.rest,
		"REQUEST_METHOD=" + x.req.Method,
		"QUERY_STRING=" + x.req.URL.RawQuery,
		"CONTENT_TYPE=" + x.req.Header.Get("Content-Type"),
		"GIT_PROTOCOL=" + x.req.Header.Get("Git-Protocol"),
		"HTTP_GIT_PROTOCOL=" + x.req.Header.Get("Git-Protocol"),
		"REMOTE_USER=git",
		"REMOTE_ADDR=" + x.req.RemoteAddr,
	}
}

// requestBody is the body as git is to read it. It is unpacked here, so that
// its last bytes are known; without a CONTENT_LENGTH git reads to its end.
func requestBody(req *http.Request) (io.Reader, error) {
	if req.Body == nil {
		return http.NoBody, nil
	}
	switch coding := req.Header.Get("Content-Encoding"); coding {
	case "", "identity":
		return req.Body, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(req.Body)
		if err != nil {
			return nil, fmt.Errorf("reading the gzip body: %w", err)
		}
		return z, nil
	default:
		return nil, fmt.Errorf("content encoding %q is not supported", coding)
	}
}

// send passes the body on to git. Of a push, the last part goes only when the
// lock is held. Once git has ended, what is left of the body is dropped: a
// client that still sends would not read the answer.
func (x *exchange) send(ctx context.Context, git io.WriteCloser, body io.Reader) error {
	defer git.Close()
	var to io.Writer = git
	last := func() error { return nil }
	if x.rest == "/git-receive-pack" {
		last = func() error {
			err := x.repository.acquire(ctx)
			x.holding = err == nil
			return err
		}
	}
	part, ahead := make([]byte, 64<<10), make([]byte, 64<<10)
	n, err := readSome(body, part)
	for err == nil {
		var m int
		if m, err = readSome(body, ahead); err != nil {
			break
		}
		if _, broken := to.Write(part[:n]); broken != nil {
			to = io.Discard
		}
		part, ahead, n = ahead, part, m
	}
	if err != io.EOF {
		return fmt.Errorf("reading the request: %w", err)
	}
	if err := last(); err != nil {
		return err
	}
	// Git says itself, in its answer, why it did not want to read on.
	_, _ = to.Write(part[:n])
	return nil
}

// readSome reads until there is something or an error, never both.
func readSome(r io.Reader, p []byte) (int, error) {
	for {
		n, err := r.Read(p)
		if n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// answer passes on what git http-backend answers: a head as in CGI and a body.
func (x *exchange) answer(stdout io.Reader) error {
	in := bufio.NewReaderSize(stdout, 64<<10)
	head, err := textproto.NewReader(in).ReadMIMEHeader()
	if err != nil {
		return fmt.Errorf("reading the answer of git http-backend: %w", err)
	}
	status := http.StatusOK
	if text := head.Get("Status"); text != "" {
		code, _, _ := strings.Cut(text, " ")
		if status, err = strconv.Atoi(code); err != nil {
			return fmt.Errorf("git http-backend answered with status %q", text)
		}
		head.Del("Status")
	}
	for key, values := range head {
		x.w.Header()[key] = values
	}
	x.answered = true
	x.w.WriteHeader(status)
	flush := http.NewResponseController(x.w)
	part := make([]byte, 64<<10)
	for {
		n, err := in.Read(part)
		if n > 0 {
			if _, err := x.w.Write(part[:n]); err != nil {
				return fmt.Errorf("answering: %w", err)
			}
			_ = flush.Flush() // progress should be seen; not all writers can
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the answer of git http-backend: %w", err)
		}
	}
}

// finish looks at what a push has changed, however it ended, and lets the next
// one in.
func (x *exchange) finish() error {
	if x.rest != "/git-receive-pack" {
		return nil
	}
	r := x.repository
	if !x.holding {
		// Git ended before it had read everything: it hardly changed anything.
		return r.locked(context.WithoutCancel(x.req.Context()), x.by, func() error { return nil })
	}
	defer r.release()
	r.mu.Lock()
	r.pushes++
	packing := r.pushes%pushesBetweenPacking == 0
	r.mu.Unlock()
	if packing {
		r.server.host.Go("pack repository "+r.id, r.maintain)
	}
	return r.notice(x.by)
}
