package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// edit is a change to push: what it changes, and how for the n-th time.
type edit struct {
	name string
	make func(clone string, n int) error
}

// edits are what pushes are measured with.
func edits() []edit {
	return []edit{
		{"nothing deployed (README.md)", func(clone string, n int) error {
			return os.WriteFile(filepath.Join(clone, "README.md"), fmt.Appendf(nil, "# Push %d\n", n), 0o644)
		}},
		{"one alarm's threshold", func(clone string, n int) error {
			return rewrite(filepath.Join(clone, "templates", "monitoring", "alarms.yaml"), "    Default: ", fmt.Sprintf("    Default: %d", n+3))
		}},
	}
}

// rewrite replaces the last line that begins with prefix.
func rewrite(file, prefix, with string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := strings.Split(string(b), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], prefix) {
			lines[i] = with
			return os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644)
		}
	}
	return fmt.Errorf("%q has no line that begins with %q", file, prefix)
}

// site is a copy of examples/site that is up.
type site struct {
	Pipeline, Remote, Branch string
	clone                    string
	env                      []string
	pipelines                *codepipeline.Client
}

// pushing brings examples/site up, and measures pushes to it.
func pushing(ctx context.Context, w io.Writer, args []string) error {
	flags := flag.NewFlagSet("push", flag.ContinueOnError)
	runs := flags.Int("runs", 7, "pushes of each kind; the median counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 1 {
		return errors.New("-runs has to be at least 1")
	}
	return withLocal(ctx, "site/.ouro", func(dir, ouro string, cloud *local) error { return pushEdits(ctx, w, dir, ouro, cloud, *runs) })
}

func pushEdits(ctx context.Context, w io.Writer, dir, ouro string, cloud *local, runs int) error {
	s, err := bringUp(ctx, w, ouro, filepath.Join(dir, "site"), cloud)
	if err != nil {
		return err
	}
	t := &table{left: 1, head: []string{"a push that changes", "pushes", "git push", "pipeline", "push to done", "slowest"}}
	for _, e := range edits() {
		if err := measurePushes(ctx, t, s, e, runs); err != nil {
			return fmt.Errorf("pushing a change of %s: %w", e.name, err)
		}
	}
	fmt.Fprintln(w)
	t.print(w)
	return nil
}

// bringUp copies examples/site, brings it up and clones its repository.
func bringUp(ctx context.Context, w io.Writer, ouro, project string, cloud *local) (*site, error) {
	source, err := moduleDir(ctx)
	if err != nil {
		return nil, err
	}
	if err := copyTracked(filepath.Join(source, "examples", "site"), project); err != nil {
		return nil, err
	}
	s := &site{env: clientEnv(""), clone: filepath.Join(filepath.Dir(project), "clone"), pipelines: codepipeline.NewFromConfig(cloud.config())}
	out, took, err := process{env: s.env, args: []string{ouro, "up", project, "--wait", "--json"}}.output(ctx)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, s); err != nil {
		return nil, fmt.Errorf("reading what ouro up printed: %w", err)
	}
	fmt.Fprintf(w, "ouro up, from nothing to the last stage done: %s\n", seconds(took))
	_, err = process{env: s.env, args: []string{"git", "clone", "--quiet", "--branch", s.Branch, s.Remote, s.clone}}.time(ctx)
	return s, err
}

// copyTracked copies a project without the state and the output of earlier
// runs.
func copyTracked(from, to string) error {
	return filepath.WalkDir(from, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (e.Name() == ".ouro" || e.Name() == "out") {
			return filepath.SkipDir
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if e.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, body, 0o644)
	})
}

func measurePushes(ctx context.Context, t *table, s *site, e edit, runs int) error {
	var pushes, pipelines, all []time.Duration
	slowest := time.Duration(0)
	for n := range runs + 1 {
		if err := e.make(s.clone, n); err != nil {
			return err
		}
		push, done, err := s.push(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			continue // the first one finds everything cold
		}
		pushes, pipelines, all = append(pushes, push), append(pipelines, done-push), append(all, done)
		slowest = max(slowest, done)
	}
	t.add(e.name, fmt.Sprint(runs), seconds(median(pushes)), seconds(median(pipelines)), seconds(median(all)), seconds(slowest))
	return nil
}

// push commits and pushes, and waits for the execution of that commit. It
// gives how long git took, and how long it took until the last stage was done.
func (s *site) push(ctx context.Context) (push, done time.Duration, err error) {
	git := func(args ...string) ([]byte, error) {
		who := []string{"git", "-c", "user.name=bench", "-c", "user.email=bench@example.com"}
		out, _, err := process{dir: s.clone, env: s.env, args: append(who, args...)}.output(ctx)
		return out, err
	}
	if _, err := git("commit", "--quiet", "--all", "--message", "Change"); err != nil {
		return 0, 0, err
	}
	commit, err := git("rev-parse", "HEAD")
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if _, err := git("push", "--quiet", "origin", "HEAD:"+s.Branch); err != nil {
		return 0, 0, err
	}
	push = time.Since(start)
	err = s.await(ctx, strings.TrimSpace(string(commit)))
	return push, time.Since(start), err
}

// await waits until the execution of a commit has succeeded.
func (s *site) await(ctx context.Context, commit string) error {
	err := poll(ctx, 5*time.Millisecond, time.Minute, func(ctx context.Context) (bool, error) {
		out, err := s.pipelines.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{PipelineName: &s.Pipeline, MaxResults: aws.Int32(3)})
		if err != nil {
			return false, err
		}
		for _, e := range out.PipelineExecutionSummaries {
			if len(e.SourceRevisions) == 0 || aws.ToString(e.SourceRevisions[0].RevisionId) != commit {
				continue
			}
			if e.Status == types.PipelineExecutionStatusSucceeded {
				return true, nil
			}
			if e.Status != types.PipelineExecutionStatusInProgress {
				return false, fmt.Errorf("the execution %s ended as %s", aws.ToString(e.PipelineExecutionId), e.Status)
			}
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the execution of commit %s: %w", commit, err)
	}
	return nil
}
