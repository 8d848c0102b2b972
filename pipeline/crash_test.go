package pipeline_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/pipeline"
	"ouro/stack"
)

// local is a local cloud in a process of its own, which can be killed.
type local struct {
	cmd *exec.Cmd
	cfg aws.Config
}

// startLocal runs ouro local on a state directory.
func startLocal(t *testing.T, state string) *local {
	t.Helper()
	return startLocalAt(t, state, "127.0.0.1:0")
}

func startLocalAt(t *testing.T, state, address string) *local {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "ouro")
	if err := os.Symlink(self(t), bin); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "local", "--listen", address, "--state", state)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill() //nolint:errcheck // it may have ended by itself
			cmd.Wait()         //nolint:errcheck // killed
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ouro: listening on ")
	if err != nil || !ok {
		t.Fatalf("ouro local said %q, %v", line, err)
	}
	return &local{cmd: cmd, cfg: aws.Config{Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("000000000000", "test", "")}}
}

func (l *local) kill(t *testing.T) {
	t.Helper()
	if err := l.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	l.cmd.Wait() //nolint:errcheck // killed
}

// until waits for a condition.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for poll := stack.NewPoll(); !done(); {
		if err := poll.Wait(ctx, true); err != nil {
			t.Fatalf("waiting until %s: %v", what, err)
		}
	}
}

// run brings the project up against a cloud in another process, in the
// background.
func (l *local) run(t *testing.T, dir, state string) <-chan error {
	t.Helper()
	p, err := pipeline.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	checked, err := pipeline.Check(t.Context(), p, "000000000000", "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	up := &pipeline.Up{Clients: pipeline.NewClients(l.cfg), Project: p, Facts: checked.Facts, State: state, Observer: &quiet{t: t}}
	done := make(chan error, 1)
	go func() {
		out, err := up.Run(context.WithoutCancel(t.Context()))
		if err == nil && out.Status != types.PipelineExecutionStatusSucceeded {
			err = &failure{out}
		}
		done <- err
	}()
	return done
}

type failure struct{ *pipeline.Outcome }

func (f *failure) Error() string { return "the execution ended as " + string(f.Status) }

// TestKilledInAStackOperation kills the cloud while the site's stacks are being
// created, and again while they are being updated.
func TestKilledInAStackOperation(t *testing.T) {
	t.Parallel()
	state, dir, own := t.TempDir(), copySite(t), t.TempDir()
	for _, step := range []struct {
		before func()
		killAt cfntypes.StackStatus
	}{
		{func() {}, cfntypes.StackStatusCreateInProgress},
		{func() {
			replace(t, filepath.Join(dir, "site.dev.json"), `"EnvironmentName": "dev"`, `"EnvironmentName": "qa"`)
		},
			cfntypes.StackStatusUpdateInProgress},
	} {
		step.before()
		first := startLocal(t, state)
		done := first.run(t, dir, own)
		api := cloudformation.NewFromConfig(first.cfg)
		until(t, "the site's stack is in "+string(step.killAt), func() bool {
			s, err := stack.Describe(t.Context(), api, "site-Site")
			return err == nil && s != nil && s.StackStatus == step.killAt
		})
		first.kill(t)
		<-done

		second := startLocal(t, state)
		if err := <-second.run(t, dir, own); err != nil {
			t.Fatalf("up after the kill in %s: %v", step.killAt, err)
		}
		s, err := stack.Describe(t.Context(), cloudformation.NewFromConfig(second.cfg), "site-Site")
		if err != nil || s == nil {
			t.Fatalf("the site's stack after the kill in %s: %v, %v", step.killAt, s, err)
		}
		if !stack.Succeeded(s.StackStatus) {
			t.Errorf("the site's stack after the kill in %s: %s", step.killAt, s.StackStatus)
		}
		second.kill(t)
	}
}

// replace replaces the only place of a text in a file.
func replace(t *testing.T, file, text, with string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(b), text) != 1 {
		t.Fatalf("%s: %q is not there once", file, text)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(b), text, with, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestKilledInABuild(t *testing.T) {
	t.Parallel()
	state, dir, own := t.TempDir(), copySite(t), t.TempDir()
	pidFile := filepath.Join(t.TempDir(), "pid")
	buildspec, err := os.ReadFile(filepath.Join(dir, "buildspec.yml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - echo $$ > " + pidFile + "; sleep 600\n"})
	first := startLocal(t, state)
	done := first.run(t, dir, own)
	until(t, "the build runs", func() bool {
		b, err := os.ReadFile(pidFile)
		return err == nil && strings.HasSuffix(string(b), "\n")
	})
	first.kill(t)
	<-done

	second := startLocal(t, state)
	builds := codebuild.NewFromConfig(second.cfg)
	list, err := builds.ListBuilds(t.Context(), &codebuild.ListBuildsInput{})
	if err != nil || len(list.Ids) != 1 {
		t.Fatalf("builds: %+v, %v", list, err)
	}
	until(t, "the build is over", func() bool {
		out, err := builds.BatchGetBuilds(t.Context(), &codebuild.BatchGetBuildsInput{Ids: list.Ids})
		return err == nil && out.Builds[0].BuildStatus == cbtypes.StatusTypeFault
	})
	b, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the build's process is gone", func() bool { return syscall.Kill(pid, 0) != nil })

	write(t, dir, map[string]string{"buildspec.yml": string(buildspec)})
	if err := <-second.run(t, dir, own); err != nil {
		t.Fatalf("up after the kill: %v", err)
	}
}
