package codebuild

import (
	"context"
	"slices"
	"sync"
)

// queue lets builds run, first come first served, as long as the machine and
// the build's project have room. A project that is full does not hold up the
// others.
type queue struct {
	starting sync.Mutex // held while a build of a project with a limit starts

	mu      sync.Mutex
	limit   int
	running int
	of      map[string]int // running builds by project
	waiting []*ticket
}

type ticket struct {
	project string
	limit   int // builds of the project at once; 0: no limit
	ready   chan struct{}
}

func newQueue(limit int) *queue { return &queue{limit: limit, of: map[string]int{}} }

// acquire waits until a build of the project may run. The function that it
// gives makes the place free again.
func (q *queue) acquire(ctx context.Context, project string, limit int) (release func(), err error) {
	t := &ticket{project: project, limit: limit, ready: make(chan struct{})}
	q.mu.Lock()
	q.waiting = append(q.waiting, t)
	q.admit()
	q.mu.Unlock()
	select {
	case <-t.ready:
		return func() { q.release(project) }, nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if at := slices.Index(q.waiting, t); at >= 0 {
		q.waiting = slices.Delete(q.waiting, at, at+1)
	} else { // admitted in the same moment
		q.leave(project)
	}
	return nil, context.Cause(ctx)
}

func (q *queue) release(project string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leave(project)
}

func (q *queue) leave(project string) {
	q.running--
	if q.of[project]--; q.of[project] == 0 {
		delete(q.of, project)
	}
	q.admit()
}

// admit lets in whoever has room; q.mu is held.
func (q *queue) admit() {
	q.waiting = slices.DeleteFunc(q.waiting, func(t *ticket) bool {
		if q.running >= q.limit || t.limit > 0 && q.of[t.project] >= t.limit {
			return false
		}
		q.running++
		q.of[t.project]++
		close(t.ready)
		return true
	})
}
