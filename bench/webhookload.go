package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/gitsource"
)

// handler is the function's handler in this process, with its records on the
// local cloud; what it hands on goes nowhere.
func (h *hooked) handler(ctx context.Context) (func(ctx context.Context, body []byte, secret string) (int, error), error) {
	bucket := "bench-webhook"
	if _, err := h.zips.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		return nil, err
	}
	hook := &gitsource.Hook{
		Provider: h.of, Records: gitsource.Records{API: h.zips, Bucket: bucket}, Window: time.Hour, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Secrets: &gitsource.Secrets{API: secretsmanager.NewFromConfig(h.cloud.config()), ID: h.stack.SecretArn},
		Send:    func(context.Context, gitsource.Event) error { return nil },
	}
	return func(ctx context.Context, body []byte, secret string) (int, error) {
		r := events.APIGatewayV2HTTPRequest{Version: "2.0", Body: string(body), Headers: map[string]string{}}
		for name, values := range h.of.Headers("push", "1", secret, body) {
			r.Headers[name] = values[0]
		}
		r.RequestContext.HTTP.Method, r.RequestContext.HTTP.SourceIP = "POST", "192.0.2.1"
		answer, err := hook.Handle(ctx, r)
		return answer.StatusCode, err
	}, nil
}

// loaded are the times of deliveries.
type loaded struct {
	all  []time.Duration
	took time.Duration // together
}

func (l loaded) rate() float64 { return float64(len(l.all)) / l.took.Seconds() }

// load sends n deliveries, so many at once, each of which is to be answered so.
// The keys are those of the zips that come of them.
func (h *hooked) load(ctx context.Context, n, atOnce, want int, send func(context.Context, []byte) (int, error)) (loaded, []string, error) {
	bodies, keys := make(chan []byte, n), make([]string, n)
	for i := range n {
		var body []byte
		body, keys[i] = h.payload()
		bodies <- body
	}
	close(bodies)
	var mu sync.Mutex
	var l loaded
	var failed error
	var all sync.WaitGroup
	begin := time.Now()
	for range atOnce {
		all.Go(func() {
			for body := range bodies {
				start := time.Now()
				got, err := send(ctx, body)
				took := time.Since(start)
				if err == nil && got != want {
					err = fmt.Errorf("a delivery was answered %d, not %d", got, want)
				}
				mu.Lock()
				l.all = append(l.all, took)
				if failed == nil {
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	l.took = time.Since(begin)
	return l, keys, failed
}

// crowds sends rounds of deliveries at once, and tells after each what memory
// there is.
func (h *hooked) crowds(ctx context.Context, w io.Writer, rounds, atOnce int) error {
	t := &table{left: 1, head: []string{"a round of " + strconv.Itoa(atOnce), "answered", "all zips there", "local cloud", "functions", "largest of them"}}
	for i := range rounds {
		begin := time.Now()
		l, keys, err := h.load(ctx, atOnce, atOnce, http.StatusAccepted, func(ctx context.Context, body []byte) (int, error) { return h.post(ctx, body, h.stack.Secret) })
		if err == nil {
			err = h.arrive(ctx, keys)
		}
		if err != nil {
			return fmt.Errorf("round %d: %w", i+1, err)
		}
		took := time.Since(begin)
		children, largest := descendants(h.cloud.cmd.Process.Pid)
		t.add(fmt.Sprint(i+1), seconds(l.took), seconds(took), megabytes(resident(h.cloud.cmd.Process.Pid, "VmRSS:")), fmt.Sprint(children), megabytes(largest))
	}
	t.print(w)
	return nil
}

// resident is one of a process's sizes; 0 for one that ended.
func resident(pid int, name string) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	return statusSize(status, name)
}

// descendants are how many processes a process has below it, functions among
// them, and the most memory that one of them ever held.
func descendants(of int) (n int, largest int64) {
	below := map[string][]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/status") //nolint:errcheck // the pattern is one
	for _, file := range files {
		status, err := os.ReadFile(file)
		if err != nil {
			continue // it ended
		}
		for line := range strings.Lines(string(status)) {
			if parent, ok := strings.CutPrefix(line, "PPid:"); ok {
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file))) //nolint:errcheck // the pattern's
				below[strings.TrimSpace(parent)] = append(below[strings.TrimSpace(parent)], pid)
			}
		}
	}
	for todo := below[strconv.Itoa(of)]; len(todo) > 0; todo = todo[1:] {
		n++
		largest = max(largest, resident(todo[0], "VmHWM:"))
		todo = append(todo, below[strconv.Itoa(todo[0])]...)
	}
	return n, largest
}
