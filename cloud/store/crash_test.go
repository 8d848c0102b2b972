package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ouro/cloud/store"
)

// crashDir in the environment makes this program the process that is killed.
const crashDir = "OURO_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForever writes from many sides, and prints what was answered.
func writeForever(dir string) error {
	s, err := store.Open(dir)
	if err != nil {
		return err
	}
	table := store.NewTable[string](s, "test", "crash")
	journal := store.NewJournal[string](s, "test", "crash")
	failed := make(chan error)
	for worker := range 8 {
		go func() {
			for round := 0; ; round++ {
				id := fmt.Sprintf("%d-%d", worker, round)
				blob, err := s.PutBlob(context.Background(), strings.NewReader(id))
				if err == nil {
					err = s.Atomically(context.Background(), func(ctx context.Context) error {
						_, err := journal.Append(ctx, here, id, "first", "second")
						return errors.Join(err, table.Insert(ctx, here, id, blob.SHA256))
					})
				}
				if err != nil {
					failed <- err
				}
				fmt.Println(id)
			}
		}()
	}
	return <-failed
}

// Whatever was answered is there after SIGKILL, and what was not is whole or
// absent.
func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var answered []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		answered = append(answered, lines.Text())
		if len(answered) == 1 {
			var inUse *store.InUseError
			if _, err := store.Open(dir); !errors.As(err, &inUse) || inUse.PID != child.Process.Pid {
				t.Errorf("opening what the child has open: %v", err)
			}
		}
		if len(answered) == 500 {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || len(answered) < 500 {
		t.Fatalf("the child ended by itself (%v) after %d answers", err, len(answered))
	}

	s := openAt(t, dir)
	table := store.NewTable[string](s, "test", "crash")
	journal := store.NewJournal[string](s, "test", "crash")
	for _, id := range answered {
		if _, err := table.Get(t.Context(), here, id); err != nil {
			t.Errorf("record %s: %v", id, err)
		}
	}
	seen := map[int64]bool{}
	for _, e := range must[[]store.Entry[string]](t)(table.List(t.Context(), here, store.Query{})) {
		items := must[[]store.Item[string]](t)(journal.Read(t.Context(), here, e.ID, store.Span{}))
		if len(items) != 2 || items[1].Seq != items[0].Seq+1 || seen[items[0].Seq] {
			t.Errorf("journal of %s: %v", e.ID, items)
		}
		seen[items[0].Seq] = true
		if got := readBlob(t, s, e.Value); got != e.ID {
			t.Errorf("blob of %s holds %q", e.ID, got)
		}
	}
}

// Writers that come while the store closes are either done or told so.
func TestCloseUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openAt(t, dir)
	table := store.NewTable[int](s, "test", "number")
	var done sync.Map
	var wg sync.WaitGroup
	started := make(chan struct{}, 16)
	for worker := range cap(started) {
		wg.Go(func() {
			for round := 0; ; round++ {
				id := fmt.Sprintf("%d-%d", worker, round)
				if err := table.Insert(context.Background(), here, id, round); err != nil {
					if err != store.ErrClosed {
						t.Errorf("%s: %v", id, err)
					}
					return
				}
				done.Store(id, true)
				if round == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	for range cap(started) {
		<-started
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	found := map[string]bool{}
	for _, e := range must[[]store.Entry[int]](t)(store.NewTable[int](openAt(t, dir), "test", "number").List(t.Context(), here, store.Query{})) {
		found[e.ID] = true
	}
	done.Range(func(id, _ any) bool {
		if !found[id.(string)] {
			t.Errorf("%s was answered and is lost", id)
		}
		delete(found, id.(string))
		return true
	})
	if len(found) > 0 {
		t.Errorf("refused, yet written: %v", found)
	}
}

// A process that was killed while it started another one leaves the lock behind
// for a moment.
func TestLockOfTheDead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	held, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintln(held, gone.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(50*time.Millisecond, func() { held.Close() })
	defer timer.Stop()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
