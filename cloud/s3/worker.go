package s3

import (
	"context"
	"sync"
	"sync/atomic"

	"ouro/cloud/door"
)

// worker runs one function in the background when there is work, never twice
// at a time. The work itself is in the store, so that none is lost with the
// process.
type worker struct {
	host  door.Host
	name  string
	run   func(ctx context.Context)
	asked atomic.Bool

	mu      sync.Mutex
	running bool
	again   bool
}

// ask says, inside a transaction, that there will be work once it is committed.
func (w *worker) ask() { w.asked.Store(true) }

// wakeIfAsked wakes the worker when somebody asked since it was last woken. One
// whose transaction was taken back wakes it for nothing, which does no harm.
func (w *worker) wakeIfAsked() {
	if w.asked.Load() {
		w.wake()
	}
}

// wake starts the function, or has it run once more when it is running.
func (w *worker) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked.Store(false)
	if w.running {
		w.again = true
		return
	}
	w.running = true
	w.host.Go(w.name, w.loop)
}

func (w *worker) loop(ctx context.Context) {
	for {
		w.run(ctx)
		w.mu.Lock()
		if !w.again || ctx.Err() != nil {
			w.running = false
			w.mu.Unlock()
			return
		}
		w.again = false
		w.mu.Unlock()
	}
}
