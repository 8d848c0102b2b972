package ledger

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"ouro/cloud/store"
)

// Resources lie on shelves, a few of them a record, and what an operation does
// to them is appended to a journal: after its end the shelves it touched are
// written anew. A step of an operation so costs one append, shared with all
// steps that happen at the same time, and a change of one resource in a large
// stack costs one shelf.

// shelves is how many records the resources of a stack are spread over.
const shelves = 16

func shelfKey(uuid, logicalID string) string {
	h := fnv.New32a()
	h.Write([]byte(logicalID)) //nolint:errcheck // never fails
	return fmt.Sprintf("%s/%x", uuid, h.Sum32()%shelves)
}

// rowChange is a resource as a step left it, or that it is forgotten.
type rowChange struct {
	Row  *Resource `json:",omitempty"`
	Drop string    `json:",omitempty"` // logical id
}

func (c rowChange) id() string {
	if c.Row != nil {
		return c.Row.LogicalID
	}
	return c.Drop
}

// ResourcesOf are the resources of a stack by logical id, opened.
func (l *Ledger) ResourcesOf(ctx context.Context, scope store.Scope, uuid string) (map[string]*Resource, error) {
	rows := map[string]*Resource{}
	var entries []store.Entry[[]Resource]
	var changes []rowChange
	// The end of an operation moves everything from the journal to the shelves.
	// What was read belongs together if the same journal was there before and after.
	for before := int64(-1); ; {
		read, first, err := l.changesOf(ctx, scope, uuid)
		if err != nil {
			return nil, fmt.Errorf("reading the resources of a stack: %w", err)
		}
		if first == before {
			changes = read
			break
		}
		before = first
		if entries, err = l.shelves.List(ctx, scope, store.Query{Prefix: uuid + "/"}); err != nil {
			return nil, fmt.Errorf("reading the resources of a stack: %w", err)
		}
	}
	for _, e := range entries {
		for i := range e.Value {
			rows[e.Value[i].LogicalID] = &e.Value[i]
		}
	}
	for _, c := range changes {
		if c.Row != nil {
			rows[c.Row.LogicalID] = c.Row
		} else {
			delete(rows, c.Drop)
		}
	}
	for _, row := range rows {
		if err := l.open(row); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// changesOf are the changes in the journal, oldest first, and the number of the
// first entry, by which one operation's journal is told from the next one's.
func (l *Ledger) changesOf(ctx context.Context, scope store.Scope, uuid string) (changes []rowChange, first int64, err error) {
	items, err := l.progress.Read(ctx, scope, uuid, store.Span{})
	for i, item := range items {
		if i == 0 {
			first = item.Seq
		}
		changes = append(changes, item.Value...)
	}
	return changes, first, err
}

// shelve puts the last change of each resource onto its shelf and ends the
// journal of the operation.
func (l *Ledger) shelve(ctx context.Context, scope store.Scope, uuid string, last map[string]rowChange) error {
	byShelf := map[string][]rowChange{}
	for id, c := range last {
		key := shelfKey(uuid, id)
		byShelf[key] = append(byShelf[key], c)
	}
	for key, changes := range byShelf {
		shelf, err := l.shelves.Get(ctx, scope, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		for _, c := range changes {
			shelf = slices.DeleteFunc(shelf, func(r Resource) bool { return r.LogicalID == c.id() })
			if c.Row != nil {
				shelf = append(shelf, *c.Row)
			}
		}
		slices.SortFunc(shelf, func(a, b Resource) int { return strings.Compare(a.LogicalID, b.LogicalID) })
		if err := l.shelves.Put(ctx, scope, key, shelf); err != nil {
			return err
		}
	}
	return l.progress.Delete(ctx, scope, uuid)
}
