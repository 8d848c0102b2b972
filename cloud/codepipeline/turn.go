package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/store"
)

// lineKey names a pipeline in the whole cloud.
type lineKey struct {
	scope store.Scope
	name  string
}

// line is what this process holds of a pipeline: its turns come one after the
// other, and its running actions can be called off.
type line struct {
	turns   sync.Mutex
	running map[string]context.CancelFunc // by action execution id; guarded by turns
	users   int                           // turns and running actions that hold it; guarded by lines.mu
}

type lines struct {
	mu     sync.Mutex
	byName map[lineKey]*line
}

// hold gives the line of a pipeline, which is there until all who hold it have
// released it: names that nobody has are asked for, too.
func (ls *lines) hold(key lineKey) *line {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := ls.byName[key]
	if l == nil {
		l = &line{running: map[string]context.CancelFunc{}}
		ls.byName[key] = l
	}
	l.users++
	return l
}

func (ls *lines) release(key lineKey) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := ls.byName[key]
	if l.users--; l.users == 0 {
		delete(ls.byName, key)
	}
}

// turn is one step of a pipeline: its records are read, changed, and written
// all together; what follows from the change is done after that.
type turn struct {
	s     *Service
	ctx   context.Context
	scope store.Scope
	line  *line
	now   time.Time

	pipe       *pipeline
	plan       *plan
	executions map[int64]*execution
	actions    map[string]*action

	definition *types.PipelineDeclaration // a new version, or nil
	starts     map[string]string          // client token → execution id
	births     []*execution
	launches   []string // keys of actions to run
	calledOff  []string // ids of actions to run no more
	events     []event
	letters    []letter // the events as they lie in the outbox
	err        error    // why the turn cannot go on
}

// errNoPipeline is what turn gives for a pipeline that does not exist. Each
// operation has its own words for it.
var errNoPipeline = errors.New("no such pipeline")

// turn loads the pipeline with its active executions, calls change, moves the
// executions on as far as they go, and writes. When change gives an error,
// nothing is written.
func (s *Service) turn(ctx context.Context, scope store.Scope, name string, change func(*turn) error) error {
	return s.view(ctx, scope, name, func(t *turn) error {
		if err := change(t); err != nil {
			return err
		}
		t.advance()
		if t.err != nil {
			return t.err
		}
		return t.commit()
	})
}

// view loads as turn does and changes nothing.
func (s *Service) view(ctx context.Context, scope store.Scope, name string, look func(*turn) error) error {
	key := lineKey{scope, name}
	l := s.lines.hold(key)
	defer s.lines.release(key)
	l.turns.Lock()
	defer l.turns.Unlock()
	t := &turn{
		s: s, ctx: ctx, scope: scope, line: l, now: s.host.Now(),
		executions: map[int64]*execution{}, actions: map[string]*action{}, starts: map[string]string{},
	}
	if err := t.load(name); err != nil {
		return err
	}
	return look(t)
}

func (t *turn) load(name string) error {
	p, err := t.s.pipelines.Get(t.ctx, t.scope, name)
	if errors.Is(err, store.ErrNotFound) {
		return errNoPipeline
	}
	if err != nil {
		return fmt.Errorf("reading pipeline %q: %w", name, err)
	}
	t.pipe = &p
	def, err := t.s.definitions.Get(t.ctx, t.scope, definitionKey(name, p.Version))
	if err != nil {
		return fmt.Errorf("reading version %d of pipeline %q: %w", p.Version, name, err)
	}
	t.plan = newPlan(&def)
	for _, number := range p.Active {
		if err := t.loadExecution(number); err != nil {
			return err
		}
	}
	return nil
}

// loadExecution reads an execution and the actions of the stage that it is in.
func (t *turn) loadExecution(number int64) error {
	if t.executions[number] != nil {
		return nil
	}
	key := executionKey(t.pipe.Name, number)
	e, err := t.s.executions.Get(t.ctx, t.scope, key)
	if err != nil {
		return fmt.Errorf("reading execution %s: %w", key, err)
	}
	for _, key := range e.records() {
		a, err := t.s.actions.Get(t.ctx, t.scope, key)
		if err != nil {
			return fmt.Errorf("reading action %s: %w", key, err)
		}
		t.actions[key] = &a
	}
	t.executions[number] = &e
	return nil
}

// commit writes what the turn has changed and then does what follows from it.
// A client that went away meanwhile does not stop it.
func (t *turn) commit() error {
	ctx := context.WithoutCancel(t.ctx)
	if err := t.s.host.Store().Atomically(ctx, t.write); err != nil {
		return fmt.Errorf("writing pipeline %q: %w", t.pipe.Name, err)
	}
	for _, id := range t.calledOff {
		if cancel := t.line.running[id]; cancel != nil {
			cancel()
		}
	}
	for _, key := range t.launches {
		a := t.actions[key]
		t.s.launch(lineKey{t.scope, t.pipe.Name}, key, *a, t.plan, *t.executions[a.Number])
	}
	t.s.events.tell(t.letters)
	return nil
}

func (t *turn) write(ctx context.Context) error {
	var errs []error
	put := func(err error) { errs = append(errs, err) }
	s, name := t.s, t.pipe.Name
	put(s.pipelines.Put(ctx, t.scope, name, *t.pipe))
	if t.definition != nil {
		put(s.definitions.Put(ctx, t.scope, definitionKey(name, t.pipe.Version), *t.definition))
	}
	for _, e := range t.births {
		put(s.numbers.Put(ctx, t.scope, name+"/"+e.ID, e.Number))
	}
	// What a turn changes bears its time.
	for number, e := range t.executions {
		if !e.Updated.Equal(t.now) {
			continue
		}
		put(s.executions.Put(ctx, t.scope, executionKey(name, number), *e))
	}
	for key, a := range t.actions {
		if !a.Updated.Equal(t.now) {
			continue
		}
		put(s.actions.Put(ctx, t.scope, key, *a))
	}
	for token, id := range t.starts {
		put(s.starts.Put(ctx, t.scope, name+"/"+token, id))
	}
	t.letters = t.letters[:0]
	for _, ev := range t.events {
		l := letter{s.events.number(t.now), ev}
		put(s.outbox.Put(ctx, t.scope, l.key, ev))
		t.letters = append(t.letters, l)
	}
	return errors.Join(errs...)
}
