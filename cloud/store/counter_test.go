package store_test

import (
	"context"
	"errors"
	"testing"

	"ouro/cloud/store"
)

// TestCounter: what changes a counted table is counted when it is answered, and
// not before others can read it.
func TestCounter(t *testing.T) {
	t.Parallel()
	s, ctx := open(t), t.Context()
	var counter store.Counter
	one, two := store.NewTable[int](s, "test", "one").Counted(&counter), store.NewTable[string](s, "test", "two").Counted(&counter)
	other := store.NewTable[int](s, "test", "other")
	for _, c := range []struct {
		name  string
		write func() error
		same  bool
	}{
		{"insert", func() error { return one.Insert(ctx, here, "a", 1) }, false},
		{"put", func() error { return two.Put(ctx, here, "a", "x") }, false},
		{"update", func() error {
			_, err := one.Update(ctx, here, "a", func(n *int) error { *n++; return nil })
			return err
		}, false},
		{"delete", func() error { return one.Delete(ctx, here, "a") }, false},
		{"together", func() error {
			return s.Atomically(ctx, func(ctx context.Context) error {
				before := counter.Count()
				err := errors.Join(one.Put(ctx, here, "b", 1), two.Put(ctx, here, "b", "x"))
				if counter.Count() != before {
					t.Error("counted before it was committed")
				}
				return err
			})
		}, false},
		{"a table that is not counted", func() error { return other.Put(ctx, here, "a", 1) }, true},
		{"reading", func() error {
			_, err := one.Get(ctx, here, "b")
			return err
		}, true},
	} {
		before := counter.Count()
		if err := c.write(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if same := counter.Count() == before; same != c.same {
			t.Errorf("%s: the count stayed: %v", c.name, same)
		}
	}
}
