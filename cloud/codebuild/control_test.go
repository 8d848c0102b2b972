package codebuild_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/codebuild"
)

// forking starts a grandchild and one that leaves the build's process group,
// writes their numbers to files in dir, and waits.
func forking(dir string) string {
	return fmt.Sprintf(`
version: 0.2
phases:
  build:
    commands:
      - sh -c 'trap "" TERM; sleep 600 & echo $! > %[1]s/child.new; wait' &
      - setsid sh -c 'trap "" TERM; echo $$ > %[1]s/daemon.new; exec sleep 600' &
      - until [ -s %[1]s/child.new ] && [ -s %[1]s/daemon.new ]; do sleep 0.01; done; mv %[1]s/child.new %[1]s/child; mv %[1]s/daemon.new %[1]s/daemon
      - sleep 600
`, dir)
}

// pids reads the numbers that forking wrote, when they are there.
func pids(t testing.TB, dir string) (all []int) {
	t.Helper()
	until(t, "the build's processes", func() bool {
		all = nil
		for _, name := range []string{"child", "daemon"} {
			body, _ := os.ReadFile(filepath.Join(dir, name))
			pid, err := strconv.Atoi(strings.TrimSpace(string(body)))
			if err != nil {
				return false
			}
			all = append(all, pid)
		}
		return true
	})
	return all
}

func untilGone(t testing.TB, pids []int) {
	t.Helper()
	until(t, "the build's processes to be gone", func() bool {
		return !slices.ContainsFunc(pids, func(pid int) bool {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			return err == nil && !strings.Contains(string(stat), ") Z ")
		})
	})
}

