package door

import (
	"errors"
	"sync"
)

// errClosed answers inside calls that come when nobody is left to wait for
// them: the SDK's cache of credentials, for one, asks on its own after its
// caller has given up.
var errClosed = errors.New("the local cloud is closed")

// jobs counts the work that Close waits for. A sync.WaitGroup would not do:
// its Add must not meet its Wait, and a late call can come at any time.
type jobs struct {
	mu      sync.Mutex
	running int
	closing bool
	idle    chan struct{} // closed once closing and nothing runs
}

// start counts one job in. It is false once the last job has ended after
// close: until then, running jobs may start others, to tidy up.
func (j *jobs) start() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closing && j.running == 0 {
		return false
	}
	j.running++
	return true
}

func (j *jobs) done() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.running--
	if j.closing && j.running == 0 {
		close(j.idle)
	}
}

// close waits until nothing runs; nothing starts after it.
func (j *jobs) close() {
	j.mu.Lock()
	if !j.closing {
		j.closing, j.idle = true, make(chan struct{})
		if j.running == 0 {
			close(j.idle)
		}
	}
	j.mu.Unlock()
	<-j.idle
}
