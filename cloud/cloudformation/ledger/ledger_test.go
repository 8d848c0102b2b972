package ledger_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/store"
)

var here = store.Scope{Account: "000000000000", Region: "us-east-1"}

func open(t *testing.T, dir string) (*ledger.Ledger, *store.Store) {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() }) //nolint:errcheck // closed already, in the good case
	return ledger.New(st), st
}

// TestEvents reads batches of different sizes in pages of different sizes.
func TestEvents(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir())
	var want []string
	for n := range 20 {
		var batch []ledger.Event
		for i := range n%4 + 1 {
			id := fmt.Sprintf("%d.%d", n, i)
			batch = append(batch, ledger.Event{ID: id})
			want = append([]string{id}, want...)
		}
		if err := l.AppendEvents(t.Context(), here, "u", batch); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int{1, 2, 3, 7, 100} {
		var got []string
		for token, first := "", true; first || token != ""; first = false {
			events, next, err := l.Events(t.Context(), here, "u", token, limit)
			if err != nil || len(events) > limit {
				t.Fatalf("%d events, %v", len(events), err)
			}
			for _, e := range events {
				got = append(got, e.ID)
			}
			token = next
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	if _, _, err := l.Events(t.Context(), here, "u", "x", 1); err != ledger.ErrBadToken {
		t.Errorf("a bad token is %v", err)
	}
}

// TestRecorder writes resources during an operation, over a change of process,
// and to its end.
func TestRecorder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	record := func(last bool, drop []string, ids ...string) {
		l, st := open(t, dir)
		rec := l.NewRecorder(here, "u")
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			if err := rec.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		e := ledger.Entry{Last: last, Drop: drop}
		for _, id := range ids {
			e.Rows = append(e.Rows, &ledger.Resource{LogicalID: id, Now: ledger.Version{Properties: map[string]any{"Secret": "tell nobody"}}})
		}
		if err := rec.Record(ctx, e); err != nil {
			t.Fatal(err)
		}
		stop()
		done.Wait()
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		last bool
		drop []string
		add  []string
		want string
	}{
		{false, nil, []string{"A", "B"}, "A B"},
		{false, []string{"A"}, []string{"C"}, "B C"},
		{true, nil, []string{"D"}, "B C D"},
		{false, []string{"B"}, nil, "C D"},
		{true, nil, []string{"C"}, "C D"},
	} {
		record(step.last, step.drop, step.add...)
		l, st := open(t, dir)
		rows, err := l.ResourcesOf(t.Context(), here, "u")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, id := range []string{"A", "B", "C", "D"} {
			if rows[id] != nil {
				got = append(got, id)
				if rows[id].Now.Properties["Secret"] != "tell nobody" {
					t.Errorf("%s has the properties %v", id, rows[id].Now.Properties)
				}
			}
		}
		if strings.Join(got, " ") != step.want {
			t.Errorf("resources are %v, want %s", got, step.want)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), "tell nobody") {
			t.Errorf("%s tells the secret", f)
		}
	}
}
