package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ouro/cloud/store"
)

type record struct {
	Name  string
	Count int
}

var here = store.Scope{Account: "000000000000", Region: "us-east-1"}

func open(t testing.TB) *store.Store {
	t.Helper()
	return openAt(t, t.TempDir())
}

func openAt(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), open(t)
	table := store.NewTable[record](s, "test", "record")
	elsewhere := store.Scope{Account: "000000000000", Region: "eu-west-1"}

	if _, err := table.Get(ctx, here, "a"); err != store.ErrNotFound {
		t.Errorf("Get of nothing: %v", err)
	}
	if err := table.Delete(ctx, here, "a"); err != store.ErrNotFound {
		t.Errorf("Delete of nothing: %v", err)
	}
	if _, err := table.Update(ctx, here, "a", func(*record) error { return nil }); err != store.ErrNotFound {
		t.Errorf("Update of nothing: %v", err)
	}
	for _, scope := range []store.Scope{here, elsewhere} {
		if err := table.Insert(ctx, scope, "a", record{Name: scope.Region}); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Insert(ctx, here, "a", record{Name: "other"}); err != store.ErrExists {
		t.Errorf("Insert of what is there: %v", err)
	}
	updated := must[record](t)(table.Update(ctx, here, "a", func(r *record) error { r.Count = 7; return nil }))
	want := record{Name: "us-east-1", Count: 7}
	if updated != want {
		t.Errorf("Update gave %v, want %v", updated, want)
	}
	refused := errors.New("refused")
	if _, err := table.Update(ctx, here, "a", func(r *record) error { r.Count = 8; return refused }); err != refused {
		t.Errorf("refused Update: %v", err)
	}
	if got := must[record](t)(table.Get(ctx, here, "a")); got != want {
		t.Errorf("Get gave %v, want %v", got, want)
	}
	if err := table.Put(ctx, here, "a", record{Name: "new"}); err != nil {
		t.Fatal(err)
	}
	all := must[[]store.ScopedEntry[record]](t)(table.All(ctx, store.Query{}))
	wantAll := []store.ScopedEntry[record]{
		{Scope: elsewhere, ID: "a", Value: record{Name: "eu-west-1"}},
		{Scope: here, ID: "a", Value: record{Name: "new"}},
	}
	if diff := cmp.Diff(wantAll, all); diff != "" {
		t.Errorf("All (-want +got):\n%s", diff)
	}
	if err := table.Delete(ctx, here, "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Get(ctx, here, "a"); err != store.ErrNotFound {
		t.Errorf("Get of what was deleted: %v", err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), open(t)
	table := store.NewTable[int](s, "test", "number")
	for i, id := range []string{"", "/a", "/a/b", "/a/c", "/b", "Z", "a", "ä", "\xff", "\xff\xff"} {
		if err := table.Put(ctx, here, id, i); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name  string
		query store.Query
		want  []string
	}{
		{"all", store.Query{}, []string{"", "/a", "/a/b", "/a/c", "/b", "Z", "a", "ä", "\xff", "\xff\xff"}},
		{"limit", store.Query{Limit: 2}, []string{"", "/a"}},
		{"prefix", store.Query{Prefix: "/a"}, []string{"/a", "/a/b", "/a/c"}},
		{"prefix of high bytes", store.Query{Prefix: "\xff"}, []string{"\xff", "\xff\xff"}},
		{"after", store.Query{After: "a"}, []string{"ä", "\xff", "\xff\xff"}},
		{"after in prefix", store.Query{Prefix: "/a", After: "/a/b"}, []string{"/a/c"}},
		{"after before prefix", store.Query{Prefix: "/b", After: "/a"}, []string{"/b"}},
		{"after behind prefix", store.Query{Prefix: "/a", After: "/z"}, nil},
		{"page", store.Query{Prefix: "/a", After: "/a", Limit: 1}, []string{"/a/b"}},
	} {
		var got []string
		for _, e := range must[[]store.Entry[int]](t)(table.List(ctx, here, test.query)) {
			got = append(got, e.ID)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		got = nil
		for _, e := range must[[]store.ScopedEntry[int]](t)(table.All(ctx, test.query)) {
			got = append(got, e.ID)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s, over all scopes (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	s := openAt(t, dir)
	journal := store.NewJournal[string](s, "test", "log")
	last := must[int64](t)(journal.Append(ctx, here, "one", "a", "b", "c"))
	if last != 3 {
		t.Errorf("last is %d, want 3", last)
	}
	must[int64](t)(journal.Append(ctx, here, "two", "x"))
	must[int64](t)(journal.Append(ctx, here, "one", "d"))

	for _, test := range []struct {
		name string
		span store.Span
		want []string
	}{
		{"all", store.Span{}, []string{"1a", "2b", "3c", "5d"}},
		{"newest", store.Span{Newest: true, Limit: 2}, []string{"5d", "3c"}},
		{"between", store.Span{After: 1, Before: 5}, []string{"2b", "3c"}},
		{"behind", store.Span{After: 5}, nil},
	} {
		var got []string
		for _, item := range must[[]store.Item[string]](t)(journal.Read(ctx, here, "one", test.span)) {
			got = append(got, fmt.Sprint(item.Seq, item.Value))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}

	if err := journal.Delete(ctx, here, "one"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	journal = store.NewJournal[string](openAt(t, dir), "test", "log")
	if last := must[int64](t)(journal.Append(ctx, here, "one", "e")); last <= 5 {
		t.Errorf("number %d was used before", last)
	}
}

func TestAtomically(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), open(t)
	table := store.NewTable[int](s, "test", "number")
	journal := store.NewJournal[string](s, "test", "log")
	refused := errors.New("refused")

	err := s.Atomically(ctx, func(ctx context.Context) error {
		if err := table.Insert(ctx, here, "a", 1); err != nil {
			return err
		}
		if v, err := table.Get(ctx, here, "a"); v != 1 || err != nil {
			t.Errorf("a transaction does not read its own write: %v, %v", v, err)
		}
		if _, err := journal.Append(ctx, here, "s", "x", "y"); err != nil {
			return err
		}
		return refused
	})
	if err != refused {
		t.Errorf("Atomically gave %v", err)
	}
	if _, err := table.Get(ctx, here, "a"); err != store.ErrNotFound {
		t.Errorf("what was refused is there: %v", err)
	}

	err = s.Atomically(ctx, func(ctx context.Context) error {
		if err := table.Insert(ctx, here, "outer", 1); err != nil {
			return err
		}
		inner := s.Atomically(ctx, func(ctx context.Context) error {
			return errors.Join(table.Insert(ctx, here, "inner", 1), refused)
		})
		if !errors.Is(inner, refused) {
			t.Errorf("the inner one gave %v", inner)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := must[[]store.Entry[int]](t)(table.List(ctx, here, store.Query{})); len(got) != 1 || got[0].ID != "outer" {
		t.Errorf("after a failed inner write: %v", got)
	}
}

// Every write of many at once is answered for itself, and none is lost.
func TestConcurrentWrites(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), open(t)
	table := store.NewTable[int](s, "test", "number")
	if err := table.Put(ctx, here, "sum", 0); err != nil {
		t.Fatal(err)
	}
	const workers, rounds = 32, 50
	odd := errors.New("odd")
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for round := range rounds {
				id := fmt.Sprintf("%d-%d", worker, round)
				err := s.Atomically(ctx, func(ctx context.Context) error {
					if err := table.Insert(ctx, here, id, round); err != nil {
						return err
					}
					if _, err := table.Update(ctx, here, "sum", func(n *int) error { *n++; return nil }); err != nil {
						return err
					}
					if round%2 == 1 {
						return odd
					}
					return nil
				})
				if (round%2 == 1) != (err == odd) {
					t.Errorf("%s: %v", id, err)
				}
				if _, err := table.Get(ctx, here, id); (round%2 == 1) != (err == store.ErrNotFound) {
					t.Errorf("%s is read as %v right after", id, err)
				}
			}
		})
	}
	wg.Wait()
	if sum := must[int](t)(table.Get(ctx, here, "sum")); sum != workers*rounds/2 {
		t.Errorf("sum is %d, want %d", sum, workers*rounds/2)
	}
}

func TestContexts(t *testing.T) {
	t.Parallel()
	s := open(t)
	table := store.NewTable[int](s, "test", "number")
	busy, free := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := s.Atomically(context.Background(), func(context.Context) error {
			close(busy)
			<-free
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-busy
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	wg.Go(func() { gaveUp <- table.Put(ctx, here, "a", 1) })
	cancel()
	if err := <-gaveUp; err != context.Canceled {
		t.Errorf("a caller who gives up gets %v", err)
	}
	close(free)
	wg.Wait()
	if err := table.Put(t.Context(), here, "b", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Get(t.Context(), here, "a"); err != store.ErrNotFound {
		t.Errorf("a write that was given up happened: %v", err)
	}

	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic in a write does not reach its caller")
			}
		}()
		_, _ = table.Update(t.Context(), here, "b", func(*int) error { panic("boom") })
	}()
	var kept context.Context
	if err := s.Atomically(t.Context(), func(ctx context.Context) error { kept = ctx; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := table.Put(kept, here, "late", 1); err == nil {
		t.Error("a context outlived its transaction")
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a #1 100%?")
	s := openAt(t, dir)
	table := store.NewTable[int](s, "test", "number")
	if err := table.Put(t.Context(), here, "a", 1); err != nil {
		t.Fatal(err)
	}
	var inUse *store.InUseError
	if _, err := store.Open(dir); !errors.As(err, &inUse) || inUse.PID != os.Getpid() || inUse.Dir != dir {
		t.Errorf("opened twice: %v", err)
	}
	for name, mode := range map[string]os.FileMode{".": os.ModeDir | 0o700, "state.db": 0o600, "state.db-wal": 0o600, "lock": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v, want mode %v", name, info.Mode(), err, mode)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := table.Put(t.Context(), here, "b", 1); err != store.ErrClosed {
		t.Errorf("Put after Close: %v", err)
	}
	if _, err := table.Get(t.Context(), here, "a"); err != store.ErrClosed {
		t.Errorf("Get after Close: %v", err)
	}
	again := openAt(t, dir)
	if v := must[int](t)(store.NewTable[int](again, "test", "number").Get(t.Context(), here, "a")); v != 1 {
		t.Errorf("read back %d", v)
	}
}

// A state of a later ouro is left alone.
func TestNewerState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := openAt(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(dir); err == nil || !strings.Contains(err.Error(), "written by a newer ouro (state version 99; this ouro knows up to 3)") {
		t.Errorf("opening a newer state: %v", err)
	}
	var inUse *store.InUseError
	if _, err := store.Open(dir); errors.As(err, &inUse) {
		t.Error("a failed Open keeps the directory locked")
	}
}

// A state of an earlier ouro is brought up to date with all that is in it.
func TestEarlierState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	const key = `PRIMARY KEY (kind, scope, `
	for _, statement := range []string{
		`CREATE TABLE records (kind TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL, ` + key + `id)) WITHOUT ROWID`,
		`CREATE TABLE journal (kind TEXT NOT NULL, scope TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL, value BLOB NOT NULL, ` + key + `stream, seq)) WITHOUT ROWID`,
		`CREATE TABLE sequences (kind TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID`,
		`CREATE TABLE chunks (id INTEGER PRIMARY KEY, value BLOB NOT NULL)`,
		`INSERT INTO records VALUES ('test/number', '1/us-east-1', 'b', x'32'), ('test/number', '1/us-east-1', 'a', x'31')`,
		`INSERT INTO journal VALUES ('test/log', '1/us-east-1', 's', 7, CAST('"seven"' AS BLOB)), ('test/log', '1/us-east-1', 's', 3, CAST('"three"' AS BLOB))`,
		`INSERT INTO sequences VALUES ('test/log', 1024)`,
		`PRAGMA user_version = 2`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	s, scope := openAt(t, dir), store.Scope{Account: "1", Region: "us-east-1"}
	table, journal := store.NewTable[int](s, "test", "number"), store.NewJournal[string](s, "test", "log")
	if err := table.Put(t.Context(), scope, "a", 5); err != nil {
		t.Error(err)
	}
	want := []store.Entry[int]{{ID: "a", Value: 5}, {ID: "b", Value: 2}}
	if list := must[[]store.Entry[int]](t)(table.List(t.Context(), scope, store.Query{})); !slices.Equal(list, want) {
		t.Errorf("records are %v", list)
	}
	if seq, err := journal.Append(t.Context(), scope, "s", "later"); err != nil || seq != 1025 {
		t.Errorf("the next entry is %d, %v", seq, err)
	}
	items := must[[]store.Item[string]](t)(journal.Read(t.Context(), scope, "s", store.Span{}))
	if wanted := []store.Item[string]{{Seq: 3, Value: "three"}, {Seq: 7, Value: "seven"}, {Seq: 1025, Value: "later"}}; !slices.Equal(items, wanted) {
		t.Errorf("entries are %v", items)
	}
}

// A Decided write that fails after it wrote takes nothing of anybody else's
// with it silently: whoever was to be committed with it is told.
func TestDecidedFailsHalfWay(t *testing.T) {
	t.Parallel()
	s := open(t)
	table := store.NewTable[int](s, "test", "decided")
	scope := store.Scope{}
	failure := errors.New("half-way")
	err := s.Decided(t.Context(), func(ctx context.Context) error {
		if err := table.Put(ctx, scope, "half", 1); err != nil {
			return err
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("error = %v", err)
	}
	if _, err := table.Get(t.Context(), scope, "half"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("half of a failed write is there: %v", err)
	}

	// Many at once: what was acknowledged is there, what failed is not.
	var wait sync.WaitGroup
	results := make([]error, 200)
	for i := range results {
		wait.Go(func() {
			results[i] = s.Decided(t.Context(), func(ctx context.Context) error {
				if err := table.Put(ctx, scope, fmt.Sprint(i), i); err != nil {
					return err
				}
				if i%20 == 0 {
					return failure
				}
				return nil
			})
		})
	}
	wait.Wait()
	for i, result := range results {
		_, err := table.Get(t.Context(), scope, fmt.Sprint(i))
		if there := err == nil; there != (result == nil) {
			t.Errorf("write %d was answered %v, and reading it gives %v", i, result, err)
		}
		if i%20 == 0 && !errors.Is(result, failure) {
			t.Errorf("write %d was answered %v", i, result)
		}
	}
}
