package function

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

// margin is how long before a function's time is up it gives its work up, so
// that there is time to say so; of a short time it is half.
const margin = 5 * time.Second

// errTimeUp is why the work on an event was given up.
var errTimeUp = errors.New("the function's time ran out")

// within does the work and gives its error: also when it panics, and in good
// time before ctx ends, whether the work heeds that or not.
func within[T any](ctx context.Context, work func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	limited, kept := ctx, margin
	if end, ok := ctx.Deadline(); ok {
		left := time.Until(end)
		kept = min(margin, left/2)
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeoutCause(ctx, left-kept, errTimeUp)
		defer cancel()
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				// What panicked is for the log; it may hold what an answer must not.
				fmt.Fprintf(os.Stderr, "panic: %T\n%s", p, debug.Stack())
				done <- result{err: errors.New("the function panicked; its log tells where")}
			}
		}()
		value, err := work(limited)
		done <- result{value, err}
	}()
	var r result
	select {
	case r = <-done:
	case <-limited.Done():
		// Most work ends at once now, and its error says where it was.
		select {
		case r = <-done:
		case <-time.After(kept / 10):
			return r.value, context.Cause(limited)
		}
	}
	if r.err != nil && limited.Err() != nil {
		r.err = fmt.Errorf("%w: %w", context.Cause(limited), r.err)
	}
	return r.value, r.err
}
