package executeapi

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Records are the APIs of one kind, as a service keeps them: T is all about one.
// Their ids are in the directory, too.
type Records[T any] struct {
	host      door.Host
	service   string
	apis      store.Table[T]
	directory Directory
}

// NewRecords are the APIs of a service in a state.
func NewRecords[T any](host door.Host, service string) Records[T] {
	return Records[T]{host, service, store.NewTable[T](host.Store(), service, "api"), NewDirectory(host.Store())}
}

// Add keeps a new API, under an id that no other has; name writes the id into it.
func (r Records[T]) Add(ctx context.Context, a *T, name func(id string)) error {
	scope := door.CallerFrom(ctx).Scope()
	for {
		id := NewID(10)
		name(id)
		err := r.host.Store().Atomically(ctx, func(ctx context.Context) error {
			if err := r.directory.Add(ctx, Place{Scope: scope, API: id, Service: r.service}); err != nil {
				return err
			}
			return r.apis.Insert(ctx, scope, id, *a)
		})
		if !errors.Is(err, store.ErrExists) {
			return err
		}
	}
}

// Find gives an API of the caller's.
func (r Records[T]) Find(ctx context.Context, id *string) (T, error) {
	c := door.CallerFrom(ctx)
	a, err := r.apis.Get(ctx, c.Scope(), aws.ToString(id))
	return a, known(c, id, err)
}

// At gives the API of a place.
func (r Records[T]) At(ctx context.Context, p Place) (T, error) {
	return r.apis.Get(ctx, p.Scope, p.API)
}

// All are the caller's APIs by their ids.
func (r Records[T]) All(ctx context.Context) (map[string]T, error) {
	entries, err := r.apis.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	all := map[string]T{}
	for _, e := range entries {
		all[e.ID] = e.Value
	}
	return all, err
}

// Change changes an API of the caller's.
func (r Records[T]) Change(ctx context.Context, id *string, f func(*T) error) (T, error) {
	c := door.CallerFrom(ctx)
	a, err := r.apis.Update(ctx, c.Scope(), aws.ToString(id), f)
	return a, known(c, id, err)
}

// Remove deletes an API with all that belongs to it.
func (r Records[T]) Remove(ctx context.Context, id *string) error {
	return r.host.Store().Decided(ctx, func(ctx context.Context) error {
		if _, err := r.Find(ctx, id); err != nil {
			return err
		}
		if err := r.directory.Remove(ctx, *id); err != nil {
			return err
		}
		return r.apis.Delete(ctx, door.CallerFrom(ctx).Scope(), *id)
	})
}

func known(c door.Caller, id *string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound("Invalid API identifier specified %s:%s", c.Account, aws.ToString(id))
	}
	return err
}

// Make makes a map that JSON left out.
func Make[V any](m *map[string]V) {
	if *m == nil {
		*m = map[string]V{}
	}
}