func TestStop(t *testing.T) {
	t.Parallel()
	c, dir := newCloud(t, t.TempDir()), t.TempDir()
	c.create(t, project("stopped", forking(dir), nil))
	b := c.start(t, &api.StartBuildInput{ProjectName: aws.String("stopped")})
	started := pids(t, dir)
	if _, err := c.builds.StopBuild(t.Context(), &api.StopBuildInput{Id: b.Arn}); err != nil {
		t.Fatal(err)
	}
	b = c.wait(t, b)
	if b.BuildStatus != types.StatusTypeStopped || phase(t, b, types.BuildPhaseTypeBuild).PhaseStatus != types.StatusTypeStopped {
		t.Errorf("status %s, phases %s", b.BuildStatus, phases(b))
	}
	untilGone(t, started)
	if again, err := c.builds.StopBuild(t.Context(), &api.StopBuildInput{Id: b.Id}); err != nil || again.Build.BuildStatus != types.StatusTypeStopped {
		t.Errorf("stopping again: %v", err)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	c.create(t, project("slow", "version: 0.2\nphases:\n  build: {commands: ['trap \"\" TERM; sleep 600; sleep 600']}", func(in *api.CreateProjectInput) {
		in.TimeoutInMinutes = aws.Int32(8)
	}))
	b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("slow")}))
	// A busy machine may not have come to the phase BUILD.
	at := slices.IndexFunc(b.Phases, func(p types.BuildPhase) bool { return p.PhaseStatus == types.StatusTypeTimedOut })
	if b.BuildStatus != types.StatusTypeTimedOut || at < 0 || *b.Phases[at].Contexts[0].StatusCode != "BUILD_TIMED_OUT" {
		t.Errorf("status %s, phases %s", b.BuildStatus, phases(b))
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	c, dir := newCloudWith(t, t.TempDir(), codebuild.Options{Concurrent: 1}), t.TempDir()
	c.create(t, project("narrow", "version: 0.2\nphases:\n  build: {commands: ['until [ -e "+dir+"/go ]; do sleep 0.01; done']}", nil))
	name := aws.String("narrow")
	first := c.start(t, &api.StartBuildInput{ProjectName: name})
	until(t, "the first build to run", func() bool { return *c.get(t, *first.Id).CurrentPhase == "BUILD" })
	late := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: name, QueuedTimeoutInMinutesOverride: aws.Int32(5)}))
	if late.BuildStatus != types.StatusTypeTimedOut || phases(late) != "SUBMITTED=SUCCEEDED QUEUED=TIMED_OUT COMPLETED" {
		t.Errorf("status %s, phases %s", late.BuildStatus, phases(late))
	}
	second, third := c.start(t, &api.StartBuildInput{ProjectName: name}), c.start(t, &api.StartBuildInput{ProjectName: name})
	if _, err := c.builds.StopBuild(t.Context(), &api.StopBuildInput{Id: third.Id}); err != nil {
		t.Fatal(err)
	}
	if third = c.wait(t, third); phases(third) != "SUBMITTED=SUCCEEDED QUEUED=STOPPED COMPLETED" {
		t.Errorf("phases of a build stopped in the queue: %s", phases(third))
	}
	if got := *c.get(t, *second.Id).CurrentPhase; got != "QUEUED" {
		t.Errorf("the second build is in phase %s beside the first", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if second = c.wait(t, second); second.BuildStatus != types.StatusTypeSucceeded || *second.BuildNumber != 3 {
		t.Errorf("second build: %s, number %d", second.BuildStatus, *second.BuildNumber)
	}
	list, err := c.builds.ListBuildsForProject(t.Context(), &api.ListBuildsForProjectInput{ProjectName: name, SortOrder: types.SortOrderTypeAscending})
	if err != nil || !slices.Equal(list.Ids, []string{*first.Id, *late.Id, *second.Id, *third.Id}) {
		t.Errorf("builds %v, %v", list, err)
	}
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	p := c.create(t, project("once", "version: 0.2\nphases: {}", nil))
	first := c.start(t, &api.StartBuildInput{ProjectName: p.Name, IdempotencyToken: aws.String("t")})
	second := c.start(t, &api.StartBuildInput{ProjectName: p.Name, IdempotencyToken: aws.String("t")})
	if *first.Id != *second.Id {
		t.Errorf("one token started %s and %s", *first.Id, *second.Id)
	}
	_, err := c.builds.StartBuild(t.Context(), &api.StartBuildInput{ProjectName: p.Name, IdempotencyToken: aws.String("t"), SourceVersion: aws.String("x")})
	var invalid *types.InvalidInputException
	if !errors.As(err, &invalid) {
		t.Errorf("other parameters with the same token: %v", err)
	}
	c.wait(t, first)
	again, err := c.builds.RetryBuild(t.Context(), &api.RetryBuildInput{Id: first.Id})
	if err != nil || *again.Build.BuildNumber != 2 {
		t.Errorf("retry: %v", err)
	}
	c.wait(t, again.Build)
	gone, err := c.builds.BatchDeleteBuilds(t.Context(), &api.BatchDeleteBuildsInput{Ids: []string{*first.Id, "once:nosuch"}})
	if err != nil || !slices.Equal(gone.BuildsDeleted, []string{*first.Arn}) || len(gone.BuildsNotDeleted) != 1 {
		t.Errorf("deleted %+v, %v", gone, err)
	}
	left, err := c.builds.ListBuilds(t.Context(), &api.ListBuildsInput{})
	if err != nil || !slices.Equal(left.Ids, []string{*again.Build.Id}) {
		t.Errorf("builds left: %v, %v", left, err)
	}
}

func TestAutoRetry(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	b := c.build(t, "retry", "version: 0.2\nphases:\n  build: {on-failure: 'RETRY-1-exit status 7', commands: [exit 7]}")
	if b.AutoRetryConfig == nil || b.AutoRetryConfig.NextAutoRetry == nil {
		t.Fatalf("no retry: %+v", b.AutoRetryConfig)
	}
	next := c.wait(t, c.get(t, *b.AutoRetryConfig.NextAutoRetry))
	if a := next.AutoRetryConfig; *a.AutoRetryNumber != 1 || *a.PreviousAutoRetry != *b.Arn || a.NextAutoRetry != nil || *next.Initiator != "ada" {
		t.Errorf("second build: %+v", a)
	}
}

// crashState is where the process that TestCrash kills keeps its state.
const crashState = "OURO_TEST_CRASH_STATE"

// killed runs the test in another process, which finds its state directory in
// crashState, and kills it when its builds run: the state, and what they started.
func killed(t *testing.T) (state string, started []int) {
	dir := t.TempDir()
	state = filepath.Join(dir, "state")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	victim := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=50s")
	victim.Env = append(os.Environ(), crashState+"="+state)
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	started = pids(t, dir)
	if err := victim.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait()
	return state, started
}

// TestCrash kills a process with a build in progress.
func TestCrash(t *testing.T) {
	state := os.Getenv(crashState)
	if state != "" { // the process that will be killed
		c := newCloud(t, state)
		listen(t, c)
		c.create(t, project("crash", forking(filepath.Dir(state)), nil))
		c.start(t, &api.StartBuildInput{ProjectName: aws.String("crash")})
		<-t.Context().Done()
		return
	}
	t.Parallel()
	state, started := killed(t)
	c := newCloud(t, state)
	ids, err := c.builds.ListBuilds(t.Context(), &api.ListBuildsInput{})
	if err != nil || len(ids.Ids) != 1 {
		t.Fatalf("builds %v, %v", ids, err)
	}
	b := c.get(t, ids.Ids[0])
	last := b.Phases[len(b.Phases)-2]
	if !b.BuildComplete || b.BuildStatus != types.StatusTypeFault || last.PhaseStatus != types.StatusTypeFault || !strings.HasPrefix(*last.Contexts[0].Message, "The build's host was lost") {
		t.Errorf("status %s, phases %s", b.BuildStatus, phases(b))
	}
	until(t, "the event of its end", func() bool { return slices.Contains(told(t, c, b), "FAULT") })
	untilGone(t, started)
	if left, err := os.ReadDir(c.store.Dir("builds")); err != nil || len(left) != 0 {
		t.Errorf("folders of builds: %v, %v", left, err)
	}
}

// TestInterrupt ends a build's command with the signal with which its cloud is
// ended, as one does who sends Ctrl-C's signal to everything.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	c, dir := newCloud(t, t.TempDir()), t.TempDir()
	c.create(t, project("interrupted", "version: 0.2\nphases:\n  build: {commands: ['echo $$ > "+dir+"/new; mv "+dir+"/new "+dir+"/pid; sleep 600']}", nil))
	b := c.start(t, &api.StartBuildInput{ProjectName: aws.String("interrupted")})
	var pid int
	until(t, "the command", func() bool {
		body, _ := os.ReadFile(filepath.Join(dir, "pid"))
		pid, _ = strconv.Atoi(strings.TrimSpace(string(body)))
		return pid != 0
	})
	if group, err := syscall.Getpgid(pid); err != nil || group == syscall.Getpgrp() {
		t.Errorf("the command is in our process group, %d, %v", group, err)
	}
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if b = c.outside().get(t, *b.Id); b.BuildStatus != types.StatusTypeFault {
		t.Errorf("status %s, phases %s", b.BuildStatus, phases(b))
	}
}

// outside is the cloud for those who still reach it when it is closed: nobody
// inside asks a closed door.
func (c *testCloud) outside() *testCloud {
	cfg := c.As(owner)
	cfg.BaseEndpoint, cfg.HTTPClient = aws.String(c.Endpoint()), http.DefaultClient
	return &testCloud{Door: c.Door, store: c.store, builds: api.NewFromConfig(cfg)}
}

// TestShutdown closes the cloud in order, with a build in progress.
func TestShutdown(t *testing.T) {
	t.Parallel()
	c, dir := newCloud(t, t.TempDir()), t.TempDir()
	c.create(t, project("shut", forking(dir), nil))
	b := c.start(t, &api.StartBuildInput{ProjectName: aws.String("shut")})
	started := pids(t, dir)
	c.Close()
	if b = c.outside().get(t, *b.Id); b.BuildStatus != types.StatusTypeFault || !b.BuildComplete {
		t.Errorf("status %s, phases %s", b.BuildStatus, phases(b))
	}
	untilGone(t, started)
}
