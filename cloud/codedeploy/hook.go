package codedeploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// maxTail is how much of a script's output diagnostics tell, in bytes.
const maxTail = 4 << 10

// log adds a line to the log of the deployment.
func (a *agent) log(line string) {
	file, err := os.OpenFile(filepath.Join(a.folder(a.deployment.id()), "logs", "scripts.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return // the folder is made with the bundle; a hook may have removed it
	}
	_, _ = fmt.Fprintln(file, a.service.host.Now().Format("2006-01-02 15:04:05"), line)
	_ = file.Close()
}

// scripts runs the scripts of a hook of the revision of deployment id.
func (a *agent) scripts(ctx context.Context, event, id string, spec *appspec) *types.Diagnostics {
	for _, sc := range spec.Hooks[event] {
		if d := a.script(ctx, event, id, sc); d.ErrorCode != types.LifecycleErrorCodeSuccess {
			return d
		}
	}
	return success
}

func (a *agent) script(ctx context.Context, event, id string, sc script) *types.Diagnostics {
	tail := &tail{write: a.log}
	tail.line("", "LifecycleEvent - "+event)
	tail.line("", "Script - "+sc.Location)
	say := func(code types.LifecycleErrorCode, format string, args ...any) *types.Diagnostics {
		message := fmt.Sprintf(format, args...)
		tail.line("", message)
		return &types.Diagnostics{ErrorCode: code, Message: &message, ScriptName: aws.String(sc.Location), LogTail: aws.String(tail.text())}
	}
	archive, err := os.OpenRoot(a.archive(id))
	if err != nil {
		return broken(err)
	}
	defer archive.Close()
	location := inside(sc.Location)
	info, err := archive.Stat(location)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return say(types.LifecycleErrorCodeScriptMissing, "Script does not exist at specified location: %s", sc.Location)
	}
	if err != nil {
		return say(types.LifecycleErrorCodeScriptMissing, "Script at specified location: %s: %v", sc.Location, err)
	}
	if info.Mode()&0o111 == 0 {
		tail.line("", "Script at specified location: "+sc.Location+" is not executable.  Trying to make it executable.")
		if err := archive.Chmod(location, info.Mode().Perm()|0o755); err != nil {
			return say(types.LifecycleErrorCodeScriptNotExecutable, "Script at specified location: %s is not executable: %v", sc.Location, err)
		}
	}
	cmd := exec.Command(filepath.Join(a.archive(id), location))
	cmd.Dir, cmd.Env = a.root, a.environ(event)
	stdout, stderr := &stream{tail: tail, mark: "[stdout]"}, &stream{tail: tail, mark: "[stderr]"}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := becomeUser(cmd, sc.RunAs); err != nil {
		return say(types.LifecycleErrorCodeUnknownError, "Script at specified location: %s cannot be run as user %s: %v", sc.Location, sc.RunAs, err)
	}
	limited, cancel := context.WithTimeout(ctx, time.Duration(sc.Timeout)*a.service.options.Second)
	defer cancel()
	err = runGroup(limited, cmd)
	stdout.flush()
	stderr.flush()
	switch {
	case ctx.Err() != nil:
		return broken(context.Cause(ctx))
	case errors.Is(err, context.DeadlineExceeded):
		return say(types.LifecycleErrorCodeScriptTimedOut, "Script at specified location: %s failed to complete in %d seconds", sc.Location, sc.Timeout)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return say(types.LifecycleErrorCodeScriptFailed, "Script at specified location: %s failed with exit code %d", sc.Location, exit.ExitCode())
	}
	if err != nil {
		return say(types.LifecycleErrorCodeUnknownError, "Script at specified location: %s did not run: %v", sc.Location, err)
	}
	return success
}

// environ is what scripts know.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#reference-appspec-file-structure-environment-variable-availability
func (a *agent) environ(event string) []string {
	d := a.deployment
	env := []string{
		"APPLICATION_NAME=" + *d.Info.ApplicationName, "DEPLOYMENT_ID=" + d.id(), "DEPLOYMENT_GROUP_NAME=" + *d.Info.DeploymentGroupName,
		"DEPLOYMENT_GROUP_ID=" + d.GroupID, "LIFECYCLE_EVENT=" + event,
		"OURO_INSTANCE_ROOT=" + a.root, "AWS_ENDPOINT_URL=" + a.service.host.Endpoint(), "AWS_DEFAULT_REGION=" + d.Caller.Region,
	}
	if at := d.Info.Revision.S3Location; at != nil {
		env = append(env, "BUNDLE_BUCKET="+*at.Bucket, "BUNDLE_KEY="+*at.Key, "BUNDLE_VERSION="+aws.ToString(at.Version), "BUNDLE_ETAG="+aws.ToString(at.ETag))
	}
	if at := d.Info.Revision.GitHubLocation; at != nil {
		env = append(env, "BUNDLE_COMMIT="+*at.CommitId)
	}
	for _, name := range []string{"PATH", "HOME", "USER", "LANG", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// tail keeps the end of what scripts say, and logs all of it.
type tail struct {
	mu    sync.Mutex
	write func(line string)
	kept  []byte
}

func (t *tail) line(mark, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(mark + text)
	t.kept = append(append(t.kept, mark+text...), '\n')
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = slices.Delete(t.kept, 0, over)
	}
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(t.kept), "")
}

// stream gives a tail the lines of one output.
type stream struct {
	tail *tail
	mark string
	rest []byte
}

const maxLine = 64 << 10

func (s *stream) Write(b []byte) (int, error) {
	n := len(b)
	for {
		line, after, ok := bytes.Cut(b, []byte("\n"))
		s.rest = append(s.rest, line...)
		if !ok && len(s.rest) < maxLine {
			return n, nil
		}
		s.tail.line(s.mark, string(s.rest))
		if s.rest, b = s.rest[:0], after; !ok {
			return n, nil
		}
	}
}

// flush gives the tail what came after the last newline.
func (s *stream) flush() {
	if len(s.rest) > 0 {
		s.tail.line(s.mark, string(s.rest))
		s.rest = nil
	}
}
