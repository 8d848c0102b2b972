package gitsource

import (
	"context"
	"errors"
	"io"
	"time"
)

// errStalled tells that the provider fell silent.
var errStalled = errors.New("the provider says nothing")

// Silence ends a context when a provider says nothing for too long.
type Silence struct {
	timer *time.Timer
	limit time.Duration
}

// Watch begins to wait for what the provider says. Its context ends with the
// silence, which is then its cause; stop is to be called in any case.
func Watch(ctx context.Context, limit time.Duration) (_ context.Context, s *Silence, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	s = &Silence{time.AfterFunc(limit, func() { cancel(errStalled) }), limit}
	return ctx, s, func() {
		s.timer.Stop()
		cancel(nil)
	}
}

// Reader reads what the provider says. Only while it is read from, the provider
// is waited for: what takes its time in between is something else.
func (s *Silence) Reader(r io.Reader) io.Reader { return heard{r, s} }

type heard struct {
	io.Reader
	*Silence
}

func (h heard) Read(b []byte) (int, error) {
	h.timer.Reset(h.limit)
	n, err := h.Reader.Read(b)
	h.timer.Stop()
	return n, err
}
