package ledger

import (
	"context"
	"errors"
	"net/url"

	"ouro/cloud/store"
)

// Export is a value that other stacks of the account and region may import.
type Export struct {
	Name, Value string
	StackID     string
	StackName   string
}

// Importer is a stack that uses an export.
type Importer struct{ StackID, StackName string }

func importerKey(export, uuid string) string { return url.QueryEscape(export) + "/" + uuid }

// Importers are the stacks that use an export, at most limit of them (0: all).
func (l *Ledger) Importers(ctx context.Context, scope store.Scope, export string, limit int) ([]Importer, error) {
	entries, err := l.importers.List(ctx, scope, store.Query{Prefix: importerKey(export, ""), Limit: limit})
	if err != nil {
		return nil, err
	}
	out := make([]Importer, len(entries))
	for i, e := range entries {
		out[i] = e.Value
	}
	return out, nil
}

// Import notes that a stack uses an export.
func (l *Ledger) Import(ctx context.Context, scope store.Scope, export string, by Stack) error {
	return l.importers.Put(ctx, scope, importerKey(export, by.UUID), Importer{by.ID, by.Name})
}

// ForgetImport notes that a stack no longer uses an export.
func (l *Ledger) ForgetImport(ctx context.Context, scope store.Scope, export string, by Stack) error {
	err := l.importers.Delete(ctx, scope, importerKey(export, by.UUID))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
