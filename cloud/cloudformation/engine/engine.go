// Package engine carries out stack operations: it makes, changes and deletes
// the resources of a stack in the order of what they depend on, in parallel
// where they do not, and takes everything back when that does not succeed.
//
// An operation is a record with a phase (see ledger.Operation). Every step of
// it is recorded before it is taken and after it was, so that a process that
// dies in the middle is followed by one that goes on from the records.
package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// width is how many resources of one stack are worked on at once.
const width = 128

// Engine runs operations.
type Engine struct {
	host   door.Host
	ledger *ledger.Ledger
	kinds  resource.Table
	mail   *resource.Mailbox

	mu   sync.Mutex
	runs map[string]*run // by UUID of the stack

	notifying map[string]bool // by UUID of the stack, under mu
}

// New makes an engine over the ledger's records.
func New(host door.Host, l *ledger.Ledger) *Engine {
	e := &Engine{host: host, ledger: l, kinds: resource.NewTable(), runs: map[string]*run{}, notifying: map[string]bool{}}
	e.mail = resource.NewMailbox(host)
	e.kinds.Add(e.nestedKind(), e.macroKind())
	return e
}

// Kind finds what is known of a resource type.
func (e *Engine) Kind(name string) (*resource.Kind, error) { return e.kinds.Find(name) }

// Config is the configuration that a stack's calls are made with: its role's
// permissions, or its caller's.
func (e *Engine) Config(caller door.Caller, roleARN string) aws.Config {
	if roleARN != "" {
		return e.host.Assume(caller, roleARN, "AWSCloudFormation")
	}
	return e.host.As(caller)
}

func (e *Engine) clients(caller door.Caller, roleARN string) *resource.Clients {
	return &resource.Clients{Config: e.Config(caller, roleARN)}
}

// Start carries out an operation that is in the ledger. model is the new
// revision of its stack if the caller has it at hand, or nil. A run of the
// same stack that is still at work has been superseded with that, and is waited for.
func (e *Engine) Start(op ledger.Operation, stack ledger.Stack, model *Model) {
	scope := op.Caller.Scope()
	r := &run{
		e: e, scope: scope, op: op, stack: stack, model: model, halt: newHalt(), done: make(chan struct{}),
		clients: e.clients(op.Caller, stack.RoleARN), rec: e.ledger.NewRecorder(scope, stack.UUID),
	}
	e.mu.Lock()
	before := e.runs[stack.UUID]
	e.runs[stack.UUID] = r
	e.mu.Unlock()
	e.notify(scope, op.Caller, stack, op.Started)
	if before != nil {
		before.halt.stop("", true)
	}
	e.host.Go(fmt.Sprintf("cloudformation: %s of stack %s", op.Kind, stack.Name), func(ctx context.Context) {
		defer e.finished(r)
		if before != nil {
			select {
			case <-before.done:
			case <-ctx.Done():
				return
			}
		}
		r.run(ctx)
	})
}

func (e *Engine) finished(r *run) {
	e.mu.Lock()
	if e.runs[r.stack.UUID] == r {
		delete(e.runs, r.stack.UUID)
	}
	e.mu.Unlock()
	close(r.done)
}

// Halt makes the operation under way on a stack stop before its next resource
// and roll back for that reason.
func (e *Engine) Halt(uuid, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.runs[uuid]; r != nil {
		r.halt.stop(reason, false)
	}
}

// over is closed when what runs on a stack has come to its end; it is nil when
// nothing does. id is the stack's UUID, or what ends in it.
func (e *Engine) over(id string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.runs[id[strings.LastIndexByte(id, '/')+1:]]; r != nil {
		return r.done
	}
	return nil
}

// wait returns when nothing runs on the stack any more.
func (e *Engine) wait(ctx context.Context, uuid string) error {
	over := e.over(uuid)
	if over == nil {
		return nil
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Resume goes on with every operation that a process left unfinished.
func (e *Engine) Resume(ctx context.Context) error {
	operations, err := e.ledger.Operations.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("reading unfinished stack operations: %w", err)
	}
	for _, entry := range operations {
		op := entry.Value
		if op.Phase.Rests() {
			continue
		}
		stack, err := e.ledger.Stacks.Get(ctx, entry.Scope, op.Stack)
		if err != nil {
			return fmt.Errorf("reading stack %q: %w", op.Stack, err)
		}
		e.Start(op, stack, nil)
	}
	return e.resumeNotifications(ctx)
}
