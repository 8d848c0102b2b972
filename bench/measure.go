package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// median of some times; with an even number of them, the lower one of the
// middle.
func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)/2]
}

// poll asks every so often until the answer is yes, for as long as limit.
func poll(ctx context.Context, every, limit time.Duration, ask func(ctx context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if yes, err := ask(ctx); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// process is a command to run to its end, quietly.
type process struct {
	dir  string
	env  []string
	args []string
}

// time runs the process and gives how long that took. Its error carries the
// end of what the process said.
func (p process) time(ctx context.Context) (time.Duration, error) {
	_, took, err := p.output(ctx)
	return took, err
}

func (p process) output(ctx context.Context) ([]byte, time.Duration, error) {
	return p.run(ctx, func(int) {})
}

// run calls started when the process runs.
func (p process) run(ctx context.Context, started func(pid int)) ([]byte, time.Duration, error) {
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	cmd.Dir, cmd.Env = p.dir, p.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err := cmd.Start()
	if err == nil {
		started(cmd.Process.Pid)
		err = cmd.Wait()
	}
	took := time.Since(start)
	if err != nil {
		said := strings.TrimSpace(errs.String() + "\n" + out.String())
		if len(said) > 2000 {
			said = "…" + said[len(said)-2000:]
		}
		err = fmt.Errorf("%s: %w\n%s", strings.Join(p.args, " "), err, said)
	}
	return out.Bytes(), took, err
}
