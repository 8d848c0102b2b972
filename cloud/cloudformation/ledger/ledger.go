// Package ledger is what CloudFormation remembers: stacks and what they were
// made of, their resources with every step recorded before it is taken,
// operations under way, change sets, exports, and the events.
//
// Whatever is written here survives the death of the process; an operation is
// taken up again from these records alone. Values that AWS hides (NoEcho
// parameters, and with them the properties of resources) are sealed with a key
// that lies beside the database.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"ouro/cloud/seal"
	"ouro/cloud/store"
	"ouro/template"
)

const service = "cloudformation"

// Ledger is the tables and journals.
type Ledger struct {
	Store      *store.Store
	Stacks     store.Table[Stack]     // by Stack.Key: NAME/UUID
	Names      store.Table[string]    // stack name → key of the one that lives
	Operations store.Table[Operation] // UUID of the stack; none when nothing is under way
	ChangeSets store.Table[ChangeSet] // UUID of the stack/UUID
	Exports    store.Table[Export]    // by name
	Nested     store.Table[Nested]    // by name of the nested stack
	Notified   store.Table[Notified]  // by UUID of the stack

	Detections     store.Table[Detection]     // by id
	ResourceDrifts store.Table[ResourceDrift] // UUID of the stack/logical id

	shelves   store.Table[[]Resource]    // UUID/shelf: resources between operations
	progress  store.Journal[[]rowChange] // UUID: what the operation under way has done to them
	importers store.Table[Importer]      // escaped export name/UUID of the stack
	templates store.Table[body]          // by hash
	events    store.Journal[[]Event]
	box       func() (*seal.Box, error) // opened when it is first needed
}

type body struct{ Text string }

// New opens the ledger in a store.
func New(s *store.Store) *Ledger {
	l := &Ledger{
		Store:      s,
		Stacks:     store.NewTable[Stack](s, service, "stack"),
		Names:      store.NewTable[string](s, service, "name"),
		Operations: store.NewTable[Operation](s, service, "operation"),
		ChangeSets: store.NewTable[ChangeSet](s, service, "changeset"),
		Exports:    store.NewTable[Export](s, service, "export"),
		Notified:   store.NewTable[Notified](s, service, "notified"),
		Nested:     store.NewTable[Nested](s, service, "nested"),

		Detections:     store.NewTable[Detection](s, service, "detection"),
		ResourceDrifts: store.NewTable[ResourceDrift](s, service, "resourcedrift"),

		shelves:   store.NewTable[[]Resource](s, service, "resource"),
		progress:  store.NewJournal[[]rowChange](s, service, "progress"),
		importers: store.NewTable[Importer](s, service, "importer"),
		templates: store.NewTable[body](s, service, "template"),
		events:    store.NewJournal[[]Event](s, service, "event"),
	}
	l.box = sync.OnceValues(l.openBox)
	return l
}

// KeepTemplate keeps a template's text, byte for byte, and returns the hash by
// which Template finds it.
func (l *Ledger) KeepTemplate(ctx context.Context, scope store.Scope, text string) (string, error) {
	hash := template.Hash([]byte(text))
	err := l.templates.Insert(ctx, scope, hash, body{text})
	if err != nil && !errors.Is(err, store.ErrExists) {
		return "", fmt.Errorf("keeping a template: %w", err)
	}
	return hash, nil
}

// Template is the text that KeepTemplate kept.
func (l *Ledger) Template(ctx context.Context, scope store.Scope, hash string) (string, error) {
	b, err := l.templates.Get(ctx, scope, hash)
	if err != nil {
		return "", fmt.Errorf("reading template %q: %w", hash, err)
	}
	return b.Text, nil
}

// FindStack finds a stack by name, when it lives, or by its id, even when it
// has been deleted; store.ErrNotFound if there is none.
func (l *Ledger) FindStack(ctx context.Context, scope store.Scope, nameOrID string) (Stack, error) {
	key := ""
	if strings.HasPrefix(nameOrID, "arn:") {
		_, resource, ok := strings.Cut(nameOrID, ":stack/")
		if !ok {
			return Stack{}, store.ErrNotFound
		}
		key = resource
	} else {
		k, err := l.Names.Get(ctx, scope, nameOrID)
		if err != nil {
			return Stack{}, err
		}
		key = k
	}
	return l.Stacks.Get(ctx, scope, key)
}
