package engine

import "sync"

// halt is the end of handing out work before it is done.
type halt struct {
	C chan struct{} // closed by stop

	once       sync.Once
	reason     string // set before C is closed
	superseded bool
}

func newHalt() *halt { return &halt{C: make(chan struct{})} }

// stop closes C; only the first one counts.
func (h *halt) stop(reason string, superseded bool) {
	h.once.Do(func() {
		h.reason, h.superseded = reason, superseded
		close(h.C)
	})
}

func (h *halt) stopped() bool {
	select {
	case <-h.C:
		return true
	default:
		return false
	}
}

// walk calls do for every id after it was called for all that the id comes
// after, at most width at a time. Where do returns false, what comes after that
// id is left out. No call begins once stop is closed; walk returns when all
// calls have.
func walk(ids []string, after func(id string) []string, width int, stop <-chan struct{}, do func(id string) bool) {
	waits := make(map[string]int, len(ids))
	for _, id := range ids {
		waits[id] = 0
	}
	followers := map[string][]string{}
	for _, id := range ids {
		for _, first := range after(id) {
			if _, in := waits[first]; in && first != id {
				followers[first] = append(followers[first], id)
				waits[id]++
			}
		}
	}
	var ready []string
	for _, id := range ids {
		if waits[id] == 0 {
			ready = append(ready, id)
		}
	}
	type result struct {
		id string
		ok bool
	}
	// Workers are kept: one that has been at it has the stack that calls need.
	jobs, results := make(chan string), make(chan result)
	defer close(jobs)
	for running, workers := 0, 0; ; {
		for len(ready) > 0 && running < width && !closed(stop) {
			if running == workers {
				workers++
				go func() {
					for id := range jobs {
						results <- result{id, do(id)}
					}
				}()
			}
			jobs <- ready[0]
			ready = ready[1:]
			running++
		}
		if running == 0 {
			return
		}
		r := <-results
		running--
		if !r.ok {
			continue
		}
		for _, id := range followers[r.id] {
			if waits[id]--; waits[id] == 0 {
				ready = append(ready, id)
			}
		}
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// reversed turns "comes after" around, for deletions.
func reversed(ids []string, after func(id string) []string) func(id string) []string {
	back := map[string][]string{}
	for _, id := range ids {
		for _, first := range after(id) {
			back[first] = append(back[first], id)
		}
	}
	return func(id string) []string { return back[id] }
}
